"""The project: settings, start, processes. What the portal does is in `organizations`."""

RELEASE = "0.1.0"
