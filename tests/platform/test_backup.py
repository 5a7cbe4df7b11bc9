"""A copy of the database, made while the portal runs."""

import sqlite3
import stat
from contextlib import closing

from .serving import manage


def test_a_copy_is_complete_and_private_and_overwrites_nothing(variables, tmp_path):
    file = tmp_path / "backup.sqlite3"

    result = manage("backup", str(file), **variables)

    assert (result.returncode, result.stderr) == (0, "")
    assert f"{file} holds the database up to entry " in result.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("SELECT count(*) FROM organizations_environmentgate").fetchone() == (2,)
    before = file.read_bytes()
    again = manage("backup", str(file), **variables)
    assert again.returncode == 2
    assert "cannot be made: File exists. Name a file that does not exist yet." in again.stderr
    assert file.read_bytes() == before
    nowhere = manage("backup", str(tmp_path / "none" / "file"), **variables)
    assert f"There is no folder {tmp_path / 'none'}." in nowhere.stderr


def test_a_failed_copy_leaves_no_file(variables, tmp_path):
    file = tmp_path / "backup.sqlite3"
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(b"This is not a database. " * 100)

    ended = manage("backup", str(file), **{**variables, "DATABASE_URL": f"sqlite:///{damaged}"})

    assert ended.returncode == 2
    assert "is not an SQLite database" in ended.stderr
    assert not file.exists()


def test_a_database_with_an_interrupted_first_migration_can_be_copied(variables, database, tmp_path):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM organizations_audithead")
    assert manage("backup", str(tmp_path / "backup.sqlite3"), **variables).returncode == 0


def test_for_postgresql_it_names_the_tool(variables, tmp_path):
    file = tmp_path / "backup.sqlite3"
    ended = manage("backup", str(file), **{**variables, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"})
    assert ended.returncode == 2
    assert "make the copy with pg_dump" in ended.stderr
    assert not file.exists()
