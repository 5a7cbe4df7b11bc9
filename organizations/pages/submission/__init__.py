"""One submission, from review to its end, and the outbox."""
