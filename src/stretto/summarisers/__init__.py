"""Those who give long texts in few words, for readers with small windows."""
