"""Notices a database that was put back from a backup: what was sent since is then missing in it.

Each worker keeps sequence and hash of the newest entry of the history in a file outside the database, written before
its message leaves. A database that does not hold that entry is older than what was sent.
"""

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from organizations.models import AuditEntry, AuditHead, Environment, Installation

from . import audit, environments
from .actors import Actor

REASON = "the database is older than what was sent: it was put back from a backup"


def remember() -> None:
    """Write down how far the history has come. Several workers of one machine share the file; it never goes back."""
    head = AuditHead.objects.get(pk=1)
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if head.sequence > _read(file)[0]:
            _write(file, head)


def look(*, actor: Actor) -> bool:
    """Stop every environment when this database is older than what was sent. Whether it is."""
    try:
        with _path().open("rb") as file:
            sequence, digest = _read(file)
    except FileNotFoundError:
        return False
    if not sequence or AuditEntry.objects.filter(pk=sequence, hash=digest).exists():
        return False
    with audit.recorded(actor) as history:
        for environment in Environment.values:
            gate = environments.locked_gate(environment)
            gate.put_back = True
            gate.save(update_fields=["put_back"])
            environments.stop(history, gate, REASON)
    with _path().open("r+b") as file:
        _write(file, AuditHead.objects.get(pk=1))
    return True


def _path() -> Path:
    key = Installation.objects.values_list("key", flat=True).get(pk=1)
    return Path(settings.VAR_DIR) / f"sent-{key}.txt"


def _read(file: BinaryIO) -> tuple[int, str]:
    file.seek(0)
    try:
        sequence, digest = file.read().decode("ascii").split()
        return int(sequence), digest
    except ValueError:  # empty, or cut short by a power cut
        return 0, ""


def _write(file: BinaryIO, head: AuditHead) -> None:
    file.truncate(0)
    file.seek(0)
    file.write(f"{head.sequence} {head.hash}\n".encode("ascii"))
    file.flush()
    os.fsync(file.fileno())
