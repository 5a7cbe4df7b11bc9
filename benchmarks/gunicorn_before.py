"""The configuration of gunicorn, which the portal used before waitress. `benchmarks.server` compares with it."""

import os

bind = os.environ["ORGPORTAL_LISTEN"]
workers = int(os.environ["WEB_WORKERS"])
worker_class = "gthread"
threads = 4
timeout = 60
limit_request_line = 8190
graceful_timeout = 1  # requests of the attack need no answer
control_socket_disable = True
loglevel = "error"
