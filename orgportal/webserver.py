"""Configuration of the web server gunicorn: `gunicorn --config python:orgportal.webserver orgportal.wsgi`."""

import os
import subprocess
import sys

from django.conf import settings

from orgportal.faults import SettingsFault

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orgportal.settings")
try:
    level = settings.LOG_LEVEL
except SettingsFault as fault:
    # The first setting that is read brings up any fault; gunicorn would tell it by a traceback.
    print(f"orgportal: {fault}", file=sys.stderr)
    sys.exit(2)

# `serve` and `demo` open the door themselves and hand it on, so that no visitor is refused while a server restarts.
bind = os.environ.get("ORGPORTAL_LISTEN") or settings.BIND
workers = settings.WEB_WORKERS
worker_class = "gthread"
threads = 4
timeout = 60
limit_request_line = 8190  # the address of a plan names each of its records
graceful_timeout = 10
control_socket_disable = True  # the socket would lie in the home folder
loglevel = level.lower()
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {**settings.LOGGING["loggers"], "gunicorn.error": {"handlers": ["lines"], "propagate": False}},
}


def on_starting(_server: object) -> None:
    """End with 2 where `serve` would not start. Each web process would end while it starts, with a traceback."""
    if "ORGPORTAL_LISTEN" in os.environ:
        return  # looked at already
    check = (sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--check", "--verbosity=0")
    # In a process of its own: this one opens no database, because its children must not share a connection.
    if subprocess.run(check, check=False).returncode != 0:  # noqa: S603
        sys.exit(2)
