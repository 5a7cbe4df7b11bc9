"""Search the directory, take over what is registered in it, and act on differences from the portal."""
