"""What came back for a submission, read again from the history: the words for it, and what Redox support asks for."""

import datetime
from dataclasses import replace

from django.db.models import Q

from organizations.models import Action, AuditEntry, Environment, Intent, Organization, Submission
from organizations.records import OrganizationRecord
from organizations.redox import errors, messages, reading
from organizations.redox.environment import routing_name
from organizations.redox.errors import Context, Explanation
from organizations.redox.outcome import Kind, Outcome, classify

from . import exchanges, gateway

__all__ = ["Explanation", "doubles_of", "explain", "record_of", "support_block", "why_again"]

MOST_DOUBLES = 5


def explain(submission: Submission, *, at: str = "") -> Explanation:
    """Headline, cause and next step for the last answer to a submission.

    `at` is a time ready to print: of the next attempt, of the end of a wait, or of an earlier message of ours.
    """
    return _explained(submission, _outcome(submission), at)


def why_again(submission: Submission, *, waits_for: str, at: str) -> Explanation | None:
    """Why a submission is in the queue again, as long as that is what it waits for; None when it was put right.

    `waits_for` is "attempt" (the next one), "held" or "stopped" (its environment), or something else; `at` as above.
    """
    outcome = _outcome(submission)
    if outcome.kind not in (Kind.NOT_SENT, Kind.NOT_EXECUTED):
        return None
    holds = "stopped" if outcome.stops else "held" if outcome.hold_seconds is not None else ""
    if holds and holds != waits_for:
        return None
    return _explained(submission, outcome, at if waits_for in (holds, "attempt") else "")


def record_of(submission: Submission) -> OrganizationRecord:
    """The record that a submission's message carries."""
    return messages.record_from_message(bytes(submission.message))


def doubles_of(submission: Submission, record: OrganizationRecord) -> list[Organization]:
    """Our other records with the same name or address, when that is what Redox complains of."""
    if submission.known_answer != "duplicate_business":
        return []
    same = Q(name__iexact=record.name)
    if record.address.street:
        same |= Q(street__iexact=record.address.street, zip_code=record.address.zip_code)
    found = Organization.objects.in_environment(submission.environment).exclude(pk=submission.organization_id)
    return list(found.filter(same).order_by("name", "id")[:MOST_DOUBLES])


def support_block(submission: Submission, entries: list[AuditEntry]) -> str:
    """What Redox support needs to find a message, as text. No reason of ours and no name of a person is in it."""
    routing_id = _routing_id(submission)
    lines = [
        ("Environment", Environment(submission.environment).label),
        ("Time (UTC)", _utc(submission.sent_at)),
        ("Message ID", submission.redox_message_id or "none"),
        ("Log ID", submission.redox_log_id or "none"),
        ("OID", submission.oid),
        ("Event", f"Organization.{submission.event}"),
        ("Routing ID", f"{routing_id} ({routing_name(routing_id) or 'not in the table of Redox'})"),
        ("HTTP status", str(submission.http_status or "none")),
        ("Text", submission.detail or "none"),
        ("Attempts", str(submission.attempt)),
        *_attempt_lines(entries),
    ]
    return "\n".join(f"{label}: {value}" for label, value in lines)


def _explained(submission: Submission, outcome: Outcome, at: str) -> Explanation:
    record = record_of(submission)
    message = bytes(submission.message)
    context = Context(
        environment=gateway.environment(submission.environment),
        record=record,
        routing_id=_routing_id(submission),
        deactivates=submission.intent == Intent.DEACTIVATE,
        doubles=tuple(double.name for double in doubles_of(submission, record)),
        message_bytes=len(message),
        at=at,
        deadline=gateway.limits().deadline,
    )
    return errors.explain(outcome, context)


def _routing_id(submission: Submission) -> str:
    """The routing ID that the message itself names; the settings may have changed since."""
    return str(reading.read_json(bytes(submission.message))["Meta"]["Destinations"][0]["ID"])


def _outcome(submission: Submission) -> Outcome:
    """The last answer, classified anew from what is stored; without one, what the submission itself keeps of it."""
    entry = AuditEntry.objects.attempt_entry(submission.pk, submission.attempt, Action.ATTEMPT_RESPONSE)
    if entry is None:
        return Outcome(kind=Kind.UNKNOWN, detail=submission.detail)
    outcome = classify(
        exchanges.stored(entry),
        event=submission.event,
        oid=submission.oid,
        after_unknown=_had_unknown_before(submission),
    )
    return replace(outcome, detail=outcome.detail or submission.detail)


def _had_unknown_before(submission: Submission) -> bool:
    earlier = AuditEntry.objects.of_submission(submission.pk).filter(attempt__lt=submission.attempt)
    return earlier.filter(action=Action.ATTEMPT_OUTCOME, outcome=Kind.UNKNOWN).exists()


def _attempt_lines(entries: list[AuditEntry]) -> list[tuple[str, str]]:
    return [
        (f"Attempt {entry.attempt}", f"{_utc(entry.at)}, HTTP {entry.http_status or 'none'}, {entry.outcome}")
        for entry in entries
        if entry.action == Action.ATTEMPT_OUTCOME
    ]


def _utc(moment: datetime.datetime | None) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else "not sent"
