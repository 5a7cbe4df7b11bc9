"""The review of a message before it is sent: changes, warnings and blockers."""
