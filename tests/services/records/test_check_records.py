"""The command that checks all stored records: what it writes where, and its exit code."""

import csv
import io
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from organizations.models import Organization, User
from tests import factories
from tests.factories import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

type Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run() -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        out, errors = io.StringIO(), io.StringIO()
        try:
            call_command("check_records", *arguments, stdout=out, stderr=errors)
        except CommandError as error:
            return error.returncode, out.getvalue(), f"{errors.getvalue()}{error}"
        return 0, out.getvalue(), errors.getvalue()

    return run


@pytest.fixture
def wrong(editor: User) -> Organization:
    organization = factories.organization(user=editor, name="=Lakeside\x1b[2J")
    Organization.objects.filter(pk=organization.pk).update(zip_code="5370")
    return organization


def test_a_finding_is_a_line_of_a_table_and_exit_code_1(run: Run, wrong: Organization) -> None:
    code, out, errors = run()
    assert code == 1
    head, *lines = out.splitlines()
    assert head.split()[:3] == ["Environment", "OID", "Name"]
    assert [line for line in lines if "ZIP" in line and BASE in line and "'5370' is not a ZIP code." in line]
    assert "\x1b" not in out
    assert "STAGING: 1 of 1 record checked" in errors
    assert errors.endswith("findings in 1 record.")


def test_without_a_finding_the_exit_code_is_0(run: Run, editor: User) -> None:
    factories.organization(user=editor)
    assert run()[0] == 0
    assert "Nothing was found in 1 record." in run()[2]


def test_only_the_environment_that_is_named_is_checked(run: Run, wrong: Organization) -> None:
    assert run("--environment=staging")[0] == 1
    assert run("--environment=production")[0] == 0


def test_the_csv_is_protected_and_its_file_private(run: Run, wrong: Organization, tmp_path: Path) -> None:
    file = tmp_path / "check.csv"
    code, out, _ = run("--csv", str(file))
    text = file.read_bytes().decode()
    assert (code, out, stat.S_IMODE(file.stat().st_mode)) == (1, "", 0o600)
    assert run("--csv=-")[1] == text.removeprefix("\ufeff")
    names = {row["Name"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))}
    assert names == {"'=Lakeside\x1b[2J"}


def test_a_file_that_cannot_be_written_is_exit_code_2(run: Run, tmp_path: Path) -> None:
    assert run("--csv", str(tmp_path))[0] == 2
