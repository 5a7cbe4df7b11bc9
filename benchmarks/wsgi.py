"""The WSGI application of the measured web server: the portal, or the stock admin by its own settings.

`orgportal.wsgi` refuses a database with the demonstration mark, which the measured database has on purpose.
"""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from orgportal.middleware import clean_requests

_django = get_wsgi_application()
application = clean_requests(_django) if settings.ROOT_URLCONF == "benchmarks.urls" else _django
