"""The page "Registration outside the portal" over HTTP: an approver states it, or withdraws the statement."""

import pytest

from organizations.fields import DESTINATION_NOT_KNOWN
from organizations.models import Action, AuditEntry, Organization, Submission, User
from organizations.services.records import statements
from organizations.services.review import reviews
from tests import factories
from tests.changes import store_reading_with
from tests.factories import BASE, as_actor

RECORD = f"/staging/organizations/{BASE}/"
PAGE = f"{RECORD}state/"
DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"


@pytest.fixture
def organization(editor: User) -> Organization:
    return factories.organization(user=editor, destination_id=DESTINATION)


def text_of(client, address: str = PAGE) -> str:
    return " ".join(client.get(address).content.decode().split())


def test_an_approver_states_and_withdraws_the_statement(client_of, organization):
    client = client_of("approver")
    assert f'href="{PAGE}">Registration outside the portal' in text_of(client, RECORD)
    assert DESTINATION in text_of(client)
    answer = client.post(PAGE, {"state": "1", "reason": " "})
    assert (answer.status_code, answer.context["form"].errors) == (422, {"reason": ["Enter a reason."]})
    assert client.post(PAGE, {"state": "1", "reason": "Ticket 9"})["Location"] == RECORD
    assert Organization.objects.get().standing == "stated"
    assert f'href="{PAGE}">Withdraw the statement' in text_of(client, RECORD)
    assert client.post(PAGE, {"withdraw": "1", "reason": "Ticket 10"})["Location"] == RECORD
    assert (Organization.objects.get().standing, Submission.objects.exists()) == ("not_registered", False)


def test_without_a_destination_id_the_page_says_that_nothing_is_sent_until_somebody_enters_it(client_of, editor):
    organization = factories.organization(user=editor, destination_id="")
    client = client_of("approver")
    assert "So nothing is sent until somebody enters it, or says that there is none." in text_of(client)
    client.post(PAGE, {"state": "1", "reason": "Ticket 9"})
    organization.refresh_from_db()
    assert [each.sentence for each in reviews.review(organization).blockers] == [DESTINATION_NOT_KNOWN]


def test_an_editor_reads_who_can_state_it(client_of, organization):
    client = client_of("editor")
    assert "You cannot state that a record is registered already" in text_of(client, RECORD)
    assert client.post(PAGE, {"state": "1", "reason": "Ticket 9"}).status_code == 403
    assert Organization.objects.get().standing == "not_registered"
    assert AuditEntry.objects.latest("sequence").action == Action.PERMISSION_REFUSED


def test_a_record_that_was_sent_does_not_offer_it(client_of, organization, editor):
    factories.submission(organization, user=editor)
    client = client_of("approver")
    assert PAGE not in text_of(client, RECORD)
    assert "A message of this record was already made" in text_of(client)
    answer = client.post(PAGE, {"state": "1", "reason": "Ticket 9"})
    assert (answer.status_code, b"Nothing was changed." in answer.content) == (409, True)


def test_a_second_press_changes_nothing_and_keeps_the_reason(client_of, organization, editor):
    statements.state_registered(organization.pk, reason="By curl", actor=as_actor(editor))
    answer = client_of("approver").post(PAGE, {"state": "1", "reason": "Ticket 9"})
    assert (answer.status_code, b"Ticket 9" in answer.content) == (409, True)


def test_an_oid_that_the_directory_shows_leads_to_the_decision(client_of, organization):
    store_reading_with(organization, name="Boston")
    assert f'href="{RECORD}differences/">Compare and decide' in text_of(client_of("approver"))


def test_an_answer_without_the_oid_is_named_before_it_is_stated(client_of, organization):
    assert "did not show this OID when asked" not in text_of(client_of("approver"))
    organization.seen_at = organization.created_at
    organization.save()
    assert "did not show this OID when asked" in text_of(client_of("approver"))


def test_the_page_asks_the_directory_and_keeps_the_reason(practice, client_of, organization):
    answer = client_of("approver").post(PAGE, {"ask": "1", "reason": "Ticket 9"})
    assert (answer.status_code, b"Ticket 9" in answer.content) == (200, True)
    assert Organization.objects.get().seen_at is not None
    assert practice.effects == []
