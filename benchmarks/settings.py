"""The settings of a measurement: the portal's own, with the stock Django admin at an address of its own."""

from orgportal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
TESTING = True  # waiting times may be shortened
