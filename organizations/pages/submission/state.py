"""The parts of a submission's page: its state and the reason, what it changed, and who changed it."""

import datetime
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Event,
    Evidence,
    Intent,
    State,
    Submission,
    clock,
)
from organizations.pages import parent_names
from organizations.pages.comparison.field_lines import is_code
from organizations.pages.comparison.sent_and_seen import ComparedField, compare_sent_with_seen
from organizations.pages.queue_reasons import after_next_query, environment_reason, own_reasons, queued_reason
from organizations.pages.review.message import settled_warning
from organizations.pages.submission.rejection import step_url
from organizations.queries import parents, submission_story
from organizations.records import Difference, OrganizationRecord, canonical, difference, fields_as_text
from organizations.services.delivery import decide
from organizations.services.outbox import answers, submissions
from organizations.services.records.authors import edit_of
from organizations.services.review.warnings import ReviewWarning
from organizations.text import vocabulary
from organizations.text.evidence import state_word
from organizations.text.markup import moment, plain, written
from organizations.text.queue_reason import WaitReason

CAN_BE_QUERIED = (State.UNKNOWN, State.NEEDS_PERSON)
"""States in which the directory can be asked what it shows: there is something to find out."""

SOON = datetime.timedelta(seconds=30)

_REQUEST = re.compile(r" Tick to send (it|them) now\.\Z")
_TITLES = {
    State.ACCEPTED: "What it changed",
    State.REJECTED: "What it would have changed",
    State.CANCELLED: "What it would have changed",
}
_TITLES_OF_NEW = {
    State.ACCEPTED: "What it registered",
    State.REJECTED: "What it would have registered",
    State.CANCELLED: "What it would have registered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBlock:
    """The state, its sentence and the one next step.

    An open page compares `stage` and `version_token` to learn what is new. `stage` changes with the state and the
    attempt; `version_token` also with everything else that the block says. Elapsed time is in neither:
    the page counts it.

    `queries`: how many times the portal asked about an unknown submission, without the Query that is under way.
    """

    key: str
    word: vocabulary.Word
    sentence: SafeString
    reason: WaitReason | None
    explanation: answers.Explanation | None
    explanation_has_reason: bool
    step_url: str
    poll_seconds: int
    stage: str
    version_token: str
    elapsed: int
    wait_is_over: bool
    queries: int
    then: str


class SubmissionRow(NamedTuple):
    """One submission in a list, with the word of its state and its own reason to wait, if it has one."""

    submission: Submission
    word: vocabulary.Word
    waits: SafeString


class SubmittedChange(NamedTuple):
    """One field that a submission changes, with who saved it and when."""

    field: str
    label: str
    before: str
    after: str
    by: str
    suspected: str = ""

    @property
    def is_code(self) -> bool:
        return is_code(self.field)


class QueryResult(NamedTuple):
    """What the directory answered to a Query about a submission.

    `cause` says why the answer does not count. With an `http_status` an answer came that was not understood.
    """

    sequence: int
    time: datetime.datetime
    actor: str
    cause: str
    http_status: int | None
    found: bool
    after_acceptance: bool
    rows: tuple[ComparedField, ...]

    @property
    def different(self) -> int:
        return sum(1 for row in self.rows if row.equal is False)

    @property
    def spelled(self) -> int:
        """How many fields the directory spells differently, with the same meaning."""
        return sum(row.means_same for row in self.rows)

    @property
    def has_before(self) -> bool:
        """Whether anything was known before. Nothing is before a New."""
        return any(row.before for row in self.rows)

    @property
    def differing(self) -> tuple[ComparedField, ...]:
        return tuple(row for row in self.rows if row.equal is False)

    @property
    def others(self) -> tuple[ComparedField, ...]:
        return tuple(row for row in self.rows if row.equal is not False)

    @property
    def read(self) -> int:
        return sum(1 for row in self.rows if row.equal is not None)


def _held_by(submission: Submission, state: State, gate: EnvironmentGate, now: datetime.datetime) -> WaitReason | None:
    """Why a queued submission waits, or why the directory is not asked about an unknown one."""
    if state == State.QUEUED:
        return queued_reason(submission, gate, now)
    return environment_reason(gate, now) if state == State.UNKNOWN else None


def name_in_message(submission: Submission) -> str:
    """The name in the message; with the name of the record now if that is another."""
    in_message, current = answers.message_name(submission), submission.organization.name
    return f"{in_message} (now {current})" if in_message not in ("", current) else current


def submission_rows(submissions: Sequence[Submission]) -> list[SubmissionRow]:
    """The rows of a list of submissions."""
    reasons = own_reasons(submissions, clock.now())
    return [
        SubmissionRow(each, state_word(each), reasons[each.pk].sentence if each.pk in reasons else SafeString())
        for each in submissions
    ]


def state_block(submission: Submission, gate: EnvironmentGate) -> StateBlock:
    """The block at the top of the page."""
    state, now = State(submission.state), clock.now()
    reason = _held_by(submission, state, gate, now)
    explanation = (
        _why_again(submission, reason) if reason and state == State.QUEUED else _explanation(submission, state)
    )
    poll_seconds = _poll_seconds(submission, state, reason, now)
    wait_is_over = submission.not_before is not None and submission.not_before <= now
    queries = submission.asks - (submission.lease_until is not None)
    stage = f"{state.value}-{submission.attempt}"
    return StateBlock(
        key=state.value,
        word=vocabulary.SUBMISSION_STATE[state],
        sentence=_sentence(submission, state),
        reason=reason,
        explanation=explanation,
        explanation_has_reason=bool(explanation and reason and reason.until and reason.until in explanation.cause),
        step_url=step_url(submission.organization, submission, explanation),
        poll_seconds=poll_seconds,
        stage=stage,
        version_token=f"{stage}-{_digest(poll_seconds, wait_is_over, queries, reason)}",
        elapsed=max(int((now - submission.sent_at).total_seconds()), 0) if submission.sent_at else 0,
        wait_is_over=wait_is_over,
        queries=queries,
        then=after_next_query(submission) if state == State.UNKNOWN else "",
    )


def submitted_changes(submission: Submission) -> list[SubmittedChange]:
    """What the message changes, field by field, with who saved each change."""
    differences = parent_names.with_parent_names(submission.environment, submissions.sent_changes(submission))
    edits, accepted = list(submission_story.included_edits(submission)), _accepted_before_it(submission)
    unedited = _unedited(submission, accepted)
    return [
        SubmittedChange(
            one.field,
            one.label,
            plain(one.before),
            plain(one.after),
            _saved_by(one, [] if one.field in unedited else edits, submission, accepted),
        )
        for one in differences
    ]


def _accepted_before_it(submission: Submission) -> OrganizationRecord | None:
    last = None if submission.event == Event.NEW else submission_story.last_accepted_before(submission)
    return answers.message_record(last) if last else None


def _unedited(submission: Submission, accepted: OrganizationRecord | None) -> set[str]:
    """The fields, without contacts, whose accepted values an Update sends over values that others had set.

    Empty if somebody took values from the directory: then it is not known which fields these are.
    """
    if accepted is None or submission_story.was_taken_before(submission):
        return set()
    sent = answers.message_record(submission)
    edited = {each.field for each in difference(accepted, sent)}
    return {each.field for each in fields_as_text(sent) if not each.field.startswith("contacts")} - edited


def changes_title(submission: Submission) -> str:
    if submission.event == Event.NEW:
        return _TITLES_OF_NEW.get(State(submission.state), "What it would register")
    return _TITLES.get(State(submission.state), "What it would change")


def changes_note(submission: Submission) -> str:
    """The note on the changes while it is not known whether the message arrived; else ""."""
    is_open = submission.state in (State.UNKNOWN, State.NEEDS_PERSON)
    return "not known whether it arrived" if is_open and decide.may_have_arrived(submission) else ""


def accepted_warnings(submission: Submission) -> list[str]:
    """The warnings that were accepted, without their request to tick.

    A warning accepted for an earlier submission says who accepted it, when and why.
    """
    warnings = [ReviewWarning(**stored) for stored in submission.warnings]
    return [settled_warning(each) if each.is_accepted else _REQUEST.sub("", each.text) for each in warnings]


def before_heading(submission: Submission) -> str:
    """The heading of the values before: accepted, shown by the directory, or some of each."""
    last = submission_story.last_accepted_before(submission)
    if last is None:
        return "The directory showed"
    return "Accepted before" if canonical(answers.message_record(last)) == submission.before else "Known before"


def query_result(entry: AuditEntry | None, submission: Submission) -> QueryResult | None:
    """The answer to a Query about a submission, compared with what was sent and what was known before."""
    if entry is None:
        return None
    facts = entry.facts
    details = facts.get("details", {})
    seen = details.get("seen")
    rows: tuple[ComparedField, ...] = ()
    if seen:
        sent = answers.message_record(submission)
        rows = _with_parents(
            compare_sent_with_seen(sent, OrganizationRecord.from_json(seen), submission.before_record()),
            submission.environment,
        )
    return QueryResult(
        entry.sequence,
        entry.at,
        entry.actor_name,
        cause_of(facts.get("detail", "")),
        entry.http_status,
        bool(seen),
        bool(details.get("reads_back")),
        rows,
    )


def cause_of(detail: str) -> str:
    """Why an answer does not count; without its body, which is in the history."""
    start = detail.lstrip()[:1]
    if start == "<":
        return "a web page came instead"
    return "it was not understood" if start in ("{", "[") else plain(detail).rstrip(".")


def _with_parents(rows: tuple[ComparedField, ...], environment: str) -> tuple[ComparedField, ...]:
    """The rows with the names of parents before their OIDs."""
    oids = {oid for row in rows if row.label == "PartOf" for oid in (row.sent, row.seen, row.before)}
    known = parents.names(environment, oids)

    def text(oid: str) -> str:
        return parent_names.name_and_oid(oid, known)

    return tuple(
        row._replace(sent=text(row.sent), seen=text(row.seen), before=text(row.before))
        if row.label == "PartOf"
        else row
        for row in rows
    )


def _sentence(submission: Submission, state: State) -> SafeString:
    time = submission.sent_at if state in (State.SENDING, State.UNKNOWN) else submission.ended_at
    if state == State.QUEUED and submission.attempt:
        return format_html("{}", vocabulary.QUEUED_AGAIN)
    if state == State.UNKNOWN and submission.is_restored:
        return format_html("{}", vocabulary.UNKNOWN_AFTER_RESTORE)
    if state == State.ACCEPTED and submission.evidence == Evidence.ANSWER:
        return format_html("Redox accepted this on {}.", moment(time, "seconds"))
    if state == State.CANCELLED and not submission.cancelled_by:
        return format_html(vocabulary.CANCELLED_BY_PORTAL, moment=moment(time, "seconds"))
    person = submission.cancelled_by or submission.submitter.display_name
    return format_html(
        vocabulary.SUBMISSION_STATE[state].sentence, moment=moment(time, "seconds"), person=plain(person)
    )


def _explanation(submission: Submission, state: State) -> answers.Explanation | None:
    by_answer = submission.evidence == Evidence.ANSWER
    of_redox = {State.ACCEPTED: by_answer and submission.answer_warning, State.NEEDS_PERSON: submission.known_answer}
    if state in (State.REJECTED, State.UNKNOWN) or of_redox.get(state):
        at = written(submission.sent_at, "clock") if submission.sent_at else ""
        return answers.explain_answer(submission, at=at)
    return None


def _why_again(submission: Submission, reason: WaitReason) -> answers.Explanation | None:
    """The result of the last attempt of a queued submission that waits because of this result."""
    if not submission.attempt:
        return None
    return answers.retry_explanation(submission, waits_for=reason.key, at=reason.until)


def _poll_seconds(submission: Submission, state: State, reason: WaitReason | None, now: datetime.datetime) -> int:
    """After how many seconds the page asks for the state again; 0 if it has ended.

    A worker takes a submission that nothing holds within a second.
    """
    if state == State.SENDING:
        return 2
    if state == State.QUEUED:
        soon = reason is not None and reason.key == "worker" and now - submission.state_at < SOON
        return 2 if soon else 10
    return 10 if state == State.UNKNOWN else 0


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _saved_by(
    change: Difference, edits: list[AuditEntry], submission: Submission, accepted: OrganizationRecord | None
) -> str:
    if change.field == "active" and submission.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        name = submission.submitter.display_name
        return _by(name, submission.created_at)
    edit = edit_of(change, edits, accepted)
    return _by(edit.actor_name, edit.at) if edit else "not changed here"


def _by(name: str, at: datetime.datetime) -> str:
    return f"{plain(name)}, {written(at)}"


def approval_note(entries: list[AuditEntry]) -> str:
    """Whether somebody had to approve, in the words stored when it was submitted."""
    entry = next((entry for entry in entries if entry.action == Action.SUBMISSION_MADE), None)
    return str(entry.facts.get("details", {}).get("approval", "")) if entry else ""
