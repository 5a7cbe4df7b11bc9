"""The project: settings, start, processes. What the portal does is in `organizations`."""

import os

RELEASE = "0.1.0"

# Every program of the portal imports this before it makes a file, and every file may hold data: for this account alone.
os.umask(0o077)
