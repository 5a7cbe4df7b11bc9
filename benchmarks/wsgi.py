"""The WSGI application of the measured web server.

`orgportal.wsgi` refuses a database with the demonstration mark, which the measured database has on purpose.
"""

from django.core.wsgi import get_wsgi_application

from orgportal.middleware import clean_requests

application = clean_requests(get_wsgi_application())
