"""The pages of submissions over HTTP: who can open them, what buttons do, how an open page updates."""

import datetime
import re
from collections.abc import Callable

import pytest
from django.test import Client

from organizations.models import AuditEntry, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.connection import check
from organizations.services.delivery import courier, resume
from tests import factories
from tests.page_text import compact
from tests.services.sending import edit
from tests.views.pages import text_of
from tests.views.sending import send_submission, submission_url

type ClientOf = Callable[..., Client]


def test_a_viewer_reads_a_submission(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get(submission_url(queued))
    assert response.status_code == 200
    markup = response.content.decode()
    assert f"<title>Queued: submission {queued.pk}, Lakeside 1 | STAGING | orgportal</title>" in markup
    assert f"<h1>Submission {queued.pk}, New of Lakeside 1</h1>" in markup
    assert 'disabled aria-describedby="cancel-block-reason"' in markup


def test_a_viewer_sees_the_next_step_disabled(client_of: ClientOf, client: Client, queued: Submission) -> None:
    factories.change_submissions(state=State.REJECTED, detail="Parsing XML request error!", attempt=1)
    for step in ("Edit Lakeside 1", "Add a record below"):
        disabled = f'disabled aria-describedby="step-block-reason">{step}</button>'
        assert disabled in compact(client_of("viewer").get(submission_url(queued)).content.decode())
        assert f">{step}</a>" in compact(client.get(submission_url(queued)).content.decode())
        factories.accept(queued.organization, submission=queued)


def test_after_a_not_valid_answer_the_page_asks_the_directory(
    client_of: ClientOf, client: Client, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    organization = factories.accepted_organization(user=editor)  # the practice directory does not have it
    factories.submission(edit(organization, editor, name="Lakeside South"), user=editor)
    assert courier.deliver_due("staging", most=1, actor=worker)
    submission = Submission.objects.latest("pk")
    page = compact(client.get(submission_url(submission)).content.decode())
    assert "Ask the directory</button>" in page
    assert 'aria-describedby="ask-block-reason">Ask the directory' in compact(
        client_of("viewer").get(submission_url(submission)).content.decode()
    )
    address, back = re.findall(r'action="([^"]*/ask/)"[^>]*>.*?name="back" value="(\w+)"', page)[0]
    answer = client.post(address, {"back": back}, follow=True)
    assert "did not show this OID" in text_of(answer)


# Cancel -----------------------------------------------------------------------------------------------------


def test_a_submission_can_be_cancelled_before_its_first_attempt(client: Client, queued: Submission) -> None:
    assert client.post(submission_url(queued, "submission-cancel"))["Location"] == submission_url(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.cancelled_by) == (State.CANCELLED, "Editor One")
    assert "was cancelled already." in text_of(client.post(submission_url(queued, "submission-cancel"), follow=True))


def test_an_editor_cannot_cancel_a_production_submission_of_others_even_after_a_later_edit(
    client: Client, client_of: ClientOf, editor: User, approver: User
) -> None:
    organization = factories.organization(user=approver, environment="production")
    submission = factories.submission(organization, user=approver)
    edit(organization, editor, name="Lakeside North")
    assert client.post(submission_url(submission, "submission-cancel")).status_code == 403
    submission.refresh_from_db()
    assert submission.state == State.QUEUED
    assert client_of("approver").post(submission_url(submission, "submission-cancel")).status_code == 302


# Query ------------------------------------------------------------------------------------------------------


def test_a_query_leads_to_its_answer_and_decides_nothing(
    client: Client, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = send_submission(practice, editor, worker, "applies-then-504")
    practice.behaviour = "answers"
    assert (
        client.post(submission_url(submission, "submission-ask"))["Location"] == submission_url(submission) + "#asked"
    )
    assert 'id="asked"' in client.get(submission_url(submission)).content.decode()
    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN


def test_no_query_is_sent_for_a_finished_submission(client: Client, practice: PracticeDirectory, editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    submission = organization.submissions.get()
    assert client.post(submission_url(submission, "submission-ask"))["Location"] == submission_url(submission)
    assert practice.requests == []


# Polling ----------------------------------------------------------------------------------------------------


def test_the_polled_state_is_not_cached_and_does_not_renew_the_session(client: Client, queued: Submission) -> None:
    response = client.get(submission_url(queued, "submission-state"), headers={"HX-Request": "true"})
    assert response["Cache-Control"] == "private, no-store"
    assert "HX-Request" in response["Vary"]
    assert "orgportal-session" not in response.cookies
    assert "<html" not in response.content.decode()


def test_polling_updates_everything_that_an_answer_changes(
    client: Client, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    queued = factories.submission(factories.organization(user=editor), user=editor)
    state = submission_url(queued, "submission-state")
    practice.behaviour = "refuses-sign-in"
    courier.deliver_due("staging", most=1, actor=worker)
    stopped = compact(client.get(f"{state}?since=queued-0").content.decode())
    assert "STAGING: Stopped." in text_of(client.get(f"{state}?since=queued-0"))
    assert 'id="live"' in stopped

    practice.behaviour = "answers"
    check.check_connection("staging", actor=worker)
    resume.resume("staging", actor=worker)
    courier.deliver_due("staging", most=1, actor=worker)
    accepted = compact(client.get(f"{state}?since=queued-1-other").content.decode())
    assert f"Submission {queued.pk} is now: Accepted." in accepted
    assert "<title>Accepted: submission" in accepted
    assert "What it registered" in accepted
    assert f'href="/audit/{AuditEntry.objects.latest("pk").pk}/"' in accepted
    assert '<span id="open-submissions" data-hx-swap-oob="true"></span>' in accepted
    assert {'id="attempts"', 'id="response"'} <= set(re.findall(r'id="\w+"', accepted))
    assert "data-hx-trigger" not in accepted


@pytest.mark.usefixtures("unreachable_redox")
def test_polling_without_a_change_returns_no_content(client: Client, queued: Submission) -> None:
    def poll() -> tuple[str, str]:
        page = client.get(submission_url(queued)).content.decode()
        match = re.search(r'data-hx-get="([^"]+)"\s+data-hx-trigger="every (\d+)s"', page)
        assert match
        return match[1], match[2]

    first, seconds = poll()
    assert seconds == "2"
    response = client.get(first)
    assert (response.status_code, response.content) == (204, b"")

    # After half a minute the page polls less often, and says that no worker runs.
    Submission.objects.update(state_at=clock.now() - datetime.timedelta(minutes=1))
    changed = client.get(first).content.decode()
    assert 'data-hx-trigger="every 10s"' in changed
    assert 'id="live"' not in changed
    assert client.get(poll()[0]).status_code == 204
