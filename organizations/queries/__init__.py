"""What pages read: filters, rows, choices, counts. No sentences, no HTML."""
