"""Create, edit, discard and withdraw records, and store what is known about them in the directory."""
