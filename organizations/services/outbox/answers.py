"""What Redox answered to a submission, read from the history: its explanation, and the text for Redox support."""

import datetime
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from django.db.models import F, Q

from organizations.folding import fold
from organizations.models import Action, AuditEntry, Environment, Event, Intent, Organization, State, Submission
from organizations.records import AddressRecord, OrganizationRecord, readable_fingerprint
from organizations.redox import errors, messages, strict_json
from organizations.redox.environment import routing_name
from organizations.redox.errors import Explanation, ExplanationContext, SuspectCharacter
from organizations.redox.outcome import OTHER_SUCCESS, Kind, Outcome, classify
from organizations.redox.resolution import can_be_proved
from organizations.services.audit import exchanges, outcomes
from organizations.services.connection import redox_settings

__all__ = [
    "Explanation",
    "SuspectCharacter",
    "can_be_proved_by_query",
    "explain_answer",
    "has_undocumented_success",
    "message_name",
    "message_record",
    "others_with_same_answer",
    "possible_duplicates",
    "record_before",
    "retry_explanation",
    "support_block",
    "suspects",
]

MOST_DUPLICATES = 5
MOST_ALIKE = 1000
"""How many records with the same name, or the same address, are read. The first MOST_DUPLICATES are shown."""
MOST_OTHERS = 5
NEWEST_REJECTED = 200
"""How many rejected submissions are searched for the same answer, so that the search does not grow over the years."""


def explain_answer(submission: Submission, *, at: str = "") -> Explanation:
    """Headline, cause and next step for the last answer to a submission.

    `at` is a time as text: of the next attempt, of the end of a wait, or of an earlier message of ours.
    """
    return _explain_outcome(submission, _last_outcome(submission), at)


def retry_explanation(submission: Submission, *, waits_for: str, at: str) -> Explanation | None:
    """Why a submission is in the queue again; None if the cause is gone.

    `waits_for` is the key of a `WaitReason`: "attempt" (the next one), "paused" or "stopped" (its environment), or
    another one. `at` is as in `explain_answer`.
    """
    outcome = _last_outcome(submission)
    if outcome.kind not in (Kind.NOT_SENT, Kind.NOT_EXECUTED):
        return None
    effect = "stopped" if outcome.stops else "paused" if outcome.hold_seconds is not None else ""
    if effect and effect != waits_for:
        return None
    return _explain_outcome(submission, outcome, at if waits_for in (effect, "attempt") else "")


def message_record(submission: Submission) -> OrganizationRecord:
    """The record in a submission's message."""
    return messages.record_from_message(bytes(submission.message))


def message_name(submission: Submission) -> str:
    """The name in a submission's message, or "" if the message cannot be read."""
    try:
        return message_record(submission).name
    except strict_json.AnswerNotUnderstood:
        return ""


def possible_duplicates(submission: Submission, record: OrganizationRecord) -> list[Organization]:
    """Our other records with the same name or address, if Redox rejected the submission as a duplicate."""
    if submission.known_answer != "duplicate_business":
        return []
    others = Organization.objects.in_environment(submission.environment).exclude(pk=submission.organization_id)
    ids = {*_with_name(submission.environment, record.name), *_at_address(submission.environment, record.address)}
    duplicates = others.filter(pk__in=ids).order_by("name", "id").only("environment", "oid", "name")
    return list(duplicates[:MOST_DUPLICATES])


def _with_name(environment: str, name: str) -> Iterator[int]:
    """The ids of records with this name in any spelling."""
    records = Organization.objects.in_environment(environment).named(name)
    return iter(records.values_list("pk", flat=True)[:MOST_ALIKE])


def _at_address(environment: str, address: AddressRecord) -> Iterator[int]:
    """The ids of records with this street in any spelling, and the same first five characters of the ZIP code."""
    folded, zip_code = fold(address.street), address.zip_code[:5]
    if not folded:
        return iter(())
    # A range, since LIKE uses no index. Every collation sorts digits and other letters before "z".
    in_area = Q(zip_code__gte=zip_code, zip_code__lt=f"{zip_code}zz") if zip_code else Q(zip_code="")
    # Not filtered by the environment, because SQLite would use that index and read all records of the environment.
    rows = Organization.objects.filter(in_area).values_list("pk", "environment", "street", "zip_code").iterator()
    here = ((pk, street) for pk, other, street, code in rows if other == environment and code.startswith(zip_code))
    return islice((pk for pk, street in here if fold(street) == folded), MOST_ALIKE)


def suspects(submission: Submission) -> tuple[SuspectCharacter, ...]:
    """Characters that may be the cause, if Redox could not read the message. Nothing proves that they are."""
    return errors.suspect_characters(message_record(submission)) if submission.known_answer == "xml_error" else ()


def can_be_proved_by_query(submission: Submission) -> bool:
    """Whether a Query alone can prove that a submission took effect. Otherwise the same message is sent again."""
    return can_be_proved(submission.event, message_record(submission), record_before(submission))


def record_before(submission: Submission) -> OrganizationRecord | None:
    """The record in the directory before a message, as the portal knew it. None: for a New no record, else unknown.

    It is the newest knowledge at the review, with one exception: a later reading from before the first attempt that
    already shows what is sent. Then the directory lagged behind, or somebody else made the same change.
    A New may follow Redox's answer that the OID "is not valid". Until a Query shows that the OID is absent, the record
    that was accepted before counts as still there.
    """
    organization, last = submission.organization, _last_reading(submission)
    before = submission.before_record()
    if submission.event == Event.NEW:
        is_absent = bool(last) and not last["seen"]
        before = None if is_absent else organization.baseline_record()
    if last and last["seen"]:
        seen = OrganizationRecord.from_json(last["seen"])
        if readable_fingerprint(seen) == readable_fingerprint(message_record(submission)):
            return seen
    return before


def _last_reading(submission: Submission) -> dict[str, Any]:
    """The directory's last answer after the acceptance and before the first attempt that may have arrived; or {}."""
    organization = submission.organization
    attempts = AuditEntry.objects.filter(submission_id=submission.pk, action=Action.ATTEMPT_OUTCOME)
    unknown = attempts.filter(outcome=Kind.UNKNOWN).order_by("attempt").values_list("attempt", flat=True).first()
    first_arrival = AuditEntry.objects.attempt_entry(submission.pk, unknown or 1, Action.ATTEMPT_INTENT)
    readings = AuditEntry.objects.filter(
        organization_id=organization.pk,
        oid=submission.oid,
        action__in=(Action.ORGANIZATION_ASKED, Action.SUBMISSION_ASKED),
    )
    if first_arrival is not None:
        readings = readings.filter(sequence__lt=first_arrival.sequence)
    since = organization.known_at
    all_details = (entry.facts.get("details", {}) for entry in readings.defer("raw").order_by("-sequence").iterator())
    # Of the Queries of one lookup only the last one decides; the others have an `active` filter.
    deciding = (details for details in all_details if details.get("asked") and "active" not in details)
    last: dict[str, Any] = next(deciding, {})
    is_later = since is None or datetime.datetime.fromisoformat(last.get("asked_at", since.isoformat())) >= since
    return last if is_later else {}


def has_undocumented_success(submission: Submission) -> bool:
    """Whether Redox answered with a success in words that it does not document. A Query can confirm it."""
    return submission.answer_warning == OTHER_SUCCESS


def others_with_same_answer(submission: Submission) -> list[Submission]:
    """The last submissions of other records that Redox rejected with the same documented text, the counterpart's first.

    Compares the counterpart and the newest rejected submissions of the environment. Returns at most `MOST_OTHERS`.
    """
    if submission.state != State.REJECTED or not submission.known_answer or submission.decided_by:
        return []
    alike = Submission.objects.filter(state=State.REJECTED, known_answer=submission.known_answer, decided_by="")
    last = alike.filter(organization__last_submission=F("pk")).select_related("organization")
    counterpart = submission.organization.counterpart
    of_counterpart = list(last.filter(organization=counterpart)) if counterpart else []
    rejected = Submission.objects.filter(environment=submission.environment, state=State.REJECTED)
    newest = rejected.order_by("-id").values("pk")[:NEWEST_REJECTED]
    others = last.filter(pk__in=newest).exclude(organization=submission.organization_id)
    return [*of_counterpart, *others.defer("message", "before").order_by("-id")[: MOST_OTHERS - len(of_counterpart)]]


def support_block(submission: Submission, entries: list[AuditEntry]) -> str:
    """The facts by which Redox support can find a message, as text, without reasons and names of people."""
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


def _explain_outcome(submission: Submission, outcome: Outcome, at: str) -> Explanation:
    record = message_record(submission)
    message = bytes(submission.message)
    context = ExplanationContext(
        environment=redox_settings.environment(submission.environment),
        record=record,
        routing_id=_routing_id(submission),
        deactivates=submission.intent == Intent.DEACTIVATE,
        duplicates=tuple(duplicate.name for duplicate in possible_duplicates(submission, record)),
        message_bytes=len(message),
        at=at,
    )
    return errors.explain(outcome, context)


def _routing_id(submission: Submission) -> str:
    """The routing ID in the message. The settings may have changed since."""
    return str(strict_json.read_json(bytes(submission.message))["Meta"]["Destinations"][0]["ID"])


def _last_outcome(submission: Submission) -> Outcome:
    """The outcome of the last attempt.

    Entries of early releases have no outcome: then the stored response is classified again. Without a response the
    outcome is unknown, with the detail of the submission.
    """
    outcome_entry = AuditEntry.objects.attempt_entry(submission.pk, submission.attempt, Action.ATTEMPT_OUTCOME)
    if (outcome := outcomes.stored_outcome(outcome_entry)) is not None:
        return outcome
    entry = AuditEntry.objects.attempt_entry(submission.pk, submission.attempt, Action.ATTEMPT_RESPONSE)
    if entry is None:
        return Outcome(kind=Kind.UNKNOWN, detail=submission.detail)
    outcome = classify(
        exchanges.stored_exchange(entry),
        event=submission.event,
        oid=submission.oid,
        after_unknown=AuditEntry.objects.had_unknown_before(submission.pk, submission.attempt),
    )
    return replace(outcome, detail=outcome.detail or submission.detail)


def _attempt_lines(entries: list[AuditEntry]) -> list[tuple[str, str]]:
    return [
        (f"Attempt {entry.attempt}", f"{_utc(entry.at)}, HTTP {entry.http_status or 'none'}, {entry.outcome}")
        for entry in entries
        if entry.action == Action.ATTEMPT_OUTCOME
    ]


def _utc(moment: datetime.datetime | None) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else "not sent"
