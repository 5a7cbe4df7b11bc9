"""One process of the portal's web server, over the measured database: `python -m benchmarks.webserver [THREADS]`."""

import sys

from orgportal import webserver


def main() -> None:
    from benchmarks.wsgi import application  # noqa: PLC0415 - settings come first

    listener = webserver.inherited_listener()
    assert listener is not None, "the measurement opens the socket"
    webserver.serve(application, listener, *map(int, sys.argv[1:2]))


if __name__ == "__main__":
    main()
