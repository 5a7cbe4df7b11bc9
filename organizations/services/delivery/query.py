"""Queries one OID now, in the caller's thread, and stores the answer. `lane_queries.py` sends those of a worker."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from organizations.models import Action, Organization, Submission
from organizations.redox.client import Exchange
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker, lookup, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.errors import RecordWithdrawn
from organizations.services.records import directory_state, organizations


def query_for_submission(submission: Submission, *, actor: Actor) -> DirectoryAnswer:
    """Query the OID of a submission's record and log the answer under the submission, whose state does not change."""
    answer = query_oid(submission.environment, submission.oid)
    with audit.atomic(actor) as history:
        breaker.pause_if_asked(history, submission.environment, answer.outcome)
        organization = organizations.lock_record(submission.organization_id)
        store_submission_answer(history, submission, organization, answer)
    return answer


def query_record(organization: Organization, *, actor: Actor) -> DirectoryAnswer:
    """Query the OID of a record and store the answer."""
    answer = query_oid(organization.environment, organization.oid)
    with audit.atomic(actor) as history:
        breaker.pause_if_asked(history, organization.environment, answer.outcome)
        store_record_answer(history, organization, answer)
    return answer


def store_record_answer(
    history: audit.History, organization: Organization, answer: DirectoryAnswer, **details: Any
) -> None:
    """Store what the directory showed of a record, and log every exchange, with `details`.

    If the record was withdrawn since the Query or has another OID now, the answer is only logged.
    """
    locked = _lock_if_same_oid(organization)
    if locked is not None and answer.is_answered:
        directory_state.store_reading(locked, answer.record, answer.asked_at)
    for facts, exchange, cause in exchange_entries(answer):
        body = exchanges.exchange_body(exchange)
        history.log_record(
            Action.ORGANIZATION_ASKED, locked or organization, exchange=body, cause=cause, **facts, **details
        )


def _lock_if_same_oid(organization: Organization) -> Organization | None:
    """The locked row, or None if it was withdrawn or has another OID now."""
    with suppress(RecordWithdrawn):
        locked = organizations.lock_record(organization.pk)
        return locked if locked.oid == organization.oid else None
    return None


def store_submission_answer(
    history: audit.History,
    submission: Submission,
    organization: Organization,
    answer: DirectoryAnswer,
    *,
    after_acceptance: bool = False,
) -> None:
    """Store what the directory showed for a locked record, and log every exchange. The deciding answer is last.

    `after_acceptance`: the record was accepted, and is read again because an attempt was lost.
    """
    if answer.is_answered and organization.oid == submission.oid:
        directory_state.store_reading(organization, answer.record, answer.asked_at)
    for facts, exchange, cause in exchange_entries(answer):
        decides = exchange is answer.exchange
        history.log_submission(
            Action.SUBMISSION_ASKED,
            submission,
            token=submission.token,
            detail=cause,
            details=facts | ({"reads_back": True} if decides and after_acceptance else {}),
            **exchanges.exchange_body(exchange),
        )


def query_oid(environment: str, oid: str) -> DirectoryAnswer:
    """Query one OID without storing the answer. Must not be called inside a transaction."""
    return lookup.look_up_oid(redox_settings.environment(environment), oid)


def exchange_entries(answer: DirectoryAnswer) -> Iterator[tuple[dict[str, Any], Exchange | None, str]]:
    """The facts of each exchange, the exchange, and why it has no answer ("" if it has). The deciding one is last.

    The stored fact "asked" is false if a Query got no answer.
    """
    asked_at = {"asked_at": answer.asked_at.isoformat()}
    for earlier in answer.earlier:
        empty = {"asked": True, "found": False, "seen": None, "active": str(earlier.active).lower()}
        yield ({"asked": False} if earlier.cause else empty) | asked_at, earlier.exchange, earlier.cause
    if not answer.is_answered:
        yield {"asked": False} | asked_at, answer.exchange, answer.cause
        return
    seen = answer.record.to_json() if answer.record else None
    yield {"asked": True, "found": seen is not None, "seen": seen} | asked_at, answer.exchange, ""
