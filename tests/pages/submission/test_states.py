"""Each state of a submission has one sentence, independent of worker and environment."""

import datetime
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from organizations.models import Environment, EnvironmentGate, Evidence, State, Submission, User, Worker
from organizations.pages.submission.state import state_block
from organizations.services.delivery import heartbeat
from organizations.text import vocabulary
from tests import factories
from tests.connected import redox

LEFT = datetime.datetime(2026, 5, 3, 14, 3, 22, tzinfo=datetime.UTC)
SEEN = datetime.datetime(2026, 5, 4, 14, 3, 22, tzinfo=datetime.UTC)
LATER = datetime.timedelta(hours=1)

SENTENCES = {
    State.AWAITING: "Reviewed by Editor One. Waits for an approver who did not work on it. Nothing has been sent.",
    State.QUEUED: "Reviewed and stored. Nothing has been sent.",
    State.SENDING: "The attempt began on {left}. Redox may take up to 2 minutes to answer.",
    State.ACCEPTED: "Redox accepted this on {left}.",
    State.REJECTED: "Rejected on {left}, by Redox or by a person's decision. This message is not sent again.",
    State.UNKNOWN: "The attempt began on {left}, and no clear answer came. It may or may not have taken effect.",
    State.NEEDS_PERSON: (
        "The portal cannot decide alone. An approver compares the record with the directory and decides."
    ),
    State.CANCELLED: "Cancelled by Editor One on {left}. Nothing was sent.",
}
WAITS_FOR = {
    "worker alive": "Waits for the next free worker.",
    "no worker": "No worker has run since {seen}.",
    "stopped": "STAGING is stopped: No credential.",
    "held": "STAGING waits until {until}: too many requests.",
    "paused": "STAGING waits until {until}: No clear answers.",
}
NEED_A_WORKER = (State.QUEUED, State.SENDING, State.UNKNOWN)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def submission(editor: User) -> Iterator[Submission]:
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        yield factories.submission(factories.organization(user=editor), user=editor)


def formatted(value: datetime.datetime, form: vocabulary.MomentForm = "moment") -> str:
    return vocabulary.moment_text(timezone.localtime(value), timezone.now(), form)


def set_condition(condition: str, until: datetime.datetime) -> None:
    """Create the condition of one row of `WAITS_FOR`."""
    seen_at = SEEN if condition == "no worker" else timezone.now()
    Worker.objects.create(name="A", release="1", settings_fingerprint="f", started_at=SEEN, seen_at=seen_at)
    gate = EnvironmentGate.objects.get(pk=Environment.STAGING)
    match condition:
        case "stopped":
            gate.stopped_at, gate.stopped_reason = timezone.now(), "No credential"
        case "held":
            gate.hold_until, gate.hold_reason = until, "too many requests"
        case "paused":
            gate.hold_until, gate.hold_reason = until, "No clear answers"
            gate.probing, gate.failures = True, 5
    gate.save()


def test_after_a_restore_no_page_claims_that_the_message_left(submission: Submission) -> None:
    factories.change_submission(submission, state=State.UNKNOWN, is_restored=True, sent_at=None)
    client = Client()
    client.force_login(submission.submitter)
    page = client.get(reverse("submission", args=["staging", submission.pk])).content.decode()
    home = client.get("/").content.decode()
    assert page.count(vocabulary.UNKNOWN_AFTER_RESTORE) == home.count(vocabulary.UNKNOWN_AFTER_RESTORE) == 1
    assert "attempt began" not in page + home


@pytest.mark.parametrize("condition", WAITS_FOR)
@pytest.mark.parametrize("state", State)
def test_each_state_has_its_sentence_under_every_condition(
    submission: Submission, state: State, condition: str
) -> None:
    until = timezone.now() + LATER
    set_condition(condition, until)
    times = {"sent_at": LEFT, "ended_at": LEFT, "state_at": LEFT}
    factories.change_submissions(state=state, evidence=Evidence.ANSWER, cancelled_by="Editor One", **times)
    submission.refresh_from_db()

    block = state_block(submission, EnvironmentGate.objects.get(pk=Environment.STAGING))

    assert strip_tags(block.sentence) == SENTENCES[state].format(left=formatted(LEFT, "seconds"))
    assert block.word == vocabulary.SUBMISSION_STATE[state]
    absent = heartbeat.workers_state().no_worker_since
    assert absent == (SEEN if condition == "no worker" and state in NEED_A_WORKER else None)
    if state not in (State.QUEUED, State.UNKNOWN):
        assert block.reason is None
    elif state == State.QUEUED or condition != "worker alive":
        assert block.reason is not None
        expected = WAITS_FOR[condition].format(until=formatted(until, "clock"), seen=formatted(SEEN))
        assert strip_tags(block.reason.sentence) == expected


@pytest.mark.parametrize("condition", ["worker alive", "no worker"])
def test_the_page_says_what_a_queued_submission_waits_for(
    submission: Submission, editor: User, client: Client, condition: str
) -> None:
    until = timezone.now() + LATER
    set_condition(condition, until)
    client.force_login(editor)

    page = client.get(reverse("submission", args=["staging", submission.pk])).content.decode()

    reason = WAITS_FOR[condition].format(until=formatted(until, "clock"), seen=formatted(SEEN))
    text = " ".join(strip_tags(page.partition('id="state"')[2]).split())
    assert f"{SENTENCES[State.QUEUED]} {reason}" in text
    everywhere = " ".join(strip_tags(page).split())
    promise = "Nothing is lost: messages stay queued until a worker runs again."
    assert (promise in everywhere) == (condition == "no worker")
