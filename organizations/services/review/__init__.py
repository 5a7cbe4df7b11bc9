"""What would be sent, and what a person is asked before it is."""
