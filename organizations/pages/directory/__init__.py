"""What the directory shows beside the records in the portal."""
