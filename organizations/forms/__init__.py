"""Forms: they read what people type into the neutral record. Forms save nothing."""
