"""Writing the history, and reading the exchanges that it stores."""
