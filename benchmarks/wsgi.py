"""The door for the measured web server.

The portal's own refuses a database with the mark of made-up records, which this one carries on purpose.
"""

from django.core.wsgi import get_wsgi_application

from orgportal.middleware import readable

application = readable(get_wsgi_application())
