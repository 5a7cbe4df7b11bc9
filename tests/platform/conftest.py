"""A migrated database and production settings for portals in separate processes."""

import shutil
from pathlib import Path

import pytest

from tests import databases

from .serving import free_port


@pytest.fixture(scope="session")
def migrated(django_test_environment, django_db_blocker, run_folder, tmp_path_factory) -> Path:
    """A migrated database that tests copy."""
    file = tmp_path_factory.mktemp("migrated") / "db"
    with django_db_blocker.unblock(), databases.migrated(run_folder) as template:
        databases.copy(template, str(file))
    return file


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
