"""Startup: settings that conflict stop the process and are named."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from organizations.models import AuditHead
from orgportal import demonstration, startup
from orgportal.start_errors import SettingsError
from orgportal.variables import Variables

from .serving import manage


def test_the_settings_of_the_tests_are_valid():
    startup.verify()


@pytest.mark.parametrize(
    ("variable", "values"),
    [
        ("SECRET_KEY", {"VARIABLES": Variables({})}),
        ("SECRET_KEY", {"VARIABLES": Variables({"SECRET_KEY": "short"})}),
        ("SECRET_KEY", {"VARIABLES": Variables({"SECRET_KEY": "ab" * 40})}),
        ("SECRET_KEY", {"VARIABLES": Variables({"SECRET_KEY": "django-insecure-" + "abcdefghij" * 8})}),
        ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": []}),
        ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": ["portal.example.org", "*"]}),
        ("CSRF_TRUSTED_ORIGINS", {"CSRF_TRUSTED_ORIGINS": ["portal.example.org"]}),
        ("HTTPS", {"HTTPS": False, "BIND": "0.0.0.0:8000"}),
        ("HTTPS", {"HTTPS": False, "BIND": "[::]:8000"}),
        ("BEHIND_PROXY", {"HTTPS": True, "BEHIND_PROXY": 0}),
        ("BIND", {"BIND": "localhost:8000"}),
        ("BIND", {"BIND": "nonsense", "HTTPS": True, "BEHIND_PROXY": 1}),
        ("ORGPORTAL_VAR", {"VAR_DIR": "/dev/null/var"}),
        ("BIND", {"BIND": "8000"}),
        ("BIND", {"BIND": "127.0.0.1:http"}),
        ("BIND", {"BIND": "127.0.0.1:70000"}),
        ("DEBUG", {"DEBUG": True, "BIND": "0.0.0.0:8000"}),
        ("REDOX_LEASE", {"REDOX_DEADLINE": 175.1, "REDOX_LEASE": 210.0}),
        ("REDOX_LEASE", {"REDOX_DEADLINE": 1.0, "REDOX_LEASE": 2.1, "REDOX_SETTLE": 0.5}),
        ("REDOX_SETTLE", {"REDOX_SETTLE": 119.0, "TESTING": False}),
        ("REDOX_STAGNG_AUTH", {"VARIABLES": Variables({"REDOX_STAGNG_AUTH": "oauth", "SECRET_KEY": "abcdefghij" * 5})}),
    ],
)
def test_a_general_error_names_its_variable(settings, variable, values):
    for name, value in values.items():
        setattr(settings, name, value)
    with pytest.raises(SettingsError) as caught:
        startup.verify()
    assert caught.value.variable == variable


@pytest.mark.parametrize(
    "values",
    [
        {"HTTPS": True, "BEHIND_PROXY": 1, "BIND": "0.0.0.0:8000"},
        {"BIND": "[::1]:8000"},
        {"BIND": "127.0.0.2:80"},
        {"DEBUG": True, "ALLOWED_HOSTS": []},
        {"REDOX_SETTLE": 1.0},
        {"REDOX_DEADLINE": 175.0, "REDOX_LEASE": 210.0},
        {"REDOX_DEADLINE": 1.0, "REDOX_LEASE": 2.2, "REDOX_SETTLE": 0.5},
    ],
)
def test_consistent_settings_are_accepted(settings, values):
    for name, value in values.items():
        setattr(settings, name, value)
    startup.verify()


def test_the_database_file_of_the_demonstration_is_refused(settings, tmp_path, monkeypatch):
    file = Path(settings.DATABASES["default"]["NAME"]).resolve()
    startup.verify()
    settings.VAR_DIR = file.parent
    monkeypatch.setattr(demonstration, "DATABASE", file.name)
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: names the file of \./dev demo"):
        startup.verify()


def test_an_address_is_split_into_its_parts():
    assert startup.split_bind("[::1]:80") == ("::1", 80)
    assert startup.split_bind("127.0.0.1:8000") == ("127.0.0.1", 8000)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "SECRET_KEY"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        (
            {
                "SECRET_KEY": "abcdefghij" * 5,
                "ALLOWED_HOSTS": "localhost",
                "HTTPS": "false",
                "REDOX_STAGING_ROUTING_ID": "5d0fd248-6c52-4ad9-b907-ae10bf2dcc39",
            },
            "REDOX_STAGING_ROUTING_ID",
        ),
    ],
)
def test_a_process_with_a_general_error_ends_with_2_and_one_line(tmp_path, variables, named):
    ended = manage("serve", ORGPORTAL_VAR=str(tmp_path), DATABASE_URL=f"sqlite:///{tmp_path}/db", **variables)
    assert ended.returncode == 2
    assert re.search(rf"\b{named}: ", ended.stderr)
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_djangos_checks_for_deployment_find_nothing(database):
    ended = manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        SECRET_KEY="abcdefghij" * 5,
        ALLOWED_HOSTS="portal.example.org",
        BEHIND_PROXY="1",
        EMAIL_URL="smtp+tls://portal:secret@mail.example.org:587",
        DATABASE_URL=f"sqlite:///{database}",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "System check identified no issues (1 silenced).\n"


@pytest.mark.parametrize("command", [("serve", "--check"), ("serve",), ("deliver",), ("createsuperuser",)])
def test_no_other_command_creates_a_missing_database(tmp_path, variables, command):
    other_variables = {**variables, "DATABASE_URL": f"sqlite:///{tmp_path}/new/portal.sqlite3"}
    ended = manage(*command, **other_variables)
    assert ended.returncode == 2
    assert f"There is no database {tmp_path}/new/portal.sqlite3. For a new portal run: ./dev migrate" in ended.stderr
    assert not (tmp_path / "new").exists()


def test_migrating_a_part_succeeds_although_the_tables_of_the_rows_are_missing(tmp_path, variables):
    variables |= {"DATABASE_URL": f"sqlite:///{tmp_path}/new"}
    ended = manage("migrate", "sessions", **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "are not applied" in manage("serve", "--check", **variables).stderr


@pytest.mark.django_db
def test_the_last_migration_makes_the_rows_and_none_before():
    applied = MigrationRecorder(connection)
    [last] = [name for app, name in MigrationLoader(connection).graph.leaf_nodes() if app == "organizations"]
    AuditHead.objects.all().delete()
    applied.record_unapplied("organizations", last)
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert not AuditHead.objects.exists()
    applied.record_applied("organizations", last)
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert AuditHead.objects.count() == 1


def test_a_database_of_a_newer_release_is_refused_with_advice(variables, database):
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('organizations', '9999_later', '')")
    ended = manage("serve", "--check", **variables)
    assert ended.returncode == 2
    assert "newer release. Install that release, or restore a backup of this one." in ended.stderr


@pytest.mark.parametrize(("name", "reason"), [("", "Is a directory"), ("none.env", "No such file or directory")])
def test_an_unreadable_settings_file_is_named(tmp_path, name, reason):
    ended = manage("serve", "--check", ORGPORTAL_ENV_FILE=str(tmp_path / name))
    assert (ended.returncode, ended.stderr) == (2, f"orgportal: {tmp_path / name}: cannot be read: {reason}\n")
