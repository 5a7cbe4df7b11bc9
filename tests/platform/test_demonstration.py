"""Demonstration and production never mix: each way in which they could is tried."""

import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from organizations.management import demonstration_records
from organizations.management.commands import seed_demo
from organizations.models import Environment
from organizations.practice.shape import oid_of
from organizations.practice.store import Store
from organizations.services.actors import system
from organizations.text.vocabulary import OPEN_WORK, STANDING
from orgportal import demonstration
from orgportal.processes import open_listener
from orgportal.start_errors import SettingsError
from orgportal.variables import read_variables

from .files import open_to_others
from .serving import Portal, manage, python

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A prepared demonstration without records, which tests copy."""
    folder = tmp_path_factory.mktemp("prepared") / "var"
    demonstration.prepare(folder)
    return folder


@pytest.fixture
def folder(tmp_path, prepared) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "var"))


def set_in(folder: Path, **values: str) -> None:
    """Change settings of the demonstration, as a person could by hand."""
    file = folder / "demo.env"
    names = tuple(f"{name}=" for name in values)
    lines = [line for line in file.read_text().splitlines() if not line.startswith(names)]
    file.write_text("\n".join([*lines, *(f"{name}={value}" for name, value in values.items())]) + "\n")


def mark(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE organizations_installation SET demonstration = 1")


def make_database(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


# The fewest tables that identify a production database.
PEOPLE = "CREATE TABLE organizations_user (id)"
SOMEBODY = "INSERT INTO organizations_user VALUES (1)"
RECORDS = "CREATE TABLE organizations_organization (id)"
A_RECORD = "INSERT INTO organizations_organization VALUES (1)"
MARK = "CREATE TABLE organizations_installation (demonstration)"
MARKED = "INSERT INTO organizations_installation VALUES (1)"
UNMARKED = "INSERT INTO organizations_installation VALUES (0)"


def settings_of(folder: Path, **variables: str) -> str:
    code = "from django.conf import settings as s; print(s.DEMO, s.DATABASES['default']['NAME'], s.REDOX, s.SECRET_KEY)"
    ended = python(code, ORGPORTAL_VAR=str(folder), **variables)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_demonstration_reads_no_variable_and_no_settings_file(folder, tmp_path):
    file = tmp_path / "earnest"
    file.write_text("REDOX_PRODUCTION_CLIENT_ID=from-the-file\n", encoding="utf-8")
    output = settings_of(
        folder,
        ORGPORTAL_DEMO="1",
        ORGPORTAL_ENV_FILE=str(file),
        DATABASE_URL="sqlite:////earnest.sqlite3",
        SECRET_KEY="earnest-secret",
        REDOX_PRODUCTION_BASE_URL="https://redox.example.org",
        REDOX_STAGING_ACCESS_TOKEN="earnest-token",
    )
    assert output.startswith(f"True {folder}/demo.sqlite3 ")
    assert "earnest" not in output
    assert "redox.example.org" not in output
    assert "from-the-file" not in output


def test_a_settings_file_cannot_turn_a_portal_into_the_demonstration(folder, tmp_path):
    file = tmp_path / "earnest"
    file.write_text("ORGPORTAL_DEMO=1\nDATABASE_URL=sqlite:////earnest.sqlite3\nSECRET_KEY=earnest\n", encoding="utf-8")
    assert settings_of(folder, ORGPORTAL_ENV_FILE=str(file)).startswith("False /earnest.sqlite3 ")


def test_its_secrets_are_private_and_the_same_in_each_run(folder):
    files = [folder / "demo.env", folder / "demo-key.pem", folder / "demo-practice" / "credentials.json"]
    before = [file.read_text() for file in files]
    assert [file.stat().st_mode & 0o077 for file in files] == [0, 0, 0]
    demonstration.prepare(folder)
    assert [file.read_text() for file in files] == before


def test_a_port_in_use_is_replaced_in_all_settings(folder):
    port = demonstration.choose_practice_port(folder)
    assert demonstration.choose_practice_port(folder) == port
    with open_listener("127.0.0.1", port, ""):
        other = demonstration.choose_practice_port(folder)
    variables = read_variables({}, folder / "demo.env")
    assert other != port
    for name in ("REDOX_STAGING_BASE_URL", "REDOX_PRODUCTION_BASE_URL"):
        assert variables.text(name) == f"http://127.0.0.1:{other}"


def test_starting_over_keeps_the_settings_and_foreign_files(folder):
    own = ("demo.sqlite3", "demo.sqlite3-wal", "demo.seeded", "demo-practice/behaviour")
    for name in (*own, "orgportal.sqlite3", "demo.sqlite3.backup"):
        (folder / name).touch()
    demonstration.start_over(folder)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    settings_files = {"demo.env", "demo-key.pem", "demo-practice/credentials.json"}
    assert files == settings_files | {"orgportal.sqlite3", "demo.sqlite3.backup"}


@pytest.mark.parametrize("statements", [(), (PEOPLE, RECORDS, MARK, UNMARKED), (PEOPLE, SOMEBODY, MARK, MARKED)])
def test_starting_over_deletes_a_database_that_is_empty_or_marked(folder, statements):
    database = make_database(folder / "demo.sqlite3", *statements)
    demonstration.start_over(folder)
    assert not database.exists()


@pytest.mark.parametrize(
    "statements",
    [(PEOPLE, SOMEBODY), (PEOPLE, SOMEBODY, MARK, UNMARKED), (PEOPLE, RECORDS, A_RECORD, MARK, UNMARKED)],
)
def test_starting_over_does_not_touch_a_production_database(folder, statements):
    database = make_database(folder / "demo.sqlite3", *statements)
    before = database.read_bytes()
    with pytest.raises(SettingsError, match=r"demo\.sqlite3: holds a real database"):
        demonstration.start_over(folder)
    assert database.read_bytes() == before


def test_starting_over_does_not_touch_an_unreadable_file(folder):
    (folder / "demo.sqlite3").write_text("no database at all, but somebody put it here")
    with pytest.raises(SettingsError, match="cannot be read as a database"):
        demonstration.start_over(folder)
    assert (folder / "demo.sqlite3").exists()


@pytest.mark.parametrize("arguments", [(), ("--fresh",)])
def test_the_command_changes_nothing_in_a_production_database(folder, arguments):
    (folder / "demo.seeded").touch()
    database = make_database(folder / "demo.sqlite3", PEOPLE, SOMEBODY)
    before = database.read_bytes()
    ended = manage("demo", "--port", "0", *arguments, ORGPORTAL_VAR=str(folder))
    assert ended.returncode == 2
    assert "holds a real database" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert database.read_bytes() == before


def test_the_folder_can_be_renamed_and_moved(folder, tmp_path):
    moved = folder.rename(tmp_path / "var #2, 100 %41")
    output = settings_of(moved, ORGPORTAL_DEMO="1")
    assert output.startswith(f"True {moved}/demo.sqlite3 ")
    assert output.count("errors=()") == 2
    assert str(folder) + "/" not in output


def test_seeding_ends_if_nothing_is_delivered(settings, tmp_path, monkeypatch):
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")
    monkeypatch.setattr(seed_demo, "SETTLES_WITHIN", 0.0)
    monkeypatch.setattr(seed_demo.Seed, "is_due", lambda _: True)
    monkeypatch.setattr("organizations.services.workers.run_once", lambda _: False)
    seed = seed_demo.Seed.__new__(seed_demo.Seed)
    seed.environment, seed.worker = Environment.STAGING, system("Worker test")
    with pytest.raises(CommandError, match="Nothing is delivered to STAGING"):
        seed.deliver("answers")


def test_a_production_portal_refuses_a_marked_database(variables, database):
    mark(database)
    ended = manage("serve", "--check", **variables)
    assert ended.returncode == 2
    assert "DATABASE_URL: names a demonstration database" in ended.stderr
    assert manage("deliver", **variables).returncode == 2


def test_the_web_server_refuses_a_marked_database(variables, database):
    mark(database)
    ended = python("import orgportal.wsgi", **variables)
    assert ended.returncode != 0
    assert "SettingsError: DATABASE_URL: names a demonstration database" in ended.stderr


def test_each_program_of_the_demonstration_refuses_a_production_database(database, folder):
    somebody = "(username, password, first_name, last_name, email, is_staff, is_active, is_superuser, date_joined)"
    values = "('admin', '', '', '', '', 1, 1, 1, '2027-01-01')"
    make_database(database, f"INSERT INTO organizations_user {somebody} VALUES {values}")
    shutil.copy(database, folder / "demo.sqlite3")
    for command in (("serve", "--check"), ("deliver",), ("seed_demo",)):
        ended = manage(*command, ORGPORTAL_DEMO="1", ORGPORTAL_VAR=str(folder))
        assert ended.returncode == 2, command
        assert "DATABASE_URL" in ended.stderr, command


DIES_BEFORE_THE_FIRST_PERSON = """
import os, signal
import django
django.setup()
from django.core.management import call_command
from organizations.management.commands import seed_demo
seed_demo.make_people = lambda: os.kill(os.getpid(), signal.SIGKILL)
call_command("seed_demo")
"""


def test_a_copy_of_the_database_file_has_the_mark_before_the_first_record_exists(folder, database, tmp_path):
    seeded = shutil.copy(database, folder / "demo.sqlite3")
    ended = python(DIES_BEFORE_THE_FIRST_PERSON, ORGPORTAL_DEMO="1", ORGPORTAL_VAR=str(folder))
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    copy = shutil.copy(seeded, tmp_path / "copy")
    with closing(sqlite3.connect(copy)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
        assert opened.execute("SELECT demonstration FROM organizations_installation").fetchone() == (1,)


def test_demonstration_records_cannot_be_added_to_a_production_database(variables):
    ended = manage("seed_demo", **variables)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_marked_database_never_sends_to_another_machine(database, folder):
    mark(database)
    shutil.copy(database, folder / "demo.sqlite3")
    set_in(folder, REDOX_PRODUCTION_BASE_URL="https://redox.example.org")
    for command in ("deliver", "migrate"):  # `demo` runs `migrate` before it starts workers
        ended = manage(command, ORGPORTAL_DEMO="1", ORGPORTAL_VAR=str(folder))
        assert ended.returncode == 2
        assert "REDOX_PRODUCTION_BASE_URL" in ended.stderr


def test_the_command_refuses_a_database_of_a_newer_release(database, folder):
    mark(database)
    make_database(database, "INSERT INTO django_migrations (app, name, applied) VALUES ('organizations', '9999_x', '')")
    shutil.copy(database, folder / "demo.sqlite3")
    (folder / "demo.seeded").touch()
    ended = manage("demo", "--port", "0", ORGPORTAL_VAR=str(folder))
    assert ended.returncode == 2
    assert "newer release" in ended.stderr


def test_the_command_refuses_other_settings(variables):
    code = "import django; django.setup(); from django.core.management import call_command; call_command('demo')"
    ended = python(code, **variables)
    assert "Start it with: ./dev demo" in ended.stderr


COUNT = """
import django, json
from collections import Counter
django.setup()
from organizations.models import AuditEntry, Environment, Organization
said = {}
for environment in Environment.values:
    records = list(Organization.objects.in_environment(environment))
    top = {each.oid for each in records if each.part_of_oid not in {other.oid for other in records}}
    first = ("organization.created", "organization.seen")
    entries = AuditEntry.objects.filter(environment=environment, action__in=first)
    said[environment] = {
        "levels": Counter("top" if each.oid in top else "region" if each.part_of_oid in top else "location"
                          for each in records),
        "stands_for": Counter(each.stands_for for each in records),
        "standing": Counter(each.standing for each in records),
        "open_work": Counter(each.open_work for each in records),
        "differs": sum(each.differs > 0 for each in records),
        "both_at_once": sum(each.differs > 0 and each.changes > 0 for each in records),
        "alone": sum(each.counterpart is None for each in records),
        "foreign": sum(each.is_foreign for each in records),
        "evidence": sorted({each.confirmed_evidence for each in records} - {""}),
        "oids": sorted(each.oid for each in records),
        "without_entry": sorted({each.oid for each in records} - {each.oid for each in entries}),
    }
print(json.dumps(said))
"""


STEPS = [
    "Making the keys and settings of the demonstration (once) ...",
    "Making the database (once) ...",
    "Collecting static files ...",
    "Making the records of the demonstration (once) ...",
    "Making the records of STAGING ...",
    "Making the records of PRODUCTION ...",
    "120 records, 6 people.",
]
"""What only the first start does. It prints each step before it takes the step."""


def check_content(folder: Path) -> None:
    """In both environments, at least two records have each state that does not change without a worker."""
    counted = python(COUNT, ORGPORTAL_DEMO="1", ORGPORTAL_VAR=str(folder))
    assert counted.returncode == 0, counted.stderr
    by_environment = json.loads(counted.stdout)
    assert set(by_environment) == {"staging", "production"}
    assert by_environment["staging"]["evidence"] == ["answer", "both", "person", "query"]
    assert (by_environment["staging"]["foreign"], by_environment["production"]["foreign"]) == (1, 0)
    taken_over, only_in_staging = len(seed_demo.SEEN), len(seed_demo.ONLY_IN_STAGING)
    assert by_environment["staging"]["alone"] == taken_over + only_in_staging
    assert by_environment["production"]["alone"] == taken_over
    for name, counts in by_environment.items():
        locations = 54 - (only_in_staging if name == "production" else 0)
        assert counts["levels"] == {"top": 1, "region": 6, "location": locations}
        assert counts["stands_for"] == {"patient_index": 1, "": 6 + taken_over, "location": locations - taken_over}
        for kind, words in {"standing": STANDING, "open_work": OPEN_WORK}.items():
            expected = set(words) - {"sending", "awaiting", "directory_differs"}
            assert {word for word, number in counts[kind].items() if word and number >= 2} == expected, counts[kind]
        assert counts["without_entry"] == []
        assert counts["differs"] >= 2
        assert counts["both_at_once"] == 1
        check_directory(folder, name, set(counts["oids"]))


def check_directory(folder: Path, environment: str, known: set[str]) -> None:
    """The directory holds five records of the company that the portal does not know, and records of others."""
    with closing(Store(folder / "demo-practice")) as store:
        entries = {oid_of(entry): entry for entry in store.find(environment)}
    base = demonstration_records.BASES[environment]
    unknown = {oid: entry for oid, entry in entries.items() if oid not in known}
    ours = {oid: entry for oid, entry in unknown.items() if oid.startswith(f"{base}.")}
    assert (len(ours), len(unknown) - len(ours)) == (5, seed_demo.OTHERS)
    assert [entry["Active"] for entry in ours.values()].count(False) == 1
    parents = [entry["PartOf"]["Identifier"]["Value"] for entry in ours.values()]
    assert [parent in ours for parent in parents].count(True) == 1
    assert all(parent in entries and (parent in known or parent in ours) for parent in parents)
    assert [(len(entry["Identifiers"]), "Type" in entry) for entry in ours.values()].count((2, True)) == 1
    assert [(len(entry["Identifiers"]), "Type" in entry) for entry in ours.values()].count((1, False)) == 4
    variables = read_variables({}, folder / "demo.env")
    assert variables.text(f"REDOX_{environment.upper()}_BASE_OIDS") == base


def test_a_new_demonstration_starts_and_starts_again(tmp_path):
    variables = {"ORGPORTAL_VAR": str(tmp_path / "var")}
    with Portal(variables, "demo", umask=0o022) as first:
        first.wait_until_ready()
        assert open_to_others(tmp_path) == set()
        assert "Sign in as editor" in first.get("/sign-in/")[1]
        check_content(tmp_path / "var")

        second = manage("demo", "--port", "0", **variables)
        assert second.returncode == 2
        assert f"already running on this database, as process {first.process.pid}" in second.stderr

        children = first.children()
        code, output = first.end()
        assert code == 0
        assert "Traceback" not in output
        practice, listening = "Practice directory at ", "The demonstration is at "
        lines = output.splitlines()
        assert [line for line in lines if not line.startswith(practice)][: len(STEPS)] == STEPS
        assert lines[len(STEPS) + 1].startswith(listening)
        assert [pid for pid in children if Portal.is_running(pid)] == []

    with Portal(variables, "demo") as again:
        # This line comes before the programs start; the rest is checked in the first run.
        startup_output = again.output_until(listening)
        code, output = again.end()
        assert code == 0
        assert [line.startswith(practice) for line in startup_output.splitlines()] == [True, False]
        assert not set(STEPS) & set(output.splitlines())
    assert os.listdir(tmp_path) == ["var"]
