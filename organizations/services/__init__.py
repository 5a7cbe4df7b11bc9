"""All code that saves. Each action is one function, one transaction and its history entries."""
