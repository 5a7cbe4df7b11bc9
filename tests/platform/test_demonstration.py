"""Demonstration and earnest never touch: each way in which they could is tried."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from orgportal import demonstration
from orgportal.processes import open_door
from orgportal.variables import read_variables

from .serving import Portal, manage, plain_environment

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A prepared demonstration without any record."""
    demonstration.prepare(tmp_path / "var")
    return tmp_path / "var"


def set_in(folder: Path, **values: str) -> None:
    """Change settings of the demonstration by hand, as somebody might."""
    file = folder / "demo.env"
    names = tuple(f"{name}=" for name in values)
    kept = [line for line in file.read_text().splitlines() if not line.startswith(names)]
    file.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n")


def mark(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE organizations_installation SET demonstration = 1")
    connection.close()


def settings_of(folder: Path, **variables: str) -> str:
    code = "from django.conf import settings as s; print(s.DEMO, s.DATABASES['default']['NAME'], s.REDOX, s.SECRET_KEY)"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            **plain_environment(),
            "DJANGO_SETTINGS_MODULE": "orgportal.settings",
            "ORGPORTAL_VAR": str(folder),
            **variables,
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_demonstration_reads_no_variable_and_no_settings_file(folder, tmp_path):
    file = tmp_path / "earnest"
    file.write_text("REDOX_PRODUCTION_CLIENT_ID=from-the-file\n", encoding="utf-8")
    given = settings_of(
        folder,
        ORGPORTAL_DEMO="1",
        ORGPORTAL_ENV_FILE=str(file),
        DATABASE_URL="sqlite:////earnest.sqlite3",
        SECRET_KEY="earnest-secret",
        REDOX_PRODUCTION_BASE_URL="https://redox.example.org",
        REDOX_STAGING_ACCESS_TOKEN="earnest-token",
    )
    assert given.startswith(f"True {folder}/demo.sqlite3 ")
    assert "earnest" not in given
    assert "redox.example.org" not in given
    assert "from-the-file" not in given


def test_a_settings_file_cannot_turn_a_portal_into_the_demonstration(folder, tmp_path):
    file = tmp_path / "earnest"
    file.write_text("ORGPORTAL_DEMO=1\nDATABASE_URL=sqlite:////earnest.sqlite3\nSECRET_KEY=earnest\n", encoding="utf-8")
    assert settings_of(folder, ORGPORTAL_ENV_FILE=str(file)).startswith("False /earnest.sqlite3 ")


def test_its_secrets_are_for_their_owner_alone_and_stay_from_run_to_run(folder):
    files = [folder / "demo.env", folder / "demo-key.pem", folder / "demo-practice" / "credentials.json"]
    before = [file.read_text() for file in files]
    assert [file.stat().st_mode & 0o077 for file in files] == [0, 0, 0]
    demonstration.prepare(folder)
    assert [file.read_text() for file in files] == before


def test_a_taken_port_of_the_practice_directory_is_replaced_everywhere(folder):
    port = demonstration.choose_practice_port(folder)
    assert demonstration.choose_practice_port(folder) == port
    with open_door("127.0.0.1", port, ""):
        other = demonstration.choose_practice_port(folder)
    variables = read_variables({}, folder / "demo.env")
    assert other != port
    for name in ("REDOX_STAGING_BASE_URL", "REDOX_PRODUCTION_BASE_URL"):
        assert variables.text(name) == f"http://127.0.0.1:{other}"


def test_starting_over_keeps_the_settings_alone(folder):
    for name in ("demo.sqlite3", "demo.sqlite3-wal", "demo.seeded", "demo-practice/behaviour", "orgportal.sqlite3"):
        (folder / name).touch()
    demonstration.start_over(folder)
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {"demo.env", "demo-key.pem", "demo-practice/credentials.json", "orgportal.sqlite3"}


def test_a_portal_in_earnest_refuses_a_marked_database(variables, database):
    mark(database)
    ended = manage("serve", "--check", **variables)
    assert ended.returncode == 2
    assert "DATABASE_URL: names a demonstration database" in ended.stderr
    assert manage("deliver", **variables).returncode == 2


def test_the_web_server_itself_refuses_a_marked_database(variables, database):
    mark(database)
    code = "import orgportal.wsgi"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**plain_environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "SettingsFault: DATABASE_URL: names a demonstration database" in ended.stderr


def test_the_demonstration_refuses_a_database_in_earnest(variables, database, folder):
    account = {"DJANGO_SUPERUSER_PASSWORD": "correct horse battery"}
    made = manage(
        "createsuperuser", "--noinput", "--username=admin", "--email=admin@example.org", **variables, **account
    )
    assert made.returncode == 0, made.stderr
    set_in(folder, DATABASE_URL=f"sqlite:///{database}")
    for command in (("serve", "--check"), ("deliver",), ("seed_demo",)):
        ended = manage(*command, ORGPORTAL_DEMO="1", ORGPORTAL_VAR=str(folder))
        assert ended.returncode == 2, command
        assert "DATABASE_URL" in ended.stderr, command


def test_demonstration_records_cannot_be_added_to_a_database_in_earnest(variables):
    ended = manage("seed_demo", **variables)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_marked_database_never_sends_to_another_machine(database, folder):
    mark(database)
    set_in(folder, DATABASE_URL=f"sqlite:///{database}", REDOX_PRODUCTION_BASE_URL="https://redox.example.org")
    ended = manage("deliver", ORGPORTAL_DEMO="1", ORGPORTAL_VAR=str(folder))
    assert ended.returncode == 2
    assert "REDOX_PRODUCTION_BASE_URL" in ended.stderr


def test_the_command_cannot_be_run_beside_its_own_settings(variables):
    code = "import django; django.setup(); from django.core.management import call_command; call_command('demo')"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**plain_environment(), "DJANGO_SETTINGS_MODULE": "orgportal.settings", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Start it with: ./dev demo" in ended.stderr


def test_a_whole_demonstration_from_nothing_and_once_more(tmp_path):
    variables = {"ORGPORTAL_VAR": str(tmp_path / "var")}
    first = Portal(variables, "demo")
    first.wait_until_ready()
    assert "Sign in as editor" in first.get("/sign-in/")[1]

    second = manage("demo", "--port", "0", **variables)
    assert second.returncode == 2
    assert f"already running on this database, as process {first.process.pid}" in second.stderr

    left = first.children()
    code, output = first.end()
    assert code == 0
    assert "Traceback" not in output
    assert "Making the demonstration's records" in output
    assert [pid for pid in left if Portal.is_running(pid)] == []

    again = Portal(variables, "demo")
    again.wait_until_ready()
    code, output = again.end()
    assert code == 0
    assert "Making the demonstration's records" not in output
    assert os.listdir(tmp_path) == ["var"]
