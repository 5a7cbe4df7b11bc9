"""Create, edit, discard and withdraw records, and store what is known of them in the directory."""
