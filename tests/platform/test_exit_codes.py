"""How a command ends: 0 is good, 1 is a finding and nothing else, 2 is whatever could not be done."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import OperationalError

import manage
from organizations.management.commands import demo
from organizations.management.commands._base import Finding, PortalCommand
from orgportal.faults import SettingsFault

from .serving import ROOT, plain_environment


def end_of(monkeypatch, base: type[BaseCommand], act: Callable[[], None], *arguments: str) -> object:
    """Run a command that does this, as from the command line; its exit code."""

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
        SettingsFault("BIND", "no"),
        OperationalError("no"),
        ZeroDivisionError("no"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_what_could_not_be_done_ends_with_2(monkeypatch, capsys, base, fault, arguments):
    assert end_of(monkeypatch, base, raising(fault), *arguments) == 2
    told = capsys.readouterr().err
    assert "no" in told
    assert ("Traceback" in told) is bool(arguments)


@pytest.mark.parametrize("arguments", [(), ("--traceback",)])
def test_a_finding_alone_ends_with_1(monkeypatch, arguments):
    assert end_of(monkeypatch, PortalCommand, raising(Finding("entry 7 was changed")), *arguments) == 1


def test_a_verdict_of_one_of_djangos_commands_stays(monkeypatch):
    assert end_of(monkeypatch, BaseCommand, lambda: sys.exit(1)) == 1
    assert end_of(monkeypatch, BaseCommand, lambda: sys.exit(3)) == 3
    assert end_of(monkeypatch, BaseCommand, lambda: None) == 0


def test_a_command_that_is_not_there_ends_with_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["manage.py", "no_such_command"])
    with pytest.raises(SystemExit) as end:
        manage.main()
    assert end.value.code == 2
    assert "Unknown command" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "-1", "http", "65536", "٣"])
def test_a_port_that_is_none_is_refused_in_a_sentence(capsys, port):
    with pytest.raises(SystemExit) as end:
        demo.Command().run_from_argv(["manage.py", "demo", f"--port={port}"])
    assert end.value.code == 2
    assert "is no port: a number from 1 to 65535" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("command", "number"), [("demo", signal.SIGINT), ("serve", signal.SIGTERM)])
def test_ctrl_c_before_anything_was_started_is_no_fault(tmp_path, command, number):
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
