"""What the home page shows: what the reader can act on, what waits for others, and the state of both environments."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from organizations.models import Environment, EnvironmentGate, Submission, User, Worker, clock
from organizations.pages.home import unpaired_lines, unsent
from organizations.pages.home.lines import HomeContext, HomeLine, paired_lines
from organizations.pages.home.who_acts import NextActors
from organizations.queries import environments, home
from organizations.queries.capped import MOST_COUNTED
from organizations.queries.home import RecordCounts
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.text.evidence import beside_submission_date
from organizations.text.vocabulary import OPEN_WORK, STANDING, Word, count, counted

MOST_MINE = 5
MINE_WITHIN = datetime.timedelta(days=7)
STANDINGS = ("active", "deactivated", "not_registered", "stated", "seen", "unknown")


@dataclass(frozen=True, slots=True)
class EnvironmentPanel:
    """One environment. `differing` counts the records for which the directory shows something else."""

    environment: Environment
    gate: EnvironmentGate
    last_accepted: Submission | None
    under_way: str
    records: str
    differing: int

    @property
    def last_accepted_by(self) -> str:
        return beside_submission_date(self.last_accepted)

    @property
    def differing_url(self) -> str:
        return unpaired_lines.list_of(DIRECTORY_DIFFERS, self.environment)


@dataclass(frozen=True, slots=True)
class Home:
    """`for_you` is what the reader can act on, `waiting` what others or the portal do next.

    `only_reads`: the reader has no right to act on anything. `never_compared` counts registered records, or is "".
    """

    for_you: list[HomeLine]
    waiting: list[HomeLine]
    only_reads: bool
    mine: list[Submission]
    panels: list[EnvironmentPanel]
    workers: list[Worker]
    never_compared: str

    @property
    def last_accepted_by(self) -> str:
        """The evidence of the last acceptance, in short; "" if Redox's own answer accepted."""
        return beside_submission_date(self.last_accepted)

    @property
    def last_accepted(self) -> Submission | None:
        accepted = [panel.last_accepted for panel in self.panels if panel.last_accepted]
        return max(accepted, key=home.ended_at, default=None)


def build(user: User) -> Home:
    counts, differing = home.record_counts(), home.differing_groups()
    context = HomeContext(NextActors(user), environments.gates(), clock.now())
    lines = (
        *unpaired_lines.of_submissions(counts, context),
        *unpaired_lines.differing(differing, context),
        *unpaired_lines.paused_plans(context),
        *unsent.lines(home.unsent_groups(), context),
    )
    for_you, waiting = paired_lines(lines, context)
    numbers = {group.environment: group.number for group in differing}
    never_compared = sum(each.never_compared for each in counts.values())
    return Home(
        for_you=for_you,
        waiting=waiting,
        only_reads=context.actors.only_reads,
        mine=home.submitted_by(user, context.now - MINE_WITHIN, MOST_MINE),
        panels=[_panel(each, context.gates[each], counts[each], numbers.get(each, 0)) for each in Environment],
        workers=home.running_workers(context.now),
        never_compared=count(never_compared, "registered record", most=MOST_COUNTED) if never_compared else "",
    )


def _panel(environment: Environment, gate: EnvironmentGate, counts: RecordCounts, differing: int) -> EnvironmentPanel:
    return EnvironmentPanel(
        environment=environment,
        gate=gate,
        last_accepted=home.last_accepted(environment),
        under_way=_counted({key: counts.work[key] for key in ("sending", "queued")}, OPEN_WORK),
        records=_counted({key: counts.standings[key] for key in STANDINGS}, STANDING),
        differing=differing,
    )


def _counted(numbers: Mapping[str, int], words: Mapping[str, Word]) -> str:
    """The counts as "58 active, 2 deactivated"; zeros are left out."""
    return ", ".join(counted(number, words[key], most=MOST_COUNTED) for key, number in numbers.items() if number)
