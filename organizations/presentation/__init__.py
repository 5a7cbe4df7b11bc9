"""What templates print, made from rows, entries and records by reading alone."""
