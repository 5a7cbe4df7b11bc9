"""Act on differences between the portal and the directory."""
