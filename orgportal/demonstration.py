"""The demonstration's own settings, stored in `var/`. It reads neither `.env` nor the shell's variables."""

import json
import os
import re
import secrets
import socket
import sqlite3
import uuid
from collections.abc import MutableMapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from joserfc.jwk import RSAKey

from orgportal.start_errors import SettingsError

DATABASE = "demo.sqlite3"
_PRACTICE_URL = re.compile(r"http://127\.0\.0\.1:(\d+)")
# The company of the made-up records in each environment.
_BASE_OIDS = {
    "STAGING": "2.16.840.1.113883.3.6147.458.99999.1.1.1.1",
    "PRODUCTION": "2.16.840.1.113883.3.6147.458.99999.2.1.1.1",
}
_TIMES = {
    # Shorter times, so that people who try a lost answer soon see whether the message arrived.
    "REDOX_DEADLINE": "8",
    "REDOX_LEASE": "40",
    "REDOX_SETTLE": "10",
    "REDOX_RATE": "500",
}


def var_dir(environment: MutableMapping[str, str]) -> Path:
    """The folder of databases, locks and static files: `ORGPORTAL_VAR`, by default `var/`."""
    return Path(environment.get("ORGPORTAL_VAR") or Path(__file__).resolve().parent.parent / "var").resolve()


def enter(environment: MutableMapping[str, str]) -> None:
    """Make this process and its child processes use the demonstration's settings."""
    prepare(var_dir(environment))
    environment["ORGPORTAL_DEMO"] = "1"


def prepare(folder: Path) -> None:
    """Write `demo.env` and the practice directory's credentials, unless an earlier run has written them.

    They are the same in each run: with other settings, queued submissions would need a decision.
    """
    if (folder / "demo.env").exists():
        return
    print("Making the keys and settings of the demonstration (once) ...", flush=True)
    (folder / "demo-practice").mkdir(parents=True, exist_ok=True)
    staging, production = _credentials(folder)
    practice = f"http://127.0.0.1:{_free_port()}"
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS": "false",
        "TIME_ZONE": "America/Chicago",
        "LOG_LEVEL": "WARNING",
        "WEB_WORKERS": "1",
        **_TIMES,
    }
    for name, credential in {"STAGING": staging, "PRODUCTION": production}.items():
        variables = {"BASE_URL": practice, "BASE_OIDS": _BASE_OIDS[name], **credential}
        values |= {f"REDOX_{name}_{each}": value for each, value in variables.items()}
    _write(folder / "demo.env", "".join(f"{name}={value}\n" for name, value in values.items()))


def folder_settings(folder: Path) -> dict[str, str]:
    """The settings that depend on the folder. They are not stored, because the folder may be moved or copied."""
    return {
        "DATABASE_URL": f"sqlite:///{quote(str(folder / DATABASE))}",
        "REDOX_STAGING_PRIVATE_KEY_FILE": str(folder / "demo-key.pem"),
    }


def choose_practice_port(folder: Path) -> int:
    """The practice directory's port: that of the last run, or a new one if that port is not free."""
    file = folder / "demo.env"
    text = file.read_text(encoding="utf-8")
    port = int(_PRACTICE_URL.findall(text)[0])
    if _is_free(port):
        return port
    port = _free_port()
    _write(file, _PRACTICE_URL.sub(f"http://127.0.0.1:{port}", text))
    return port


def check_database(folder: Path) -> None:
    """Check that the database is not a real one: DATABASE_URL of a real portal may name this file.

    Raises:
        SettingsError: it has people or records but no demonstration mark, or cannot be read.
    """
    file = folder / DATABASE
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            is_real = _is_real(connection)
    except sqlite3.Error as error:
        raise SettingsError(str(file), f"cannot be read as a database ({error}); move it away") from None
    if is_real:
        raise SettingsError(
            str(file), "holds a real database, which the demonstration does not touch. Move it and set DATABASE_URL"
        )


def start_over(folder: Path) -> None:
    """Delete the demonstration's records, history and directories. Credentials and settings stay.

    Raises:
        SettingsError: as `check_database`. Nothing was deleted.
    """
    check_database(folder)
    database = [folder / f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")]
    for file in (*database, folder / "demo.seeded", *folder.glob("demo-practice/*")):
        if file.name != "credentials.json":
            file.unlink(missing_ok=True)


def _is_real(connection: sqlite3.Connection) -> bool:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def has_rows(table: str, condition: str = "TRUE") -> bool:
        row = table in tables and connection.execute(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1").fetchone()  # noqa: S608
        return bool(row)

    if has_rows("organizations_installation", "demonstration"):
        return False
    return has_rows("organizations_user") or has_rows("organizations_organization")


def _credentials(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Make a credential for each environment and register both with the practice directory."""
    client_id, key_id = str(uuid.uuid4()), secrets.token_hex(8)
    key = RSAKey.generate_key(3072, {"kid": key_id, "use": "sig", "alg": "RS384"})
    api_key, api_secret = str(uuid.uuid4()), secrets.token_urlsafe(40)
    credentials = [
        {"environment": "staging", "client_id": client_id, "public_jwk": key.as_dict(private=False)},
        {"environment": "production", "api_key": api_key, "api_secret": api_secret},
    ]
    _write(folder / "demo-key.pem", key.as_pem(private=True).decode("ascii"))
    _write(folder / "demo-practice" / "credentials.json", json.dumps(credentials, indent=2))
    return (
        {"AUTH": "oauth", "CLIENT_ID": client_id, "KEY_ID": key_id},
        {"AUTH": "api-key", "API_KEY": api_key, "API_SECRET": api_secret},
    )


def _write(path: Path, text: str) -> None:
    """Replace a file atomically. Only the owner can read the new file."""
    scratch = path.with_name(f"{path.name}.new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    scratch.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
