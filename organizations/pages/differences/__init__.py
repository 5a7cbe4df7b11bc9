"""Where the directory shows other values."""
