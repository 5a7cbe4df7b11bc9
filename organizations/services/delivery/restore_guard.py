"""Stops sending after a restore from a backup: the restored database does not show what was sent since the backup.

Before each message a worker writes the sequence and hash of the newest history entry to a file outside the database.
If a database does not have that entry, messages were sent after its backup.
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
"""A restore on a machine without such a file writes this mark in place of the hash. No hash begins like this.

The `user_version` of the restored copy follows the mark. The workers recognize the copy by it: after a failed restore
the previous database stays in use, and it must not stop.
"""
STOP_REASON = "the database is older than what was sent: it was restored from a backup"


def store_newest_entry() -> None:
    """Write the newest history entry to the file. The workers of one machine share it; its sequence never decreases."""
    head = AuditHead.objects.get(pk=1)
    path = _own_path()
    make_folder(path.parent)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if head.sequence > _read(file)[0]:
            _write(file, head.sequence, head.hash)


def stop_if_restored(*, actor: Actor) -> bool:
    """Stop every environment if this database is older than the last message sent. Returns whether it is older."""
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
    """Whether this database has the file's entry. If the file has a mark: whether this is not the restored copy."""
    if not digest.startswith(_MARK):
        return AuditEntry.objects.filter(pk=sequence, hash=digest).exists()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA user_version")
        (version,) = cursor.fetchone()
    return bool(version != int(digest, 16))


def stop_all_environments(*, actor: Actor) -> None:
    """Stop every environment until a person resumes it. Then submissions that may have been sent are queried."""
    with audit.atomic(actor) as history:
        for environment in Environment.values:
            gate = breaker.lock_gate(environment)
            gate.is_restored = True
            gate.save(update_fields=["is_restored"])
            breaker.stop_sending(history, gate, STOP_REASON)


def prepare_stop_after_restore(
    key: uuid.UUID, has_entry: Callable[[int, str], bool], number_copy: Callable[[int], None]
) -> bool:
    """Mark a backup that is about to be restored, if needed. Returns whether workers will stop every environment.

    `has_entry` says whether the backup has the history entry with this sequence and hash. If this machine has no file
    for that database, the portal cannot know what was sent after the backup, so the workers stop as well:
    `number_copy` writes the `user_version` of the mark into the copy. If the file already has a mark, its number is
    used again: that database must stop too.
    """
    path = _path(key)
    make_folder(path.parent)
    with path.open("a+b") as file:
        database_file.give_to_owner(path, path.parent)
        sequence, digest = _read(file)
        if sequence and not digest.startswith(_MARK):
            return not has_entry(sequence, digest)
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
