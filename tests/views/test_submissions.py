"""The pages of submissions over HTTP: who can open them, what buttons do, how an open page updates."""

import datetime
import re
from collections.abc import Callable

import pytest
from django.test import Client

from organizations.models import Action, AuditEntry, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.connection import check
from organizations.services.delivery import courier, resume
from tests import factories
from tests.services.sending import edit
from tests.views.pages import text_of
from tests.views.sending import page_of, sent

type ClientOf = Callable[..., Client]


def test_a_viewer_reads_a_submission(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get(page_of(queued))
    assert response.status_code == 200
    markup = response.content.decode()
    assert f"<title>Queued: submission {queued.pk}, Lakeside 1 | STAGING | orgportal</title>" in markup
    assert f"<h1>Submission {queued.pk}, New of Lakeside 1</h1>" in markup
    assert 'disabled aria-describedby="cancel-why-not"' in markup


def test_who_cannot_take_the_next_step_finds_its_button_disabled(
    client_of: ClientOf, client: Client, queued: Submission
) -> None:
    Submission.objects.update(state=State.REJECTED, detail="Parsing XML request error!", attempt=1)
    for step in ("Edit Lakeside 1", "Add a record below"):
        disabled = f'disabled aria-describedby="step-why-not">{step}</button>'
        assert disabled in client_of("viewer").get(page_of(queued)).content.decode()
        assert f">{step}</a>" in client.get(page_of(queued)).content.decode()
        factories.confirmed(queued.organization, submission=queued)


# Cancel -----------------------------------------------------------------------------------------------------


def test_before_the_first_attempt_it_can_be_cancelled(client: Client, queued: Submission) -> None:
    assert client.post(page_of(queued, "submission-cancel"))["Location"] == page_of(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.cancelled_by) == (State.CANCELLED, "Editor One")
    assert "was cancelled already." in text_of(client.post(page_of(queued, "submission-cancel"), follow=True))


def test_who_may_not_cancel_changes_nothing_and_is_written_down(client_of: ClientOf, queued: Submission) -> None:
    assert client_of("viewer").post(page_of(queued, "submission-cancel")).status_code == 403
    queued.refresh_from_db()
    assert queued.state == State.QUEUED
    assert AuditEntry.objects.filter(action=Action.PERMISSION_REFUSED).count() == 1


def test_an_editor_does_not_cancel_what_others_send_to_production(client_of: ClientOf) -> None:
    approver = factories.UserFactory(role="approver")
    made = factories.organization(user=approver, environment="production")
    submission = factories.submission(made, user=approver)
    assert client_of("editor").post(page_of(submission, "submission-cancel")).status_code == 403
    assert client_of("approver").post(page_of(submission, "submission-cancel")).status_code == 302


def test_a_later_edit_does_not_let_an_editor_cancel_what_others_send_to_production(
    client: Client, editor: User, approver: User
) -> None:
    made = factories.organization(user=approver, environment="production")
    submission = factories.submission(made, user=approver)
    edit(made, editor, name="Lakeside North")
    assert client.post(page_of(submission, "submission-cancel")).status_code == 403
    submission.refresh_from_db()
    assert submission.state == State.QUEUED


# Ask --------------------------------------------------------------------------------------------------------


def test_asking_the_directory_leads_to_what_it_showed_and_decides_nothing(
    client: Client, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "applies-then-504")
    practice.behaviour = "answers"
    assert client.post(page_of(submission, "submission-ask"))["Location"] == page_of(submission) + "#asked"
    assert 'id="asked"' in client.get(page_of(submission)).content.decode()
    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN


def test_there_is_nothing_to_ask_about_what_is_at_its_end(
    client: Client, practice: PracticeDirectory, editor: User
) -> None:
    made = factories.accepted(user=editor)
    submission = made.submissions.get()
    assert client.post(page_of(submission, "submission-ask"))["Location"] == page_of(submission)
    assert practice.requests == []


# The state alone --------------------------------------------------------------------------------------------


def test_the_state_alone_is_never_kept_by_a_cache_and_leaves_the_session_alone(
    client: Client, queued: Submission
) -> None:
    response = client.get(page_of(queued, "submission-state"), headers={"HX-Request": "true"})
    assert response["Cache-Control"] == "private, no-store"
    assert "HX-Request" in response["Vary"]
    assert "orgportal-session" not in response.cookies
    assert "<html" not in response.content.decode()


def test_an_open_page_learns_everything_that_an_answer_changes(
    client: Client, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    queued = factories.submission(factories.organization(user=editor), user=editor)
    state = page_of(queued, "submission-state")
    practice.behaviour = "refuses-sign-in"
    courier.deliver_next("staging", actor=worker)
    stopped = client.get(f"{state}?since=queued-0").content.decode()
    assert "STAGING: Stopped." in text_of(client.get(f"{state}?since=queued-0"))
    assert 'id="live"' in stopped

    practice.behaviour = "answers"
    check.check_connection("staging", actor=worker)
    resume.resume("staging", actor=worker)
    courier.deliver_next("staging", actor=worker)
    done = client.get(f"{state}?since=queued-1-other").content.decode()
    assert f"Submission {queued.pk} is now: Accepted." in done
    assert "<title>Accepted: submission" in done
    assert "What it registered" in done
    assert f'href="/audit/{AuditEntry.objects.latest("pk").pk}/"' in done
    assert '<span id="open-submissions" data-hx-swap-oob="true"></span>' in done
    assert {'id="attempts"', 'id="response"'} <= set(re.findall(r'id="\w+"', done))
    assert "data-hx-trigger" not in done


@pytest.mark.usefixtures("unreachable_redox")
def test_while_nothing_changes_the_page_is_left_alone(client: Client, queued: Submission) -> None:
    def poll() -> tuple[str, str]:
        page = client.get(page_of(queued)).content.decode()
        found = re.search(r'data-hx-get="([^"]+)" data-hx-trigger="every (\d+)s"', page)
        assert found
        return found[1], found[2]

    first, seconds = poll()
    assert seconds == "2"
    response = client.get(first)
    assert (response.status_code, response.content) == (204, b"")

    # After half a minute it asks less often, and says that no worker runs.
    Submission.objects.update(state_at=clock.now() - datetime.timedelta(minutes=1))
    changed = client.get(first).content.decode()
    assert 'data-hx-trigger="every 10s"' in changed
    assert 'id="live"' not in changed
    assert client.get(poll()[0]).status_code == 204


def test_after_signing_out_the_poll_leads_to_the_sign_in(visitor: Client, queued: Submission) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page_of(queued)}"}
    response = visitor.get(page_of(queued, "submission-state"), headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"/sign-in/?next={page_of(queued)}"
