"""A migrated database and settings in earnest, for portals in processes of their own."""

import shutil
from pathlib import Path

import pytest

from .serving import free_port, manage


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """A database with every table, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    ended = manage("migrate", "--verbosity=0", DATABASE_URL=f"sqlite:///{folder}/db", ORGPORTAL_VAR=str(folder))
    assert ended.returncode == 0, ended.stderr
    return folder / "db"


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
