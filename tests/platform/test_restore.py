"""Restoring a backup: completely or not at all, even if it is interrupted."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from organizations.services import restore
from organizations.services.delivery import restore_guard
from organizations.services.errors import ActionRefused

from .files import add_person, change, files_beside, people, rows
from .serving import ROOT, manage, plain_environment, python


@pytest.fixture(autouse=True)
def var_folder(settings, tmp_path) -> Path:
    settings.VAR_DIR = str(tmp_path / "var")
    return tmp_path / "var"


@pytest.fixture
def backup(tmp_path, database) -> Path:
    """A backup with one person who is not in the database."""
    file = tmp_path / "backup.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", [str(file)])
    add_person(file, "from-the-backup")
    add_person(database, "newer")
    return file


def unusable(folder: Path, database: Path, backup: Path) -> Iterator[tuple[Path, str]]:
    """Files that cannot be restored, and why."""
    yield folder, "is not a file"
    yield folder / "nowhere", "There is no file"
    yield database, "is the database itself"
    (folder / "link").symlink_to(database)
    yield folder / "link", "is the database itself"
    os.mkfifo(folder / "pipe")
    yield folder / "pipe", "is not a file"
    for name, content, reason in (
        ("empty", b"", "is not an SQLite database"),
        ("text", b"A text. " * 1000, "is not an SQLite database"),
        ("head", backup.read_bytes()[:150], "is damaged or cut short"),
        ("half", backup.read_bytes()[:200_000], "is damaged or cut short"),
        ("hole", backup.read_bytes()[:150_000] + b"\xff" * 259_600, "is damaged or cut short"),
    ):
        (folder / name).write_bytes(content)
        yield folder / name, reason
    for name, statement, reason in (
        ("in-use", "PRAGMA journal_mode=WAL", "was copied without in-use-wal"),
        ("marked", "UPDATE organizations_installation SET demonstration = 1", "is a backup of the demonstration"),
        ("foreign", "DROP TABLE organizations_installation", "not one of this portal"),
        ("newer", "UPDATE django_migrations SET name = '9999_later' WHERE id = 9", "made by a newer release"),
    ):
        change(Path(shutil.copy(backup, folder / name)), statement)
        yield folder / name, reason


def test_an_unusable_file_is_refused_and_nothing_changes(tmp_path, database, backup):
    (tmp_path / "files").mkdir()
    for file, reason in unusable(tmp_path / "files", database, backup):
        with pytest.raises(ActionRefused, match=reason):
            restore.restore(file, database)
        assert (people(database), files_beside(database)) == (["newer"], set()), file


def test_a_production_backup_never_becomes_a_demonstration(settings, database, backup):
    settings.DEMO = True
    with pytest.raises(ActionRefused, match="not of a demonstration"):
        restore.restore(backup, database)


def test_a_manual_copy_needs_its_wal_file_or_an_option_that_there_was_none(tmp_path, database, backup):
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("SELECT * FROM organizations_user").fetchall()
        add_person(backup, "in-the-wal")
        for name in ("copy", "copy-wal"):
            shutil.copy(backup.with_name(backup.name + name.removeprefix("copy")), tmp_path / name)
    restore.restore(tmp_path / "copy", database)
    assert people(database) == ["from-the-backup", "in-the-wal"]
    restore.restore(backup, database, is_complete=True)
    assert people(database) == ["from-the-backup", "in-the-wal"]


def sessions_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as opened:
        (count,) = opened.execute("SELECT count(*) FROM django_session").fetchone()
    return int(count)


def test_important_facts_about_the_backup_are_reported(tmp_path, database, backup):
    older = Path(shutil.copy(backup, tmp_path / "older"))
    change(older, "DELETE FROM django_migrations WHERE app = 'organizations' AND name LIKE '0014%'")
    other = Path(shutil.copy(backup, tmp_path / "other"))
    change(other, "UPDATE organizations_installation SET key = ?", "7f296bb483fd498d92f3a76960648788")

    def facts(file: Path) -> tuple[bool, bool]:
        result = restore.restore(file, database)
        return result.content.is_older, result.is_other_installation

    assert [facts(file) for file in (backup, older, other)] == [(False, False), (True, False), (False, True)]


def test_the_sessions_of_the_backup_are_deleted(database, backup):
    session = "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('a', '', '2099-01-01')"
    change(backup, session)
    restore.restore(backup, database)
    assert sessions_in(database) == 0
    assert sessions_in(backup) == 1


def test_workers_stop_unless_this_machine_knows_that_nothing_was_sent_since(var_folder, database, backup):
    """Without the file in `var/`, as on another machine, the portal cannot tell what was sent."""
    filled = {"sequence": 3, "hash": "a" * 64, "at": "2027-05-09 14:03:00", "raw_cut": 0, "body": b""}
    blank = ("previous_hash", "actor_name", "action", "environment", "oid", "outcome", "request_id", "search_text")
    entry = dict.fromkeys(blank, "") | filled
    change(
        backup,
        f"INSERT INTO organizations_auditentry ({', '.join(entry)}) VALUES ({', '.join('?' * len(entry))})",
        *entry.values(),
    )
    assert restore.restore(backup, database).will_stop
    [file] = var_folder.iterdir()
    # A worker then expects this copy and not the database before it.
    [(version,)] = rows(database, "PRAGMA user_version")
    assert version
    assert file.read_text() == f"1 {version:064x}\n"
    assert restore.restore(backup, database).will_stop
    file.write_text(f"3 {'a' * 64}\n")
    assert not restore.restore(backup, database).will_stop
    file.write_text(f"4 {'b' * 64}\n")
    result = restore.restore(backup, database)
    assert (result.will_stop, result.content.sequence) == (True, 3)


def test_a_restore_is_refused_while_another_program_has_the_database_open(database, backup):
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("SELECT * FROM organizations_user").fetchall()
        with pytest.raises(ActionRefused, match=r"Another program has .* open"):
            restore.restore(backup, database)
    assert people(database) == ["newer"]


def test_a_restore_is_refused_while_a_program_reads_a_database_without_a_wal_file(database, backup):
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
        opened.execute("BEGIN")
        opened.execute("SELECT * FROM organizations_user").fetchall()
        with pytest.raises(ActionRefused, match=r"Another program has .* open"):
            restore.restore(backup, database)
    assert people(database) == ["newer"]


def test_a_restore_is_refused_while_the_portal_uses_the_database_by_any_name(variables, tmp_path, database, backup):
    (tmp_path / "elsewhere").symlink_to(tmp_path, target_is_directory=True)
    other_variables = {
        **variables,
        "DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere/db",
        "ORGPORTAL_VAR": str(tmp_path / "var2"),
    }
    code = "import django; django.setup(); from django.db import connection as c; c.connect(); print(); input()"
    environment = {**plain_environment(), **other_variables, "DJANGO_SETTINGS_MODULE": "orgportal.settings"}
    with subprocess.Popen(
        [sys.executable, "-uc", code],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        ended = manage("restore", str(backup), **variables)
        process.communicate(b"\n")
    assert ended.returncode == 2
    assert "is in use by " in ended.stderr
    if Path("/proc").exists():
        assert f"process {process.pid}" in ended.stderr
    assert people(database) == ["newer"]


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 5000, b"rubbish" * 1000])
def test_a_damaged_database_is_kept_unchanged(database, backup, content):
    database.write_bytes(content)
    result = restore.restore(backup, database)
    assert people(database) == ["from-the-backup"]
    assert result.kept is not None
    assert result.kept.read_bytes() == content


def test_leftover_files_of_a_lost_database_are_moved_away(database, backup):
    database.unlink()
    database.with_name("db-wal").write_bytes(b"changes")
    assert restore.restore(backup, database).kept is None
    assert people(database) == ["from-the-backup"]
    [kept] = files_beside(database)
    assert database.with_name(kept).read_bytes() == b"changes"


def test_a_full_disk_is_detected_before_anything_is_written(tmp_path, database, backup):
    with backup.open("r+b") as file:
        file.truncate(1 << 43)
    with pytest.raises(ActionRefused, match="MB free and needs"):
        restore.restore(backup, database)
    assert (people(database), files_beside(database)) == (["newer"], set())


def test_a_write_error_leaves_everything_unchanged(variables, database, backup):
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    ended = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "restore", str(backup)],
        env={**plain_environment(), **variables},
        preexec_fn=small_files,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, "File too large" in ended.stderr) == (2, True)
    assert (people(database), files_beside(database)) == (["newer"], set())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
def test_after_a_restore_by_root_all_files_belong_to_the_account_of_the_portal(variables, tmp_path, database, backup):
    for path in (tmp_path, database):
        os.chown(path, 65534, 65534)
    (tmp_path / "owned").mkdir()
    os.chown(tmp_path / "owned", 65534, 65534)
    for name in ("db", "new/db"):
        places = {"DATABASE_URL": f"sqlite:///{tmp_path}/owned/{name}", "ORGPORTAL_VAR": f"{tmp_path}/owned/new/var"}
        assert manage("restore", str(backup), **variables | places).returncode == 0
    assert manage("restore", str(backup), **variables).returncode == 0
    assert {path.name for path in tmp_path.rglob("*") if path.stat().st_uid != 65534} == {backup.name}


# Restores in a child process that a signal ends at its n-th step which touches a file, for each n until it ends by
# itself. Prints what each left behind.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
import django
django.setup()
from organizations.services import restore
folder, steps = Path(sys.argv[1]), 0
EVENTS = ("open", "os.rename", "os.link", "os.remove", "os.chmod", "sqlite3.connect")
def count(event, arguments):
    global steps
    if event in EVENTS and str(folder) in str(arguments[0]):
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
restore.schema.missing(())  # reads the migrations
for number in range(1, 500):
    case = folder / str(number)
    shutil.copytree(folder / "before", case)
    child = os.fork()
    if child == 0:
        sys.addaudithook(count)
        steps = number
        restore.restore(folder / "backup.sqlite3", case / "db")
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        print(number)
        break
"""


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_database(tmp_path, variables, backup, database, damaged):
    before = tmp_path / "before"
    before.mkdir()
    with closing(sqlite3.connect(database)) as opened:
        # Changes that are only in the -wal file, as after a crash.
        opened.execute("PRAGMA journal_mode=WAL")
        add_person(database, "in-the-wal")
        for name in ("db", "db-wal"):
            shutil.copy(tmp_path / name, before / name)
    if damaged:
        (before / "db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    ended = python(KILLED, str(tmp_path), **variables)
    assert ended.returncode == 0, ended.stderr
    steps = int(ended.stdout)
    assert steps > 10
    states = [state_of(tmp_path / str(number) / "db", damaged=damaged) for number in range(1, steps + 1)]
    old, new = ("damaged" if damaged else "newer in-the-wal"), "from-the-backup"
    assert (states[0], states[-1]) == (old, new)
    assert set(states) - {old, new} <= ({"missing"} if damaged else set())
    for number in range(1, steps + 1):
        database = tmp_path / str(number) / "db"
        restore.restore(backup, database)
        assert people(database) == ["from-the-backup"]
        assert [name for name in files_beside(database) if "replaced" not in name] == []


def state_of(database: Path, *, damaged: bool) -> str:
    if not database.exists():
        return "missing"
    if damaged and database.read_bytes().endswith(b"\xff"):
        assert (database.parent / "db-wal").exists()
        return "damaged"
    copy = Path(shutil.copytree(database.parent, database.parent.with_suffix(".copy"))) / "db"
    return " ".join(people(copy))


def test_after_a_restore_by_another_tool_sending_is_stopped(variables, database):
    change(
        database, "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('a', '', '2099-01-01')"
    )
    ended = manage("restore", "--by-hand", **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    with closing(sqlite3.connect(database)) as opened:
        gates = opened.execute("SELECT is_restored, stopped_reason FROM organizations_environmentgate").fetchall()
    assert gates == [(1, restore_guard.STOP_REASON)] * 2
    assert sessions_in(database) == 0
    for arguments in ((), ("--by-hand", "--complete")):
        assert manage("restore", *arguments, **variables).returncode == 2


def test_for_postgresql_it_names_the_tool(variables, tmp_path):
    ended = manage("restore", str(tmp_path), **{**variables, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"})
    assert (ended.returncode, "use pg_restore" in ended.stderr) == (2, True)
