"""What came back for a submission, read again from the history: the words for it, and what Redox support asks for."""

import datetime
from dataclasses import replace
from itertools import islice
from typing import Any

from django.db.models import F, Q

from organizations.folding import fold
from organizations.models import Action, AuditEntry, Environment, Event, Intent, Organization, State, Submission
from organizations.records import OrganizationRecord, readable_fingerprint
from organizations.redox import errors, messages, reading
from organizations.redox.environment import routing_name
from organizations.redox.errors import Explanation, ExplanationContext, SuspectCharacter
from organizations.redox.outcome import OTHER_SUCCESS, Kind, Outcome, classify
from organizations.redox.resolution import can_be_proved
from organizations.services.audit import exchanges, outcomes
from organizations.services.connection import gateway

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
MOST_OTHERS = 5
NEWEST_REJECTED = 200
"""Among how many rejected submissions the same answer is looked for: all of them would grow with the years."""


def explain_answer(submission: Submission, *, at: str = "") -> Explanation:
    """Headline, cause and next step for the last answer to a submission.

    `at` is a time ready to print: of the next attempt, of the end of a wait, or of an earlier message of ours.
    """
    return _explain_outcome(submission, _last_outcome(submission), at)


def retry_explanation(submission: Submission, *, waits_for: str, at: str) -> Explanation | None:
    """Why a submission is in the queue again, as long as that is what it waits for; None when it was put right.

    `waits_for` is "attempt" (the next one), "held" or "stopped" (its environment), or something else; `at` as above.
    """
    outcome = _last_outcome(submission)
    if outcome.kind not in (Kind.NOT_SENT, Kind.NOT_EXECUTED):
        return None
    holds = "stopped" if outcome.stops else "held" if outcome.hold_seconds is not None else ""
    if holds and holds != waits_for:
        return None
    return _explain_outcome(submission, outcome, at if waits_for in (holds, "attempt") else "")


def message_record(submission: Submission) -> OrganizationRecord:
    """The record that a submission's message carries."""
    return messages.record_from_message(bytes(submission.message))


def message_name(submission: Submission) -> str:
    """The name that a submission's message carries; "" where the message cannot be read."""
    try:
        return message_record(submission).name
    except reading.AnswerNotUnderstood:
        return ""


def possible_duplicates(submission: Submission, record: OrganizationRecord) -> list[Organization]:
    """Our other records with the same name or address, when that is what Redox complains of."""
    if submission.known_answer != "duplicate_business":
        return []
    name, street, zip_code = fold(record.name), fold(record.address.street), record.address.zip_code[:5]
    candidates = Q(search_text__startswith=name)
    if street:
        candidates |= Q(zip_code__startswith=zip_code) if zip_code else Q(zip_code="")
    others = Organization.objects.in_environment(submission.environment).exclude(pk=submission.organization_id)
    found = others.filter(candidates).order_by("name", "id").only("environment", "oid", "name", "street", "zip_code")
    same = (
        other
        for other in found.iterator()
        if fold(other.name) == name or (street and fold(other.street) == street and other.zip_code.startswith(zip_code))
    )
    return list(islice(same, MOST_DUPLICATES))


def suspects(submission: Submission) -> tuple[SuspectCharacter, ...]:
    """Characters that may be the cause, where Redox complains that it could not read the message. Not known to be."""
    return errors.suspect_characters(message_record(submission)) if submission.known_answer == "xml_error" else ()


def can_be_proved_by_query(submission: Submission) -> bool:
    """Whether a Query alone can prove what became of a submission; otherwise the same message is sent again."""
    return can_be_proved(submission.event, message_record(submission), record_before(submission))


def record_before(submission: Submission) -> OrganizationRecord | None:
    """What the directory held before a message, as far as anybody knew; None before a New: nothing, else: unknown.

    It is the newest knowledge at the review. Exception: a later reading, from before the message could arrive, that
    already shows what is sent: the directory lagged behind, or somebody else had done the same. A New may follow an
    answer of Redox that the OID "is not valid"; until a Query shows that it is not there, what was accepted before
    counts as still there.
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
    """The last answer since the acceptance from before the first attempt that may have arrived; empty: none."""
    organization = submission.organization
    outcomes = AuditEntry.objects.filter(submission_id=submission.pk, action=Action.ATTEMPT_OUTCOME)
    unknown = outcomes.filter(outcome=Kind.UNKNOWN).order_by("attempt").values_list("attempt", flat=True).first()
    first = AuditEntry.objects.attempt_entry(submission.pk, unknown or 1, Action.ATTEMPT_INTENT)
    readings = AuditEntry.objects.filter(
        organization_id=organization.pk,
        oid=submission.oid,
        action__in=(Action.ORGANIZATION_ASKED, Action.SUBMISSION_ASKED),
    )
    if first is not None:
        readings = readings.filter(sequence__lt=first.sequence)
    since = organization.known_at
    told = (entry.facts.get("details", {}) for entry in readings.defer("raw").order_by("-sequence").iterator())
    # Of the Queries for one answer only the last one decides.
    decides = (details for details in told if details.get("asked") and "active" not in details)
    last: dict[str, Any] = next(decides, {})
    is_later = since is None or datetime.datetime.fromisoformat(last.get("asked_at", since.isoformat())) >= since
    return last if is_later else {}


def has_undocumented_success(submission: Submission) -> bool:
    """Whether Redox answered with a success in words that it does not document: a Query can confirm it."""
    return submission.answer_warning == OTHER_SUCCESS


def others_with_same_answer(submission: Submission) -> list[Submission]:
    """The last submissions of other records that Redox rejected with the same documented text; the counterpart's first.

    Of the newest rejected ones of the same environment, and of the counterpart. At most MOST_ELSEWHERE.
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


def _explain_outcome(submission: Submission, outcome: Outcome, at: str) -> Explanation:
    record = message_record(submission)
    message = bytes(submission.message)
    context = ExplanationContext(
        environment=gateway.environment(submission.environment),
        record=record,
        routing_id=_routing_id(submission),
        deactivates=submission.intent == Intent.DEACTIVATE,
        doubles=tuple(double.name for double in possible_duplicates(submission, record)),
        message_bytes=len(message),
        at=at,
        deadline=gateway.exchange_limits().deadline,
    )
    return errors.explain(outcome, context)


def _routing_id(submission: Submission) -> str:
    """The routing ID that the message itself names; the settings may have changed since."""
    return str(reading.read_json(bytes(submission.message))["Meta"]["Destinations"][0]["ID"])


def _last_outcome(submission: Submission) -> Outcome:
    """What the last answer was judged to mean.

    Entries of early releases hold no outcome: there the stored answer is judged again; without an answer, what the
    submission itself keeps of it.
    """
    judged = AuditEntry.objects.attempt_entry(submission.pk, submission.attempt, Action.ATTEMPT_OUTCOME)
    if (outcome := outcomes.stored_outcome(judged)) is not None:
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
