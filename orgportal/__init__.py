"""The project: settings, start and processes. The portal's functions are in `organizations`."""

import os

RELEASE = "0.1.0"

# Every program of the portal imports this module before it makes a file. Any file may have private data, so only the
# account of the portal may read it.
os.umask(0o077)
