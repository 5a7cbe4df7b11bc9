"""Reading the directory, and acting on what differs."""
