"""The repository is self-contained: it has no links, paths or addresses of one machine."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from orgportal import RELEASE

ROOT = Path(__file__).resolve().parents[2]
# Written in parts, so that this file does not contain the forbidden words.
REGISTRIES = ["pypi" + ".org", "python" + "hosted.org", "registry." + "npmjs", "deb" + ".debian.org", "test." + "pypi"]
MACHINE_PATHS = ["/" + "work/", "/" + "root/", "/" + "home/", "../" + "shared"]


def tracked() -> list[Path]:
    output = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [path for name in output.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_symbolic_link_is_tracked():
    """A symbolic link may point to files of one machine, and no other test reads its target."""
    output = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert [line for line in output.splitlines() if line.startswith("120000")] == []


@pytest.mark.parametrize("words", [REGISTRIES, MACHINE_PATHS], ids=["registries", "machine paths"])
def test_no_tracked_file_has_words_of_one_machine(words):
    forbidden = re.compile("|".join(re.escape(word) for word in words).encode())
    matches = [
        f"{path.relative_to(ROOT)}: {hit.group().decode()}"
        for path in tracked()
        for hit in forbidden.finditer(path.read_bytes())
    ]
    assert matches == []


def locked(lock: str) -> dict[str, str]:
    """The version of each package in a lock file."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_every_locked_package_has_a_hash(lock):
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert entries
    assert [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_packages_for_tests_include_those_of_the_portal_in_the_same_versions():
    portal, tests = locked("requirements.lock"), locked("requirements-test.lock")
    assert portal
    assert portal.items() - tests.items() == set()


def test_the_html_checker_is_locked_by_its_hash_without_a_registry():
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["devDependencies"].keys() == {"vnu-jar"}
    assert [name for name, package in packages.items() if "integrity" not in package or "resolved" in package] == []


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=]", each)[0] for each in requirements}


def test_every_declared_package_is_locked_and_test_packages_only_for_tests():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    portal, tests = names(project["project"]["dependencies"]), names(project["dependency-groups"]["test"])
    assert portal - locked("requirements.lock").keys() == set()
    assert tests - locked("requirements-test.lock").keys() == set()
    # The portal needs cryptography too: joserfc asks for it.
    assert tests & locked("requirements.lock").keys() == {"cryptography"}


def test_the_release_is_the_projects_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == RELEASE
