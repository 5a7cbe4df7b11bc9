"""The demonstration's own settings, kept in `var/`: neither `.env` nor the shell's variables reach it."""

import json
import os
import re
import secrets
import socket
import uuid
from collections.abc import MutableMapping
from pathlib import Path

from joserfc.jwk import RSAKey

_PRACTICE_URL = re.compile(r"http://127\.0\.0\.1:(\d+)")
# The company of the made-up records in each environment.
_BASE_OIDS = {
    "STAGING": "2.16.840.1.113883.3.6147.458.99999.1.1.1.1",
    "PRODUCTION": "2.16.840.1.113883.3.6147.458.99999.2.1.1.1",
}
_TIMES = {
    # Waiting times are shortened, so that a lost answer clears up while somebody watches.
    "REDOX_DEADLINE": "8",
    "REDOX_LEASE": "40",
    "REDOX_SETTLE": "10",
    "REDOX_RATE": "500",
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
    if (folder / "demo.env").exists():
        return
    (folder / "demo-practice").mkdir(parents=True, exist_ok=True)
    staging, production = _credentials(folder)
    practice = f"http://127.0.0.1:{_free_port()}"
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS": "false",
        "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
        "TIME_ZONE": "America/Chicago",
        "LOG_LEVEL": "WARNING",
        **_TIMES,
    }
    for name, credential in {"STAGING": staging, "PRODUCTION": production}.items():
        given = {"BASE_URL": practice, "BASE_OIDS": _BASE_OIDS[name], **credential}
        values |= {f"REDOX_{name}_{each}": value for each, value in given.items()}
    _write(folder / "demo.env", "".join(f"{name}={value}\n" for name, value in values.items()))


def choose_practice_port(folder: Path) -> int:
    """The practice directory's port: that of the last run, or a new one when another program has taken it."""
    file = folder / "demo.env"
    text = file.read_text(encoding="utf-8")
    port = int(_PRACTICE_URL.findall(text)[0])
    if _is_free(port):
        return port
    port = _free_port()
    _write(file, _PRACTICE_URL.sub(f"http://127.0.0.1:{port}", text))
    return port


def start_over(folder: Path) -> None:
    """Forget the demonstration's records, history and directories; credentials and settings stay."""
    for file in (*folder.glob("demo.sqlite3*"), *folder.glob("demo.seeded"), *folder.glob("demo-practice/*")):
        if file.name != "credentials.json":
            file.unlink()


def _credentials(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Make a credential for each environment and register both with the practice directory."""
    client_id, key_id = str(uuid.uuid4()), secrets.token_hex(8)
    key = RSAKey.generate_key(2048, {"kid": key_id, "use": "sig", "alg": "RS384"})
    api_key, api_secret = str(uuid.uuid4()), secrets.token_urlsafe(40)
    known = [
        {"environment": "staging", "client_id": client_id, "public_jwk": key.as_dict(private=False)},
        {"environment": "production", "api_key": api_key, "api_secret": api_secret},
    ]
    _write(folder / "demo-key.pem", key.as_pem(private=True).decode("ascii"))
    _write(folder / "demo-practice" / "credentials.json", json.dumps(known, indent=2))
    key_file = str(folder / "demo-key.pem")
    return (
        {"AUTH": "oauth", "CLIENT_ID": client_id, "KEY_ID": key_id, "PRIVATE_KEY_FILE": key_file},
        {"AUTH": "api-key", "API_KEY": api_key, "API_SECRET": api_secret},
    )


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


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
