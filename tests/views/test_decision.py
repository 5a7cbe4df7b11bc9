"""Deciding about a submission over HTTP: once, by the newest answer, and without losing what was typed."""

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
from tests.views.sending import send_submission, submission_url

type ClientOf = Callable[..., Client]

TYPED = {"verdict": "foreign", "reason": "Ticket 130"}


@pytest.fixture
def undecided(practice: PracticeDirectory, editor: User, worker: Actor) -> Submission:
    practice.register("staging", {"Name": "Theirs", "Active": True, "Identifiers": [{"ID": BASE, "IDType": "OID"}]})
    return send_submission(practice, editor, worker, "answers")


@pytest.fixture
def approver(client_of: ClientOf) -> Client:
    return client_of("approver")


def form_of(page: Any) -> DecisionForm:
    form: DecisionForm = page.context["decision_panel"].form
    return form


def decide(approver: Client, submission: Submission, page: Any, **typed: str) -> Any:
    values = {"sequence": str(form_of(page).initial["sequence"]), **typed}
    return approver.post(submission_url(submission, "submission-decide"), values)


def is_undecided(submission: Submission) -> bool:
    submission.refresh_from_db()
    decided = AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).exists()
    return submission.state == State.NEEDS_PERSON and not decided


def keeps_input(page: Any) -> bool:
    form = form_of(page)
    return (form["verdict"].value(), form["reason"].value()) == (TYPED["verdict"], TYPED["reason"])


def test_the_page_sends_a_query_when_opened_and_reloads_with_the_answer(
    undecided: Submission, approver: Client
) -> None:
    page = approver.get(submission_url(undecided))
    assert 'data-hx-trigger="load"' in page.content.decode()
    answer = approver.post(submission_url(undecided, "submission-ask"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
    markup = approver.get(submission_url(undecided)).content.decode()
    assert 'data-hx-trigger="load"' not in markup
    assert markup.count('type="radio"') == 2


def test_an_open_page_reloads_when_a_decision_is_needed(undecided: Submission, approver: Client) -> None:
    answer = approver.get(submission_url(undecided, "submission-state") + "?since=sending-1-0")
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_the_url_of_a_decision_redirects_to_the_form(undecided: Submission, client_of: ClientOf) -> None:
    for role in ("approver", "viewer"):
        answer = client_of(role).get(submission_url(undecided, "submission-decide"))
        assert (answer.status_code, answer["Location"]) == (302, submission_url(undecided) + "#decide")


def test_a_decision_ends_the_submission_once_and_keeps_its_reason(
    undecided: Submission, approver: Client, worker: Actor
) -> None:
    query.query_for_submission(undecided, actor=worker)
    page = approver.get(submission_url(undecided))
    assert decide(approver, undecided, page, verdict="ours", reason="Ticket 12")["Location"] == submission_url(
        undecided
    )
    undecided.refresh_from_db()
    assert undecided.state == State.REJECTED
    entry = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert (entry.facts["reason"], entry.outcome) == ("Ticket 12", "rejected")  # auditors filter by the outcome
    decide(approver, undecided, page, verdict="ours", reason="Ticket 12")
    assert "is already decided" in text_of(approver.get(submission_url(undecided)))
    assert AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).count() == 1


def test_each_missing_or_invalid_value_is_an_error_at_its_field(
    undecided: Submission, approver: Client, worker: Actor
) -> None:
    query.query_for_submission(undecided, actor=worker)
    page = approver.get(submission_url(undecided))
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


def test_no_decision_is_possible_without_an_answer(
    practice: PracticeDirectory, undecided: Submission, approver: Client, worker: Actor
) -> None:
    practice.behaviour = "gateway-error"
    query.query_for_submission(undecided, actor=worker)
    page = approver.get(submission_url(undecided))
    assert 'type="radio"' not in page.content.decode()
    answer = decide(approver, undecided, page, **TYPED)
    assert answer.status_code == 422
    assert keeps_input(answer)
    assert is_undecided(undecided)


def test_the_input_is_kept_until_the_newest_answer_is_shown(
    undecided: Submission, approver: Client, worker: Actor
) -> None:
    query.query_for_submission(undecided, actor=worker)
    first = approver.get(submission_url(undecided))
    after_sign_in = decide(approver, undecided, first, **TYPED, **{"came-back": "1"})
    assert (after_sign_in.status_code, keeps_input(after_sign_in)) == (422, True)
    after_query = decide(approver, undecided, first, ask="1", **TYPED)
    assert (after_query.status_code, keeps_input(after_query), bool(form_of(after_query).errors)) == (200, True, False)
    assert form_of(after_query).initial["sequence"] > form_of(first).initial["sequence"]
    page = decide(approver, undecided, first, **TYPED)
    assert (page.status_code, keeps_input(page)) == (422, True)
    assert "The directory was asked again after you opened this page." in text_of(page)
    assert is_undecided(undecided)
    assert decide(approver, undecided, page, **TYPED).status_code == 302
    assert not is_undecided(undecided)


def test_an_outdated_answer_decides_nothing_and_keeps_the_input(
    undecided: Submission, approver: Client, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    query.query_for_submission(undecided, actor=worker)
    before = approver.get(submission_url(undecided))
    monkeypatch.setattr("organizations.services.timing.RECENT", datetime.timedelta(0))
    page = decide(approver, undecided, before, **TYPED)
    assert page.status_code == 422
    assert 'name="verdict" value="foreign"' in page.content.decode()
    assert 'data-hx-trigger="load"' not in page.content.decode()  # it would reload the page without what was typed
    assert is_undecided(undecided)


def test_a_viewer_sees_a_disabled_form_and_cannot_decide(
    undecided: Submission, client_of: ClientOf, worker: Actor
) -> None:
    query.query_for_submission(undecided, actor=worker)
    viewer = client_of("viewer")
    markup = viewer.get(submission_url(undecided)).content.decode()
    assert 'disabled aria-describedby="decide-block-reason"' in markup
    radios = markup.split('type="radio"')[1:]
    assert len(radios) == 2
    assert all(" disabled" in radio.partition(">")[0] for radio in radios)
    assert " disabled" in markup.partition('name="reason"')[2].partition(">")[0]
    assert viewer.post(submission_url(undecided, "submission-decide")).status_code == 403
    assert is_undecided(undecided)
