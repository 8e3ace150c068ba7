"""Ways in for programs: each speaks one protocol, and asks the desk."""
