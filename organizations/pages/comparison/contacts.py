"""Which contact is which: as saved here, as accepted, and as the directory shows it.

The one place where pages pair contacts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from organizations import knowledge
from organizations.records import ContactRecord, OrganizationRecord, pair_contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSides:
    """One contact on each side; None if a side does not have it.

    `newest` is `seen` in the spelling that is known here. `places` are its positions among the contacts that are saved,
    accepted and newest.
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
        """Whether a side lacks the whole contact, so that it differs as one field."""
        if not self.is_compared:
            return False
        sides = [self.saved, self.newest, *([self.accepted] if self.has_accepted else [])]
        return any(side is None for side in sides)

    @property
    def purpose(self) -> str:
        return self.saved.purpose if self.saved else ""


def contact_sides(
    *,
    saved: OrganizationRecord,
    accepted: OrganizationRecord | None,
    newest: OrganizationRecord | None,
    seen: OrganizationRecord | None,
) -> Iterator[ContactSides]:
    """Every contact once: first those saved here in their order, then those that only other sides have."""
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
        their_contact = other.contacts[theirs] if theirs is not None else None
        yield ContactSides(
            label=_label(mine, place, theirs),
            number=next(number for number in (mine, place, theirs) if number is not None),
            places=(mine, place, theirs),
            saved=saved.contacts[mine] if mine is not None else None,
            accepted=accepted.contacts[place] if accepted and place is not None else None,
            newest=their_contact,
            seen=_as_seen(their_contact, theirs or 0, seen),
            has_accepted=accepted is not None,
            is_compared=True,
        )


def reading_contacts(ours: OrganizationRecord, reading: OrganizationRecord) -> Iterator[ContactSides]:
    """Every contact of two records once, `saved` from `ours` and `seen` from the reading; ours come first."""
    return contact_sides(saved=ours, accepted=None, newest=knowledge.spell_like(reading, ours), seen=reading)


def _became(base: OrganizationRecord, other: OrganizationRecord) -> dict[int, int]:
    pairs = pair_contacts(base.contacts, other.contacts)
    return {old: new for old, new in pairs if old is not None and new is not None}


def _only_on_one(
    saved: OrganizationRecord, other: OrganizationRecord, paired_here: set[int], paired_there: set[int]
) -> Iterator[tuple[int | None, int | None, int | None]]:
    """The positions of contacts that are new here, new in the directory, or new and equal on both sides."""
    unpaired = [place for place in range(len(other.contacts)) if place not in paired_there]
    for mine, contact in enumerate(saved.contacts):
        if mine not in paired_here:
            same = next((place for place in unpaired if other.contacts[place] == contact), None)
            if same is not None:
                unpaired.remove(same)
            yield mine, None, same
    yield from ((None, None, place) for place in unpaired)


def _label(mine: int | None, place: int | None, theirs: int | None) -> str:
    if mine is not None:
        return f"Contact {mine + 1}"
    return f"Contact {place + 1}" if place is not None else f"Contact {(theirs or 0) + 1} in the directory"


def _as_seen(newest: ContactRecord | None, place: int, seen: OrganizationRecord | None) -> ContactRecord | None:
    """The contact as the reading spells it: the one at its position, or another that means the same."""
    if newest is None or seen is None:
        return None
    at_place = seen.contacts[place : place + 1]
    alike = (
        each
        for each in (*at_place, *seen.contacts)
        if knowledge.contact_meaning(each) == knowledge.contact_meaning(newest)
    )
    return next(alike, newest)
