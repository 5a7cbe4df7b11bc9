"""Deciding about a submission over HTTP: one decision by the newest answer, and what was typed is never lost."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from organizations.forms.decision import DecisionForm
from organizations.models import Action, AuditEntry, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.delivery import query
from tests.factories import BASE
from tests.views.pages import text_of
from tests.views.sending import page_of, sent

type ClientOf = Callable[..., Client]

TYPED = {"verdict": "foreign", "reason": "Ticket 130"}


@pytest.fixture
def undecided(practice: PracticeDirectory, editor: User, worker: Actor) -> Submission:
    practice.register("staging", {"Name": "Theirs", "Active": True, "Identifiers": [{"ID": BASE, "IDType": "OID"}]})
    return sent(practice, editor, worker, "answers")


@pytest.fixture
def approver(client_of: ClientOf) -> Client:
    return client_of("approver")


def form_of(page: Any) -> DecisionForm:
    form: DecisionForm = page.context["deciding"].form
    return form


def decide(approver: Client, submission: Submission, page: Any, **typed: str) -> Any:
    values = {"sequence": str(form_of(page).initial["sequence"]), **typed}
    return approver.post(page_of(submission, "submission-decide"), values)


def is_undecided(submission: Submission) -> bool:
    submission.refresh_from_db()
    decided = AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).exists()
    return submission.state == State.NEEDS_PERSON and not decided


def keeps_what_was_typed(page: Any) -> bool:
    form = form_of(page)
    return (form["verdict"].value(), form["reason"].value()) == (TYPED["verdict"], TYPED["reason"])


def test_the_page_asks_when_it_is_opened_and_loads_anew_with_the_answer(
    undecided: Submission, approver: Client
) -> None:
    page = approver.get(page_of(undecided))
    assert 'data-hx-trigger="load"' in page.content.decode()
    answer = approver.post(page_of(undecided, "submission-ask"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
    markup = approver.get(page_of(undecided)).content.decode()
    assert 'data-hx-trigger="load"' not in markup
    assert markup.count('type="radio"') == 2


def test_an_open_page_reloads_when_a_decision_is_needed(undecided: Submission, approver: Client) -> None:
    answer = approver.get(page_of(undecided, "submission-state") + "?since=sending-1-0")
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_the_address_of_a_decision_leads_to_the_page_with_its_form(undecided: Submission, client_of: ClientOf) -> None:
    for role in ("approver", "viewer"):
        answer = client_of(role).get(page_of(undecided, "submission-decide"))
        assert (answer.status_code, answer["Location"]) == (302, page_of(undecided) + "#decide")


def test_a_decision_ends_it_with_its_reason_once(undecided: Submission, approver: Client, worker: Actor) -> None:
    query.query_for_submission(undecided, actor=worker)
    page = approver.get(page_of(undecided))
    assert decide(approver, undecided, page, verdict="ours", reason="Ticket 12")["Location"] == page_of(undecided)
    undecided.refresh_from_db()
    assert undecided.state == State.REJECTED
    entry = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert (entry.facts["reason"], entry.outcome) == ("Ticket 12", "rejected")  # an auditor narrows to the outcome
    decide(approver, undecided, page, verdict="ours", reason="Ticket 12")
    assert "is already decided" in text_of(approver.get(page_of(undecided)))
    assert AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).count() == 1


def test_what_is_missing_is_said_at_its_field(undecided: Submission, approver: Client, worker: Actor) -> None:
    query.query_for_submission(undecided, actor=worker)
    page = approver.get(page_of(undecided))
    for typed, field in (
        ({"reason": "Because"}, "verdict"),
        ({"verdict": "send_again", "reason": "Because"}, "verdict"),
        ({"verdict": "\x00", "reason": "Because"}, "verdict"),
        ({"verdict": "ours", "reason": " "}, "reason"),
        ({"verdict": "ours"}, "reason"),
    ):
        answer = decide(approver, undecided, page, **typed)
        assert (answer.status_code, list(form_of(answer).errors)) == (422, [field])
        markup = answer.content.decode()
        assert "<title>Error: " in markup
        assert f'id="id_{field}_error"' in markup
    places = [markup.index(part) for part in ('id="id_reason_helptext"', "<textarea", 'id="id_reason_error"')]
    assert places == sorted(places)
    assert 'aria-describedby="id_reason_helptext id_reason_error"' in markup
    assert is_undecided(undecided)


def test_without_an_answer_nothing_is_decided(
    practice: PracticeDirectory, undecided: Submission, approver: Client, worker: Actor
) -> None:
    practice.behaviour = "gateway-error"
    query.query_for_submission(undecided, actor=worker)
    page = approver.get(page_of(undecided))
    assert 'type="radio"' not in page.content.decode()
    answer = decide(approver, undecided, page, **TYPED)
    assert answer.status_code == 422
    assert keeps_what_was_typed(answer)
    assert is_undecided(undecided)


def test_what_was_typed_is_kept_until_the_newest_answer_was_compared(
    undecided: Submission, approver: Client, worker: Actor
) -> None:
    query.query_for_submission(undecided, actor=worker)
    first = approver.get(page_of(undecided))
    lost = decide(approver, undecided, first, **TYPED, **{"came-back": "1"})
    assert (lost.status_code, keeps_what_was_typed(lost)) == (422, True)
    asked = decide(approver, undecided, first, ask="1", **TYPED)
    assert (asked.status_code, keeps_what_was_typed(asked), bool(form_of(asked).errors)) == (200, True, False)
    assert form_of(asked).initial["sequence"] > form_of(first).initial["sequence"]
    page = decide(approver, undecided, first, **TYPED)
    assert (page.status_code, keeps_what_was_typed(page)) == (422, True)
    assert "The directory was asked again after you opened this page." in text_of(page)
    assert is_undecided(undecided)
    assert decide(approver, undecided, page, **TYPED).status_code == 302
    assert not is_undecided(undecided)


def test_an_answer_that_became_too_old_keeps_what_was_typed_and_decides_nothing(
    undecided: Submission, approver: Client, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    query.query_for_submission(undecided, actor=worker)
    before = approver.get(page_of(undecided))
    monkeypatch.setattr("organizations.services.delivery.decide.RECENT", datetime.timedelta(0))
    page = decide(approver, undecided, before, **TYPED)
    assert page.status_code == 422
    assert 'name="verdict" value="foreign"' in page.content.decode()
    assert 'data-hx-trigger="load"' not in page.content.decode()  # it would reload the page without what was typed
    assert is_undecided(undecided)


def test_who_may_not_decide_finds_everything_disabled_and_is_refused(
    undecided: Submission, client_of: ClientOf, worker: Actor
) -> None:
    query.query_for_submission(undecided, actor=worker)
    viewer = client_of("viewer")
    markup = viewer.get(page_of(undecided)).content.decode()
    assert 'disabled aria-describedby="decide-why-not"' in markup
    radios = markup.split('type="radio"')[1:]
    assert len(radios) == 2
    assert all(" disabled" in radio.partition(">")[0] for radio in radios)
    assert " disabled" in markup.partition('name="reason"')[2].partition(">")[0]
    assert viewer.post(page_of(undecided, "submission-decide")).status_code == 403
    assert is_undecided(undecided)
