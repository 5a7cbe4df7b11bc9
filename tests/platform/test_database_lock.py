"""Which processes can use a database file at the same time, by any name of the file."""

import os

import pytest

from orgportal import database_file
from orgportal.processes import Taken, only_one
from orgportal.start_errors import WrongFile

from .serving import manage


def test_nothing_starts_during_a_restore(variables, database):
    with database_file.alone(database):
        ended = manage("deliver", **variables)
    assert ended.returncode == 2
    assert "is being restored by" in ended.stderr


def test_one_database_is_served_once_wherever_the_other_files_lie(variables, tmp_path, database):
    (tmp_path / "elsewhere").symlink_to(tmp_path, target_is_directory=True)
    other_variables = {
        **variables,
        "DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere/db",
        "ORGPORTAL_VAR": str(tmp_path / "var2"),
    }
    with only_one(database_file.serve_lock(database)):
        ended = manage("serve", **other_variables)
    assert ended.returncode == 2
    assert f"already running on this database, as process {os.getpid()}" in ended.stderr


def test_a_shared_lock_prevents_an_exclusive_one(database):
    with database_file.alone(database), pytest.raises(Taken), database_file.alone(database):
        pass
    database_file.share(database)
    with pytest.raises(Taken), database_file.alone(database):
        pass


def test_a_database_with_a_second_hard_link_is_refused_unless_a_killed_restore_left_it(tmp_path, database):
    (tmp_path / "db.replaced-20270509-140300").hardlink_to(database)
    database_file.share(database)
    assert not list(tmp_path.glob("*replaced*"))
    second = tmp_path / "second"
    second.hardlink_to(database)
    with pytest.raises(WrongFile, match="has a second name"):
        database_file.share(second)
