"""What the directory holds as far as anybody knows: what was accepted, and what a later reading of it shows.

Pure: records in, records and differences out. Two spellings that mean the same are no difference here. What proves a
change is decided elsewhere (`redox/resolution.py`), by hashes of whole records.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from organizations.records import (
    ADDRESS_LABELS,
    CONTACT_LABELS,
    AddressRecord,
    ContactRecord,
    Difference,
    OrganizationRecord,
    difference,
    kept_and_added,
    pair_contacts,
    readable,
)

SENT_BACK = ("Type", "Endpoints")
"""Keys that the form does not have and that an Update sends back, so that the directory does not lose them."""


@dataclass(frozen=True, slots=True)
class Split:
    """What a message changes in the directory, by who wants it.

    `chosen`: somebody here edited the field, or the message is for it. `overwritten`: the directory shows a value
    (`before`) that nobody here chose to replace, and the message replaces it. `equivalent`: another spelling that
    means the same.
    """

    chosen: tuple[Difference, ...] = ()
    overwritten: tuple[Difference, ...] = ()
    equivalent: tuple[Difference, ...] = ()


def newest(accepted: OrganizationRecord, seen: OrganizationRecord) -> OrganizationRecord:
    """The newest knowledge of each field: what a later reading shows, else what was accepted.

    A reading shows neither destination ID nor endpoints. Where it means the same, the accepted spelling is kept.
    """
    return replace(
        respelled(seen, accepted),
        oid=accepted.oid,
        destination_id=accepted.destination_id,
        destination_known=accepted.destination_known,
        carried=accepted.carried,
    )


def seen_differences(accepted: OrganizationRecord, seen: OrganizationRecord) -> tuple[Difference, ...]:
    """Where a reading shows something else than was accepted. Another spelling, or order, of the same is left out."""
    found = in_form(difference(accepted, newest(accepted, seen)))
    return tuple(each for each in found if not _is_order(each))


def changed_by_others(
    accepted: OrganizationRecord, seen: OrganizationRecord, under_way: OrganizationRecord | None
) -> tuple[Difference, ...]:
    """The same, without values that a message of ours carries which may have arrived by now."""
    found = seen_differences(accepted, seen)
    if under_way is None:
        return found
    unlike, known = set(map(difference_place, seen_differences(under_way, seen))), newest(under_way, seen)
    return tuple(
        each
        for each in found
        if difference_place(each) in unlike or _is_missing_contact(each, accepted, under_way, known)
    )


def split(
    accepted: OrganizationRecord | None,
    seen: OrganizationRecord | None,
    sent: OrganizationRecord,
    *,
    on_purpose: Collection[str] = (),
) -> Split:
    """What sending `sent` changes, by what was accepted and what a later reading shows (None: there is no later one).

    Without anything accepted every value of the directory that differs is overwritten. Fields `on_purpose` are what
    the message is for, such as Active in a deactivation: they are chosen, whatever was accepted before.
    """
    edits = in_form(difference(accepted, sent))
    if seen is None:
        return Split(chosen=edits)
    known = _with_longer_zip(newest(accepted, seen), seen) if accepted else fill_unreadable(seen, sent)
    chosen = _chosen(in_form(difference(known, sent)), edits if accepted else (), on_purpose)
    ours = set(map(difference_place, chosen))
    real = in_form(difference(respelled(known, sent), sent))
    overwritten = tuple(each for each in real if difference_place(each) not in ours and not _is_order(each))
    said = {difference_place(each) for each in (*chosen, *overwritten)}
    spelled = in_form(difference(fill_unreadable(seen, sent), sent))
    return Split(chosen, overwritten, tuple(each for each in spelled if difference_place(each) not in said))


def _with_longer_zip(known: OrganizationRecord, seen: OrganizationRecord) -> OrganizationRecord:
    """With the directory's ZIP where it has more digits than the one that `known` keeps: an edit would take them away.

    `known` holds another spelling than the directory only where it means the same; every other one says as much.
    """
    zip_code = seen.address.zip_code
    if len(_digits(zip_code)) <= len(_digits(known.address.zip_code)):
        return known
    return replace(known, address=replace(known.address, zip_code=zip_code))


def unsent(
    accepted: OrganizationRecord | None, seen: OrganizationRecord | None, wanted: OrganizationRecord
) -> tuple[Difference, ...]:
    """The edits that the directory does not have: what differs from the acceptance and from a later reading."""
    edits = in_form(difference(accepted, wanted))
    if seen is None:
        return edits
    if accepted is None:
        return split(None, seen, wanted).overwritten
    known = _with_longer_zip(newest(accepted, seen), seen)
    missing = set(map(difference_place, difference(known, wanted)))
    return tuple(
        each
        for each in edits
        if difference_place(each) in missing
        or any(place.startswith(f"{each.field}.") for place, _ in missing)  # an added contact, paired with another
        or _is_missing_contact(each, accepted, known, wanted)
    )


def _is_missing_contact(
    edit: Difference, accepted: OrganizationRecord, known: OrganizationRecord, wanted: OrganizationRecord
) -> bool:
    """Whether an edit of contacts is missing under another place, because the directory changed that contact too.

    One that the directory does not have is added whole there; one that is taken away is called by what it was.
    """
    kind, _, place = edit.field.partition(".")
    if kind != "contacts" or _is_order(edit):
        return False
    pairs = pair_contacts(known.contacts, wanted.contacts)
    if not place.startswith("removed."):
        return (None, int(place.split(".")[0])) in pairs
    became = dict(pair_contacts(accepted.contacts, known.contacts))
    return (became.get(int(place.removeprefix("removed."))), None) in pairs


def known_after_taking(
    accepted: OrganizationRecord | None, seen: OrganizationRecord, wanted: OrganizationRecord
) -> OrganizationRecord:
    """What the next message is compared with once somebody took what a reading shows."""
    known = newest(accepted, seen) if accepted else first_shown(seen, wanted)
    return replace(_with_longer_zip(known, seen), carried=carried_from(known, seen))


def sendable(record: OrganizationRecord) -> OrganizationRecord:
    """The record as a message holds it: of the keys that the form does not have only those that are sent back."""
    return replace(record, carried=tuple(item for item in record.carried if item[0] in SENT_BACK))


def first_shown(seen: OrganizationRecord, wanted: OrganizationRecord) -> OrganizationRecord:
    """A reading, for a record that was never accepted. Values with the same meaning keep the spelling saved here.

    The destination ID stays unknown: a Query does not show it.
    """
    return replace(respelled(seen, wanted), oid=wanted.oid, carried=carried_from(wanted, seen))


def taken_from(
    accepted: OrganizationRecord | None, wanted: OrganizationRecord, seen: OrganizationRecord
) -> OrganizationRecord:
    """What is wanted, with each value that the directory changed since the acceptance as the directory shows it.

    Edits of other fields stay. Without anything accepted every value that a reading shows is the directory's.
    """
    if accepted is None:
        return fill_unreadable(_with_longer_zip(first_shown(seen, wanted), seen), wanted)
    known = newest(accepted, seen)
    values: dict[str, Any] = {
        name: _theirs(name, accepted, known, wanted)
        for name in ("name", "active", "part_of_oid", "aliases", "identifiers")
    }
    address = {name: _theirs(name, accepted.address, known.address, wanted.address) for name in ADDRESS_LABELS}
    if wanted.address.zip_code == accepted.address.zip_code:
        address["zip_code"] = _with_longer_zip(known, seen).address.zip_code
    contacts = tuple(_merged_contacts(accepted.contacts, known.contacts, wanted.contacts))
    carried = carried_from(wanted, seen)
    return replace(wanted, **values, address=AddressRecord(**address), contacts=contacts, carried=carried)


def carried_from(own: OrganizationRecord, seen: OrganizationRecord) -> tuple[tuple[str, str], ...]:
    """The keys to send back, with Type as a reading shows it. A reading never shows Endpoints."""
    kept = [item for item in own.carried if item[0] != "Type"]
    return tuple(sorted([*kept, *(item for item in seen.carried if item[0] == "Type")]))


def in_form(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences in fields that the form has: nobody edits the others."""
    return tuple(each for each in differences if not each.field.startswith("carried."))


def respelled(record: OrganizationRecord, like: OrganizationRecord) -> OrganizationRecord:
    """The record with each value that means the same as the other record's spelled as the other record spells it."""
    mine, other = readable(record), readable(like)
    address = {
        name: getattr(like.address if _same_address_field(name, record, like) else record.address, name)
        for name in ADDRESS_LABELS
    }
    return replace(
        record,
        name=like.name if mine.name == other.name else record.name,
        aliases=like.aliases if mine.aliases == other.aliases else record.aliases,
        identifiers=like.identifiers if mine.identifiers == other.identifiers else record.identifiers,
        address=AddressRecord(**address),
        contacts=_respelled_contacts(record.contacts, like.contacts),
    )


def fill_unreadable(seen: OrganizationRecord, sent: OrganizationRecord) -> OrganizationRecord:
    """A reading with the OID and the destination ID that are sent: a Query shows no destination ID."""
    return replace(seen, oid=sent.oid, destination_id=sent.destination_id, destination_known=sent.destination_known)


def _chosen(
    differences: tuple[Difference, ...], edits: tuple[Difference, ...], on_purpose: Collection[str]
) -> tuple[Difference, ...]:
    """Those that an edit here made from the very value that is known, or that are on purpose."""
    edited = {difference_place(each): each.before for each in edits}
    return tuple(
        each
        for each in differences
        if each.field in on_purpose
        or (difference_place(each) in edited and (_is_order(each) or edited[difference_place(each)] == each.before))
    )


def difference_place(found: Difference) -> tuple[str, str]:
    """Names one field in two comparisons. The number of a removed contact differs between them."""
    if found.field.startswith("contacts.removed."):
        return "contacts.removed", found.before
    return found.field, ""


def _is_order(found: Difference) -> bool:
    return found.field == "contacts.order"


def _same_address_field(name: str, one: OrganizationRecord, other: OrganizationRecord) -> bool:
    first, second = getattr(readable(one).address, name), getattr(readable(other).address, name)
    if name != "zip_code" or first != second:
        return bool(first == second)
    # Two ZIP codes of nine digits share five and mean different places: only a shorter one means the same.
    short, long = sorted((_digits(one.address.zip_code), _digits(other.address.zip_code)))
    return long.startswith(short)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _respelled_contacts(
    contacts: tuple[ContactRecord, ...], like: tuple[ContactRecord, ...]
) -> tuple[ContactRecord, ...]:
    spelled, unlike = list(contacts), []
    by_meaning: dict[ContactRecord, list[int]] = {}
    for number, other in enumerate(like):
        by_meaning.setdefault(contact_meaning(other), []).append(number)
    for place, contact in enumerate(contacts):
        same = by_meaning.get(contact_meaning(contact))
        if same:
            spelled[place] = like[same.pop(0)]
        else:
            unlike.append(place)
    left = [like[number] for number in sorted(itertools.chain(*by_meaning.values()))]
    if not left and not unlike:
        return like
    for old, new in pair_contacts(tuple(left), tuple(contacts[place] for place in unlike)):
        if old is not None and new is not None:
            spelled[unlike[new]] = respelled_contact(contacts[unlike[new]], left[old])
    return tuple(spelled)


def respelled_contact(contact: ContactRecord, like: ContactRecord) -> ContactRecord:
    """The contact with each value that means the same as the other's spelled as the other spells it."""
    mine, other = contact_meaning(contact), contact_meaning(like)
    same = {name: getattr(like, name) for name in CONTACT_LABELS if getattr(mine, name) == getattr(other, name)}
    return replace(contact, **same)


def contact_meaning(contact: ContactRecord) -> ContactRecord:
    """The contact in the form in which contacts that mean the same are equal."""
    return readable(OrganizationRecord(contacts=(contact,))).contacts[0]


def _theirs(name: str, before: object, theirs: object, mine: object) -> Any:
    changed = getattr(before, name) != getattr(theirs, name)
    return getattr(theirs if changed else mine, name)


def _merged_contacts(
    before: tuple[ContactRecord, ...], theirs: tuple[ContactRecord, ...], mine: tuple[ContactRecord, ...]
) -> Iterator[ContactRecord]:
    """In their order; what I removed stays away unless they changed it, and what I added comes last."""
    came_from = {new: old for old, new in pair_contacts(before, theirs)}
    kept_by_me, added_by_me = kept_and_added(before, mine)
    for place, their in enumerate(theirs):
        old = came_from[place]
        own = None if old is None else kept_by_me.get(old)
        if old is None:
            yield their
        elif their != before[old]:
            values = {name: _theirs(name, before[old], their, own or their) for name in CONTACT_LABELS}
            yield replace(their, **values)
        elif own is not None:
            yield own
    meanings = tuple(contact_meaning(their) for place, their in enumerate(theirs) if came_from[place] is None)
    yield from (contact for contact in added_by_me if contact_meaning(contact) not in meanings)
