"""What nobody knows yet: how it is told, asked about, and how an open page learns of its end."""

import datetime
import re
from collections.abc import Callable

import pytest
from django.test import Client

from organizations.models import State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services import delivery, gateway
from organizations.services.actors import Actor
from tests import factories
from tests.factories import BASE
from tests.views.pages import text_of
from tests.views.sending import page_of, sent

type ClientOf = Callable[..., Client]


# Unknown and needs a person ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "how"),
    [
        ("never-answers", "The answer did not come within 1 second."),
        ("applies-then-breaks", "The connection broke before an answer."),
        ("applies-then-504", "Redox answered 504 without accepting or rejecting it."),
    ],
)
def test_an_unknown_one_says_how_it_was_lost_and_what_happens_next(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor, behaviour: str, how: str
) -> None:
    submission = sent(practice, editor, worker, behaviour)
    response = client_of("viewer").get(page_of(submission))
    said = text_of(response)
    assert "We do not know whether this arrived." in said
    assert how in said
    assert "asked twice: the very same message is sent once more." in said
    assert "Do not send this record with curl or Postman, and do not add it again" in said
    assert 'data-hx-trigger="every 10s"' in response.content.decode()
    assert "You cannot ask the directory in STAGING. Editors and Approvers can: " in said


def test_one_whose_worker_ended_says_so(
    client_of: ClientOf, practice: PracticeDirectory, queued: Submission, worker: Actor
) -> None:
    assert delivery.claim_next("staging", gateway.environment("staging"), actor=worker)
    Submission.objects.update(lease_until=clock.now() - datetime.timedelta(seconds=1))
    delivery.reap("staging", actor=worker)
    said = text_of(client_of("viewer").get(page_of(queued)))
    assert "The worker that sent it ended before an answer was stored. It may have taken effect" in said
    assert "The connection broke" not in said


def test_asking_the_directory_shows_what_was_sent_beside_it(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "applies-then-504")
    practice.behaviour = "answers"
    client = client_of(user=editor)
    response = client.post(page_of(submission, "submission-ask"))
    assert response["Location"] == page_of(submission) + "#asked"
    said = text_of(client.get(page_of(submission)))
    assert "What the directory showed asked " in said
    assert "City Madison Madison equal" in said
    assert "Destination ID none cannot be read none not compared" not in said
    assert "0 of " in said
    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN


def test_what_differs_in_the_directory_is_marked(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "applies-then-504")
    practice.behaviour = "answers"
    stored = practice.organizations("staging")[BASE]
    practice.register("staging", stored | {"Address": stored["Address"] | {"City": "Middleton"}})
    client = client_of(user=editor)
    client.post(page_of(submission, "submission-ask"))
    said = text_of(client.get(page_of(submission)))
    assert "City Madison Middleton differs" in said
    assert "1 of " in said


def test_a_directory_that_does_not_know_it_or_does_not_answer_is_told_apart(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "never-answers")
    client = client_of(user=editor)
    client.post(page_of(submission, "submission-ask"))
    assert "The directory could not be asked (" in text_of(client.get(page_of(submission)))
    practice.behaviour = "answers"
    client.post(page_of(submission, "submission-ask"))
    said = text_of(client.get(page_of(submission)))
    assert "The directory of STAGING showed no record with this OID." in said


def test_there_is_nothing_to_ask_about_what_is_at_its_end(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "answers")
    before = len(practice.requests)
    said = text_of(client_of(user=editor).post(page_of(submission, "submission-ask"), follow=True))
    assert "there is nothing to find out." in said
    assert len(practice.requests) == before


def test_an_oid_that_existed_needs_a_person_and_offers_no_dead_button(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "says-no-exists")
    said = text_of(client_of(user=editor).get(page_of(submission)))
    assert "Redox says that this OID is already in the directory of STAGING." in said
    assert "Deactivated records count as well." in said
    assert "Until then nothing is sent for this record" in said
    assert "Ask the directory" in said
    assert "Confirm this decision" not in said
    assert "Compare with the directory" not in said


# The state alone --------------------------------------------------------------------------------------------


def test_the_state_alone_is_never_kept_by_a_cache_and_leaves_the_session_alone(
    client_of: ClientOf, editor: User, queued: Submission
) -> None:
    client = client_of(user=editor)
    response = client.get(page_of(queued, "submission-state"), headers={"HX-Request": "true"})
    assert response["Cache-Control"] == "private, no-store"
    assert "HX-Request" in response["Vary"]
    assert "orgportal-session" not in response.cookies
    assert "<html" not in response.content.decode()


def test_the_state_alone_tells_a_change_aloud_and_brings_what_came(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    client = client_of(user=editor)
    waiting = client.get(page_of(submission, "submission-state") + "?since=queued-0-other").content.decode()
    assert 'data-hx-trigger="every 2s"' in waiting
    assert 'id="live"' not in waiting
    assert "No attempt yet. A worker will take it." in waiting
    delivery.deliver_next("staging", actor=worker)
    done = client.get(page_of(submission, "submission-state") + "?since=queued-0-other").content.decode()
    assert f"Submission {submission.pk} is now: Accepted." in done
    assert "<title>Accepted: submission" in done
    assert 'id="attempts"' in done
    assert 'id="response"' in done
    assert "data-hx-trigger" not in done


def test_while_nothing_changes_the_page_is_left_alone(
    client_of: ClientOf, practice: PracticeDirectory, queued: Submission
) -> None:
    client = client_of("viewer")

    def poll() -> tuple[str, str]:
        page = client.get(page_of(queued)).content.decode()
        found = re.search(r'data-hx-get="([^"]+)" data-hx-trigger="every (\d+)s"', page)
        assert found
        return found[1], found[2]

    first, seconds = poll()
    assert seconds == "2"
    response = client.get(first)
    assert (response.status_code, response.content) == (204, b"")
    assert response["Cache-Control"] == "private, no-store"

    # After half a minute it asks less often, and says that no worker runs.
    Submission.objects.update(state_at=clock.now() - datetime.timedelta(minutes=1))
    changed = client.get(first)
    assert "No worker is running since " in text_of(changed)
    assert 'data-hx-trigger="every 10s"' in changed.content.decode()
    assert 'id="live"' not in changed.content.decode()
    assert client.get(poll()[0]).status_code == 204


def test_after_signing_out_the_poll_leads_to_the_sign_in(queued: Submission) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page_of(queued)}"}
    response = Client().get(page_of(queued, "submission-state"), headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"/sign-in/?next={page_of(queued)}"


def test_what_was_held_back_for_a_person_says_why(client_of: ClientOf, queued: Submission) -> None:
    Submission.objects.update(state=State.NEEDS_PERSON, state_reason="Its parent Lakeside is not active in STAGING.")
    said = text_of(client_of("viewer").get(page_of(queued)))
    assert "Why: Its parent Lakeside is not active in STAGING." in said
    assert "The portal cannot tell what became of the message." in said


def test_after_a_lost_answer_an_oid_that_exists_is_probably_our_own(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "applies-then-504")
    Submission.objects.update(state=State.QUEUED, not_before=None)
    practice.behaviour = "says-no-exists"
    delivery.deliver_next("staging", actor=worker)
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert "The OID is there now; probably our message of " in said
    assert "An answer got lost." in said
