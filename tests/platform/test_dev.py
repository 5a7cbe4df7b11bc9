"""`./dev` on machines with other Python versions and packages."""

import ensurepip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-test.lock")
TOOLS = ("sh", "dirname", "cmp", "cp", "rm", "mkdir")


@pytest.fixture
def clone(tmp_path) -> Path:
    """A clone with empty lock files, whose manage.py only prints its arguments."""
    folder = tmp_path / "clone with a blank"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "dev", folder / "dev")
    for lock in LOCKS:
        (folder / lock).write_text(f"# {lock}\n", encoding="utf-8")
    (folder / "manage.py").write_text(
        "import sys; print(sys.version_info[:2] >= (3, 12), sys.argv[1:])", encoding="utf-8"
    )
    for tool in TOOLS:
        (folder / "tools" / tool).symlink_to(shutil.which(tool) or "")
    return folder


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def dev(clone: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    plain = {"PATH": str(clone / "tools"), "HOME": str(clone / "home"), "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    return subprocess.run(
        [str(clone / "dev"), *arguments],
        env=plain | variables,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_only_an_older_python_gets_a_clear_message(clone):
    program(clone / "tools" / "python3", '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0; exit 1')
    program(clone / "tools" / "python3.13", "exit 127")
    ended = dev(clone, "help")
    assert ended.returncode == 2
    assert "no Python 3.12 or newer was found" in ended.stderr
    assert "Found: Python 3.9.2." in ended.stderr
    assert not (clone / ".venv").exists()


def test_a_missing_python_gets_a_clear_message(clone):
    ended = dev(clone, "help")
    assert ended.returncode == 2
    assert "no Python 3.12 or newer was found" in ended.stderr


def test_an_unsuitable_python_that_is_named_is_not_replaced(clone):
    program(clone / "tools" / "python3.13", f'exec "{sys.executable}" "$@"')
    program(clone / "old", "exit 1")
    ended = dev(clone, "help", PYTHON=str(clone / "old"))
    assert ended.returncode == 2
    assert f"PYTHON names '{clone}/old'" in ended.stderr


[PIP] = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
# A Python whose `-m venv` unpacks pip from the standard library: installing it takes three seconds.
INTERPRETER = f"""
if [ "$1" = -c ]; then "{sys.executable}" "$@" >/dev/null && echo "$0"; exit; fi
[ "$1 $2 $3" = "-m venv --clear" ] || exit 1
"{sys.executable}" "$@" --without-pip
"{sys.executable}" -m zipfile -e "{PIP}" "$4"/lib/python*/site-packages
"""


def test_shims_are_skipped_an_incomplete_venv_is_replaced_and_a_second_call_installs_nothing(clone):
    half = clone / ".venv" / "bin" / "python"
    half.parent.mkdir(parents=True)
    half.symlink_to(sys.executable)
    program(clone / "tools" / "python3.13", "exit 127")
    program(clone / "tools" / "python3", "exit 127")
    interpreter = clone / "home" / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3"
    program(interpreter, INTERPRETER)
    first = dev(clone, "some_command", "--with", "two words")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "True ['some_command', '--with', 'two words']\n"
    making, installing = first.stderr.splitlines()
    assert making == "orgportal: making .venv (once) ..."
    assert "installing what requirements.lock names" in installing
    assert (clone / ".venv" / "pyvenv.cfg").exists()

    second = dev(clone)
    assert (second.stdout, second.stderr) == ("True []\n", "")

    (clone / "requirements.lock").write_text("# changed\n", encoding="utf-8")
    assert "installing" in dev(clone).stderr


@pytest.fixture
def calls(clone) -> Callable[..., list[str]]:
    """Runs `./dev` with a .venv whose Python only notes its arguments. Returns what was installed and then run."""
    notes = clone / "notes"
    program(clone / ".venv" / "bin" / "python", f'echo "$*" >>"{notes}"; [ "$2" != pip ] || [ ! -e "{clone}/offline" ]')
    (clone / ".venv" / "installed.lock").touch()

    def run(*arguments: str) -> list[str]:
        notes.unlink(missing_ok=True)
        dev(clone, *arguments)
        return [
            line.replace(f"{clone}/", "").rpartition("--requirement ")[2] for line in notes.read_text().splitlines()
        ]

    return run


def change_locks(clone: Path) -> None:
    for lock in LOCKS:
        (clone / lock).write_text("# changed\n", encoding="utf-8")


def test_test_packages_are_installed_by_the_tests_only_and_then_kept(clone, calls):
    assert calls("demo") == ["requirements.lock", "manage.py demo"]
    assert calls("demo") == ["manage.py demo"]
    assert calls("test", "lint") == ["requirements-test.lock", "-m tests.run lint"]
    assert calls("test") == ["-m tests.run"]
    assert calls("demo") == ["manage.py demo"]
    change_locks(clone)
    assert calls("demo") == ["requirements-test.lock", "manage.py demo"]
    assert calls("test") == ["-m tests.run"]


def test_uv_installs_exactly_the_packages_of_the_lock_file(clone, calls):
    """`uv pip sync` removes every other package."""
    program(clone / "tools" / "uv", f'echo "uv $*" >>"{clone}/notes"')
    options = "--quiet --compile-bytecode --require-hashes --python .venv/bin/python"
    assert calls("demo") == [f"uv pip sync {options} requirements.lock", "manage.py demo"]
    assert calls("test") == [f"uv pip sync {options} requirements-test.lock", "-m tests.run"]
    assert calls("demo") == ["manage.py demo"]


def test_a_failed_installation_is_repeated_also_with_the_earlier_lock_file(clone, calls):
    assert calls("demo") == ["requirements.lock", "manage.py demo"]
    (clone / "offline").touch()
    assert calls("test") == ["requirements-test.lock"]
    (clone / "offline").unlink()
    assert calls("demo") == ["requirements.lock", "manage.py demo"]


@pytest.mark.parametrize(("python", "browser"), [("3.13", "chromium-headless-shell"), ("3.12", "chromium")])
def test_missing_debian_packages_are_installed_before_the_tests(tmp_path, python, browser):
    for tool in ("bash", "env", "dirname", "id"):
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / tool).symlink_to(shutil.which(tool) or "")
    program(tmp_path / "tools" / "sudo", '"$@"')
    program(tmp_path / "tools" / f"python{python}", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    program(tmp_path / "tools" / "apt-cache", f'[ "$2" = python{python}-venv ] || [ "$2" = {browser} ]')
    program(tmp_path / "tools" / "apt-get", f'echo "$@" >>"{tmp_path}/asked"')
    program(tmp_path / "dev", 'echo "ran $*"')
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    ended = subprocess.run(
        [str(tmp_path / ".ci" / "run")],
        env={"PATH": str(tmp_path / "tools"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    installed = (tmp_path / "asked").read_text(encoding="utf-8")
    assert f"default-jre-headless npm {browser} python{python} python{python}-venv" in installed
    assert ended.stdout == "ran test\n"
