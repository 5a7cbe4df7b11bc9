"""Asking the directory about an OID of ours, and keeping its answer. It never writes to the directory."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from organizations.models import Action, Organization, Submission
from organizations.redox.client import Exchange
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker, gateway, lookup
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.errors import RecordWithdrawn
from organizations.services.records import known, organizations


def query_submission(submission: Submission, *, actor: Actor) -> DirectoryAnswer:
    """Ask what the directory shows now for a submission's OID, and keep the answer in the history.

    The submission's state stays as it is: what one answer means is decided elsewhere.
    """
    answer = query_oid(submission.environment, submission.oid)
    with audit.recorded(actor) as history:
        breaker.pause_if_asked(history, submission.environment, answer.outcome)
        organization = organizations.locked(submission.organization_id)
        store_submission_answer(history, submission, organization, answer)
    return answer


def query_record(organization: Organization, *, actor: Actor) -> DirectoryAnswer:
    """Ask what the directory shows now of a record, and keep every answer in the history."""
    answer = query_oid(organization.environment, organization.oid)
    with audit.recorded(actor) as history:
        breaker.pause_if_asked(history, organization.environment, answer.outcome)
        store_record_answer(history, organization, answer)
    return answer


def store_record_answer(history: audit.History, organization: Organization, answer: DirectoryAnswer) -> None:
    """Keep what the directory showed of a record, and every answer to a Query in the history.

    If the record got another OID or was withdrawn meanwhile, the answer is noted for the record as it was.
    """
    now = _lock_if_same_oid(organization)
    if now is not None and answer.was_asked:
        known.keep_reading(now, answer.record, answer.asked_at)
    for facts, exchange, cause in _exchange_facts(answer):
        body = exchanges.exchange_body(exchange)
        history.log_record(Action.ORGANIZATION_ASKED, now or organization, exchange=body, cause=cause, **facts)


def _lock_if_same_oid(organization: Organization) -> Organization | None:
    """The row now, locked; None if it has another OID by now, or was withdrawn."""
    with suppress(RecordWithdrawn):
        now = organizations.locked(organization.pk)
        return now if now.oid == organization.oid else None
    return None


def store_submission_answer(
    history: audit.History,
    submission: Submission,
    organization: Organization,
    answer: DirectoryAnswer,
    *,
    reads_back: bool = False,
) -> None:
    """Keep what the directory showed of a locked record, and every answer to a Query in the history.

    The entry of the answer that decides comes last.
    """
    if answer.was_asked and organization.oid == submission.oid:
        known.keep_reading(organization, answer.record, answer.asked_at)
    for facts, exchange, cause in _exchange_facts(answer):
        decides = exchange is answer.exchange
        history.log_submission(
            Action.SUBMISSION_ASKED,
            submission,
            token=submission.token,
            detail=cause,
            details=facts | ({"reads_back": True} if decides and reads_back else {}),
            **exchanges.exchange_body(exchange),
        )


def query_oid(environment: str, oid: str) -> DirectoryAnswer:
    """What the directory shows of one OID, with no effect here or there. Never inside a transaction."""
    return lookup.look_up_oid(gateway.environment(environment), oid)


def _exchange_facts(answer: DirectoryAnswer) -> Iterator[tuple[dict[str, Any], Exchange | None, str]]:
    """The facts of each exchange, in their order, the one that decides last; and why its answer is none, if so."""
    asked_at = {"asked_at": answer.asked_at.isoformat()}
    for earlier in answer.earlier:
        empty = {"asked": True, "found": False, "seen": None, "active": str(earlier.active).lower()}
        yield ({"asked": False} if earlier.cause else empty) | asked_at, earlier.exchange, earlier.cause
    if not answer.was_asked:
        yield {"asked": False} | asked_at, answer.exchange, answer.cause
        return
    seen = answer.record.to_json() if answer.record else None
    yield {"asked": True, "found": seen is not None, "seen": seen} | asked_at, answer.exchange, ""
