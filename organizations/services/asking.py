"""Asking the directory: one Query by OID. It reads; it never writes to the directory."""

import datetime
from dataclasses import dataclass
from typing import Any

from organizations.models import Action, Organization, Submission, clock
from organizations.records import OrganizationRecord
from organizations.redox import messages
from organizations.redox.client import Exchange, NotDecodable, decoded
from organizations.redox.messages import AnswerNotUnderstood
from organizations.redox.outcome import Kind, Outcome, classify

from . import audit, environments, exchanges, gateway, known, organizations
from .actors import Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """What the directory said about one OID when it was asked.

    `asked_at` is the database's time before the Query left. `cause` is filled when it could not be asked; then nothing
    is known.
    """

    asked_at: datetime.datetime
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


def ask_about_record(organization: Organization, *, actor: Actor) -> Answer:
    """Ask what the directory shows now of a record, and keep the answer in the history."""
    answer = query(organization.environment, organization.oid)
    with audit.recorded(actor) as history:
        organization = organizations.locked(organization.pk)
        if answer.was_asked:
            known.keep_reading(organization, answer.record, answer.asked_at)
        exchange = exchanges.body(answer.exchange)
        facts: dict[str, Any] = _facts(answer) | {"cause": answer.cause}
        history.organization(Action.ORGANIZATION_ASKED, organization, exchange=exchange, **facts)
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
        known.keep_reading(organization, answer.record, answer.asked_at)
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
    redox, asked_at = gateway.environment(environment), clock.now()
    try:
        token, exchange = gateway.ask(redox, messages.query(oid, redox))
    except gateway.DoorClosed as closed:
        return Answer(asked_at, cause=str(closed))
    if exchange is None:
        return Answer(asked_at, cause=environments.token_cause(token), outcome=token.outcome)
    outcome = classify(exchange, event="Query", oid=oid, expects="query")
    if outcome.kind != Kind.ACCEPTED:
        return Answer(asked_at, cause=outcome.detail or f"HTTP {exchange.status}", exchange=exchange, outcome=outcome)
    try:
        found = messages.read_query_answer(decoded(exchange))
    except (AnswerNotUnderstood, NotDecodable):
        return Answer(asked_at, cause="The answer was not understood.", exchange=exchange, outcome=outcome)
    record = next((record for record in found if record.oid == oid), None)
    return Answer(asked_at, record=record, exchange=exchange, outcome=outcome)


def _facts(answer: Answer) -> dict[str, object]:
    if not answer.was_asked:
        return {"asked": False}
    return {
        "asked": True,
        "asked_at": answer.asked_at.isoformat(),
        "found": answer.record is not None,
        "seen": answer.record.to_json() if answer.record else None,
    }
