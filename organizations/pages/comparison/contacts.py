"""Which contact is which on the sides of a record: as saved here, as accepted, and as the directory shows it."""

from collections.abc import Iterator
from dataclasses import dataclass

from organizations import knowledge
from organizations.records import ContactRecord, OrganizationRecord, pair_contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSides:
    """One contact; None on a side that does not have it. `newest` is `seen` in the spelling that is known here.

    `places` are its places among the contacts that are saved, accepted and newest.
    """

    label: str
    number: int
    places: tuple[int | None, int | None, int | None] = (None, None, None)
    saved: ContactRecord | None = None
    accepted: ContactRecord | None = None
    newest: ContactRecord | None = None
    seen: ContactRecord | None = None
    has_accepted: bool = False
    is_compared: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the whole contact is new or gone on some side, so that it differs as one field."""
        if not self.is_compared:
            return False
        sides = [self.saved, self.newest, *([self.accepted] if self.has_accepted else [])]
        return any(side is None for side in sides)

    @property
    def purpose(self) -> str:
        return self.saved.purpose if self.saved else ""


def contact_sides(
    saved: OrganizationRecord,
    accepted: OrganizationRecord | None,
    newest: OrganizationRecord | None,
    seen: OrganizationRecord | None,
) -> Iterator[ContactSides]:
    """Every contact once: those saved here in their order, then those that only the other sides have."""
    base = accepted or newest
    if base is None:
        for number, contact in enumerate(saved.contacts):
            yield ContactSides(label=f"Contact {number + 1}", number=number, saved=contact)
        return
    other = newest or base
    here, there = _became(base, saved), _became(base, other)
    lines: list[tuple[int | None, int | None, int | None]] = [
        (here.get(place), place, there.get(place)) for place in range(len(base.contacts))
    ]
    lines += _only_on_one(saved, other, set(here.values()), set(there.values()))
    for mine, place, theirs in sorted(lines, key=lambda line: (line[0] is None, line[0] or 0, line[1] or 0)):
        found = other.contacts[theirs] if theirs is not None else None
        yield ContactSides(
            label=_label(mine, place, theirs),
            number=next(number for number in (mine, place, theirs) if number is not None),
            places=(mine, place, theirs),
            saved=saved.contacts[mine] if mine is not None else None,
            accepted=accepted.contacts[place] if accepted and place is not None else None,
            newest=found,
            seen=_as_seen(found, theirs or 0, seen),
            has_accepted=accepted is not None,
            is_compared=True,
        )


def reading_contacts(ours: OrganizationRecord, reading: OrganizationRecord) -> Iterator[ContactSides]:
    """Every contact once, `saved` as it is in `ours` and `seen` as it is in the reading: ours first, in their order."""
    return contact_sides(ours, None, knowledge.respelled(reading, ours), reading)


def _became(base: OrganizationRecord, other: OrganizationRecord) -> dict[int, int]:
    pairs = pair_contacts(base.contacts, other.contacts)
    return {old: new for old, new in pairs if old is not None and new is not None}


def _only_on_one(
    saved: OrganizationRecord, other: OrganizationRecord, paired_here: set[int], paired_there: set[int]
) -> Iterator[tuple[int | None, int | None, int | None]]:
    """Contacts that are new here, new in the directory, or new and equal on both."""
    left = [place for place in range(len(other.contacts)) if place not in paired_there]
    for mine, contact in enumerate(saved.contacts):
        if mine not in paired_here:
            same = next((place for place in left if other.contacts[place] == contact), None)
            if same is not None:
                left.remove(same)
            yield mine, None, same
    yield from ((None, None, place) for place in left)


def _label(mine: int | None, place: int | None, theirs: int | None) -> str:
    if mine is not None:
        return f"Contact {mine + 1}"
    return f"Contact {place + 1}" if place is not None else f"Contact {(theirs or 0) + 1} in the directory"


def _as_seen(found: ContactRecord | None, place: int, seen: OrganizationRecord | None) -> ContactRecord | None:
    """The contact as the reading spells it: the one at its place, or wherever one means the same."""
    if found is None or seen is None:
        return None
    at_place = seen.contacts[place : place + 1]
    alike = (
        each
        for each in (*at_place, *seen.contacts)
        if knowledge.contact_meaning(each) == knowledge.contact_meaning(found)
    )
    return next(alike, found)
