"""The settings of a measurement: the portal's own, with two slow pages."""

from orgportal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
TESTING = True  # waiting times may be shortened
