"""A submission that needs a person: the page asks the directory, shows what it found, and takes one decision."""

import datetime
from collections.abc import Callable

import pytest
from django.test import Client

from organizations.models import Action, AuditEntry, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services import asking
from organizations.services.actors import Actor
from tests.factories import BASE, UserFactory
from tests.views.pages import text_of
from tests.views.sending import page_of, sent

type ClientOf = Callable[..., Client]


@pytest.fixture
def undecided(practice: PracticeDirectory, editor: User, worker: Actor) -> Submission:
    practice.register("staging", {"Name": "Theirs", "Active": True, "Identifiers": [{"ID": BASE, "IDType": "OID"}]})
    return sent(practice, editor, worker, "answers")


@pytest.fixture
def approver(client_of: ClientOf) -> Client:
    return client_of("approver")


def values(page: object, **typed: str) -> dict[str, str]:
    form = page.context["decision_form"]  # type: ignore[attr-defined]
    return {"sequence": str(form.initial["sequence"]), **typed}


def test_the_page_asks_by_itself_and_offers_nothing_before_the_answer(undecided: Submission, approver: Client) -> None:
    page = approver.get(page_of(undecided))
    assert 'data-hx-trigger="load"' in page.content.decode()
    assert "Confirm this decision" not in text_of(page)

    answer = approver.post(page_of(undecided, "submission-ask"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")

    page = approver.get(page_of(undecided))
    said = text_of(page)
    assert 'data-hx-trigger="load"' not in page.content.decode()
    assert "readable fields differ Directory asked" in said
    assert "It is ours, with other values" in said
    assert "It did not arrive" not in said  # Redox would refuse the same New again


def test_a_decision_ends_it_with_its_reason(undecided: Submission, approver: Client) -> None:
    approver.post(page_of(undecided, "submission-ask"))
    page = approver.get(page_of(undecided))
    typed = values(page, verdict="ours", reason="Registered by hand, ticket 12")
    answer = approver.post(page_of(undecided, "submission-decide"), typed, follow=True)
    undecided.refresh_from_db()
    assert (undecided.state, answer.status_code) == (State.REJECTED, 200)
    entry = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert entry.facts["reason"] == "Registered by hand, ticket 12"
    again = approver.post(page_of(undecided, "submission-decide"), typed, follow=True)
    assert "was decided already" in text_of(again)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({"verdict": "ours", "reason": " "}, "Enter a reason."),
        ({"reason": "Because"}, "Choose what happened."),
        ({"verdict": "send_again", "reason": "Because"}, "Choose what happened."),
        ({"verdict": "\x00", "reason": "Because"}, "Choose what happened."),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    undecided: Submission, approver: Client, typed: dict[str, str], fault: str
) -> None:
    approver.post(page_of(undecided, "submission-ask"))
    page = approver.get(page_of(undecided))
    answer = approver.post(page_of(undecided, "submission-decide"), values(page, **typed))
    said = text_of(answer)
    assert answer.status_code == 422
    assert "There is a problem" in said
    assert fault in said
    assert typed["reason"].strip() in said
    assert said.startswith("Error: ")
    undecided.refresh_from_db()
    assert undecided.state == State.NEEDS_PERSON


def test_without_an_answer_no_choice_is_offered(
    practice: PracticeDirectory, undecided: Submission, approver: Client, worker: Actor
) -> None:
    practice.behaviour = "gateway-error"
    asking.ask_about(undecided, actor=worker)
    said = text_of(approver.get(page_of(undecided)))
    assert "The directory was asked, and its answer decides nothing: a web page came instead (HTTP 502)." in said
    assert "Without an answer of the directory a decision is a guess." in said
    assert "Confirm this decision" not in said
    answer = approver.post(page_of(undecided, "submission-decide"), {"verdict": "ours", "reason": "Ticket 99"})
    assert answer.status_code == 422
    assert "is no longer the newest one, or older than 10 minutes" in text_of(answer)
    assert "Ticket 99" in text_of(answer)
    undecided.refresh_from_db()
    assert undecided.state == State.NEEDS_PERSON


def test_an_old_answer_is_asked_for_anew(undecided: Submission, approver: Client, worker: Actor, monkeypatch) -> None:
    asking.ask_about(undecided, actor=worker)
    later = clock.now() + datetime.timedelta(minutes=11)
    monkeypatch.setattr("organizations.services.deciding.clock.now", lambda: later)
    page = approver.get(page_of(undecided))
    assert 'data-hx-trigger="load"' in page.content.decode()
    assert "Confirm this decision" not in text_of(page)


def test_who_may_not_decide_sees_the_button_disabled_with_the_reason(
    undecided: Submission, client_of: ClientOf, worker: Actor
) -> None:
    UserFactory(role="approver", first_name="Approver", last_name="One")
    asking.ask_about(undecided, actor=worker)
    page = client_of("editor").get(page_of(undecided))
    assert "Approvers may: Approver One." in text_of(page)
    assert 'disabled aria-describedby="decide-why-not"' in page.content.decode()
    assert client_of("editor").post(page_of(undecided, "submission-decide")).status_code == 403
