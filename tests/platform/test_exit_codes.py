"""The exit codes of commands: 0 for success, 1 only for a finding, 2 for an error."""

import errno
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import DatabaseError, OperationalError

import manage
from organizations.management.commands import demo
from organizations.management.commands._base import Finding, PortalCommand
from organizations.services.errors import ActionRefused
from orgportal import errors
from orgportal.processes import Taken
from orgportal.start_errors import SettingsError

from .serving import ROOT, plain_environment
from .serving import manage as run_command


def end_of(monkeypatch, base: type[BaseCommand], act: Callable[[], None], *arguments: str) -> object:
    """Run a command that calls `act`, as from the command line, and return its exit code."""

    class Command(base):  # type: ignore[misc, valid-type]
        requires_system_checks = ()

        def handle(self, *_: object, **__: object) -> None:
            act()

    argv = ["manage.py", "acts", *arguments]
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(manage, "run", lambda: Command().run_from_argv(argv))
    try:
        manage.main()
    except SystemExit as end:
        return end.code
    return 0


def raising(fault: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise fault

    return act


@pytest.mark.parametrize("arguments", [(), ("--traceback",)])
@pytest.mark.parametrize("base", [BaseCommand, PortalCommand])
@pytest.mark.parametrize(
    "fault",
    [
        CommandError("no"),
        SystemCheckError("no"),
        SettingsError("BIND", "no"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_an_error_ends_with_2(monkeypatch, capsys, base, fault, arguments):
    assert end_of(monkeypatch, base, raising(fault), *arguments) == 2
    output = capsys.readouterr().err
    assert "no" in output
    assert ("Traceback" in output) is bool(arguments)


def database_error(error: type[Exception], cause: Exception) -> Exception:
    """An error of the database as Django raises it."""
    raised = error(str(cause))
    raised.__cause__ = cause
    return raised


def sqlite_error(name: str, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (OperationalError("the secret"), "cannot be reached: the ***. Check DATABASE_URL"),
        (ZeroDivisionError("secret"), "This failed unexpectedly (ZeroDivisionError). Add --traceback"),
        (RuntimeError("django.db secret"), "This failed unexpectedly (RuntimeError)."),
        (EOFError("secret"), "The input ended before all questions were answered."),
        (Taken("already running"), "already running"),
        (PermissionError(errno.EACCES, "Permission denied", "/var/file"), "/var/file: Permission denied. Run this as"),
        (OSError(errno.ENOSPC, "No space left", "/var/file"), "The disk is full."),
        (
            database_error(OperationalError, sqlite_error("SQLITE_BUSY", "database is locked")),
            "Another process has locked the database.",
        ),
        (database_error(OperationalError, sqlite_error("SQLITE_ERROR", "no such table: x")), "Run: ./dev migrate"),
        (database_error(OperationalError, sqlite_error("SQLITE_FULL", "disk is full")), "The disk is full."),
        (database_error(OperationalError, sqlite_error("SQLITE_CANTOPEN", "unable")), "cannot be opened."),
        (
            database_error(OperationalError, sqlite_error("SQLITE_READONLY_DBMOVED", "readonly")),
            "belongs to another account",
        ),
        (database_error(DatabaseError, sqlite_error("SQLITE_CORRUPT", "malformed")), "is damaged, or is not an SQLite"),
        (
            database_error(DatabaseError, sqlite_error("SQLITE_MISUSE", "secret")),
            "This failed unexpectedly (DatabaseError).",
        ),
        (
            database_error(OperationalError, psycopg.OperationalError("user x, secret")),
            "cannot be reached: user x, ***. Check",
        ),
        (database_error(DatabaseError, psycopg.errors.UndefinedTable("secret")), "Run: ./dev migrate"),
        (
            database_error(DatabaseError, psycopg.errors.DiskFull("secret")),
            "The disk of the PostgreSQL server is full.",
        ),
        (database_error(DatabaseError, psycopg.errors.AdminShutdown("secret")), "PostgreSQL ended the connection."),
        (
            database_error(DatabaseError, psycopg.errors.DivisionByZero("secret")),
            "This failed unexpectedly (DatabaseError).",
        ),
    ],
    ids=repr,
)
def test_an_error_is_printed_as_a_sentence_without_classes_and_secrets(monkeypatch, settings, fault, sentence):
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "secret")
    sentence_printed = errors.sentence(fault)
    assert sentence in sentence_printed
    assert [word for word in ("django.", "secret", "organizations.") if word in sentence_printed] == []


@pytest.mark.parametrize("base", [BaseCommand, PortalCommand])
def test_an_error_prints_its_sentence_and_optionally_its_traceback(monkeypatch, capsys, base):
    fault = ZeroDivisionError("secret")
    assert end_of(monkeypatch, base, raising(fault)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(f": {errors.sentence(fault)}")
    assert end_of(monkeypatch, base, raising(fault), "--traceback") == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_refused_action_prints_its_own_words(monkeypatch, capsys):
    assert end_of(monkeypatch, PortalCommand, raising(ActionRefused("The file exists."))) == 2
    assert capsys.readouterr().err.endswith(": The file exists.\n")


@pytest.mark.parametrize("base", [BaseCommand, PortalCommand])
def test_ctrl_c_in_a_command_prints_no_traceback(monkeypatch, capsys, base):
    assert end_of(monkeypatch, base, raising(KeyboardInterrupt())) == 2
    assert capsys.readouterr().err == "orgportal: interrupted.\n"


@pytest.mark.parametrize("arguments", [(), ("--traceback",)])
def test_only_a_finding_ends_with_1(monkeypatch, arguments):
    assert end_of(monkeypatch, PortalCommand, raising(Finding("entry 7 was changed")), *arguments) == 1


def test_the_exit_code_of_a_django_command_is_kept(monkeypatch):
    assert end_of(monkeypatch, BaseCommand, lambda: sys.exit(1)) == 1
    assert end_of(monkeypatch, BaseCommand, lambda: sys.exit(3)) == 3
    assert end_of(monkeypatch, BaseCommand, lambda: None) == 0


def test_an_unknown_command_ends_with_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["manage.py", "no_such_command"])
    with pytest.raises(SystemExit) as end:
        manage.main()
    assert end.value.code == 2
    assert "Unknown command" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "-1", "http", "65536", "٣"])
def test_an_invalid_port_is_refused_in_a_sentence(capsys, port):
    with pytest.raises(SystemExit) as end:
        demo.Command().run_from_argv(["manage.py", "demo", f"--port={port}"])
    assert end.value.code == 2
    assert "is not a port: enter a number from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "number"), [("demo", signal.SIGINT), ("serve", signal.SIGTERM)])
def test_ctrl_c_before_anything_started_is_not_an_error(tmp_path, command, number):
    (tmp_path / "django").mkdir()
    (tmp_path / "django" / "__init__.py").write_text("import time; print('importing', flush=True); time.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), command],
        env={**plain_environment(), "PYTHONPATH": str(tmp_path), "ORGPORTAL_VAR": str(tmp_path / "var")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "")


@pytest.mark.parametrize("arguments", [("migrate", "nothing"), ("restore", "{folder}/none")])
def test_every_error_begins_with_the_name_of_the_portal(variables, tmp_path, arguments):
    ended = run_command(*(each.format(folder=tmp_path) for each in arguments), **variables)
    assert ended.returncode == 2
    assert re.fullmatch(r"orgportal: .*\n", ended.stderr)


UNREACHABLE = ("postgres://somebody:the-secret@127.0.0.1:9/none", "The database cannot be reached")
NOT_AN_ADDRESS = ("postgres://somebody:the-secret/half@127.0.0.1/none", "DATABASE_URL: ")


@pytest.mark.parametrize(
    ("arguments", "address", "expected"),
    [
        (("migrate",), *UNREACHABLE),
        (("createsuperuser",), *UNREACHABLE),
        (("serve", "--check"), *UNREACHABLE),
        (("deliver",), *UNREACHABLE),
        (("deliver",), *NOT_AN_ADDRESS),
    ],
)
def test_no_command_shows_classes_or_the_password_of_the_database(variables, arguments, address, expected):
    ended = run_command(*arguments, **{**variables, "DATABASE_URL": address})
    assert ended.returncode == 2
    assert expected in ended.stderr
    assert [word for word in ("Traceback", "django.", "secret") if word in ended.stderr] == []
