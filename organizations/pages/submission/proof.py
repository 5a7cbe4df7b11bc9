"""The panel "How we know": the steps that led to an end which Redox's own answer did not decide."""

import datetime
from collections.abc import Iterator
from http import HTTPStatus
from itertools import groupby
from typing import Any, NamedTuple

from organizations.models import Action, AuditEntry, Evidence, State, Submission
from organizations.pages.submission.state import cause_of
from organizations.services.delivery import decide
from organizations.text import vocabulary
from organizations.text.decisions import decided
from organizations.text.markup import plain, written
from organizations.text.sentence_templates import query_result_sentence


class ProofStep(NamedTuple):
    """One thing that happened. `until`: it lasted up to that time. `word` is the state it led to, if any."""

    time: datetime.datetime
    text: str
    word: vocabulary.Word | None = None
    until: bool = False


def proof_steps(submission: Submission, entries: list[AuditEntry]) -> list[ProofStep]:
    """What happened to a submission, oldest first. Empty if it is open, or if the answer to one attempt decided it."""
    by_answer = submission.state == State.ACCEPTED and submission.evidence == Evidence.ANSWER
    by_redox = submission.state == State.REJECTED and not submission.decided_by
    took_one = submission.attempt == 1 and (by_answer or by_redox)
    if took_one or submission.state not in (State.ACCEPTED, State.REJECTED):
        return []
    return list(_steps(entries))


def _steps(entries: list[AuditEntry]) -> Iterator[ProofStep]:
    waits_since: datetime.datetime | None = None
    for kind, group in groupby(entries, key=_kind):
        together = list(group)
        first = together[0]
        if waits_since and kind in ("asked", "failed") and first.actor_id is None:
            yield ProofStep(
                _asked_at(first), "The portal waited, because the message might still take effect.", until=True
            )
            waits_since = None
        if kind == "failed":
            yield _failed(together)
            continue
        for entry in together:
            yield from _step(entry, entry.facts)
            if entry.action == Action.ATTEMPT_OUTCOME:
                waits_since = entry.at if entry.outcome == "unknown" else None


def _kind(entry: AuditEntry) -> str:
    if entry.action == Action.SUBMISSION_ASKED:
        return "asked" if entry.facts.get("details", {}).get("asked") else "failed"
    return str(entry.action)


def _step(entry: AuditEntry, facts: dict[str, Any]) -> Iterator[ProofStep]:
    match entry.action:
        case Action.ATTEMPT_INTENT:
            yield ProofStep(entry.at, f"The portal began to send the message, attempt {entry.attempt}.")
        case Action.ATTEMPT_OUTCOME:
            yield ProofStep(entry.at, _outcome(entry, facts), vocabulary.ATTEMPT.get(entry.outcome))
        case Action.ATTEMPT_LATE:
            yield ProofStep(entry.at, "An answer came too late. It was kept and decided nothing.")
        case Action.SUBMISSION_ASKED:
            yield ProofStep(_asked_at(entry), _asked(entry, facts))
        case Action.SUBMISSION_SETTLED:
            details = facts.get("details", {})
            yield ProofStep(
                entry.at, _settled(entry, facts, details), vocabulary.SUBMISSION_STATE.get(details.get("state", ""))
            )


def _outcome(entry: AuditEntry, facts: dict[str, Any]) -> str:
    detail = plain(facts.get("detail", "")).rstrip(".")
    if entry.outcome == "unknown":
        if not entry.http_status:
            return f"No answer came: {detail}." if detail else "No answer came."
        if facts.get("warning"):
            return f"Redox answered {entry.http_status} with a success in words that it does not document."
        # It may come from a gateway between the portal and Redox.
        web_page = ", a web page" if detail.lstrip().startswith("<") else ""
        return f"The answer, HTTP {entry.http_status}{web_page}, neither accepts nor rejects the message."
    if entry.outcome == "not_sent":
        return f"Redox was not reached: {detail}. Nothing was sent."
    if entry.http_status == HTTPStatus.UNAUTHORIZED:
        # The detail may come from the renewal of the token, or from the portal itself.
        return f"Redox answered 401, so it did not accept the access token: {detail}."
    answered = f"Redox answered {entry.http_status}" if entry.http_status else "Redox answered"
    return f"{answered}: “{detail}”" if detail else f"{answered}."


def _asked(entry: AuditEntry, facts: dict[str, Any]) -> str:
    details = facts.get("details", {})
    who = "The portal" if entry.actor_id is None else plain(entry.actor_name)
    again = " once more, after the acceptance" if details.get("reads_back") else ""
    return f"{who} asked the directory{again}. {query_result_sentence(details)}"


def _failed(together: list[AuditEntry]) -> ProofStep:
    last = together[-1]
    cause = cause_of(last.facts.get("detail", ""))
    times = "once" if len(together) == 1 else f"{len(together)} times, the last at {written(last.at, 'clock')},"
    text = f"The portal tried {times} to ask the directory, without a usable answer: {cause}."
    return ProofStep(_asked_at(together[0]), text)


def _settled(entry: AuditEntry, facts: dict[str, Any], details: dict[str, Any]) -> str:
    reason = plain(facts.get("reason", ""))
    if entry.actor_id is None:
        return reason
    return f"{decided(plain(entry.actor_name), decide.entry_verdict(entry))}: “{reason}”"


def _asked_at(entry: AuditEntry) -> datetime.datetime:
    at = entry.facts.get("details", {}).get("asked_at")
    return datetime.datetime.fromisoformat(at) if at else entry.at
