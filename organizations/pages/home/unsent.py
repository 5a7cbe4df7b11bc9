"""The lines of the home page about saved changes that were not sent: who saved them, and who can send them."""

from collections.abc import Iterator, Mapping, Sequence

from django.utils.html import format_html

from organizations.models import Environment
from organizations.pages.home.lines import MOST_SINGLE_LINES, HomeContext, LinePlace, UnpairedLine
from organizations.pages.home.unpaired_lines import list_of
from organizations.pages.home.who_acts import saved
from organizations.permissions import right_to_send
from organizations.queries import home
from organizations.queries.capped import MOST_COUNTED
from organizations.queries.chosen_records import UNSENT
from organizations.queries.home import UnsentGroup
from organizations.text.vocabulary import count

PORTAL = "The portal"


def lines(unsent: Sequence[UnsentGroup], context: HomeContext) -> Iterator[UnpairedLine]:
    """Unsent changes are for the person who saved them last; if this person cannot send, for everybody who can."""
    names = home.names_of(group.edited_by for group in unsent)
    own = _names_of_own([group for group in unsent if group.edited_by == context.actors.reader.pk], context)
    for environment in Environment:
        here = [group for group in unsent if group.environment == environment]
        if here:
            yield from _UnsentChanges(environment, here, names, context).lines(own.get(environment, ""))


class _UnsentChanges:
    """The unsent changes of one environment."""

    def __init__(
        self,
        environment: Environment,
        groups: Sequence[UnsentGroup],
        names: Mapping[int | None, str],
        context: HomeContext,
    ) -> None:
        self.environment, self.groups, self.context = environment, groups, context
        self.names: dict[int | None, str] = {**names, None: PORTAL, context.actors.reader.pk: "You"}

    def lines(self, own_names: str) -> Iterator[UnpairedLine]:
        reader, can_send = self.context.actors.reader.pk, self.context.actors.who_can(right_to_send(self.environment))
        own = [group for group in self.groups if group.edited_by == reader and reader in can_send]
        others = [group for group in self.groups if group.edited_by in can_send and group not in own]
        stuck = [group for group in self.groups if group.edited_by not in can_send]
        if own:
            yield UnpairedLine(UNSENT, True, "", "own", self._place(own, " you saved", own_names))
        if others:
            place = self._place(others, " saved by others")
            yield UnpairedLine(UNSENT, False, saved(self._savers(others)), "others", place)
        if stuck:
            yield self._stuck(stuck, for_reader=reader in can_send)

    def _stuck(self, groups: Sequence[UnsentGroup], *, for_reader: bool) -> UnpairedLine:
        """Changes of people who cannot send them, or no longer can."""
        text = saved(self._savers(groups), bold=False)
        if for_reader and any(group.edited_by for group in groups):
            text = format_html("{} They cannot send to {}.", text, self.environment.label)
        who = "" if for_reader else self.context.actors.acts_next(UNSENT, self.environment)
        return UnpairedLine(UNSENT, for_reader, who, "stuck", self._place(groups, "", text))

    def _place(self, groups: Sequence[UnsentGroup], whose: str, text: str = "") -> LinePlace:
        number = sum(group.number for group in groups)
        people = sorted({group.edited_by or 0 for group in groups})
        return LinePlace(
            environment=self.environment,
            number=number,
            what=f"{count(number, 'record', most=MOST_COUNTED)}{whose}",
            text=text,
            url=list_of(UNSENT, self.environment, saved_by=",".join(map(str, people))),
            since=min(group.oldest for group in groups),
        )

    def _savers(self, groups: Sequence[UnsentGroup]) -> list[tuple[str, int]]:
        """Each person with the number of records that they saved; the largest number first."""
        numbers: dict[int | None, int] = {}
        for group in groups:
            numbers[group.edited_by] = numbers.get(group.edited_by, 0) + group.number
        return sorted(((self.names[person], number) for person, number in numbers.items()), key=lambda each: -each[1])


def _names_of_own(own: Sequence[UnsentGroup], context: HomeContext) -> dict[str, str]:
    """The records that the reader saved, by name, for each environment in which they are few."""
    numbers = {each: sum(group.number for group in own if group.environment == each) for each in Environment}
    few = [environment for environment, number in numbers.items() if 0 < number <= MOST_SINGLE_LINES]
    names: dict[str, list[str]] = {}
    for record in home.unsent_of(context.actors.reader, few):
        names.setdefault(record.environment, []).append(f"{record.name}, {count(record.changes, 'field')}")
    return {environment: f"{'; '.join(of_environment)}." for environment, of_environment in names.items()}
