"""How a record says what is so of it: the sentence of its standing, what that rests on, its open work."""

import datetime
import re

import pytest
from django.test import Client
from django.utils.html import strip_tags

from organizations.models import Organization, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services import delivery
from organizations.services.actors import Actor
from tests import factories
from tests.factories import BASE
from tests.views.history import edited

PAGE = f"/staging/organizations/{BASE}/"


@pytest.fixture
def accepted(practice: PracticeDirectory, editor: User, worker: Actor) -> Organization:
    """A record that Redox accepted."""
    made = factories.organization(user=editor, name="Lakeside North")
    factories.submission(made, user=editor)
    assert delivery.deliver_next("staging", actor=worker)
    return Organization.objects.get(pk=made.pk)


def text_of(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_an_update_of_an_oid_that_is_gone_says_what_redox_said_and_when(client_of, practice, accepted, editor, worker):
    practice.behaviour = "says-no-not-valid"
    edited(accepted, editor, name="Lakeside South")
    sent = factories.submission(accepted, user=editor)
    assert delivery.deliver_next("staging", actor=worker)
    text = text_of(client_of("editor"))
    assert re.search(r"Redox answered on \w+ \d+, \d\d:\d\d \w+ that this OID", text)
    assert "No message of this record has been accepted." not in text
    assert "Update rejected <time" in text
    assert f'<a href="/staging/submissions/{sent.pk}/">submission {sent.pk}</a>.' in text


@pytest.mark.parametrize("state", [State.SENDING, State.QUEUED, State.NEEDS_PERSON])
def test_a_first_new_without_an_answer_that_counts_is_not_called_never_sent(client_of, practice, editor, state):
    sent = factories.submission(factories.organization(user=editor), user=editor)
    Submission.objects.filter(pk=sent.pk).update(state=state, attempt=1, sent_at=sent.created_at)
    text = strip_tags(text_of(client_of("editor")))
    assert re.search(rf"Attempted \w[^;]*, submission {sent.pk}; no answer that counts yet\.", text)
    assert "Never sent." not in text


def test_what_was_rejected_stays_the_basis_while_the_next_waits(client_of, practice, editor, worker):
    made = factories.organization(user=editor)
    practice.behaviour = "says-no-xml"
    first = factories.submission(made, user=editor)
    assert delivery.deliver_next("staging", actor=worker)
    edited(Organization.objects.get(pk=made.pk), editor, name="Lakeside South")
    factories.submission(made, user=editor)
    text = strip_tags(text_of(client_of("editor")))
    assert re.search(rf"New rejected \w.*, submission {first.pk}\.", text)


def test_a_reason_that_ends_with_a_point_gets_no_second_one(client_of, editor):
    made = factories.organization(user=editor)
    stated = {"presence": "present", "presence_basis": "stated", "presence_at": made.edited_at}
    Organization.objects.filter(pk=made.pk).update(presence_reason="Made with curl.", **stated)
    assert ": Made with curl.</span>" in text_of(client_of("viewer"))


def test_what_waits_says_on_the_record_what_it_waits_for(client_of, practice, editor):
    sent = factories.submission(factories.organization(user=editor), user=editor)
    client = client_of("viewer")
    said = f"Submission {sent.pk} is stored and will be sent."
    assert f"{said} A worker will take it." in strip_tags(text_of(client))
    Submission.objects.update(state_at=clock.now() - datetime.timedelta(minutes=1))
    assert f"{said} No worker is running since " in strip_tags(text_of(client))
