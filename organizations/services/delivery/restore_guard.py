"""Notices a database that was put back from a backup: what was sent since is then missing in it.

Each worker keeps sequence and hash of the newest entry of the history in a file outside the database, written before
its message leaves. A database that does not hold that entry is older than what was sent.
"""

import fcntl
import os
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connection

from organizations.models import AuditEntry, AuditHead, Environment, Installation
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker
from orgportal import database_file
from orgportal.folders import make_folder

_MARK = "0" * 56
"""So begins no hash; the number of the copy that is about to be put back follows, as SQLite's `user_version`."""
STOP_REASON = "the database is older than what was sent: it was put back from a backup"


def record_progress() -> None:
    """Write down how far the history has come. Several workers of one machine share the file; it never goes back."""
    head = AuditHead.objects.get(pk=1)
    path = _own_path()
    make_folder(path.parent)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if head.sequence > _read(file)[0]:
            _write(file, head.sequence, head.hash)


def stop_if_restored(*, actor: Actor) -> bool:
    """Stop every environment when this database is older than what was sent. Whether it is."""
    try:
        with _own_path().open("rb") as file:
            sequence, digest = _read(file)
    except FileNotFoundError:
        return False
    if not sequence or _is_up_to_date(sequence, digest):
        return False
    stop_all_environments(actor=actor)
    with _own_path().open("r+b") as file:
        head = AuditHead.objects.get(pk=1)
        _write(file, head.sequence, head.hash)
    return True


def _is_up_to_date(sequence: int, digest: str) -> bool:
    """Whether this database holds that entry, or is not the copy that a restore, perhaps cut off, was to put back."""
    if not digest.startswith(_MARK):
        return AuditEntry.objects.filter(pk=sequence, hash=digest).exists()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA user_version")
        (version,) = cursor.fetchone()
    return bool(version != int(digest, 16))


def stop_all_environments(*, actor: Actor) -> None:
    """Stop every environment until a person goes on; from then on what is open is asked about, never sent again."""
    with audit.recorded(actor) as history:
        for environment in Environment.values:
            gate = breaker.lock_gate(environment)
            gate.put_back = True
            gate.save(update_fields=["put_back"])
            breaker.stop_sending(history, gate, STOP_REASON)


def will_stop(key: uuid.UUID, holds: Callable[[int, str], bool], number_copy: Callable[[int], None]) -> bool:
    """Whether workers will stop every environment of a backup that is about to be put back.

    `holds` says whether the backup has an entry of the history with this sequence and hash. If this machine kept
    nothing about that database, nobody knows what was sent after the backup was made: then the workers stop as well,
    but only on the copy that `number_copy` gave its `user_version`. A restore that is cut off leaves the database
    before it in use. If that one was to stop as well, it has the same number.
    """
    path = _path(key)
    make_folder(path.parent)
    with path.open("a+b") as file:
        database_file.give_to_owner(path, path.parent)
        sequence, digest = _read(file)
        if sequence and not digest.startswith(_MARK):
            return not holds(sequence, digest)
        version = int(digest, 16) if sequence and int(digest, 16) else secrets.randbelow(2**31 - 1) + 1
        number_copy(version)
        _write(file, 1, f"{_MARK}{version:08x}")
    return True


def _own_path() -> Path:
    return _path(Installation.objects.values_list("key", flat=True).get(pk=1))


def _path(key: uuid.UUID) -> Path:
    return Path(settings.VAR_DIR) / f"sent-{key}.txt"


def _read(file: BinaryIO) -> tuple[int, str]:
    file.seek(0)
    try:
        sequence, digest = file.read().decode("ascii").split()
        return int(sequence), digest
    except ValueError:  # empty, or cut short by a power cut
        return 0, ""


def _write(file: BinaryIO, sequence: int, digest: str) -> None:
    file.truncate(0)
    file.seek(0)
    file.write(f"{sequence} {digest}\n".encode("ascii"))
    file.flush()
    os.fsync(file.fileno())
