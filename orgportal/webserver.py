"""Configuration of the web server gunicorn: `gunicorn --config python:orgportal.webserver orgportal.wsgi`."""

import os

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orgportal.settings")

# `serve` and `demo` open the door themselves and hand it on, so that no visitor is refused while a server restarts.
bind = os.environ.get("ORGPORTAL_LISTEN") or settings.BIND
workers = settings.WEB_WORKERS
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 10
control_socket_disable = True  # the socket would lie in the home folder
loglevel = settings.LOG_LEVEL.lower()
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {**settings.LOGGING["loggers"], "gunicorn.error": {"handlers": ["lines"], "propagate": False}},
}
