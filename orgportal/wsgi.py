"""The WSGI application for web servers: `orgportal.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

from orgportal.middleware import clean_requests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orgportal.settings")
application = clean_requests(get_wsgi_application())

from orgportal import startup  # noqa: E402 - needs the applications that the line above has loaded

# A web server runs none of Django's system checks.
startup.verify()
startup.verify_database()
