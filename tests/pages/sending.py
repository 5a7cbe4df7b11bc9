"""Submissions that were sent and settled, for tests of what their pages claim."""

import json
from typing import Any

from organizations.models import AuditEntry, EnvironmentGate, Submission, User, Verdict, clock
from organizations.pages.submission.state import StateBlock, state_block
from organizations.practice import PracticeDirectory
from organizations.records import AddressRecord
from organizations.services.actors import system
from organizations.services.delivery import decide, query
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import deliver, edit, resolve_next

THEIRS: dict[str, Any] = {
    "Name": "Harbor General",
    "Active": True,
    "Identifiers": [{"ID": BASE, "IDType": "OID"}],
    "Address": {"StreetAddress": "200 Wharf St", "City": "Boston", "State": "MA", "ZIP": "02110", "Country": "USA"},
}
NORTH = AddressRecord(street="1 Shore Rd", city="Monona", state="WI", zip_code="53704", county="Dane", country="USA")


def entries_of(submission: Submission) -> list[AuditEntry]:
    return list(AuditEntry.objects.of_submission(submission.pk))


def fresh(submission: Submission) -> Submission:
    return Submission.objects.select_related("organization", "submitter").get(pk=submission.pk)


def send_update(practice: PracticeDirectory, user: User, behaviour: str, **values: object) -> Submission:
    """Send an Update of an accepted record while the directory has this behaviour."""
    accepted = factories.accepted_organization(user=user)
    practice.register("staging", json.loads(bytes(accepted.submissions.get().message))["Organizations"][0])
    changed = edit(accepted, user, **(values or {"name": "Lakeside North"}))
    submission = factories.submission(changed, user=user)
    practice.behaviour = behaviour
    assert deliver()
    practice.behaviour = "answers"
    return fresh(submission)


def resolve_submission(submission: Submission) -> Submission:
    Submission.objects.filter(pk=submission.pk).update(not_before=clock.now())
    assert resolve_next("staging", actor=system("Worker test"))
    return fresh(submission)


def send_foreign(practice: PracticeDirectory, user: User, **values: Any) -> Submission:
    """Send a New whose OID belongs to another organization."""
    practice.register("staging", THEIRS)
    submission = factories.submission(factories.organization(user=user, **values), user=user)
    assert deliver()
    return fresh(submission)


def take_decision(submission: Submission, verdict: Verdict, user: User) -> Submission:
    actor = as_actor(user)
    query.query_for_submission(submission, actor=actor)
    answer = decide.last_answer(submission)
    assert answer is not None
    decide.decide_submission(
        submission.pk, verdict, sequence=answer.entry.sequence, reason="Compared, ticket 12", actor=actor
    )
    return fresh(submission)


def block(submission: Submission) -> StateBlock:
    return state_block(submission, EnvironmentGate.objects.get(pk=submission.environment))
