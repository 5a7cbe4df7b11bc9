"""Turns an exception into a sentence for the terminal. It says what to do, and has no secrets."""

import errno
import sqlite3

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from orgportal.processes import Taken
from orgportal.start_errors import SettingsError, WrongFile

MIGRATE = "The database lacks tables or columns that this release needs. Run: ./dev migrate"
_FULL = "The disk is full. Free some space and try again."
_LOCKED = "Another process has locked the database. Try again when that process has ended."
_DAMAGED = "{database} is damaged, or is not an SQLite database. To replace it by a backup, run: ./dev restore FILE"
_NOT_OURS = "{database} belongs to another account. Run this as the account that runs the portal."

# By the start of the name of SQLite's error: SQLITE_IOERR also stands for SQLITE_IOERR_WRITE.
_SQLITE = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_FULL": _FULL,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_READONLY": _NOT_OURS,
    "SQLITE_PERM": _NOT_OURS,
    "SQLITE_CANTOPEN": "{database} cannot be opened. Check that its folder exists, and run this as the account that "
    "runs the portal.",
    "SQLITE_IOERR": "{database} cannot be read or written. The disk may be full or damaged.",
}
# By PostgreSQL's error code, or by its class: the first two characters of the code.
_POSTGRESQL = {
    "42P01": MIGRATE,
    "42703": MIGRATE,
    "42501": "PostgreSQL does not let the user of DATABASE_URL do this. Make that user the owner of the database.",
    "25006": "PostgreSQL only lets the portal read: this server is a standby. Name the primary server in DATABASE_URL.",
    "53100": "The disk of the PostgreSQL server is full. Free some space there and try again.",
    "53300": "PostgreSQL has too many connections. Raise its max_connections, or lower WEB_WORKERS.",
    "55P03": _LOCKED,
    "40": "Another process changed the same rows. Try again.",
    "57": "PostgreSQL ended the connection. Check that the server runs, and try again.",
}


def sentence(error: BaseException) -> str:
    """The sentence to print instead of a traceback."""
    if isinstance(error, SettingsError | Taken | WrongFile):
        return str(error)
    if isinstance(error, DatabaseError | sqlite3.Error):
        return _of_database(error)
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, EOFError):
        return "The input ended before all questions were answered. Run the command in a terminal."
    if isinstance(error, ImproperlyConfigured):
        return f"A setting cannot be used: {error}"
    return _unexpected(error)


def _unexpected(error: BaseException) -> str:
    # Without the text of the error, because it may contain a secret or a value of a record.
    return f"This failed unexpectedly ({type(error).__name__}). Add --traceback to see where in the program."


def _of_system(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _FULL
    place = f"{error.filename}: " if error.filename else ""
    advice = ". Run this as the account that runs the portal" if isinstance(error, PermissionError) else ""
    return f"{place}{error.strerror}{advice}." if error.strerror else _unexpected(error)


def _of_database(error: BaseException) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause) or _unexpected(error)
    code = getattr(cause, "sqlstate", None)
    if code is None:
        return _unreachable(str(cause))
    return _POSTGRESQL.get(code) or _POSTGRESQL.get(code[:2]) or _unexpected(error)


def _of_sqlite(error: sqlite3.Error) -> str:
    if str(error).startswith(("no such table", "no such column")):
        return MIGRATE
    name = getattr(error, "sqlite_errorname", "")
    texts = (text for start, text in _SQLITE.items() if name.startswith(start))
    return next(texts, "").format(database=settings.DATABASES["default"]["NAME"])


def _unreachable(text: str) -> str:
    """A sentence with the driver's reason for a failed connection. It may name host and user, never the password."""
    reason = text.strip().partition("\n")[0].removeprefix("connection failed: ").rstrip(".")
    password = settings.DATABASES["default"].get("PASSWORD")
    if password:
        reason = reason.replace(password, "***")
    return f"The database cannot be reached: {reason}. Check DATABASE_URL, and whether the server runs."
