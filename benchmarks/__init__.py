"""How fast the portal is: measured by hand, never by a test. README.md says how to run it and how to read it."""
