"""The SQLite database as a file: which processes use it, and who can read it.

Two lock files are beside the database, not in ORGPORTAL_VAR. Every process that opens the database has a shared lock on
`NAME.lock` until it ends. `restore` replaces the file, so it needs an exclusive lock. `serve` has an exclusive lock on
`NAME.serve.lock`, so that only one runs.

PostgreSQL needs neither: `pg_restore` changes its tables in a transaction, and several machines may run `serve` on one
database on purpose.
"""

import fcntl
import glob
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orgportal.folders import make_folder
from orgportal.processes import Taken, describe_lock_holders
from orgportal.start_errors import SettingsError, WrongFile

# The files that SQLite has beside a database while it is in use, or after a process was killed.
SUFFIXES = ("-wal", "-shm", "-journal")

# The first bytes of every SQLite database that is not empty.
_HEAD = b"SQLite format 3\0"

# The open lock files of this process; they are never closed.
_shared: dict[Path, int] = {}
_one_thread = threading.Lock()


def parts(database: Path) -> list[Path]:
    """The database file, and the files that SQLite keeps beside it."""
    return [database.with_name(database.name + suffix) for suffix in ("", *SUFFIXES)]


def serve_lock(database: Path) -> Path:
    """The lock file of `serve`. A symbolic link to the database has the same lock file."""
    return _beside(database, ".serve.lock")


def share(database: Path) -> None:
    """Take a shared lock on the database until this process ends, and make the database private to its owner.

    Raises:
        WrongFile: the file is missing, is not a database, or has a second name.
        Taken: another process is replacing the database.
        SettingsError: other accounts can read the file, and it belongs to one of them.
    """
    check_exists(database)
    lock = _beside(database, ".lock")
    with _one_thread:  # `check_kind` closes the file, which would release the locks of another thread's connection
        if lock not in _shared:
            check_kind(database)
            _shared[lock] = _share(database, lock)


def _share(database: Path, lock: Path) -> int:
    descriptor = _open(lock)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        restorer = describe_lock_holders(lock) or "another process"
        raise Taken(f"{database} is being restored by {restorer}. Wait until that has ended.") from None
    try:
        remove_second_names(database)
        _check_names(database)
        make_private(database)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def make(database: Path) -> None:
    """Create an empty database file if there is none.

    Raises:
        SettingsError: the file cannot be made.
    """
    if database.exists():
        return
    try:
        make_folder(database.parent)
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT, 0o600))
        give_to_owner(database, database.parent)
    except OSError as error:
        raise SettingsError("DATABASE_URL", f"{database} cannot be made: {error.strerror}") from None


def check_exists(database: Path) -> None:
    """Raise `WrongFile` if the file is missing: only `migrate` and `restore` create a database."""
    if not database.exists():
        raise WrongFile(f"There is no database {database}. For a new portal run: ./dev migrate")


def check_kind(database: Path) -> None:
    """Raise `WrongFile` if the file exists and is not an SQLite database. Changes nothing."""
    if not database.exists() or _beside(database, ".lock") in _shared:
        # This process has the database open in SQLite. To open and close the file here would release SQLite's locks.
        return
    if database.is_file():
        with database.open("rb") as file:
            if file.read(len(_HEAD)) in (b"", _HEAD):
                return
    raise WrongFile(f"{database} is not an SQLite database. Check DATABASE_URL.")


def remove_second_names(database: Path) -> None:
    """Remove the second name that a restore gave to a database before it was killed. No restore may be running."""
    for kept in database.parent.glob(f"{glob.escape(database.name)}.replaced-*"):
        if database.exists() and kept.samefile(database):
            kept.unlink()


def _check_names(database: Path) -> None:
    if database.stat().st_nlink > 1:
        # Each name has its own -wal file, so changes made under one name are missing under the other.
        raise WrongFile(
            f"{database} has a second name (a hard link), under which changes would be lost. Remove that name. To find "
            f"it: find / -samefile {database}"
        )


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Take the exclusive lock on the database, so that no other process of the portal opens it.

    Raises:
        Taken: another process uses the database. The text names that process.
    """
    lock = _beside(database, ".lock")
    descriptor = _open(lock)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"{database} is in use by {describe_lock_holders(lock) or 'another process'}") from None
        yield
    finally:
        os.close(descriptor)


def make_private(database: Path) -> None:
    """Make the database readable only for its owner. SQLite makes the files beside it with the same mode.

    Raises:
        SettingsError: others can read a file, and it belongs to another account than this process.
    """
    for file in parts(database):
        with suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                try:
                    file.chmod(0o600)
                except PermissionError:
                    advice = f"other accounts can read {file}. Its owner must run: chmod 600 {file}"
                    raise SettingsError("DATABASE_URL", advice) from None


def give_to_owner(file: Path, like: Path) -> None:
    """If root created `file`, give it to the owner of `like`, or of its folder: the account of the portal."""
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
