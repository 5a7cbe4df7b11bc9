"""The lines of the home page about changes that were saved and not sent: whose they are, and who can send them."""

from collections.abc import Iterator
from typing import Any

from django.utils.html import format_html

from organizations.models import Environment, Organization, User
from organizations.pages.home.matter_lines import list_of
from organizations.pages.home.matters import MOST_LINES, Groups, Line, Now, Place
from organizations.pages.home.who_acts import saved
from organizations.permissions import sending
from organizations.text.vocabulary import count

KIND = "changes_not_sent"
PORTAL = "The portal"


def lines(groups: Groups, now: Now) -> Iterator[Line]:
    """Changes are the matter of the person who saved them last; if this person cannot send, of everybody who can.

    `groups` are records counted by their words and by who saved them.
    """
    changes = [group for group in groups if group["open_work"] == KIND]
    savers = User.objects.in_bulk({group["edited_by"] for group in changes} - {None})
    names: dict[int | None, str] = {number: person.display_name for number, person in savers.items()}
    yours = _named([group for group in changes if group["edited_by"] == now.people.reader.pk], now)
    for environment in Environment:
        here = [group for group in changes if group["environment"] == environment]
        if here:
            yield from _Changes(environment, here, names, now).lines(yours.get(environment, ""))


class _Changes:
    """The unsent changes of one environment."""

    def __init__(self, environment: Environment, groups: Groups, names: dict[int | None, str], now: Now) -> None:
        self.environment, self.groups, self.now = environment, groups, now
        self.names: dict[int | None, str] = names | {None: PORTAL, now.people.reader.pk: "You"}

    def lines(self, yours: str) -> Iterator[Line]:
        reader, can_send = self.now.people.reader.pk, self.now.people.who_can(sending(self.environment))
        own = [group for group in self.groups if group["edited_by"] == reader and reader in can_send]
        others = [group for group in self.groups if group["edited_by"] in can_send and group not in own]
        stuck = [group for group in self.groups if group["edited_by"] not in can_send]
        if own:
            fields = count(sum(group["fields"] for group in own), "field was", "fields were")
            text = yours or f"{fields} saved here and not sent."
            yield Line(KIND, True, "", "own", self.place(own, " you saved", text))
        if others:
            yield Line(KIND, False, saved(self.savers(others)), "others", self.place(others, " saved by others"))
        if stuck:
            yield self.stuck(stuck, for_reader=reader in can_send)

    def stuck(self, groups: Groups, *, for_reader: bool) -> Line:
        """Changes of people who cannot send them, or no longer."""
        text = saved(self.savers(groups), bold=False)
        if for_reader:
            if any(group["edited_by"] for group in groups):
                text = format_html("{} They cannot send to {}.", text, self.environment.label)
            return Line(KIND, True, "", "stuck", self.place(groups, "", text))
        return Line(
            KIND, False, self.now.people.acts_next(KIND, self.environment), "stuck", self.place(groups, "", text)
        )

    def place(self, groups: Groups, whose: str, text: str = "") -> Place:
        number = sum(group["number"] for group in groups)
        people = sorted({group["edited_by"] or 0 for group in groups})
        return Place(
            environment=self.environment,
            number=number,
            what=f"{count(number, 'record')}{whose}",
            text=text,
            url=list_of(KIND, self.environment, saved_by=",".join(map(str, people))),
            since=min(group["oldest_edit"] for group in groups),
        )

    def savers(self, groups: Groups) -> list[tuple[str, int]]:
        """Who saved how many, the most first."""
        numbers: dict[int | None, int] = {}
        for group in groups:
            numbers[group["edited_by"]] = numbers.get(group["edited_by"], 0) + group["number"]
        return sorted(((self.names[who], number) for who, number in numbers.items()), key=lambda each: -each[1])


def _named(yours: list[dict[str, Any]], now: Now) -> dict[str, str]:
    """The records that the reader saved, by name, in each environment where they are few."""
    numbers = {each: sum(group["number"] for group in yours if group["environment"] == each) for each in Environment}
    few = [environment for environment, number in numbers.items() if 0 < number <= MOST_LINES]
    records = Organization.objects.filter(environment__in=few, edited_by=now.people.reader).to_do(KIND)
    found: dict[str, list[str]] = {}
    for record in records.order_by("edited_at").only("environment", "name", "changes"):
        found.setdefault(record.environment, []).append(f"{record.name}, {count(record.changes, 'field')}")
    return {environment: f"{'; '.join(names)}." for environment, names in found.items()}
