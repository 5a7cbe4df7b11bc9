"""The filtered list of submissions of an environment, built without a client."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.models import Environment, State, Submission, User
from organizations.pages.submission import outbox
from organizations.pages.submission.outbox import OutboxPage
from organizations.services.outbox import plans
from tests import factories
from tests.factories import BASE, as_actor

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def queued(editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor)


def page_for(
    user: User, environment: Environment = Environment.STAGING, *, state: str = "", mine: bool = False, number: str = ""
) -> OutboxPage:
    return outbox.build(environment, user, state=state, mine=mine, number=number)


def test_the_list_has_the_submissions_of_its_environment(editor: User, queued: Submission) -> None:
    page = page_for(editor)
    [row] = page.rows
    assert (row.submission, row.word.word, page.summary, page.chips) == (queued, "Queued", "1 submission", [])
    other = page_for(editor, Environment.PRODUCTION)
    assert (other.rows, other.is_unused) == ([], True)


@pytest.mark.parametrize(
    ("state", "fits"),
    [("", True), ("queued", True), ("open", True), ("accepted", False), ("\x00", True), ("<b>", True)],
)
def test_the_list_is_filtered_by_state_and_ignores_invalid_values(
    editor: User, queued: Submission, state: str, fits: bool
) -> None:
    page = page_for(editor, state=state)
    assert bool(page.rows) == fits
    assert not page.is_unused


def test_the_filter_mine_shows_my_submissions_and_can_be_removed(editor: User, queued: Submission) -> None:
    page = page_for(editor, state="queued", mine=True)
    assert [row.submission for row in page.rows] == [queued]
    assert page.summary == "1 submission matches"
    assert page.chips == [
        ("State: Queued", "/staging/submissions/?mine=1"),
        ("Submitted by me", "/staging/submissions/?state=queued"),
    ]
    assert page_for(factories.UserFactory(role="viewer"), mine=True).rows == []


def test_all_waiting_reasons_are_read_without_one_query_per_line(editor: User) -> None:
    top = factories.organization(user=editor)
    below = [factories.organization(f"{BASE}.{place}", user=editor, part_of_oid=BASE) for place in (2, 3)]
    plan = factories.plan([top, *below], user=editor)
    with CaptureQueriesContext(connection) as asked:
        waits = [str(row.waits) for row in page_for(editor).rows]
    parent = f'<a href="/staging/organizations/{BASE}/">Lakeside 1</a>'
    assert sum(parent in each for each in waits) == 2
    factories.submission(factories.organization("2.999.1", user=editor), user=editor)
    plans.pause_plan(plan.pk, actor=as_actor(editor))
    with CaptureQueriesContext(connection) as asked_again:
        waits = [str(row.waits) for row in page_for(editor).rows]
    reason = f'Plan <a href="/staging/plans/{plan.pk}/">{plan.pk}</a> is paused: Editor One paused it.'
    assert waits.count(reason) == 3
    assert len(asked_again) == len(asked)


def test_a_page_is_read_by_id_and_without_message_bytes(editor: User, queued: Submission) -> None:
    names = [field.attname for field in Submission._meta.concrete_fields if field.attname != "id"]
    values = {name: getattr(queued, name) for name in names} | {"state": State.ACCEPTED, "evidence": "answer"}
    Submission.objects.bulk_create(Submission(**values) for _ in range(60))
    with CaptureQueriesContext(connection) as asked:
        page = page_for(editor, number="2")
    assert (page.page.start_index(), page.page.end_index(), page.page.paginator.count) == (51, 61, 61)
    queries = [query["sql"] for query in asked.captured_queries]
    [counted_off] = [query for query in queries if "OFFSET 50" in query]
    assert counted_off.startswith('SELECT "organizations_submission"."id" AS ')
    assert not [query for query in queries if '"organizations_submission"."message"' in query]
