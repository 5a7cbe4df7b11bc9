"""The review of one message."""
