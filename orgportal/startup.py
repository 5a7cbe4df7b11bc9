"""Checks at the start of every process. They are not Django system checks, because a web server does not run those."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from organizations.services import installation, timing
from organizations.services.connection import redox_settings
from orgportal import database_file, demonstration, folders
from orgportal.start_errors import SettingsError


def verify() -> None:
    """Raise `SettingsError` if the portal must not run with its settings. Opens no database.

    Raises `WrongFile` if DATABASE_URL names a file that is not a database. An error in the settings of one Redox
    environment does not stop the portal: that environment is then not connected.
    """
    for check in (
        _secret_key,
        _hosts,
        _bind,
        _https,
        _database,
        _own_folder,
        _var_folder,
        _delivery_times,
        _unknown_names,
    ):
        for error in check():
            raise error
    redox_settings.verify_settings()


def verify_database() -> None:
    """Raise `SettingsError` if the database is the demonstration's and the process is not, or the reverse."""
    installation.check_demonstration_mark()


def split_bind(bind: str) -> tuple[str, int]:
    """The address and port of `BIND`, such as `127.0.0.1:8000` or `[::1]:8000`. Raises `SettingsError`."""
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise SettingsError("BIND", "is not an address and port such as 127.0.0.1:8000")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise SettingsError("BIND", "does not begin with an IP address; write 127.0.0.1 for localhost") from None
    return host.removeprefix("[").removesuffix("]"), int(port)


def _only_this_machine() -> bool:
    return ipaddress.ip_address(split_bind(settings.BIND)[0]).is_loopback


def _secret_key() -> Iterator[SettingsError]:
    if settings.DEBUG:
        return
    advice = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
    secret = settings.VARIABLES.text("SECRET_KEY")
    if not secret:
        yield SettingsError("SECRET_KEY", f"is not set. {advice}")
    if len(secret) < 50 or len(set(secret)) < 5 or secret.startswith("django-insecure-"):
        yield SettingsError("SECRET_KEY", f"is too weak: it needs 50 characters chosen at random. {advice}")


def _hosts() -> Iterator[SettingsError]:
    if settings.DEBUG:
        return
    if not settings.ALLOWED_HOSTS:
        yield SettingsError("ALLOWED_HOSTS", "is not set. Name the hosts in the portal's address, separated by commas")
    if "*" in settings.ALLOWED_HOSTS:
        yield SettingsError("ALLOWED_HOSTS", "must name the hosts; * would accept any")
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if not origin.startswith(("https://", "http://")):
            yield SettingsError("CSRF_TRUSTED_ORIGINS", "each origin begins with https:// or http://")


def _bind() -> Iterator[SettingsError]:
    is_only_this_machine = _only_this_machine()
    if settings.DEBUG and not is_only_this_machine:
        yield SettingsError("DEBUG", "shows the inside of the portal to every visitor: only with BIND on 127.0.0.1")


def _https() -> Iterator[SettingsError]:
    if settings.HTTPS and not settings.BEHIND_PROXY and not settings.DEBUG:
        yield SettingsError(
            "BEHIND_PROXY",
            "is 0 while HTTPS is true: the portal does not speak TLS. Put a TLS proxy before it and set 1, or set "
            "HTTPS=false to use it on this machine only",
        )
    if not settings.HTTPS and not _only_this_machine():
        yield SettingsError(
            "HTTPS", "is false, so BIND must be an address of this machine alone, such as 127.0.0.1:8000"
        )


def _database() -> Iterator[SettingsError]:
    file = Path(settings.VAR_DIR) / demonstration.DATABASE
    if not settings.DEMO and Path(settings.DATABASES["default"]["NAME"]).resolve() == file:
        yield SettingsError("DATABASE_URL", "names the file of ./dev demo, which --fresh deletes; name another")
    if settings.DATABASES["default"]["ENGINE"] == "orgportal.sqlite3":
        database_file.check_kind(Path(settings.DATABASES["default"]["NAME"]))


def _own_folder() -> Iterator[SettingsError]:
    """Make `var/` private to its owner: in earlier releases, other accounts could read it.

    The mode of the folder that ORGPORTAL_VAR names is not changed, because others may need that folder too.
    """
    folder = settings.BASE_DIR / "var"
    if folder.is_dir() and folder.stat().st_mode & 0o077:
        try:
            folder.chmod(0o700)
        except PermissionError:
            yield SettingsError(str(folder), f"is open to other accounts. Its owner must run: chmod 700 {folder}")


def _var_folder() -> Iterator[SettingsError]:
    error = folders.write_error(Path(settings.VAR_DIR))
    if error:
        yield SettingsError("ORGPORTAL_VAR", f"{settings.VAR_DIR} cannot be made or written: {error}")


def _delivery_times() -> Iterator[SettingsError]:
    if timing.least_lease() > settings.REDOX_LEASE:
        yield SettingsError(
            "REDOX_LEASE",
            f"must be at least {timing.least_lease():g} seconds with this REDOX_DEADLINE: with a shorter one a message "
            "is never sent, or another worker could send it a second time",
        )
    if settings.REDOX_SETTLE < 120 and not (settings.DEMO or settings.TESTING):
        yield SettingsError(
            "REDOX_SETTLE",
            "must be at least 120 seconds: Redox may work that long on a message whose answer was lost",
        )


def _unknown_names() -> Iterator[SettingsError]:
    for name in settings.VARIABLES.unknown("REDOX_"):
        yield SettingsError(name, "is not a setting of the portal. Is its name misspelt?")
