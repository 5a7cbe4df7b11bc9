"""An answer of Redox that came too late to be settled by: it says what can be decided, and what cannot."""

import json
from dataclasses import replace

import pytest

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.redox.client import Exchange
from organizations.services import deciding, settling
from organizations.services.actors import Actor
from organizations.services.deciding import Verdict
from tests.factories import BASE, UserFactory, acting

from .test_deciding import ask, undecided_update

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def approver() -> Actor:
    return acting(UserFactory(role="approver"))


def test_a_refusal_that_came_too_late_counts_as_one(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided_update(practice, editor)
    ask(submission, approver)
    shown = deciding.last_answer(submission)
    assert shown is not None
    assert Verdict.ARRIVED in deciding.choices(submission, shown)
    body = b'{"Meta": {"Errors": [{"ID": 1, "Text": "Failed to parse request body as XML resource."}]}}'
    refusal = Exchange(request_sha256="", sent=True, status=403, body=body)
    assert settling.keep_response(submission, refusal, repeat=0, actor=approver) is None
    assert Verdict.ARRIVED not in deciding.choices(submission, shown)


def test_what_redox_accepted_in_a_late_answer_is_not_decided_not_to_have_arrived(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided_update(practice, editor)
    said = f"Organization with id:{BASE} has been updated successfully."
    meta = {"DataModel": "Organization", "EventType": "Update", "Extensions": {"ResponseDetail": {"string": said}}}
    late = Exchange(request_sha256="", sent=True, status=200, body=json.dumps({"Meta": meta}).encode())
    assert settling.keep_response(submission, late, repeat=0, actor=approver) is None
    ask(submission, approver)
    shown = deciding.last_answer(submission)
    assert shown is not None
    assert deciding.choices(submission, shown) == (Verdict.ARRIVED, Verdict.OURS, Verdict.FOREIGN)
    gone = replace(shown, record=None)  # then only a person can say what became of it
    assert deciding.choices(submission, gone) == (Verdict.SEND_AGAIN, Verdict.GIVE_UP)
