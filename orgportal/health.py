"""The two health addresses. They answer within a second, even if the database does not."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse

from orgportal import schema

log = logging.getLogger("orgportal.health")

LIVE, READY = "/health/live", "/health/ready"
_MOST_SECONDS = 0.5  # for the check; the whole response must not take more than a second
_NO_ANSWER = "the database does not answer"


class HealthMiddleware:
    """Answers `/health/live` (the process runs) and `/health/ready` (the database answers and matches this release)."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond
        self._lock = threading.Lock()
        self._check: _Check | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == LIVE:
            return _plain("live", 200)
        if request.path_info == READY:
            error = self._current_check().result()
            return _plain(error or "ready", 503 if error else 200)
        return self.respond(request)

    def _current_check(self) -> "_Check":
        """The check that is running, or a new one. So a database that does not answer blocks only one thread."""
        with self._lock:
            if self._check is None or self._check.done.is_set():
                self._check = _Check()
            return self._check


class _Check:
    """One check of the database. A lock or a dead server can block it, so it has its own thread and connection."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self._mismatch = _NO_ANSWER
        self._until = time.monotonic() + _MOST_SECONDS
        threading.Thread(target=self._run, name="health", daemon=True).start()

    def result(self) -> str:
        """Why the portal is not ready; "" if it is. Waits until `_MOST_SECONDS` after the check began, or less."""
        if not self.done.wait(max(0.0, self._until - time.monotonic())):
            log.error("The database did not answer within %s s", _MOST_SECONDS)
        return self._mismatch

    def _run(self) -> None:
        try:
            self._mismatch = schema.mismatch()
        except Exception:  # any reason why the database does not answer, such as a missing folder
            log.exception("The database does not answer")
        finally:
            connection.close()
            self.done.set()


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
