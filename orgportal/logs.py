"""Log lines on standard error. Each is a JSON object with the ID of the request, and has no body and no secret."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")

# The names of `extra=` that a line may have. Others are left out: Django, for example, adds the whole request.
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
        if identifier := request_id.get() or _id_of_request(record):
            line["request_id"] = identifier
        line |= {name: value for name in _EXTRA if (value := getattr(record, name, None)) is not None}
        # A refused or malformed request is not an error of the program, so its line has no traceback.
        error = record.exc_info[1] if record.exc_info else _cause(record)
        if error and getattr(record, "status_code", 500) >= 500:
            line["exception"] = _traceback(error)
        return json.dumps(line, ensure_ascii=False, default=str)


def _cause(record: logging.LogRecord) -> BaseException | None:
    """The exception behind an error page. Django does not log it if the page for a missing address failed."""
    cause: BaseException | None = getattr(getattr(record, "request", None), "cause", None)
    return cause


def _traceback(error: BaseException) -> str:
    """The traceback, with only the start of each message's first line: the rest may have posted or stored values."""
    parts = traceback.format_exception(error)
    return "".join(part if part.startswith(_FRAME) else f"{part.partition('\n')[0][:_LONGEST]}\n" for part in parts)


def _id_of_request(record: logging.LogRecord) -> str:
    """The ID of the request, for lines that Django logs after `RequestIdMiddleware` has ended."""
    return getattr(getattr(record, "request", None), "request_id", "")


def logging_settings(level: str) -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`."""
    quiet = {"level": "WARNING"}  # at INFO they log each exchange, which the audit history has already
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "orgportal.logs.JsonFormatter"}},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["lines"], "level": level},
        "loggers": {
            "httpx": quiet,
            "httpcore": quiet,
            "waitress.queue": {"level": "ERROR"},  # its warnings are about each request that waits for a thread
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }
