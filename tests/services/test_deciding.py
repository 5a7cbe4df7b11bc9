"""A person decides what the portal cannot: by a fresh answer of the directory, with a reason, and only once."""

import datetime
import json

import pytest
from django.utils import timezone

from organizations.models import Action, AuditEntry, Organization, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import asking, deciding
from organizations.services.actors import Actor
from organizations.services.deciding import Verdict
from organizations.services.faults import NotDone, ReasonMissing
from tests import factories
from tests.factories import BASE, UserFactory, acting
from tests.services.sending import accepted, deliver, edit, fresh, sent


@pytest.fixture
def approver() -> Actor:
    return acting(UserFactory(role="approver"))


def undecided(practice: PracticeDirectory, user: User) -> Submission:
    """A New of an OID that somebody else had registered."""
    made = factories.organization(user=user)
    practice.register("staging", {"Name": "Theirs", "Active": True, "Identifiers": [{"ID": BASE, "IDType": "OID"}]})
    submission = factories.submission(made, user=user)
    assert deliver()
    submission.refresh_from_db()
    assert submission.state == State.NEEDS_PERSON
    return submission


def undecided_update(practice: PracticeDirectory, user: User) -> Submission:
    submission = factories.submission(edit(accepted(user), user, name="Lakeside North"), user=user)
    Submission.objects.filter(pk=submission.pk).update(state=State.NEEDS_PERSON, attempt=1, sent_at=timezone.now())
    submission.refresh_from_db()
    return submission


def ask(submission: Submission, actor: Actor) -> int:
    asking.ask_about(submission, actor=actor)
    found = deciding.evidence(submission)
    assert found is not None
    return found.entry.sequence


def decide(submission: Submission, verdict: Verdict, actor: Actor, reason: str = "Compared, ticket 12") -> Submission:
    deciding.decide(submission.pk, verdict, sequence=ask(submission, actor), reason=reason, actor=actor)
    submission.refresh_from_db()
    return submission


def proposed(submission: Submission) -> Verdict:
    found = deciding.evidence(submission)
    assert found is not None
    return deciding.choices(submission, found)[0]


def test_it_landed(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    practice.register("staging", _as_sent(submission))
    ask(submission, approver)
    assert proposed(submission) == Verdict.LANDED
    submission = decide(submission, Verdict.LANDED, approver)

    made = fresh(submission.organization)
    assert (submission.state, made.standing, made.changes) == (State.ACCEPTED, "active", 0)
    entry = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert (entry.actor_name, entry.facts["reason"]) == (approver.name, "Compared, ticket 12")


def test_these_are_somebody_elses_values(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    ask(submission, approver)
    assert proposed(submission) == Verdict.OTHERS
    submission = decide(submission, Verdict.OTHERS, approver)

    made = fresh(submission.organization)
    assert (submission.state, made.open_work, made.standing) == (State.REJECTED, "rejected", "seen")
    compared = made.last_known_record()
    assert compared is not None
    assert compared.name == "Theirs"
    assert factories.submission(made, user=editor).event == "Update"


def test_after_an_update_that_landed_in_part_the_next_review_compares_with_what_was_seen(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided_update(practice, editor)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Aliases": ["By hand"]})
    submission = decide(submission, Verdict.OTHERS, approver)

    made = fresh(submission.organization)
    seen = made.seen_record()
    assert seen is not None
    assert made.last_known_record() == seen
    assert (made.standing, made.seen_counts) == ("active", True)
    again = factories.submission(made, user=editor)
    assert again.before_record() == seen
    assert deliver()
    assert not Organization.objects.get().seen_counts


def test_it_did_not_land_and_the_very_same_message_goes_out_once_more(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided_update(practice, editor)
    ask(submission, approver)
    assert proposed(submission) == Verdict.NOT_LANDED
    submission = decide(submission, Verdict.NOT_LANDED, approver)
    assert submission.state == State.QUEUED
    assert deliver()
    submission.refresh_from_db()
    assert submission.state == State.ACCEPTED
    assert sent(practice)[-1] == bytes(submission.message)


def test_a_new_of_an_oid_that_is_there_is_not_sent_once_more(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided(practice, editor)
    with pytest.raises(NotDone, match="does not allow this decision"):
        decide(submission, Verdict.NOT_LANDED, approver)


def test_what_is_not_there_did_not_land(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided_update(practice, editor)
    practice.forget("staging", BASE)
    ask(submission, approver)
    assert proposed(submission) == Verdict.NOT_LANDED
    with pytest.raises(NotDone, match="does not allow this decision"):
        decide(submission, Verdict.LANDED, approver)


def test_a_reason_is_needed(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    with pytest.raises(ReasonMissing):
        decide(submission, Verdict.OTHERS, approver, reason="  ")
    submission.refresh_from_db()
    assert submission.state == State.NEEDS_PERSON


def test_nothing_is_decided_without_an_answer(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    practice.behaviour = "gateway-error"
    asking.ask_about(submission, actor=approver)
    assert deciding.evidence(submission) is None
    with pytest.raises(NotDone, match="Ask the directory"):
        deciding.decide(submission.pk, Verdict.OTHERS, sequence=1, reason="Guessed", actor=approver)


def test_an_old_or_overtaken_answer_decides_nothing(
    practice: PracticeDirectory, editor: User, approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = undecided(practice, editor)
    first = ask(submission, approver)
    ask(submission, approver)
    with pytest.raises(NotDone, match="no longer the last one"):
        deciding.decide(submission.pk, Verdict.OTHERS, sequence=first, reason="Late", actor=approver)
    monkeypatch.setattr(deciding, "FRESH", datetime.timedelta(0))
    with pytest.raises(NotDone, match="no longer the last one"):
        decide(submission, Verdict.OTHERS, approver)


def test_it_is_decided_once(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    sequence = ask(submission, approver)
    deciding.decide(submission.pk, Verdict.OTHERS, sequence=sequence, reason="Theirs", actor=approver)
    with pytest.raises(NotDone, match="decided already"):
        deciding.decide(submission.pk, Verdict.OTHERS, sequence=sequence, reason="Theirs", actor=approver)
    assert AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).count() == 1


def _as_sent(submission: Submission) -> dict[str, object]:
    organization: dict[str, object] = json.loads(bytes(submission.message))["Organizations"][0]
    return organization
