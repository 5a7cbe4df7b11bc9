"""Asking the directory: one Query by OID. It reads; it never writes to the directory."""

from dataclasses import dataclass

from organizations.models import Action, Organization, Submission, clock
from organizations.records import OrganizationRecord, canonical, readable_fingerprint
from organizations.redox import messages
from organizations.redox.client import Exchange, NotDecodable, decoded
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.redox.reading import AnswerNotUnderstood

from . import audit, environments, exchanges, gateway, organizations
from .actors import Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """What the directory said about one OID. `cause` is filled when it could not be asked; then nothing is known."""

    cause: str = ""
    record: OrganizationRecord | None = None
    exchange: Exchange | None = None
    outcome: Outcome | None = None

    @property
    def was_asked(self) -> bool:
        return not self.cause


def ask_about(submission: Submission, *, actor: Actor) -> Answer:
    """Ask what the directory shows now for a submission's OID, and keep the answer in the history.

    The submission's state stays as it is: what one answer means is decided elsewhere.
    """
    answer = query(submission.environment, submission.oid)
    with audit.recorded(actor) as history:
        organization = organizations.locked(submission.organization_id)
        note(history, submission, organization, answer)
    return answer


def note(
    history: audit.History,
    submission: Submission,
    organization: Organization,
    answer: Answer,
    *,
    reads_back: bool = False,
) -> None:
    """Keep what the directory showed of a locked record, and the whole answer in the history."""
    if answer.was_asked:
        _keep_seen(organization, answer.record)
    history.submission(
        Action.SUBMISSION_ASKED,
        submission,
        token=submission.token,
        detail=answer.cause,
        details=_facts(answer) | ({"reads_back": True} if reads_back else {}),
        **exchanges.body(answer.exchange),
    )


def query(environment: str, oid: str) -> Answer:
    """One Query by OID, with no effect here or there. Never inside a transaction."""
    redox = gateway.environment(environment)
    try:
        token, exchange = gateway.ask(redox, messages.query(oid, redox))
    except gateway.DoorClosed as closed:
        return Answer(cause=str(closed))
    if exchange is None:
        return Answer(cause=environments.token_cause(token), outcome=token.outcome)
    outcome = classify(exchange, event="Query", oid=oid, expects="query")
    if outcome.kind != Kind.ACCEPTED:
        return Answer(cause=outcome.detail or f"HTTP {exchange.status}", exchange=exchange, outcome=outcome)
    try:
        found = messages.read_query_answer(decoded(exchange))
    except (AnswerNotUnderstood, NotDecodable):
        return Answer(cause="The answer was not understood.", exchange=exchange, outcome=outcome)
    record = next((record for record in found if record.oid == oid), None)
    return Answer(record=record, exchange=exchange, outcome=outcome)


def _keep_seen(organization: Organization, record: OrganizationRecord | None) -> None:
    organization.seen = canonical(record) if record else ""
    organization.seen_hash = readable_fingerprint(record) if record else ""
    organization.seen_at = clock.now()
    organization.save(update_fields=["seen", "seen_hash", "seen_at"])


def _facts(answer: Answer) -> dict[str, object]:
    if not answer.was_asked:
        return {"asked": False}
    return {
        "asked": True,
        "found": answer.record is not None,
        "seen": answer.record.to_json() if answer.record else None,
    }
