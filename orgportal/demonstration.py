"""The demonstration's own settings, kept in `var/`: neither `.env` nor the shell's variables reach it."""

import json
import os
import secrets
import socket
import uuid
from collections.abc import MutableMapping
from pathlib import Path

from joserfc.jwk import RSAKey

_TIMES = {
    # Waiting times are shortened, so that a lost answer clears up while somebody watches.
    "REDOX_DEADLINE": "8",
    "REDOX_LEASE": "40",
    "REDOX_SETTLE": "10",
}


def var_dir(environment: MutableMapping[str, str]) -> Path:
    """Where databases, locks and collected files lie; `ORGPORTAL_VAR` moves it."""
    return Path(environment.get("ORGPORTAL_VAR") or Path(__file__).resolve().parent.parent / "var").resolve()


def enter(environment: MutableMapping[str, str]) -> None:
    """Turn this process, and all that it starts, to the demonstration."""
    prepare(var_dir(environment))
    environment["ORGPORTAL_DEMO"] = "1"


def prepare(folder: Path) -> None:
    """Write `demo.env` and the practice directory's credentials, unless they are there from an earlier run.

    They stay the same from run to run: with other settings, what waits in the outbox would ask for a person.
    """
    file = folder / "demo.env"
    if file.exists() and (folder / "demo-practice" / "credentials.json").exists():
        return
    (folder / "demo-practice").mkdir(parents=True, exist_ok=True)
    client_id, key_id = str(uuid.uuid4()), secrets.token_hex(8)
    key = RSAKey.generate_key(2048, {"kid": key_id, "use": "sig", "alg": "RS384"})
    api_key, api_secret = str(uuid.uuid4()), secrets.token_urlsafe(40)
    _write(folder / "demo-key.pem", key.as_pem(private=True).decode("ascii"))
    _write(
        folder / "demo-practice" / "credentials.json",
        json.dumps(
            {
                "staging": {"client_id": client_id, "kid": key_id, "public_jwk": key.as_dict(private=False)},
                "production": {"api_key": api_key, "api_secret": api_secret},
            },
            indent=2,
        ),
    )
    practice = f"http://127.0.0.1:{_free_port()}"
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS": "false",
        "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
        "TIME_ZONE": "America/Chicago",
        "LOG_LEVEL": "WARNING",
        **_TIMES,
        "REDOX_STAGING_BASE_URL": practice,
        "REDOX_STAGING_AUTH": "oauth",
        "REDOX_STAGING_CLIENT_ID": client_id,
        "REDOX_STAGING_KEY_ID": key_id,
        "REDOX_STAGING_PRIVATE_KEY_FILE": str(folder / "demo-key.pem"),
        "REDOX_STAGING_BASE_OIDS": "2.16.840.1.113883.3.6147.458.99999",
        "REDOX_PRODUCTION_BASE_URL": practice,
        "REDOX_PRODUCTION_AUTH": "api-key",
        "REDOX_PRODUCTION_API_KEY": api_key,
        "REDOX_PRODUCTION_API_SECRET": api_secret,
        "REDOX_PRODUCTION_BASE_OIDS": "2.16.840.1.113883.3.6147.458.99999",
    }
    _write(file, "".join(f"{name}={value}\n" for name, value in values.items()))


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read, or leave no trace of it."""
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
