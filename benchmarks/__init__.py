"""Measurements of the portal's speed. People run them, tests do not. README.md says how to run and read them."""
