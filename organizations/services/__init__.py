"""All code that saves. Each act is one function, one transaction and its history entries."""
