"""A migrated database and settings in earnest, for portals in processes of their own."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from tests.conftest import DATABASE_FIXTURES

from .serving import free_port, manage


@pytest.fixture(scope="session")
def migrated(request, django_db_blocker, tmp_path_factory) -> Path:
    """A database with every table, to be copied: where other tests of the run use one, theirs while it is empty."""
    file = tmp_path_factory.mktemp("migrated") / "db"
    if any(map(_uses_database, request.session.items)):
        request.getfixturevalue("django_db_setup")
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(file)])
        with closing(sqlite3.connect(file)) as copy:
            copy.execute("PRAGMA journal_mode=WAL")  # as every connection of the portal leaves it
    else:
        ended = manage("migrate", "--verbosity=0", DATABASE_URL=f"sqlite:///{file}", ORGPORTAL_VAR=str(file.parent))
        assert ended.returncode == 0, ended.stderr
    return file


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None


@pytest.fixture
def database(tmp_path, migrated) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "db"))


@pytest.fixture
def variables(tmp_path, database) -> dict[str, str]:
    return {
        "ORGPORTAL_VAR": str(tmp_path / "var"),
        "SECRET_KEY": "abcdefghij" * 5,
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "false",
        "BIND": f"127.0.0.1:{free_port()}",
        "DATABASE_URL": f"sqlite:///{database}",
        "WEB_WORKERS": "1",
    }
