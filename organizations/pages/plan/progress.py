"""A plan that is being sent: its progress, what holds it, and each of its submissions."""

import datetime
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from organizations.models import Plan, PlanKind, PlanState, State, Submission, clock
from organizations.models.submission import OPEN_STATES
from organizations.pages.addresses import environment_url, submission_url
from organizations.pages.queue_reasons import environment_reason, own_reasons
from organizations.queries import plan_rows
from organizations.queries.environments import gate_of
from organizations.text import evidence, vocabulary
from organizations.text.markup import plain, written
from organizations.text.queue_reason import WaitReason

LIVELY = datetime.timedelta(seconds=30)
LONGEST = 200
_TO_SEND = (State.AWAITING, State.QUEUED, State.SENDING)


class PlanRow(NamedTuple):
    """One submission with the word of its state, its own reason to wait, and its result.

    `step` is what a person can do about it, at `url`; both are "" if there is nothing to do.
    """

    submission: Submission
    word: vocabulary.Word
    waits: SafeString
    result: SafeString
    step: str = ""
    url: str = ""


class PlanSummary(NamedTuple):
    """One plan in the list of plans, with the word of its state and its progress."""

    plan: Plan
    word: vocabulary.Word
    progress: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContent:
    """What the page of a plan shows.

    `can_be_paused`: a message can still be sent. `can_be_stopped`: a submission can be cancelled.

    An open page compares `stage` and `version_token` to learn what is new. `stage` changes with the plan's own state,
    `version_token` with anything on the page.
    """

    plan: Plan
    word: vocabulary.Word
    sentence: str
    held: SafeString
    rows: list[PlanRow]
    size: int
    accepted: int
    progress: str
    is_open: bool
    can_be_paused: bool
    can_be_stopped: bool
    poll_seconds: int
    stage: str
    version_token: str

    @property
    def can_pause(self) -> bool:
        return self.can_be_paused and self.plan.state == PlanState.GOING

    @property
    def can_resume(self) -> bool:
        return self.is_open and self.plan.state == PlanState.PAUSED

    @property
    def can_stop(self) -> bool:
        return self.can_be_stopped and self.plan.state != PlanState.STOPPED

    @property
    def again_url(self) -> str:
        """The review of the cancelled records; "" if there are none, or while the plan is open."""
        cancelled = [row.submission.organization_id for row in self.rows if row.submission.state == State.CANCELLED]
        if self.is_open or not cancelled:
            return ""
        query = urlencode({"kind": self.plan.kind, "record": cancelled}, doseq=True)
        return f"{environment_url('plan-new', self.plan.environment)}?{query}"

    @property
    def branch(self) -> str:
        """The one record above all others: "Lakeside Clinics and the 9 below it"; "" if there is none."""
        sent = [row.submission for row in self.rows]
        oids = {submission.oid for submission in sent}
        tops = [submission for submission in sent if submission.part_of_oid not in oids]
        if len(tops) != 1 or len(sent) == 1:
            return ""
        return f"{tops[0].organization.name} and the {len(sent) - 1} below it"

    @property
    def what_it_is(self) -> str:
        act = "deactivate" if self.plan.kind == PlanKind.DEACTIVATE else "send"
        return f"Plan {self.plan.pk}, {vocabulary.count(self.size, 'record')} to {act} together"


def plan_summaries(ids: Sequence[int]) -> list[PlanSummary]:
    """These plans, the newest first, in two queries."""
    counts = plan_rows.state_counts(ids)
    return [
        PlanSummary(each, _word(each, counts[each.pk]), _progress(counts[each.pk]))
        for each in plan_rows.plans_by_id(ids)
    ]


def plan_content(plan: Plan) -> PlanContent:
    """A plan with its submissions, in the same few queries for any number of submissions."""
    submissions = plan_rows.submissions_of(plan)
    counts = Counter(submission.state for submission in submissions)
    reasons = own_reasons(submissions, clock.now()) if plan.state == PlanState.GOING else {}
    is_open = _is_open(counts)
    held = _held(plan) if counts[State.QUEUED] else None
    poll_seconds = _poll_seconds(plan, submissions) if is_open else 0
    word = _word(plan, counts)
    can_be_stopped = any(submission.can_be_cancelled for submission in submissions)
    values = {
        "time": written(plan.state_at),
        "cause": plain(plan.state_reason),
        "resumes_or_stops": "resumes or stops" if can_be_stopped else "resumes",
    }
    waits = Counter(reason.key for reason in reasons.values())
    state = (sorted(counts.items()), sorted(waits.items()), held, poll_seconds, plan.state_at)
    digest = hashlib.sha256(repr(state).encode()).hexdigest()[:12]
    return PlanContent(
        plan=plan,
        word=word,
        sentence=word.say(**values),
        held=held.sentence if held else SafeString(),
        rows=[_row(submission, reasons.get(submission.pk)) for submission in submissions],
        size=len(submissions),
        accepted=counts[State.ACCEPTED],
        progress=_progress(counts),
        is_open=is_open,
        can_be_paused=any(counts[state] for state in _TO_SEND),
        can_be_stopped=can_be_stopped,
        poll_seconds=poll_seconds,
        stage=word.key,
        version_token=f"{word.key}-{digest}",
    )


def _held(plan: Plan) -> WaitReason | None:
    """Why nothing of this environment is sent; None if the plan itself is not running."""
    if plan.state != PlanState.GOING:
        return None
    return environment_reason(gate_of(plan.environment), clock.now())


def _is_open(counts: Counter[str]) -> bool:
    return any(counts[state] for state in OPEN_STATES)


def _word(plan: Plan, counts: Counter[str]) -> vocabulary.Word:
    if plan.state == PlanState.GOING and counts and not any(counts[state] for state in _TO_SEND):
        return vocabulary.PLAN_STATE["unclear" if _is_open(counts) else "ended"]
    return vocabulary.PLAN_STATE[plan.state if _is_open(counts) or plan.state == PlanState.STOPPED else "ended"]


def _row(submission: Submission, reason: WaitReason | None) -> PlanRow:
    word = vocabulary.SUBMISSION_STATE[submission.state]
    if reason is not None:
        return PlanRow(submission, word, reason.sentence, SafeString())
    step, anchor = _step(submission)
    url = submission_url(submission) + anchor if step else ""
    return PlanRow(submission, word, SafeString(), _result(submission), step, url)


def _step(submission: Submission) -> tuple[str, str]:
    """What a person can do about a submission, and the anchor on its page."""
    match submission.state:
        case State.UNKNOWN:
            return "Ask again" if submission.asks else "Ask the directory", "#ask"
        case State.NEEDS_PERSON:
            return "Compare and decide", "#decide"
    return "", ""


def _result(submission: Submission) -> SafeString:
    """The result of one submission and its evidence; "" if there is none yet."""
    reason = plain(submission.state_reason)
    match submission.state:
        case State.ACCEPTED:
            return evidence.plan_row_sentence(submission)
        case State.REJECTED if submission.decided_by:
            sentence = f"Rejected by decision of {plain(submission.decided_by)}: {reason}"
        case State.REJECTED:
            sentence = f"Rejected by Redox: {plain(submission.detail)}"
        case State.UNKNOWN if not submission.is_restored:
            answer = f"HTTP {submission.http_status}" if submission.http_status else "no answer"
            sentence = f"No clear answer came ({answer}). It may have taken effect."
        case State.CANCELLED if not reason:
            sentence = f"Cancelled by {plain(submission.cancelled_by)}. Nothing was sent."
        case _:
            sentence = reason
    return format_html("{}", Truncator(sentence).chars(LONGEST))


def _progress(counts: Counter[str]) -> str:
    """How many submissions are in which state: "8 of 12 accepted, 1 rejected, 3 queued"."""
    states = [state for state in State if counts[state] and state != State.ACCEPTED]
    rest = [vocabulary.counted(counts[state], vocabulary.SUBMISSION_STATE[state]) for state in states]
    return ", ".join([f"{counts[State.ACCEPTED]} of {counts.total()} accepted", *rest])


def _poll_seconds(plan: Plan, submissions: list[Submission]) -> int:
    """After how many seconds the page asks again: 2 while messages are sent or answers come, else 10."""
    if plan.state == PlanState.PAUSED:
        return 10
    last = max(submission.state_at for submission in submissions)
    is_lively = any(submission.state == State.SENDING for submission in submissions) or clock.now() - last < LIVELY
    return 2 if is_lively else 10
