"""Plans in other forms than ours, read as plans of ours."""
