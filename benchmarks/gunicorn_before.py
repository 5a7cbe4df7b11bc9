"""Configuration of gunicorn as the portal ran it before waitress: the yardstick of `benchmarks.server`."""

import os

bind = os.environ["ORGPORTAL_LISTEN"]
workers = int(os.environ["WEB_WORKERS"])
worker_class = "gthread"
threads = 4
timeout = 60
limit_request_line = 8190
graceful_timeout = 1  # nobody waits for what an attack left
control_socket_disable = True
loglevel = "error"
