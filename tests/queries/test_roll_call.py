"""A roll-call of a thousand lines needs as many queries as one of a hundred."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.forms.roll_call import MOST_LINES, RollCallForm
from organizations.models import CandidateState, Identifier, Organization, clock
from organizations.pages.roll_call import rows
from organizations.records import OrganizationRecord
from tests import bulk, factories
from tests.factories import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases, pytest.mark.usefixtures("unreachable_redox")]


def queries_of(lines: list[str]) -> tuple[int, list[str]]:
    """The number of queries, and the kinds of the rows."""
    form = RollCallForm({"lines": "\n".join(lines)})
    assert form.is_valid()
    with CaptureQueriesContext(connection) as captured:
        listed = rows.build_rows(form.entered)
        for row in listed:
            for side in row.sides:
                _ = (side.standing, side.to_do, side.url)
    return len(captured), [row.kind for row in listed]


def world(records: int) -> list[str]:
    """Lines of each kind: records with a counterpart by OID and own identifier, an identifier that many records have,
    and others.

    Returns ten times as many lines as there are records.
    """
    users = [factories.UserFactory(role="approver")]
    organizations = bulk.records_with_counterparts(range(records), below=BASE, people=users)
    Identifier.objects.bulk_create(
        Identifier(organization=each, position=position, kind="FACID", value=value)
        for number, each in enumerate(organizations)
        for position, value in enumerate((f"own-{number}", f"shared-{number % 7}"))
    )
    absent: dict[str, OrganizationRecord | None] = {f"{BASE}.9{number}": None for number in range(records)}
    run = factories.take_over(user=users[0], seen=absent)
    run.candidates.update(state=CandidateState.ABSENT, asked_at=clock.now())
    Organization.objects.filter(oid__endswith="3").update(presence="absent", presence_at=clock.now())
    own = [f"own-{number}" for number in range(records)]
    shared = [f"shared-{number}" for number in range(7)]
    lines = [*(each.oid for each in organizations), *own, *shared, *absent]
    return [*lines, *(f"nonsense {number}" for number in range(records * 10 - len(lines)))]


def test_a_thousand_lines_need_as_many_queries_as_a_hundred():
    lines = world(MOST_LINES // 10)
    assert len(lines) == MOST_LINES
    few, kinds_of_few = queries_of(lines[::10])
    many, kinds = queries_of(lines)
    assert many == few <= 8
    assert set(kinds) >= set(kinds_of_few) >= {"here", "not_here", "neither"}
    assert set(kinds) >= {"several", "same"}
