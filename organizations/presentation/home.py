"""What the home page says: what needs a person, what is under way, how both environments are.

The number of queries does not grow with the number of records: one of them counts all records by their words.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.urls import reverse
from django.utils.html import format_html

from organizations import words
from organizations.models import (
    Environment,
    EnvironmentGate,
    Organization,
    Plan,
    PlanState,
    Presence,
    State,
    Submission,
    User,
    Worker,
    clock,
)
from organizations.models.submission import OPEN_STATES
from organizations.permissions import Right, may
from organizations.records import spoken
from organizations.services import deciding, workers
from organizations.services.deciding import Verdict
from organizations.templatetags.portal import plain, written
from organizations.words import OPEN_WORK, STANDING, Word, count, counted

from . import todo, who_acts
from .deciding import who_decides
from .decisions import decided
from .evidence import in_short
from .rows import DIRECTORY_DIFFERS

# What must be decided or is unknown first, then what was rejected or differs, then what waits.
KINDS = (
    "needs_person",
    "unknown",
    "plan_paused",
    "rejected",
    DIRECTORY_DIFFERS,
    "delayed",
    "awaiting",
    "changes_not_sent",
)
ONE_BY_ONE = ("unknown", "needs_person", "rejected")
GROUPED_BY: tuple[str, ...] = ("environment", "standing", "open_work")
MOST_LINES = 3  # of one kind and environment; more are one line that opens their list
MOST_MINE = 5
MOST_UNDER_WAY = 5
LONGEST_QUOTE = 120
DELAYED_AFTER = datetime.timedelta(minutes=15)
MINE_WITHIN = datetime.timedelta(days=7)
STANDINGS = ("active", "deactivated", "not_registered", "stated", "seen", "unknown")
DELAYED = Word("queued", "Not reached", "clock", "is-ink", "Redox could not be reached. It is tried again by itself.")
_OTHER_WORDS = {"delayed": DELAYED, "plan_paused": words.PLAN_STATE["paused"]}


@dataclass(frozen=True, slots=True)
class Need:
    """One line of what is to do; `number` is how many records it stands for.

    `who` says who acts next, where that is not only the person who reads it.
    """

    kind: str
    environment: str
    number: int
    what: str
    text: str
    url: str
    since: datetime.datetime | None
    who: str = ""

    @property
    def word(self) -> Word:
        return _OTHER_WORDS.get(self.kind) or OPEN_WORK[self.kind]


@dataclass(frozen=True, slots=True)
class Panel:
    """One environment: its gate and what is known of it."""

    environment: Environment
    gate: EnvironmentGate
    last_accepted: Submission | None
    under_way: str
    records: str

    @property
    def last_accepted_by(self) -> str:
        return in_short(self.last_accepted)


@dataclass(frozen=True, slots=True)
class Home:
    """`needs` is what this person can act on, `waiting` what others or the portal do next."""

    needs: list[Need]
    waiting: list[Need]
    under_way: list[Submission]
    under_way_count: int
    mine: list[Submission]
    panels: list[Panel]
    workers: list[Worker]
    never_compared: int

    @property
    def count(self) -> int:
        return sum(need.number for need in self.needs)

    @property
    def waiting_count(self) -> int:
        return sum(need.number for need in self.waiting)

    @property
    def last_accepted_by(self) -> str:
        """What the last acceptance rests on, in short; empty where Redox's own answer accepted."""
        return in_short(self.last_accepted)

    @property
    def last_accepted(self) -> Submission | None:
        found = [panel.last_accepted for panel in self.panels if panel.last_accepted]
        return max(found, key=_ended, default=None)


def read(user: User) -> Home:
    """All of the page, as it is now."""
    groups = _groups(user)
    moment = clock.now()
    under_way = Submission.objects.filter(state__in=(State.SENDING, State.QUEUED)).select_related("organization")
    mine = Submission.objects.filter(submitter=user, created_at__gte=moment - MINE_WITHIN).select_related(
        "organization"
    )
    gates = EnvironmentGate.objects.in_bulk()
    lines = sorted(
        _with_who([*_needs(groups, gates, moment), *_differing()], user),
        key=lambda need: (KINDS.index(need.kind), need.since or moment),
    )
    return Home(
        needs=[each for each in lines if who_acts.can_act(user, each.kind, each.environment)],
        waiting=[each for each in lines if not who_acts.can_act(user, each.kind, each.environment)],
        under_way=list(under_way.order_by("id")[:MOST_UNDER_WAY]),
        under_way_count=sum(group["number"] for group in groups if group["open_work"] in (State.SENDING, State.QUEUED)),
        mine=list(mine.order_by("-id")[:MOST_MINE]),
        panels=[_panel(environment, gates[environment], groups) for environment in Environment],
        workers=[worker for worker in Worker.objects.filter(stopped_at=None) if workers.is_seen(worker, moment)],
        never_compared=sum(group["never_compared"] for group in groups),
    )


def _with_who(lines: list[Need], user: User) -> Iterator[Need]:
    """The lines, each with who acts next; who can decide is named, as on the page of the decision."""
    name = user.get_full_name() or user.get_username()
    can_decide = may(user, Right.RESOLVE)
    is_to_decide = any(each.kind == "needs_person" for each in lines)
    decides = who_decides(name, may=can_decide) if is_to_decide else ""
    for each in lines:
        if each.kind == "needs_person":
            yield replace(each, who=decides)
        elif not who_acts.can_act(user, each.kind, each.environment):
            yield replace(each, who=who_acts.others_act(each.kind, each.environment))
        else:
            yield each


def _groups(user: User) -> list[dict[str, Any]]:
    """Records counted by environment, standing and open work."""
    found = Organization.objects.with_words().order_by().values(*GROUPED_BY)
    return list(
        found.annotate(
            number=Count("id"),
            fields=Sum("changes"),
            mine=Count("id", filter=Q(edited_by=user)),
            oldest_edit=Min("edited_at"),
            oldest_state=Min("last_submission__state_at"),
            never_compared=Count("id", filter=Q(presence=Presence.PRESENT, seen_at=None)),
        )
    )


def _needs(
    groups: list[dict[str, Any]], gates: Mapping[str, EnvironmentGate], moment: datetime.datetime
) -> Iterator[Need]:
    few = Q(pk__in=[])
    for environment in Environment:
        for kind in KINDS:
            found = [group for group in groups if (group["environment"], group["open_work"]) == (environment, kind)]
            number = sum(group["number"] for group in found)
            if kind in ONE_BY_ONE and 0 < number <= MOST_LINES:
                few |= Q(environment=environment, open_work=kind)
            elif number:
                yield _many(kind, environment, number, found)
    if few != Q(pk__in=[]):
        lines = list(Organization.objects.with_words().filter(few).select_related("last_submission"))
        verdicts = deciding.verdicts(each.last_submission for each in lines if each.last_submission)
        yield from (_one(organization, gates, verdicts, moment) for organization in lines)
    yield from _delayed(gates, moment)
    yield from _paused()


def _paused() -> Iterator[Need]:
    """Plans that are held and not at their end: they go on only when somebody says so."""
    waiting = Count("submissions", filter=Q(submissions__state__in=OPEN_STATES))
    for plan in Plan.objects.filter(state=PlanState.PAUSED).annotate(waiting=waiting).filter(waiting__gt=0):
        yield Need(
            kind="plan_paused",
            environment=plan.environment,
            number=1,
            what=f"Plan {plan.pk}, {count(plan.waiting, 'record')}",
            text=f"{plain(plan.state_reason).rstrip('.')}.",
            url=reverse("plan", args=[plan.environment, plan.pk]),
            since=plan.state_at,
        )


def _differing() -> Iterator[Need]:
    """Records that the directory shows otherwise, whatever else is to do about them: one line each while they are few.

    Counted by an index of their own: among all records they are few.
    """
    here = Organization.objects.filter(environment__in=Environment.values).to_do(DIRECTORY_DIFFERS).order_by()
    groups = here.values("environment").annotate(number=Count("id"), oldest=Min("differs_since"))
    few = Q(pk__in=[])
    for group in groups:
        environment, number = Environment(group["environment"]), group["number"]
        if number <= MOST_LINES:
            few |= Q(environment=environment)
            continue
        text = "The directory shows other values than were accepted, or does not show the OID."
        url = _list_of(DIRECTORY_DIFFERS, environment)
        yield Need(DIRECTORY_DIFFERS, environment, number, count(number, "record"), text, url, group["oldest"])
    if few != Q(pk__in=[]):
        yield from map(_one_differing, here.filter(few))


def _one_differing(organization: Organization) -> Need:
    names = [spoken(each.label) for each in todo.differences_of(organization)]
    return Need(
        kind=DIRECTORY_DIFFERS,
        environment=organization.environment,
        number=1,
        what=organization.name,
        text=f"{count(organization.differs, 'field')}: {todo.listed(names)}." if names else todo.missing(organization),
        url=reverse("record", args=[organization.environment, organization.oid]),
        since=organization.differs_since,
    )


def _one(
    organization: Organization,
    gates: Mapping[str, EnvironmentGate],
    verdicts: Mapping[int, Verdict],
    moment: datetime.datetime,
) -> Need:
    submission = organization.last_submission
    assert submission is not None  # noqa: S101 - these kinds of open work come from a submission
    kind: str = organization.open_work
    return Need(
        kind=kind,
        environment=organization.environment,
        number=1,
        what=f"{organization.name}, {submission.event}",
        text=_why(kind, submission, gates[organization.environment], verdicts.get(submission.pk), moment),
        url=reverse("submission", args=[submission.environment, submission.pk]),
        since=submission.state_at,
    )


def _why(
    kind: str, submission: Submission, gate: EnvironmentGate, verdict: Verdict | None, moment: datetime.datetime
) -> str:
    detail = plain(submission.detail)
    cut = f"{detail[:LONGEST_QUOTE]}…" if len(detail) > LONGEST_QUOTE else detail
    if kind == "rejected":
        if submission.decided_by:
            reason = plain(submission.state_reason).rstrip(".")
            return f"{decided(plain(submission.decided_by), verdict)}: {reason}."
        return f'Rejected by Redox: "{cut}"' if cut else "Rejected by Redox without a text."
    if kind == "unknown":
        left = submission.sent_at or submission.state_at
        time = written(left, "clock")
        promise = todo.asking_promise(submission, gate, moment)
        return format_html("The message left at {}, but no clear answer came. {}", time, promise)
    # A text that the portal does not know may be of a gateway between it and Redox.
    return f'Redox wrote: "{cut}"' if submission.known_answer else plain(submission.state_reason)


def _many(kind: str, environment: Environment, number: int, found: list[dict[str, Any]]) -> Need:
    is_edit = kind == "changes_not_sent"
    return Need(
        kind=kind,
        environment=environment,
        number=number,
        what=count(number, "submission" if kind == "awaiting" else "record"),
        text=_saved(number, found) if is_edit else "Nothing has been sent." if kind == "awaiting" else "",
        url=_list_of(kind, environment),
        since=min(group["oldest_edit" if is_edit else "oldest_state"] for group in found),
    )


def _saved(number: int, found: list[dict[str, Any]]) -> str:
    fields, yours = (sum(group[key] for group in found) for key in ("fields", "mine"))
    saved = f"{count(fields, 'field was', 'fields were')} saved here and not sent"
    if not yours:
        return f"{saved}."
    whose = "the record is" if number == 1 else count(yours, "of the records is", "of the records are")
    return f"{saved}; {whose} yours."


def _list_of(kind: str, environment: Environment) -> str:
    if kind in ("awaiting", "delayed"):
        state = State.AWAITING if kind == "awaiting" else State.QUEUED
        return reverse("submissions", args=[environment], query={"state": state.value})
    return reverse("organizations", args=[environment], query={"open_work": kind, "view": "list"})


def _delayed(gates: Mapping[str, EnvironmentGate], moment: datetime.datetime) -> Iterator[Need]:
    """What did not reach Redox for a quarter of an hour. What Redox answered, or a closed gate holds, is told there."""
    going = [name for name, gate in gates.items() if not gate.is_stopped and not gate.is_held(moment)]
    tried = Submission.objects.filter(
        environment__in=going,
        state=State.QUEUED,
        tries__gt=0,
        http_status=None,
        created_at__lt=moment - DELAYED_AFTER,
    ).order_by()
    for found in tried.values("environment").annotate(number=Count("id"), oldest=Min("created_at")):
        environment = Environment(found["environment"])
        yield Need(
            kind="delayed",
            environment=environment,
            number=found["number"],
            what=count(found["number"], "submission"),
            text=DELAYED.sentence,
            url=_list_of("delayed", environment),
            since=found["oldest"],
        )


def _panel(environment: Environment, gate: EnvironmentGate, groups: list[dict[str, Any]]) -> Panel:
    own = [group for group in groups if group["environment"] == environment]
    states = ("sending", "queued", "unknown", "needs_person", "awaiting")
    return Panel(
        environment=environment,
        gate=gate,
        last_accepted=_last_accepted(environment),
        under_way=_counted(own, "open_work", {state: OPEN_WORK[state] for state in states}),
        records=_counted(own, "standing", {key: STANDING[key] for key in STANDINGS}),
    )


def _counted(groups: list[dict[str, Any]], key: str, family: Mapping[str, Word]) -> str:
    """ "58 active, 2 deactivated"; what there is none of is left out."""
    numbers = {each: sum(group["number"] for group in groups if group[key] == each) for each in family}
    return ", ".join(counted(number, family[each]) for each, number in numbers.items() if number)


def _last_accepted(environment: Environment) -> Submission | None:
    # By number, which an index gives, and of the last of them the one that ended last.
    accepted = Submission.objects.filter(environment=environment, state=State.ACCEPTED).select_related("organization")
    return max(accepted.order_by("-id")[:20], key=_ended, default=None)


def _ended(submission: Submission) -> datetime.datetime:
    return submission.ended_at or submission.state_at
