"""A plan on its way as its page tells it: how far it is, what holds it, and each of its submissions."""

import datetime
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, Q

from organizations import words
from organizations.models import Plan, PlanKind, PlanState, State, Submission, clock
from organizations.models.submission import OPEN_STATES
from organizations.templatetags.portal import plain, written

LIVELY = datetime.timedelta(seconds=30)


class Row(NamedTuple):
    """One submission with the word of its state and what came of it, if that needs to be said."""

    submission: Submission
    word: words.Word
    text: str


class Line(NamedTuple):
    """One plan in the list of them, with the word of its state."""

    plan: Plan
    word: words.Word
    size: int
    accepted: int
    left: int

    @property
    def progress(self) -> str:
        still = f", {self.left} open" if self.left else ""
        return f"{self.accepted} of {self.size} accepted{still}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage:
    """Everything that the page prints. `since` changes when anything of it did, `stage` when the plan itself did."""

    plan: Plan
    word: words.Word
    sentence: str
    rows: list[Row]
    size: int
    accepted: int
    progress: str
    is_open: bool
    poll_seconds: int
    stage: str
    since: str

    @property
    def can_pause(self) -> bool:
        return self.is_open and self.plan.state == PlanState.GOING

    @property
    def can_go_on(self) -> bool:
        return self.is_open and self.plan.state == PlanState.PAUSED

    @property
    def can_stop(self) -> bool:
        return self.is_open and self.plan.state != PlanState.STOPPED

    @property
    def what_it_is(self) -> str:
        what = "deactivated" if self.plan.kind == PlanKind.DEACTIVATE else "sent"
        return f"Plan {self.plan.pk}, {words.count(self.size, 'record')} {what} together"


def lines(ids: Sequence[int]) -> list[Line]:
    """These plans, the newest first, in one query."""
    state = "submissions__state"
    found = Plan.objects.filter(pk__in=ids).select_related("made_by").order_by("-pk")
    counted = found.annotate(
        size=Count("submissions"),
        accepted=Count("submissions", filter=Q(**{state: State.ACCEPTED})),
        left=Count("submissions", filter=Q(**{f"{state}__in": OPEN_STATES})),
    )
    return [Line(each, _word(each, each.left > 0), each.size, each.accepted, each.left) for each in counted]


def page(plan: Plan) -> PlanPage:
    """A plan with its submissions, in two queries for any number of them."""
    found = list(plan.submissions.select_related("organization").defer("message", "before").order_by("pk"))
    counts = Counter(submission.state for submission in found)
    is_open = any(counts[state] for state in OPEN_STATES)
    poll_seconds = _poll_seconds(plan, found) if is_open else 0
    word = _word(plan, is_open)
    values = {"time": written(plan.state_at), "cause": plain(plan.state_reason), "k": len(found)}
    digest = hashlib.sha256(repr((sorted(counts.items()), poll_seconds, plan.state_at)).encode()).hexdigest()[:12]
    return PlanPage(
        plan=plan,
        word=word,
        sentence=word.say(**values),
        rows=[_row(submission) for submission in found],
        size=len(found),
        accepted=counts[State.ACCEPTED],
        progress=_progress(counts, len(found)),
        is_open=is_open,
        poll_seconds=poll_seconds,
        stage=word.key,
        since=f"{word.key}-{digest}",
    )


def _word(plan: Plan, is_open: bool) -> words.Word:
    return words.PLAN_STATE[plan.state if is_open or plan.state == PlanState.STOPPED else "ended"]


def _row(submission: Submission) -> Row:
    says = submission.detail if submission.state == State.REJECTED else submission.state_reason
    return Row(submission, words.SUBMISSION_STATE[submission.state], plain(says))


def _progress(counts: Counter[str], size: int) -> str:
    """ "8 of 12 accepted, 1 rejected, 3 queued" """
    rest = [f"{counts[state]} {state.label.lower()}" for state in State if counts[state] and state != State.ACCEPTED]
    return ", ".join([f"{counts[State.ACCEPTED]} of {size} accepted", *rest])


def _poll_seconds(plan: Plan, found: list[Submission]) -> int:
    """Often while one answer follows the other; seldom while it waits for a time or for a person."""
    if plan.state == PlanState.PAUSED:
        return 10
    last = max(submission.state_at for submission in found)
    is_lively = any(submission.state == State.SENDING for submission in found) or clock.now() - last < LIVELY
    return 2 if is_lively else 10
