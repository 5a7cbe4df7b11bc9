"""Log lines: one JSON object a line on standard error, with the number of the request. Never a body, never a secret."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")

# What a caller may add to a line with `extra=`; anything else (Django adds the whole request) is left out.
_EXTRA = ("method", "path", "status_code", "duration_ms", "environment", "oid", "submission", "attempt")
_FRAME = ("Traceback ", "  File ", "\n")
_LONGEST = 200


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; the time is RFC 3339 in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if number := request_id.get() or _number_of_request(record):
            line["request_id"] = number
        line |= {name: value for name in _EXTRA if (value := getattr(record, name, None)) is not None}
        # A refused or malformed request is not an error of the program: the log line is enough.
        error = record.exc_info[1] if record.exc_info else _cause(record)
        if error and getattr(record, "status_code", 500) >= 500:
            line["exception"] = _traceback(error)
        return json.dumps(line, ensure_ascii=False, default=str)


def _cause(record: logging.LogRecord) -> BaseException | None:
    """The exception behind an error page. Django does not log it if the page for a missing address failed."""
    cause: BaseException | None = getattr(getattr(record, "request", None), "cause", None)
    return cause


def _traceback(error: BaseException) -> str:
    """The traceback, with only the first line of each message, cut: the rest may hold what was posted or stored."""
    parts = traceback.format_exception(error)
    return "".join(part if part.startswith(_FRAME) else f"{part.partition('\n')[0][:_LONGEST]}\n" for part in parts)


def _number_of_request(record: logging.LogRecord) -> str:
    """The number, for lines that Django logs after the middleware with the number has ended."""
    return getattr(getattr(record, "request", None), "request_id", "")


def logging_settings(level: str) -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`."""
    quiet = {"level": "WARNING"}  # they would log each exchange at INFO; the audit history has them already
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "orgportal.logs.JsonFormatter"}},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["lines"], "level": level},
        "loggers": {
            "httpx": quiet,
            "httpcore": quiet,
            "waitress.queue": {"level": "ERROR"},  # a line for each request that waits a moment for a thread
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }
