"""Create, edit, discard and withdraw records, and what is known of them in the directory."""
