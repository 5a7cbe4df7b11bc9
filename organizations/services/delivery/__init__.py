"""Sending: claim, send, settle, resolve, decide, and the limits that hold sending back."""
