"""The lines of a roll-call, in the order of the list: the record of each, or what is known without a record."""

import pytest

from organizations.forms.roll_call import RollCallForm
from organizations.models import CandidateState, Organization, User, clock
from organizations.pages.roll_call import rows
from organizations.pages.roll_call.rows import GATEWAY, HERE, NEITHER, NOT_HERE, SAME, SEVERAL, LineRow
from organizations.queries.roll_call import MOST_MATCHES
from organizations.records import IdentifierRecord
from organizations.redox.environment import GATEWAY_OID
from organizations.services.directory import ownership_here
from organizations.text.markup import written
from tests import factories
from tests.factories import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]

PRODUCTION_OID = f"{BASE}.900"


@pytest.fixture
def both(editor: User) -> Organization:
    """A record of STAGING with its own identifier, and its counterpart in PRODUCTION with another one."""
    staging = factories.accepted_organization(user=editor, name="Lakeside North", identifiers=identifiers("LSC-014"))
    values = {"name": "Lakeside North", "identifiers": identifiers("LSC-900")}
    production = factories.organization(PRODUCTION_OID, user=editor, environment="production", **values)
    Organization.objects.filter(pk=production.pk).update(staging_record=staging)
    return staging


def identifiers(*values: str) -> tuple[IdentifierRecord, ...]:
    return tuple(IdentifierRecord(kind=f"KIND{number}", value=value) for number, value in enumerate(values))


def rows_of(*lines: str) -> list[LineRow]:
    form = RollCallForm({"lines": "\n".join(lines)})
    assert form.is_valid()
    return rows.build_rows(form.entered)


def row_of(line: str) -> LineRow:
    [row] = rows_of(line)
    return row


def oids(row: LineRow) -> list[str]:
    """The OIDs of the sides; "" for a side without a record."""
    return [side.organization.oid if side.organization else "" for side in row.sides]


@pytest.mark.parametrize("line", [BASE, f"urn:oid:{PRODUCTION_OID}", "LSC-014", " LSC-900 "])
def test_a_record_is_found_with_its_counterpart_by_each_oid_and_own_identifier(both, line):
    row = row_of(line)
    assert (row.kind, row.name, oids(row)) == (HERE, "Lakeside North", [BASE, PRODUCTION_OID])
    assert [side.environment for side in row.sides] == ["staging", "production"]
    assert [side.standing.word for side in row.sides if side.standing] == ["Active", "Not registered"]
    assert row.found_as == ("Own identifier" if "LSC" in line else "OID")


def test_a_record_without_a_link_does_not_say_that_the_other_environment_has_none(editor):
    factories.organization(user=editor)
    factories.organization(PRODUCTION_OID, user=editor, environment="production")
    row = row_of(BASE)
    assert (oids(row), row.sides[1].note) == ([BASE, ""], "No record in PRODUCTION is linked.")


def test_the_lines_keep_their_order_and_a_record_is_shown_once(both):
    listed = rows_of("LSC-900", "2.999.9", BASE, "LSC-900", "nonsense", "LSC-014")
    assert [(row.line.numbers, row.kind) for row in listed] == [
        ((1, 4), HERE),
        ((2,), NOT_HERE),
        ((3,), SAME),
        ((5,), NEITHER),
        ((6,), SAME),
    ]
    assert (listed[2].sentence, listed[2].name) == ("The same record as line 1.", "Lakeside North")
    assert listed[0].also_on == "4"


def test_a_line_that_matches_several_records_names_each_of_them(both, editor):
    """Their counterparts do not have this identifier and are not named."""
    other = factories.organization(f"{BASE}.2", user=editor, identifiers=identifiers("LSC-014", "LSC-014"))
    row = row_of("LSC-014")
    assert (row.kind, row.sentence) == (SEVERAL, "2 records have it:")
    assert [each.key.oid for each in row.named] == [BASE, other.oid]
    assert row.named[0].url == f"/staging/organizations/{BASE}/"


def test_an_oid_with_a_record_in_each_environment_names_both_unless_they_are_counterparts(editor):
    staging, production = (
        factories.organization(user=editor, environment=environment) for environment in ("staging", "production")
    )
    assert [each.key.environment for each in row_of(BASE).named] == ["staging", "production"]
    Organization.objects.filter(pk=production.pk).update(staging_record=staging)
    assert (row_of(BASE).kind, oids(row_of(BASE))) == (HERE, [BASE, BASE])


def test_only_the_first_of_very_many_records_are_named(editor):
    for number in range(MOST_MATCHES + 1):
        factories.organization(f"{BASE}.{number}", user=editor, identifiers=identifiers("SHARED"))
    row = row_of("SHARED")
    assert row.sentence == f"More than {MOST_MATCHES} records have it. The first:"
    assert [each.key.oid for each in row.named] == [f"{BASE}.{number}" for number in range(MOST_MATCHES)]


def test_the_gateway_is_never_a_record(db):
    assert (row_of(GATEWAY_OID).kind, row_of(GATEWAY_OID).sentence) == (GATEWAY, ownership_here.GATEWAY)


def test_a_text_without_a_record_says_so_and_an_invalid_oid_says_what_is_wrong(db):
    nonsense, wrong = rows_of("nonsense", "2.16..840")
    assert (nonsense.kind, nonsense.sentence) == (
        NEITHER,
        "This is neither an OID nor an identifier of a record here.",
    )
    assert wrong.sentence.startswith("'2.16..840' is not an OID.")
    assert (nonsense.found_as, wrong.found_as) == ("", "")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (CandidateState.FOUND, "A take-over asked the directory on {at}: it showed this OID, as Lakeside 5."),
        (CandidateState.ABSENT, "The directory did not show this OID when asked on {at}."),
        (CandidateState.UNANSWERED, "A take-over asked the directory on {at}, without a clear answer."),
        (CandidateState.WAITING, "No take-over asked this directory about it."),
    ],
)
def test_an_oid_that_is_not_in_the_portal_says_what_a_take_over_saw(editor, state, said):
    oid, at = f"{BASE}.5", clock.now()
    run = factories.take_over(user=editor, seen={oid: factories.record(oid)})
    run.candidates.update(state=state, asked_at=at)
    row = row_of(oid)
    assert (row.kind, row.sentence) == (NOT_HERE, "Not a record here.")
    assert [side.note for side in row.sides] == [
        said.format(at=written(at)),
        "No take-over asked this directory about it.",
    ]


def test_an_own_identifier_is_found_in_any_spelling_and_the_exact_one_comes_first(editor):
    upper, lower, other = "LSC-014", "lsc-014", "Übung 7"
    for number, value in enumerate((upper, lower, other), start=1):
        own = (IdentifierRecord(kind="FACID", value=value),)
        factories.organization(f"{BASE}.{number}", user=editor, identifiers=own)
    assert row_of("ubung-7").sides[0].url == f"/staging/organizations/{BASE}.3/"
    for text, first in ((upper, f"{BASE}.1"), (lower, f"{BASE}.2")):
        row = row_of(text)
        assert (row.kind, next(each.key.oid for each in row.named), len(row.named)) == (SEVERAL, first, 2)


def test_an_oid_whose_values_could_not_be_read_says_so(editor):
    oid, at = f"{BASE}.5", clock.now()
    run = factories.take_over(user=editor, seen={oid: None})
    run.candidates.update(state=CandidateState.REFUSED, asked_at=at, name="Of the old message")
    sentence = f"A take-over asked the directory on {written(at)}: it showed this OID, but its values cannot be read."
    assert row_of(oid).sides[0].note == sentence


def test_the_newest_take_over_counts(editor):
    oid = f"{BASE}.5"
    for shown in (factories.record(oid), None):
        factories.take_over(user=editor, seen={oid: shown})
    assert row_of(oid).sides[0].note.startswith("The directory did not show this OID ")
