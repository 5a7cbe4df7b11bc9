"""The benchmarks run without error. People judge the times, on an idle machine."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import ground
from organizations.services.audit import audit

from .files import add_person, change, rows
from .serving import ROOT, program

ONCE = ("--rounds=1", "--seconds=0", "--clients=1")

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path) -> Run:
    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        file, folder = str(ROOT / "benchmarks" / f"{name}.py"), str(tmp_path / "var")
        return program(file, *arguments, ORGPORTAL_VAR=folder, WEB_WORKERS="1")

    return run


@pytest.fixture
def migrated_database(database) -> str:
    return f"--database=sqlite:///{database}"


def figures(output: str) -> dict[str, list[str]]:
    """The lines of the table by their first column."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in output.splitlines() if line[:1] == "|"]
    return {line[0]: line[1:] for line in lines[2:]}


def test_every_page_is_measured_over_records_whose_history_is_chained(run, database, migrated_database):
    structure = "SELECT name, sql FROM sqlite_master ORDER BY name"
    before = rows(database, structure)
    result = run("pages", migrated_database, "--records=30", "--hostile=10", *ONCE)
    assert "30 records in STAGING, 30 in PRODUCTION" in result.stdout, result.stderr
    pages, _, hostile = result.stdout.partition("| page | input |")
    lines = figures(pages)
    assert {"List, first page", "Record", "Submission", "Audit, first page", "Stock admin, first page"} <= lines.keys()
    assert all(int(cells[1]) > 0 for cells in lines.values())
    served = {page for page, cells in lines.items() if cells[3]}
    assert served == {"List, first page", "Stock admin, first page"}
    # Not the seconds: a busy machine takes longer.
    statuses = {line.split(" | ")[2] for line in hostile.splitlines()[2:]}
    assert statuses == {"200", "414"}
    assert_chained(database, 60)
    # Filling removes indexes and foreign keys for a time.
    assert rows(database, structure) == before
    assert rows(database, "PRAGMA foreign_key_check") == []
    assert rows(database, "PRAGMA journal_mode") == [("wal",)]


def assert_chained(file: Path, count: int) -> None:
    entries = rows(file, "SELECT sequence, previous_hash, hash, body FROM organizations_auditentry ORDER BY sequence")
    before = audit.FIRST_HASH
    for place, (sequence, previous_hash, hash_, body) in enumerate(entries, start=1):
        assert (sequence, previous_hash, hash_) == (place, before, audit.hash_of(place, before, body))
        before = hash_
    assert len(entries) == count


def test_without_a_name_the_database_is_a_new_file(tmp_path, monkeypatch):
    monkeypatch.setenv("ORGPORTAL_VAR", str(tmp_path))
    for name in ("measured.sqlite3", "measured.sqlite3-wal", "other.sqlite3"):
        (tmp_path / name).touch()
    for name in ("", "sqlite"):
        with ground.database(name, "measured") as url:
            assert url == f"sqlite:///{tmp_path}/measured.sqlite3"
    assert [path.name for path in tmp_path.iterdir()] == ["other.sqlite3"]


def test_sending_is_measured_until_accepted(run, migrated_database):
    result = run("delivery", migrated_database, "--submissions", "2")
    assert result.returncode == 0, result.stderr
    assert set(figures(result.stdout)) == {
        "send to accepted",
        "of this, the exchange with the directory",
        "of this, the portal",
    }


def test_malformed_requests_get_responses_and_change_nothing_partially(run, migrated_database):
    result = run("malformed", migrated_database, "30", "--socket=5", "--pages=1")
    assert result.returncode == 0, result.stdout
    lines = figures(result.stdout)
    assert lines["all in this process"][0] == "30"
    assert lines["all over a socket"][0] == "5"


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("statement", ["CREATE TABLE anything (id INTEGER)", None])
def test_a_database_in_use_is_never_touched(run, tmp_path, migrated, statement):
    file = tmp_path / "in-use.sqlite3"
    if statement is None:
        add_person(Path(shutil.copy(migrated, file)), "somebody")
    else:
        change(file, statement)
    before = dump(file)
    result = run("pages", f"--database=sqlite:///{file}")
    assert result.returncode == 2
    assert "The database is in use." in result.stderr
    assert dump(file) == before


def test_web_servers_are_measured_in_turn(run, migrated_database):
    result = run("server", migrated_database, "--records=30", "--attack=0", *ONCE)
    assert result.returncode == 0, result.stderr
    assert [title.partition(",")[0] for title in figures(result.stdout)] == ["gunicorn", "waitress"]


def test_the_search_through_the_whole_directory_is_measured(run, migrated_database):
    result = run("scan", migrated_database, "--others", "150", "--ours", "3")
    assert result.returncode == 0, result.stderr
    lines = figures(result.stdout)
    # Two pages, and one that asks for deactivated records alone. Each of the two walks ends with an empty page.
    assert (lines["organizations read"], lines["pages"], lines["found"]) == (["153"], ["5"], ["3"])
