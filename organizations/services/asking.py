"""Asking the directory about a submission's OID, and keeping its answer. It never writes to the directory."""

from typing import Any

from organizations.models import Action, Organization, Submission
from organizations.records import canonical, readable_fingerprint

from . import audit, directory, environments, exchanges, gateway, organizations
from .actors import Actor
from .directory import Answer

__all__ = ["Answer", "ask_about", "note", "query"]


def ask_about(submission: Submission, *, actor: Actor) -> Answer:
    """Ask what the directory shows now for a submission's OID, and keep the answer in the history.

    The submission's state stays as it is: what one answer means is decided elsewhere.
    """
    answer = query(submission.environment, submission.oid)
    with audit.recorded(actor) as history:
        environments.wait_if_asked(history, submission.environment, answer.outcome)
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
    """Keep what the directory showed of a locked record, and every answer to a Query in the history.

    The entry of the answer that decides comes last.
    """
    if answer.was_asked:
        _keep_seen(organization, answer)
    asked_at = {"asked_at": answer.asked_at.isoformat()}
    for active, exchange in zip(directory.ABSENT_NEEDS, answer.earlier, strict=False):
        empty: dict[str, Any] = {"asked": True, "found": False, "seen": None, "active": str(active).lower()}
        _add(history, submission, details=empty | asked_at, **exchanges.body(exchange))
    _add(
        history,
        submission,
        detail=answer.cause,
        details=_facts(answer) | asked_at | ({"reads_back": True} if reads_back else {}),
        **exchanges.body(answer.exchange),
    )


def query(environment: str, oid: str) -> Answer:
    """What the directory shows of one OID, with no effect here or there. Never inside a transaction."""
    return directory.look_up(gateway.environment(environment), oid)


def _add(history: audit.History, submission: Submission, **body: Any) -> None:
    history.submission(Action.SUBMISSION_ASKED, submission, token=submission.token, **body)


def _keep_seen(organization: Organization, answer: Answer) -> None:
    """Keep a reading with the time before it was asked for: what was accepted in between is newer.

    A reading that was asked for later, and answered sooner, stays.
    """
    if organization.seen_at is not None and answer.asked_at < organization.seen_at:
        return
    organization.seen = canonical(answer.record) if answer.record else ""
    organization.seen_hash = readable_fingerprint(answer.record) if answer.record else ""
    organization.seen_at = answer.asked_at
    organization.save(update_fields=["seen", "seen_hash", "seen_at"])


def _facts(answer: Answer) -> dict[str, object]:
    if not answer.was_asked:
        return {"asked": False}
    return {
        "asked": True,
        "found": answer.record is not None,
        "seen": answer.record.to_json() if answer.record else None,
    }
