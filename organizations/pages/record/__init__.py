"""One record: summary, to do, submissions, history."""
