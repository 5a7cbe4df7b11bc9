"""Checks that a submission must pass after its workers were interrupted."""

from collections.abc import Sequence
from typing import Any

from organizations.models import Action, AuditEntry, Event, Organization, Presence, State, Submission
from organizations.models.submission import MIRRORED
from organizations.practice.store import Effect
from organizations.services.audit import audit


def entries_of(submission: Submission, alias: str = "default") -> list[AuditEntry]:
    return list(AuditEntry.objects.using(alias).filter(submission_id=submission.pk).order_by("sequence"))


def failed_checks(
    submission: Submission, effects: Sequence[Effect], there: dict[str, Any] | None, alias: str = "default"
) -> str:
    """The checks that fail after a submission was accepted, with the events; "" if all pass.

    `effects` are the changes of the directory, `there` is its record of the OID now.
    """
    submission = Submission.objects.using(alias).get(pk=submission.pk)
    organization = Organization.objects.using(alias).get(pk=submission.organization_id)
    entries = entries_of(submission, alias)
    effect = [each.event for each in effects if each.body_sha256 == submission.message_sha256]
    checks = {
        "state": submission.state == State.ACCEPTED,
        "status": all(getattr(organization, ours) == getattr(submission, its) for ours, its in MIRRORED.items()),
        "presence": organization.presence == Presence.PRESENT,
        "confirmed": organization.confirmed_record() == organization.record(),
        "effects": effect == ["New"] if submission.event == Event.NEW else set(effect) == {"Update"},
        "directory": there is not None and there["Name"] == organization.name,
        "attempts": not attempt_faults(entries, submission),
    }
    wrong = ", ".join(name for name, is_right in checks.items() if not is_right)
    return wrong and f"{wrong} ({[entry.action for entry in entries]}, {effect}, {submission.state_reason})"


def chain_faults(alias: str = "default") -> list[int]:
    """The sequences at which the hash chain of the history is broken."""
    previous, expected, broken = audit.FIRST_HASH, 1, []
    for entry in AuditEntry.objects.using(alias).order_by("sequence").iterator():
        entry_hash = audit.hash_of(entry.sequence, previous, bytes(entry.body))
        if (entry.sequence, entry.previous_hash, entry.hash) != (expected, previous, entry_hash):
            broken.append(entry.sequence)
        previous, expected = entry.hash, entry.sequence + 1
    return broken


def attempt_faults(entries: list[AuditEntry], submission: Submission) -> list[str]:
    """Attempts that do not have exactly one intent and one outcome, or have more than two responses."""
    faults = []
    for attempt in range(1, submission.attempt + 1):
        actions = [entry.action for entry in entries if entry.attempt == attempt]
        counts = [actions.count(each) for each in (Action.ATTEMPT_INTENT, Action.ATTEMPT_OUTCOME)]
        if counts != [1, 1] or actions.count(Action.ATTEMPT_RESPONSE) > 2:
            faults.append(f"attempt {attempt}: {', '.join(actions)}")
    return faults
