"""What the home page says: what its reader can act on, what waits for others, how both environments are.

The number of queries does not grow with the number of records: one of them counts all records by their words.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Min, Q, Sum

from organizations.models import (
    Environment,
    EnvironmentGate,
    Organization,
    Presence,
    State,
    Submission,
    User,
    Worker,
    clock,
)
from organizations.pages.home import matter_lines, unsent
from organizations.pages.home.matters import Groups, Matter, Now, matters
from organizations.pages.home.who_acts import People
from organizations.pages.organizations.rows import DIRECTORY_DIFFERS
from organizations.services.delivery import heartbeat
from organizations.text.evidence import in_short
from organizations.text.vocabulary import OPEN_WORK, STANDING, Word, counted

GROUPED_BY: tuple[str, ...] = ("environment", "standing", "open_work", "edited_by")
MOST_MINE = 5
MINE_WITHIN = datetime.timedelta(days=7)
STANDINGS = ("active", "deactivated", "not_registered", "stated", "seen", "unknown")


@dataclass(frozen=True, slots=True)
class Panel:
    """One environment: its gate and what is known of it."""

    environment: Environment
    gate: EnvironmentGate
    last_accepted: Submission | None
    under_way: str
    records: str
    differing: int

    @property
    def last_accepted_by(self) -> str:
        return in_short(self.last_accepted)

    @property
    def differing_url(self) -> str:
        return matter_lines.list_of(DIRECTORY_DIFFERS, self.environment)


@dataclass(frozen=True, slots=True)
class Home:
    """`for_you` is what this person can act on, `waiting` what others or the portal do next.

    `only_reads`: this person cannot act on anything, whatever there is.
    """

    for_you: list[Matter]
    waiting: list[Matter]
    only_reads: bool
    mine: list[Submission]
    panels: list[Panel]
    workers: list[Worker]
    never_compared: int

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
    groups, differing = _groups(), matter_lines.how_many_differ()
    now = Now(People(user), EnvironmentGate.objects.in_bulk(), clock.now())
    lines = (
        *matter_lines.of_submissions(groups, now),
        *matter_lines.differing(differing, now),
        *matter_lines.paused(now),
        *unsent.lines(groups, now),
    )
    for_you, waiting = matters(lines, now)
    mine = Submission.objects.filter(submitter=user, created_at__gte=now.moment - MINE_WITHIN)
    numbers = {group["environment"]: group["number"] for group in differing}
    return Home(
        for_you=for_you,
        waiting=waiting,
        only_reads=now.people.only_reads,
        mine=list(mine.select_related("organization").order_by("-id")[:MOST_MINE]),
        panels=[_panel(each, now.gates[each], groups, numbers.get(each, 0)) for each in Environment],
        workers=[worker for worker in Worker.objects.filter(stopped_at=None) if heartbeat.is_seen(worker, now.moment)],
        never_compared=sum(group["never_compared"] for group in groups),
    )


def _groups() -> Groups:
    """Records counted by environment, standing, open work and who saved them last."""
    found = Organization.objects.with_words().order_by().values(*GROUPED_BY)
    return list(
        found.annotate(
            number=Count("id"),
            fields=Sum("changes"),
            oldest_edit=Min("edited_at"),
            oldest_state=Min("last_submission__state_at"),
            never_compared=Count("id", filter=Q(presence=Presence.PRESENT, seen_at=None)),
        )
    )


def _panel(environment: Environment, gate: EnvironmentGate, groups: Groups, differing: int) -> Panel:
    own = [group for group in groups if group["environment"] == environment]
    return Panel(
        environment=environment,
        gate=gate,
        last_accepted=_last_accepted(environment),
        under_way=_counted(own, "open_work", {state: OPEN_WORK[state] for state in ("sending", "queued")}),
        records=_counted(own, "standing", {key: STANDING[key] for key in STANDINGS}),
        differing=differing,
    )


def _counted(groups: Groups, key: str, family: Mapping[str, Word]) -> str:
    """ "58 active, 2 deactivated"; what there is none of is left out."""
    numbers = {each: sum(group["number"] for group in groups if group[key] == each) for each in family}
    return ", ".join(counted(number, family[each]) for each, number in numbers.items() if number)


def _last_accepted(environment: Environment) -> Submission | None:
    # By number, which an index gives, and of the last of them the one that ended last.
    accepted = Submission.objects.filter(environment=environment, state=State.ACCEPTED).select_related("organization")
    return max(accepted.order_by("-id")[:20], key=_ended, default=None)


def _ended(submission: Submission) -> datetime.datetime:
    return submission.ended_at or submission.state_at
