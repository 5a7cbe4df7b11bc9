"""What people type, read into the neutral record; nothing is saved here."""
