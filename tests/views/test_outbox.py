"""The list of submissions of an environment."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from organizations.models import State, Submission, User
from organizations.services import plans
from tests import factories
from tests.factories import BASE, acting
from tests.views.pages import text_of
from tests.views.sending import page_of

type ClientOf = Callable[..., Client]


def test_the_outbox_lists_what_was_sent_with_state_and_person(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get("/staging/submissions/")
    said = text_of(response)
    assert "Submissions in STAGING" in said
    assert f"{queued.pk}, Create Queued Lakeside 1" in said
    assert "Editor One" in said
    assert f'data-copy="{queued.oid}" aria-label="Copy the OID of Lakeside 1"' in response.content.decode()
    assert page_of(queued) in response.content.decode()


def test_the_outbox_of_the_other_environment_is_empty_and_says_what_will_appear(
    client_of: ClientOf, queued: Submission
) -> None:
    said = text_of(client_of("viewer").get("/production/submissions/"))
    assert "Nothing has been sent to PRODUCTION." in said
    assert "A submission appears here when somebody presses “Send”." in said


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", True), ("?state=queued", True), ("?state=open", True), ("?state=accepted", False), ("?mine=1", False)],
)
def test_the_outbox_is_filtered_by_its_address(
    client_of: ClientOf, queued: Submission, query: str, shown: bool
) -> None:
    response = client_of("viewer").get(f"/staging/submissions/{query}")
    assert (page_of(queued) in response.content.decode()) == shown
    assert ("No submission fits." in text_of(response)) != shown


def test_mine_are_those_that_i_asked_for(client_of: ClientOf, editor: User, queued: Submission) -> None:
    response = client_of(user=editor).get("/staging/submissions/?mine=1&state=queued")
    assert page_of(queued) in response.content.decode()
    assert 'href="/staging/submissions/?mine=1"' in response.content.decode()
    assert 'href="/staging/submissions/?state=queued"' in response.content.decode()


def test_a_line_says_what_its_submission_waits_for_by_itself(client_of: ClientOf, editor: User) -> None:
    top = factories.organization(user=editor)
    below = [factories.organization(f"{BASE}.{place}", user=editor, part_of_oid=BASE) for place in (2, 3)]
    plan = factories.plan([top, *below], user=editor)
    client = client_of("viewer")
    with CaptureQueriesContext(connection) as asked:
        said = client.get("/staging/submissions/").content.decode()
    waits = 'Waits for its parent <a href="{}">Lakeside 1</a> to be accepted.'
    assert said.count(waits.format(f"/staging/organizations/{top.oid}/")) == 2
    factories.submission(factories.organization("2.999.1", user=editor), user=editor)
    plans.pause(plan.pk, actor=acting(editor))
    with CaptureQueriesContext(connection) as asked_again:
        said = text_of(client.get("/staging/submissions/"))
    assert said.count(f"Plan {plan.pk} is paused: Editor One paused it.") == 3
    assert "Waits for its parent" not in said
    assert len(asked_again) == len(asked)


@pytest.mark.parametrize(
    "query", ["?state=%00", "?state=<b>", "?page=-1", "?page=9999", "?page=%00x", "?mine=" + "9" * 900]
)
def test_the_outbox_takes_no_harm_from_a_strange_address(client_of: ClientOf, queued: Submission, query: str) -> None:
    assert client_of("viewer").get(f"/staging/submissions/{query}").status_code == 200


def test_a_page_of_the_outbox_is_counted_off_by_ids_and_reads_no_message(
    client_of: ClientOf, queued: Submission
) -> None:
    many_of(queued, 60)
    client = client_of("viewer")
    with CaptureQueriesContext(connection) as asked:
        said = text_of(client.get("/staging/submissions/?page=2"))
    assert "51 to 61 of 61" in said
    queries = [query["sql"] for query in asked.captured_queries]
    [counted_off] = [query for query in queries if "OFFSET 50" in query]
    assert counted_off.startswith('SELECT "organizations_submission"."id" AS ')
    assert not [query for query in queries if '"organizations_submission"."message"' in query]


def many_of(submission: Submission, count: int) -> None:
    values = {
        field.attname: getattr(submission, field.attname)
        for field in Submission._meta.concrete_fields
        if field.attname != "id"
    }
    Submission.objects.bulk_create(
        Submission(**values | {"state": State.ACCEPTED, "evidence": "answer"}) for _ in range(count)
    )
