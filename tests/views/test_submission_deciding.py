"""A submission that needs a person: the page asks the directory, shows what it found, and takes one decision."""

import datetime
from collections.abc import Callable

import pytest
from django.test import Client

from organizations.models import Action, AuditEntry, Organization, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services import asking, counterparts
from organizations.services.actors import Actor
from tests import factories
from tests.factories import BASE, UserFactory, acting
from tests.services.sending import deliver, edit
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
    form = page.context["deciding"].form  # type: ignore[attr-defined]
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
    assert entry.outcome == "rejected"  # an auditor narrows the history to it
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


def test_the_error_of_the_reason_stands_below_its_input(undecided: Submission, approver: Client) -> None:
    approver.post(page_of(undecided, "submission-ask"))
    typed = values(approver.get(page_of(undecided)), verdict="ours")
    markup = approver.post(page_of(undecided, "submission-decide"), typed).content.decode()
    places = [markup.index(part) for part in ('id="id_reason_helptext"', "<textarea", 'id="id_reason_error"')]
    assert places == sorted(places)
    assert 'aria-describedby="id_reason_helptext id_reason_error"' in markup


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
    assert "Nothing was decided. What you typed is still here." in text_of(answer)
    assert "Ticket 99" in text_of(answer)
    undecided.refresh_from_db()
    assert undecided.state == State.NEEDS_PERSON


def test_a_decision_by_an_answer_that_is_not_the_newest_says_that(
    undecided: Submission, approver: Client, worker: Actor
) -> None:
    asking.ask_about(undecided, actor=worker)
    typed = values(approver.get(page_of(undecided)), verdict="ours", reason="Ticket 12")
    asking.ask_about(undecided, actor=worker)
    answer = approver.post(page_of(undecided, "submission-decide"), typed)
    assert "The directory was asked again after this page was made." in text_of(answer)
    assert AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).count() == 0


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
    assert "Approvers can: Approver One." in text_of(page)
    assert 'disabled aria-describedby="decide-why-not"' in page.content.decode()
    assert client_of("editor").post(page_of(undecided, "submission-decide")).status_code == 403


@pytest.mark.parametrize("role", ["approver", "viewer"])
def test_the_address_of_a_decision_leads_to_the_page_with_its_form(
    undecided: Submission, client_of: ClientOf, role: str
) -> None:
    answer = client_of(role).get(page_of(undecided, "submission-decide"))
    assert (answer.status_code, answer["Location"]) == (302, page_of(undecided) + "#decide")


def test_asking_again_from_the_middle_of_a_decision_keeps_what_was_typed(
    undecided: Submission, approver: Client
) -> None:
    approver.post(page_of(undecided, "submission-ask"))
    first = approver.get(page_of(undecided)).context["deciding"].decision
    typed = {"sequence": str(first.sequence), "verdict": "foreign", "reason": "Ticket 130", "ask": "1"}
    page = approver.post(page_of(undecided, "submission-decide"), typed)
    assert page.status_code == 200
    assert page.context["deciding"].decision.sequence > first.sequence
    assert page.context["deciding"].form["verdict"].value() == "foreign"
    assert "Ticket 130" in text_of(page)
    assert not page.context["deciding"].form.errors
    undecided.refresh_from_db()
    assert undecided.state == State.NEEDS_PERSON


def test_an_answer_that_became_too_old_keeps_what_was_typed_and_decides_nothing(
    undecided: Submission, approver: Client, monkeypatch
) -> None:
    approver.post(page_of(undecided, "submission-ask"))
    typed = values(approver.get(page_of(undecided)), verdict="foreign", reason="Ticket 130")
    with monkeypatch.context() as patch:
        patch.setattr("organizations.services.deciding.FRESH", datetime.timedelta(0))
        page = approver.post(page_of(undecided, "submission-decide"), typed)
    assert page.status_code == 422
    assert "Ticket 130" in text_of(page)
    assert 'name="verdict" value="foreign"' in page.content.decode()
    assert 'data-hx-trigger="load"' not in page.content.decode()  # it would load the page anew, without what was typed
    undecided.refresh_from_db()
    assert undecided.state == State.NEEDS_PERSON


def test_a_newer_answer_must_be_compared_before_the_decision_counts(undecided: Submission, approver: Client) -> None:
    approver.post(page_of(undecided, "submission-ask"))
    typed = values(approver.get(page_of(undecided)), verdict="foreign", reason="Ticket 130")
    approver.post(page_of(undecided, "submission-ask"))
    page = approver.post(page_of(undecided, "submission-decide"), typed)
    assert page.status_code == 422
    again = values(page, verdict="foreign", reason="Ticket 130")
    assert again["sequence"] != typed["sequence"]
    assert approver.post(page_of(undecided, "submission-decide"), again).status_code == 302
    undecided.refresh_from_db()
    assert undecided.state == State.REJECTED


def test_a_lost_sign_in_keeps_what_was_typed(undecided: Submission, approver: Client) -> None:
    approver.post(page_of(undecided, "submission-ask"))
    typed = values(approver.get(page_of(undecided)), verdict="foreign", reason="Ticket 130", **{"came-back": "1"})
    page = approver.post(page_of(undecided, "submission-decide"), typed)
    assert page.status_code == 422
    assert page.context["deciding"].form["verdict"].value() == "foreign"
    assert "Ticket 130" in text_of(page)
    undecided.refresh_from_db()
    assert undecided.state == State.NEEDS_PERSON


def test_a_viewer_sees_the_choices_disabled_and_who_may_decide(
    undecided: Submission, client_of: ClientOf, worker: Actor
) -> None:
    UserFactory(role="approver", first_name="Approver", last_name="One")
    asking.ask_about(undecided, actor=worker)
    page = client_of("viewer").get(page_of(undecided))
    markup = page.content.decode()
    assert "Approver One can decide." in text_of(page)
    assert markup.count('type="radio"') == len(page.context["deciding"].decision.choices) == 2
    assert all(" disabled" in radio.partition(">")[0] for radio in markup.split('type="radio"')[1:])
    assert " disabled" in markup.partition('name="reason"')[2].partition(">")[0]


def test_a_page_that_stands_open_is_loaded_anew_when_a_decision_is_needed(
    undecided: Submission, approver: Client
) -> None:
    answer = approver.get(page_of(undecided, "submission-state") + "?since=sending-1-0")
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_a_viewer_cannot_take_the_step_of_a_rejection_and_sees_who_can(
    practice: PracticeDirectory, editor: User, worker: Actor, client_of: ClientOf
) -> None:
    submission = sent(practice, editor, worker, "says-no-xml")
    page = client_of("viewer").get(page_of(submission))
    assert page.context["edit_why_not"]
    assert 'disabled aria-describedby="step-why-not">Edit Lakeside 1</button>' in page.content.decode()
    assert ">Edit Lakeside 1</a>" in client_of("editor").get(page_of(submission)).content.decode()


def test_a_viewer_cannot_go_on_after_a_registration_and_sees_who_can(
    practice: PracticeDirectory, editor: User, worker: Actor, client_of: ClientOf
) -> None:
    submission = sent(practice, editor, worker, "answers")
    markup = client_of("viewer").get(page_of(submission)).content.decode()
    assert 'btn-primary" type="button" disabled aria-describedby="step-why-not">Add a record below</button>' in markup
    assert '<p class="hint" id="step-why-not">' in markup
    markup = client_of("editor").get(page_of(submission)).content.decode()
    assert (
        f'<a class="btn btn-primary" href="/staging/organizations/new/?below={BASE}">Add a record below</a>' in markup
    )
    assert f'<a class="btn" href="/production/organizations/new/?from={BASE}">Repeat in PRODUCTION</a>' in markup


@pytest.mark.one_database
def test_a_viewer_cannot_repeat_an_accepted_update_and_sees_who_can(
    practice: PracticeDirectory, editor: User, worker: Actor, client_of: ClientOf
) -> None:
    organization = sent(practice, editor, worker, "answers").organization
    factories.submission(edit(organization, editor, name="Lakeside Nord"), user=editor)
    deliver()
    update = Submission.objects.get(event="Update")
    markup = client_of("viewer").get(page_of(update)).content.decode()
    assert 'type="button" disabled aria-describedby="step-why-not">Repeat in PRODUCTION</button>' in markup
    assert '<p class="hint" id="step-why-not">' in markup
    assert 'id="step-why-not"' not in client_of("editor").get(page_of(update)).content.decode()
    production = factories.organization(f"{BASE}.9", user=editor, environment="production")
    counterparts.link(Organization.objects.get(pk=organization.pk), production, actor=acting(editor))
    markup = client_of("viewer").get(page_of(update)).content.decode()
    assert f'href="/staging/organizations/{BASE}/counterpart/">Compare with PRODUCTION</a>' in markup
    assert 'id="step-why-not"' not in markup
