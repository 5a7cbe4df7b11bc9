"""The SQLite database as a file: which processes use it, and who can read it.

Two lock files lie beside the database, whatever ORGPORTAL_VAR says. Every process that opens the database shares
`NAME.lock` until it ends; `restore`, which replaces the file, needs it alone. `NAME.serve.lock` belongs to one `serve`.

PostgreSQL needs neither: `pg_restore` changes its tables in a transaction, and several machines may run `serve` on one
database on purpose.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orgportal.faults import SettingsFault
from orgportal.processes import Taken, holders

# What SQLite keeps beside a database while it is in use, or after a process was killed.
SUFFIXES = ("-wal", "-shm", "-journal")

# The open lock files of this process; they are never closed.
_shared: dict[Path, int] = {}


def parts(database: Path) -> list[Path]:
    """The files of a database: its own, and those that SQLite keeps beside it."""
    return [database.with_name(database.name + suffix) for suffix in ("", *SUFFIXES)]


def serve_lock(database: Path) -> Path:
    """The lock file of `serve`. Two names of one file, such as a link, give the same."""
    return _beside(database, ".serve.lock")


def share(database: Path) -> None:
    """Use the database until this process ends, and take it away from other accounts.

    Raises:
        Taken: another process is replacing the database.
        SettingsFault: other accounts can read it, and it belongs to one of them.
    """
    lock = _beside(database, ".lock")
    if lock in _shared:
        return
    descriptor = _open(lock)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Taken(
            f"{database} is being restored by {holders(lock) or 'another process'}. Wait until that has ended."
        ) from None
    make_private(database)
    _shared[lock] = descriptor


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Keep every other process of the portal away from the database.

    Raises:
        Taken: another process uses it; the text names it.
    """
    lock = _beside(database, ".lock")
    descriptor = _open(lock)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"{database} is in use by {holders(lock) or 'another process'}") from None
        yield
    finally:
        os.close(descriptor)


def make_private(database: Path) -> None:
    """Take the database away from all other accounts. SQLite gives what it keeps beside it the same mode.

    Raises:
        SettingsFault: others can read it, and it belongs to another account than this process.
    """
    for file in parts(database):
        with suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                try:
                    file.chmod(0o600)
                except PermissionError:
                    fault = f"other accounts can read {file}. Its owner must run: chmod 600 {file}"
                    raise SettingsFault("DATABASE_URL", fault) from None


def give_to_owner(file: Path, like: Path) -> None:
    """When root makes a file, give it to the owner of another one, or of its folder: the account of the portal."""
    if os.geteuid() == 0:
        owner = (like if like.exists() else like.parent).stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def _beside(database: Path, suffix: str) -> Path:
    file = database.resolve()
    return file.with_name(file.name + suffix)


def _open(lock: Path) -> int:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    give_to_owner(lock, lock.with_name(lock.name.removesuffix(".lock")))
    return descriptor
