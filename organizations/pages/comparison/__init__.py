"""Records side by side: as saved here, as accepted, and as the directory shows them."""
