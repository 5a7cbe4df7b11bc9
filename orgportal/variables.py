"""Reads settings from environment variables and from the file `.env`, and names the variable that cannot be used."""

import io
import re
import warnings
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import environ

from orgportal.start_errors import SettingsError

_LINE = re.compile(r"(?:export )?[A-Za-z_0-9]+=.*")
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Variables:
    """The settings of this process. A blank value counts as not set.

    Every reader raises `SettingsError` for a value that it cannot use. It adds the name to `names`, so that a test can
    compare the names with the example file and the documentation.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._env = environ.Env()
        self._env.ENVIRON = dict(values)
        self._env.escape_proxy = True
        self.names: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        self.names.add(name)
        raw = self._env.ENVIRON.get(name, "").strip()
        if raw.startswith("$"):
            # The library would read the value of the variable with this name instead.
            raise SettingsError(name, r"begins with $. Write \$ for a value that really begins with it")
        return self._env.str(name).strip() if raw else default

    def flag(self, name: str, default: bool) -> bool:
        word = self.text(name, str(default)).lower()
        if word not in _WORDS:
            raise SettingsError(name, "is neither true nor false")
        return _WORDS[word]

    def count(self, name: str, default: int, least: int) -> int:
        try:
            number = int(self.text(name, str(default)))
        except ValueError:
            raise SettingsError(name, "is not a whole number") from None
        if number < least:
            raise SettingsError(name, f"is {number}; the least is {least}")
        return number

    def positive(self, name: str, default: float) -> float:
        try:
            number = float(self.text(name, str(default)))
        except ValueError:
            raise SettingsError(name, "is not a number") from None
        if not 0 < number < float("inf"):
            raise SettingsError(name, "is not a number above 0")
        return number

    def one_of(self, name: str, default: str, words: Sequence[str]) -> str:
        word = self.text(name, default).upper()
        if word not in words:
            raise SettingsError(name, f"must be one of {', '.join(words)}")
        return word

    def time_zone(self, name: str, default: str) -> str:
        key = self.text(name, default)
        try:
            zoneinfo.ZoneInfo(key)
        except (KeyError, ValueError, OSError):
            raise SettingsError(name, "is not a time zone such as America/Chicago") from None
        return key

    def items(self, name: str) -> list[str]:
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def unknown(self, prefix: str) -> list[str]:
        """The names with this prefix that are set, but that no reader has read."""
        return sorted(name for name in self._env.ENVIRON if name.startswith(prefix) and name not in self.names)

    def database(self, name: str, default: str) -> dict[str, Any]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # the library's warning would print the address and the password
                database = environ.Env.db_url_config(self.text(name, default))
        except (ValueError, UserWarning):
            database = {}
        if database.get("ENGINE") not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
            raise SettingsError(name, "is not the address of an SQLite file or a PostgreSQL database")
        if "postgresql" in database["ENGINE"] and ("@" in database["NAME"] or "/" in database["NAME"]):
            # A / in the password ends the address there, and a part of the password would be shown as the host.
            raise SettingsError(name, "has a character that must be written as in %2F, such as / in the password")
        if not database["NAME"] or database["NAME"] == ":memory:":
            raise SettingsError(name, "names no database file that several processes can share")
        return database

    def mailer(self, name: str, default: str) -> dict[str, Any]:
        """An entry of Django's `MAILERS`."""
        try:
            parts = environ.Env.email_url_config(self.text(name, default))
        except (ValueError, KeyError, environ.ImproperlyConfigured):
            raise SettingsError(name, "is not a mail server such as smtp+tls://mail.example.org:587") from None
        if not parts["EMAIL_HOST"]:
            return {"BACKEND": parts["EMAIL_BACKEND"]}
        options = {
            "host": parts["EMAIL_HOST"],
            "port": parts["EMAIL_PORT"] or 25,
            "username": parts["EMAIL_HOST_USER"] or "",
            "password": parts["EMAIL_HOST_PASSWORD"] or "",
            "use_tls": parts.get("EMAIL_USE_TLS", False),
            "use_ssl": parts.get("EMAIL_USE_SSL", False),
            "timeout": 30,
        }
        return {"BACKEND": parts["EMAIL_BACKEND"], "OPTIONS": options}


@dataclass(frozen=True, slots=True, kw_only=True)
class RedoxSettings:
    """The settings of one environment as text, not yet checked. "" means not set; secrets stay out of `repr`.

    `errors`: one for each value that could not be read. No process stops for them, because the other environment works.
    """

    label: str
    base_url: str
    auth: str
    client_id: str
    key_id: str
    private_key: str = field(repr=False)
    private_key_file: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    source_id: str
    routing_id: str
    gateway_oid: str
    base_oids: tuple[str, ...]
    document_repository_id: str
    errors: tuple[SettingsError, ...] = ()


_REDOX_TEXTS = tuple(each.name for each in fields(RedoxSettings) if each.name != "errors")


def redox_settings(variables: Variables, environment: str, defaults: Mapping[str, str]) -> RedoxSettings:
    """Read one environment's settings, such as `REDOX_STAGING_CLIENT_ID`. Errors are kept in `errors`, not raised."""
    prefix = f"REDOX_{environment.upper()}_"
    errors: list[SettingsError] = []
    texts: dict[str, str] = {}
    for name in _REDOX_TEXTS:
        try:
            texts[name] = variables.text(prefix + name.upper(), defaults.get(name, ""))
        except SettingsError as error:
            errors.append(error)
            texts[name] = ""
    base_oids = tuple(oid.strip() for oid in texts.pop("base_oids").split(",") if oid.strip())
    try:
        texts["private_key"] = _private_key(prefix, texts)
    except SettingsError as error:
        errors.append(error)
    return RedoxSettings(**texts, base_oids=base_oids, errors=tuple(errors))


def _private_key(prefix: str, texts: Mapping[str, str]) -> str:
    key, path = texts["private_key"], texts["private_key_file"]
    if key and path:
        raise SettingsError(f"{prefix}PRIVATE_KEY_FILE", "is set, and PRIVATE_KEY too. Set only one of the two")
    if not path:
        return key.replace("\\n", "\n")
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a text file"
        raise SettingsError(f"{prefix}PRIVATE_KEY_FILE", f"the file cannot be read: {reason}") from None


def read_variables(environment: Mapping[str, str], file: Path | None) -> Variables:
    """The process's own variables, and those of the file for names that the process does not set.

    Raises `SettingsError` for a file that is missing, cannot be read, or has a line that is neither a comment nor
    NAME=value.
    """
    values = dict(environment)
    if file is not None:
        for name, value in _read_file(file).items():
            values.setdefault(name, value)
    return Variables(values)


def _read_file(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(str(file), f"cannot be read: {reason}") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line and not line.startswith("#") and not _LINE.fullmatch(line):
            # Checked here, because the library would print the line, which may be part of a private key.
            raise SettingsError(str(file), f"line {number} is neither a comment nor NAME=value")

    class FileValues(environ.Env):
        ENVIRON: ClassVar[dict[str, str]] = {}  # not os.environ, which must not change

    FileValues.read_env(io.StringIO(text))
    return FileValues.ENVIRON
