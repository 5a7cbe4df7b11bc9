"""The page of a roll-call and its CSV file, built without a client."""

import csv
import re

import pytest

from organizations.csv_cells import BYTE_ORDER_MARK
from organizations.forms.roll_call import RollCallForm
from organizations.models import Environment, User
from organizations.pages.roll_call import csv_export, page
from organizations.pages.roll_call import rows as roll_call_rows
from organizations.pages.roll_call.page import RollCallPage
from organizations.records import IdentifierRecord
from tests import factories
from tests.changes import store_reading_with
from tests.factories import BASE
from tests.page_text import controls_in, html_of_page, text_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]

LINES = (f"{BASE}.1", "LSC-014", "nonsense", f"{BASE}.77", "2.999.5", f"{BASE}.1")


@pytest.fixture(autouse=True)
def records(editor: User) -> None:
    """A record with its own identifier, for which the directory shows another value in one field."""
    own = (IdentifierRecord(kind="FACID", value="LSC-014"),)
    accepted = factories.accepted_organization(f"{BASE}.1", user=editor, name="=Lakeside", identifiers=own)
    store_reading_with(accepted, active=False)


def built(user: User, *lines: str) -> RollCallPage:
    return page.build(Environment.STAGING, user, RollCallForm({"lines": "\n".join(lines or LINES)}))


def html(user: User, *lines: str) -> str:
    return html_of_page(built(user, *lines), "staging")


def test_the_page_counts_the_lines_by_what_they_name(editor):
    assert built(editor).in_short == (
        "6 lines: 1 in the portal, 2 not in the portal, 1 neither an OID nor an identifier of a record here,"
        " 1 with a record of an earlier line, 1 repeated."
    )


def test_each_line_has_its_claims_with_time_and_evidence(editor):
    text = text_in(html(editor))
    claims = text.partition("What the portal knows")[2]
    for said in (
        "line 1, again 6 =Lakeside Active Directory differs",
        "Accepted by Redox, ",
        "Differs. In 1 field the directory shows another value than was last accepted. Directory asked ",
        "No record in PRODUCTION is linked.",
        "line 2 =Lakeside. The same record as line 1.",
        "line 3 This is neither an OID nor an identifier of a record here.",
        "line 4 Not a record here. No take-over asked this directory about it.",
    ):
        assert said in claims


def test_the_directory_can_be_asked_about_oids_that_are_not_in_the_portal(editor):
    shown = html(editor)
    assert controls_in(shown)["Ask the directory about these 2"] == ""
    oids = re.search(r'name="oids" value="([^"]*)"', shown)
    assert oids is not None
    assert oids[1].split() == [f"{BASE}.77", "2.999.5"]
    assert "Ask the directory about this one" in controls_in(html(editor, "2.999.5"))
    assert "Ask the directory" not in html(editor, f"{BASE}.1", "nonsense")


def test_a_viewer_sees_everything_and_cannot_ask(db):
    viewer = factories.UserFactory(role="viewer")
    controls = controls_in(html(viewer))
    assert (controls["Ask the directory about these 2"], controls["Export as CSV"]) == (None, "")


def test_before_a_list_is_entered_there_is_nothing_to_export(editor):
    empty = page.build(Environment.STAGING, editor, RollCallForm())
    assert (empty.rows, list(controls_in(html_of_page(empty, "staging")))[-1]) == ([], "Look up")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a\x00b", "\u202eabc", "\ud800", "%" * 5000, "'; DROP"])
def test_a_hostile_line_is_shown_as_text_and_matches_no_record(editor, text):
    shown = built(editor, text, f"{BASE}.1")
    assert [row.kind for row in shown.rows] == ["neither", "here"]
    rendered = html_of_page(shown, "staging").partition('id="lines"')[2]
    assert "<script>" not in rendered
    assert not set("\x00\u202e\ud800") & set(rendered)


def test_the_csv_file_has_the_same_claims_in_the_order_of_the_list(editor):
    form = RollCallForm({"lines": "\n".join(LINES)})
    assert form.is_valid()
    text = "".join(csv_export.csv_lines(roll_call_rows.build_rows(form.entered)))
    assert text.startswith(BYTE_ORDER_MARK)
    cells = list(csv.DictReader(text.removeprefix(BYTE_ORDER_MARK).splitlines(keepends=True)))
    assert all(None not in row and None not in row.values() for row in cells)  # as many cells as headings
    assert [(row["Lines"], row["Entered"], row["Found as"]) for row in cells] == [
        ("1, 6", f"{BASE}.1", "OID"),
        ("2", "LSC-014", "Own identifier"),
        ("3", "nonsense", ""),
        ("4", f"{BASE}.77", "OID"),
        ("5", "2.999.5", "OID"),
    ]
    found, same, _, absent, _ = cells
    assert (found["Name"], found["STAGING: OID"], found["STAGING: Directory status"]) == (
        "'=Lakeside",
        f"{BASE}.1",
        "Active",
    )
    assert (found["STAGING: Active"], found["STAGING: Compared with the directory"]) == ("false", "Differs")
    assert found["STAGING: What is known"].startswith("In 1 field the directory shows another value ")
    assert found["STAGING: Accepted by"] == "Redox's answer"
    assert (found["PRODUCTION: Directory status"], found["PRODUCTION: What is known"]) == (
        "Not linked",
        "No record in PRODUCTION is linked.",
    )
    assert absent["PRODUCTION: Directory status"] == "No record"
    assert same["Remark"] == "The same record as line 1."
    assert (absent["Remark"], absent["PRODUCTION: What is known"]) == (
        "Not a record here.",
        "No take-over asked this directory about it.",
    )
