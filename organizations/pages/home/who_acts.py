"""Who acts next on a line of the home page: its reader, other people by name, or the portal."""

from collections.abc import Mapping, Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Environment, User
from organizations.permissions import Right, may, people_by_right, right_to_send
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.text.markup import plain, strong
from organizations.text.vocabulary import count

MOST_NAMED = 3
PORTAL_STEP: Mapping[str, str] = {"unknown": "finds out.", "queued": "sends this when it can."}
PERSON_STEP: Mapping[str, str] = {
    "needs_person": "can decide.",
    DIRECTORY_DIFFERS: "can decide.",
    "plan_paused": "can continue this.",
    "rejected": "can correct this.",
    "changes_not_sent": "can send this.",
}
RIGHTS = (Right.EDIT, Right.RESOLVE, *map(right_to_send, Environment))


class NextActors:
    """The reader of the page, and the names of everybody who can act, by right and id."""

    def __init__(self, reader: User) -> None:
        self.reader = reader
        self._names = people_by_right(RIGHTS)

    @property
    def only_reads(self) -> bool:
        return not any(may(self.reader, right) for right in RIGHTS)

    def who_can(self, right: Right) -> Mapping[int, str]:
        return self._names[right]

    def can_act(self, kind: str, environment: str) -> bool:
        """Whether the reader can take the next step of a line of this kind."""
        right = right_for(kind, environment)
        return right is not None and may(self.reader, right)

    def acts_next(self, kind: str, environment: str) -> SafeString:
        """Who can decide: "Approver One or Approver Two can decide.", with the names in bold."""
        right = right_for(kind, environment)
        if right is None:
            who, step = ("The portal", PORTAL_STEP[kind]) if kind in PORTAL_STEP else ("An approver", "acts next.")
            return format_html("{} {}", strong(who), step)
        if not self.who_can(right):
            return format_html("{} {} No account has a role for this yet.", strong("Nobody"), PERSON_STEP[kind])
        return format_html("{} {}", either(list(self.who_can(right).values())), PERSON_STEP[kind])

    def can_decide(self) -> str:
        """Who can decide, in words for a reader who can: "You or Editor Two can decide."."""
        others = {number: name for number, name in self.who_can(Right.RESOLVE).items() if number != self.reader.pk}
        return f"{_or(['You', *_first(list(others.values()))])} can decide." if others else "Only you can decide."


def right_for(kind: str, environment: str) -> Right | None:
    """The right that the next step of a line of this kind needs; None if no person takes a step here."""
    match kind:
        case "needs_person":
            return Right.RESOLVE
        case "plan_paused" | "changes_not_sent":
            return right_to_send(environment)
        case "unknown" | "queued" | "awaiting":
            return None
    return Right.EDIT


def either(names: Sequence[str]) -> SafeString:
    """The names in bold as "A, B or C"; of many names the first ones, and the number of the others."""
    return SafeString(_or([strong(name) for name in _first(names)]))


def saved(savers: Sequence[tuple[str, int]], *, bold: bool = True) -> SafeString:
    """Who saved how many: "Editor Two saved 2 of these, Editor Three 1." `savers` are (name, number of records)."""
    name = strong if bold else plain
    if len(savers) == 1:
        who, number = savers[0]
        return format_html("{} saved {}.", name(who), "this" if number == 1 else "these")
    parts = [format_html("{} {}", name(who), number) for who, number in savers[:MOST_NAMED]]
    parts[0] = format_html("{} saved {} of these", name(savers[0][0]), savers[0][1])
    rest = [number for _, number in savers[MOST_NAMED:]]
    if rest:
        parts.append(format_html("{} {}", count(len(rest), "other"), sum(rest)))
    return SafeString(f"{', '.join(parts)}.")


def _first(names: Sequence[str]) -> list[str]:
    more = len(names) - MOST_NAMED
    return [*names[:MOST_NAMED], count(more, "other")] if more > 0 else list(names)


def _or(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
