"""The settings of a measurement: the portal's own, and the stock Django admin, which the portal does not have."""

from orgportal.settings import *  # noqa: F403
from orgportal.settings import INSTALLED_APPS

INSTALLED_APPS += ["django.contrib.admin"]
ROOT_URLCONF = "benchmarks.urls"
TESTING = True  # waiting times may be shortened
