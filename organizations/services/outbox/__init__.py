"""From a review to the outbox: submissions and plans."""
