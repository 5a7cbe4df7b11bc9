"""Records that a plan leaves out: the state of each, why it is left out, and how to change that."""

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from organizations.models import Environment, Organization, State, Submission, clock
from organizations.pages.addresses import submission_url
from organizations.pages.organizations.rows import standing_of, to_do_of
from organizations.pages.queue_reasons import environment_reason, own_reasons
from organizations.pages.review.message import obstacle
from organizations.queries.environments import gate_of
from organizations.services.review.blockers import Blocker, BlockerKind, is_undecided
from organizations.services.review.plan_draft import LeftOut
from organizations.text.markup import link, moment, plain
from organizations.text.queue_reason import WaitReason
from organizations.text.vocabulary import Word, name_some

MOST_NAMED = 5
NOT_ACTIVE = (BlockerKind.NOTHING_TO_CHANGE, BlockerKind.NOTHING_TO_DEACTIVATE)


class LeftOutRecord(NamedTuple):
    """One record that is left out, with the word of its state and the reasons."""

    organization: Organization
    word: Word
    why: SafeString
    kinds: frozenset[BlockerKind]


def left_out_records(left_out: Iterable[LeftOut], environment: Environment) -> tuple[LeftOutRecord, ...]:
    """The blocked records among those that are left out; the others have nothing to send."""
    blocked = [each for each in left_out if each.blockers]
    now = clock.now()
    reasons = _Reasons([blocker.submission for each in blocked for blocker in each.blockers], environment, now)
    return tuple(
        LeftOutRecord(
            each.organization,
            _state(each.organization),
            _whys(each, reasons),
            frozenset(blocker.kind for blocker in each.blockers),
        )
        for each in blocked
    )


def _state(organization: Organization) -> Word:
    """The first thing to do about it, else its directory status."""
    to_dos = to_do_of(organization)
    return to_dos[0].word if to_dos else standing_of(organization)


def active_because(organization: Organization, blockers: Iterable[Blocker]) -> str:
    """Why a record stays active, for the sentence under the heading."""
    name = organization.name
    for blocker in blockers:
        if blocker.kind == BlockerKind.ACTIVE_CHILDREN:
            return f"{name} stays active, because {_children(blocker)}."
    return f"{name} stays active. {' '.join(blocker.sentence for blocker in blockers)}"


def names(organizations: Iterable[Organization], more: int = 0) -> str:
    """The names of the records: "Sparta, Tomah and 3 others"."""
    return name_some([each.name for each in organizations], MOST_NAMED, more=more, before_last=" and ")


class _Reasons:
    """Why open submissions wait."""

    def __init__(
        self, submissions: Iterable[Submission | None], environment: Environment, now: datetime.datetime
    ) -> None:
        open_submissions = [each for each in submissions if each is not None and each.is_open]
        self.now = now
        self.own = own_reasons(open_submissions, now)
        gate = gate_of(environment) if open_submissions else None
        self.held: WaitReason | None = environment_reason(gate, now) if gate else None

    def of(self, submission: Submission) -> SafeString:
        """What happens to a submission next: "The portal asks at 14:20."."""
        match submission.state:
            case State.UNKNOWN:
                return self._asks(submission)
            case State.NEEDS_PERSON:
                return SafeString("It needs a decision.")
            case State.SENDING:
                return SafeString("It is being sent now.")
            case State.AWAITING:
                return SafeString("It waits for approval.")
        reason = self.own.get(submission.pk) or self.held
        waits = reason.sentence if reason else ""
        if submission.can_be_cancelled:
            return format_html("It is queued. {} {} or wait.", waits, link(submission_url(submission), "Cancel it"))
        return format_html("It is queued. {}", waits)

    def _asks(self, submission: Submission) -> SafeString:
        if self.held is not None:
            return format_html("The portal asks the directory later: {}", self.held.sentence)
        if submission.not_before is not None and submission.not_before > self.now:
            return format_html("The portal asks at {}.", moment(submission.not_before, "clock"))
        return SafeString("The portal asks now.")


def _whys(each: LeftOut, reasons: _Reasons) -> SafeString:
    # If the record is not active, the plan does not wait for its submission.
    waits = not any(blocker.kind in NOT_ACTIVE for blocker in each.blockers)
    sentences = (_why(each.organization, blocker, reasons, waits=waits) for blocker in each.blockers)
    return format_html_join(" ", "{}", ((sentence,) for sentence in sentences))


def _why(organization: Organization, blocker: Blocker, reasons: _Reasons, *, waits: bool) -> SafeString:
    submission = blocker.submission
    if blocker.kind == BlockerKind.OPEN_SUBMISSION and submission is not None:
        number = link(submission_url(submission), f"Submission {submission.pk}")
        return format_html("{} {}. {}", number, "must end first" if waits else "is open", reasons.of(submission))
    if blocker.kind == BlockerKind.ACTIVE_CHILDREN:
        return format_html("{}.", plain(_children(blocker)))
    way_out = obstacle(organization, blocker)
    return format_html("{} {}", plain(way_out.sentence), link(way_out.url, way_out.step))


def _children(blocker: Blocker) -> str:
    one = len(blocker.children) + blocker.more == 1
    stay = "stays active" if one else "stay active"
    if any(map(is_undecided, blocker.children)):
        stay = "may be active"
    return f"{names(blocker.children, blocker.more)} below it {stay}"
