"""Compares records with the known content of the directory: the baseline, and a later reading.

The baseline is the record last accepted by Redox, or taken from the directory by a person. These functions are pure.
Two spellings with the same meaning do not differ here. `redox/resolution.py` compares hashes of whole records instead,
to decide whether a change is proved.
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
    sent_back,
)


@dataclass(frozen=True, slots=True)
class ChangesByOrigin:
    """The changes that a message makes in the directory, grouped by whether somebody here wants them.

    `chosen`: somebody here edited the field, or the message exists to change it. `overwritten`: the message replaces a
    value of the directory (`before`), and nobody here chose to. `equivalent`: only the spelling changes.
    """

    chosen: tuple[Difference, ...] = ()
    overwritten: tuple[Difference, ...] = ()
    equivalent: tuple[Difference, ...] = ()


def newest(baseline: OrganizationRecord, seen: OrganizationRecord) -> OrganizationRecord:
    """The newest known value of each field: from the later reading, else from the baseline.

    A reading shows neither destination ID nor endpoints. Values with the same meaning keep the baseline's spelling.
    """
    return replace(
        spell_like(seen, baseline),
        oid=baseline.oid,
        destination_id=baseline.destination_id,
        destination_known=baseline.destination_known,
        carried=baseline.carried,
    )


def seen_differences(baseline: OrganizationRecord, seen: OrganizationRecord) -> tuple[Difference, ...]:
    """The differences of a reading from the baseline. Other spellings and another order do not count."""
    differences = in_form(difference(baseline, newest(baseline, seen)))
    return tuple(change for change in differences if not _is_order(change))


def changed_by_others(
    baseline: OrganizationRecord, seen: OrganizationRecord, in_flight: OrganizationRecord | None
) -> tuple[Difference, ...]:
    """As `seen_differences`, but without the values of `in_flight`: that message may have arrived."""
    differences = seen_differences(baseline, seen)
    if in_flight is None:
        return differences
    still_different, known = set(map(difference_key, seen_differences(in_flight, seen))), newest(in_flight, seen)
    return tuple(
        each
        for each in differences
        if difference_key(each) in still_different or _lacks_contact_edit(each, baseline, in_flight, known)
    )


def changes_by_origin(
    baseline: OrganizationRecord | None,
    seen: OrganizationRecord | None,
    sent: OrganizationRecord,
    *,
    on_purpose: Collection[str] = (),
) -> ChangesByOrigin:
    """The changes that sending `sent` makes. `seen` is a reading after the baseline, if there is one.

    Without a baseline, every different value of the directory is overwritten. The message exists to change the fields
    `on_purpose`, such as Active in a deactivation: they are chosen, whatever the baseline is.
    """
    edits = in_form(difference(baseline, sent))
    if seen is None:
        return ChangesByOrigin(chosen=edits)
    known = _with_longer_zip(newest(baseline, seen), seen) if baseline else with_fields_no_query_shows(seen, sent)
    chosen = _chosen(in_form(difference(known, sent)), edits if baseline else (), on_purpose)
    ours = set(map(difference_key, chosen))
    real = in_form(difference(spell_like(known, sent), sent))
    overwritten = tuple(each for each in real if difference_key(each) not in ours and not _is_order(each))
    listed = {difference_key(each) for each in (*chosen, *overwritten)}
    spelled = in_form(difference(with_fields_no_query_shows(seen, sent), sent))
    return ChangesByOrigin(chosen, overwritten, tuple(each for each in spelled if difference_key(each) not in listed))


def _with_longer_zip(known: OrganizationRecord, seen: OrganizationRecord) -> OrganizationRecord:
    """`known`, but with the ZIP of the directory if that has more digits: an edit would remove them.

    The other values of `known` mean the same as those of the directory. Only a ZIP can have more information.
    """
    zip_code = seen.address.zip_code
    if len(_digits(zip_code)) <= len(_digits(known.address.zip_code)):
        return known
    return replace(known, address=replace(known.address, zip_code=zip_code))


def unsent(
    baseline: OrganizationRecord | None, seen: OrganizationRecord | None, wanted: OrganizationRecord
) -> tuple[Difference, ...]:
    """The edits that the directory does not have: they differ from the baseline and from a later reading."""
    edits = in_form(difference(baseline, wanted))
    if seen is None:
        return edits
    if baseline is None:
        return changes_by_origin(None, seen, wanted).overwritten
    known = _with_longer_zip(newest(baseline, seen), seen)
    missing = set(map(difference_key, difference(known, wanted)))
    return tuple(
        change
        for change in edits
        if difference_key(change) in missing
        or any(
            place.startswith(f"{change.field}.") for place, _ in missing
        )  # an added contact that is paired with another one
        or _lacks_contact_edit(change, baseline, known, wanted)
    )


def _lacks_contact_edit(
    edit: Difference, baseline: OrganizationRecord, known: OrganizationRecord, wanted: OrganizationRecord
) -> bool:
    """Whether the directory misses this edit of a contact. `difference_key` cannot tell if others changed contacts.

    An added or changed contact is missing if no contact there pairs with it. A removal is missing if the directory
    still has the contact.
    """
    kind, _, place = edit.field.partition(".")
    if kind != "contacts" or _is_order(edit):
        return False
    pairs = pair_contacts(known.contacts, wanted.contacts)
    if not place.startswith("removed."):
        return (None, int(place.split(".")[0])) in pairs
    became = dict(pair_contacts(baseline.contacts, known.contacts))
    return (became.get(int(place.removeprefix("removed."))), None) in pairs


def known_after_taking(
    baseline: OrganizationRecord | None, seen: OrganizationRecord, wanted: OrganizationRecord
) -> OrganizationRecord:
    """The record with which the next message is compared, after somebody took the values of a reading."""
    known = newest(baseline, seen) if baseline else first_shown(seen, wanted)
    return replace(_with_longer_zip(known, seen), carried=carried_from(known, seen))


def sendable(record: OrganizationRecord) -> OrganizationRecord:
    """The record as in a message: of the carried keys it has only those that are sent back."""
    return replace(record, carried=sent_back(record))


def first_shown(seen: OrganizationRecord, wanted: OrganizationRecord) -> OrganizationRecord:
    """The reading of a record without a baseline. Values with the same meaning keep the spelling saved here.

    The destination ID stays unknown, because a Query does not show it.
    """
    return replace(spell_like(seen, wanted), oid=wanted.oid, carried=carried_from(wanted, seen))


def taken_from(
    baseline: OrganizationRecord | None, seen: OrganizationRecord, wanted: OrganizationRecord
) -> OrganizationRecord:
    """`wanted`, with the directory's value in each field that the directory changed since the baseline.

    Edits of other fields stay. Without a baseline, all values that a Query shows are those of the reading, in the
    spelling of `wanted` if they mean the same.
    """
    if baseline is None:
        return with_fields_no_query_shows(_with_longer_zip(first_shown(seen, wanted), seen), wanted)
    known = newest(baseline, seen)
    values: dict[str, Any] = {
        name: _theirs(name, baseline, known, wanted)
        for name in ("name", "active", "part_of_oid", "aliases", "identifiers")
    }
    address = {name: _theirs(name, baseline.address, known.address, wanted.address) for name in ADDRESS_LABELS}
    if wanted.address.zip_code == baseline.address.zip_code:
        address["zip_code"] = _with_longer_zip(known, seen).address.zip_code
    contacts = tuple(_merged_contacts(baseline.contacts, known.contacts, wanted.contacts))
    carried = carried_from(wanted, seen)
    return replace(wanted, **values, address=AddressRecord(**address), contacts=contacts, carried=carried)


def carried_from(own: OrganizationRecord, seen: OrganizationRecord) -> tuple[tuple[str, str], ...]:
    """The carried keys of `own`, with Type as the reading shows it. A reading never shows Endpoints."""
    other_items = [item for item in own.carried if item[0] != "Type"]
    return tuple(sorted([*other_items, *(item for item in seen.carried if item[0] == "Type")]))


def in_form(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences in fields of the form. Nobody edits other fields."""
    return tuple(change for change in differences if not change.field.startswith("carried."))


def spell_like(record: OrganizationRecord, like: OrganizationRecord) -> OrganizationRecord:
    """The record, in which values with the same meaning as in `like` have the spelling of `like`."""
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
        contacts=_spell_contacts_like(record.contacts, like.contacts),
    )


def with_fields_no_query_shows(seen: OrganizationRecord, sent: OrganizationRecord) -> OrganizationRecord:
    """The reading, with the OID and the destination ID of the message, because no reading shows the destination ID."""
    return replace(seen, oid=sent.oid, destination_id=sent.destination_id, destination_known=sent.destination_known)


def _chosen(
    differences: tuple[Difference, ...], edits: tuple[Difference, ...], on_purpose: Collection[str]
) -> tuple[Difference, ...]:
    """The differences that are on purpose, or that an edit here made from the value that is known now."""
    edited = {difference_key(each): each.before for each in edits}
    return tuple(
        each
        for each in differences
        if each.field in on_purpose
        or (difference_key(each) in edited and (_is_order(each) or edited[difference_key(each)] == each.before))
    )


def difference_key(difference: Difference) -> tuple[str, str]:
    """A key that identifies a difference: its field. A removed contact has no number now, so its text is added."""
    if difference.field.startswith("contacts.removed."):
        return "contacts.removed", difference.before
    return difference.field, ""


def _is_order(difference: Difference) -> bool:
    return difference.field == "contacts.order"


def _same_address_field(name: str, one: OrganizationRecord, other: OrganizationRecord) -> bool:
    first, second = getattr(readable(one).address, name), getattr(readable(other).address, name)
    if name != "zip_code" or first != second:
        return bool(first == second)
    # `readable` compares five digits, but two ZIP codes of nine digits mean the same only if they are equal.
    short, long = sorted((_digits(one.address.zip_code), _digits(other.address.zip_code)))
    return long.startswith(short)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _spell_contacts_like(
    contacts: tuple[ContactRecord, ...], like: tuple[ContactRecord, ...]
) -> tuple[ContactRecord, ...]:
    result, unmatched = list(contacts), []
    by_meaning: dict[ContactRecord, list[int]] = {}
    for number, other in enumerate(like):
        by_meaning.setdefault(contact_meaning(other), []).append(number)
    for place, contact in enumerate(contacts):
        same = by_meaning.get(contact_meaning(contact))
        if same:
            result[place] = like[same.pop(0)]
        else:
            unmatched.append(place)
    rest_of_like = [like[number] for number in sorted(itertools.chain(*by_meaning.values()))]
    if not rest_of_like and not unmatched:
        return like
    for old, new in pair_contacts(tuple(rest_of_like), tuple(contacts[place] for place in unmatched)):
        if old is not None and new is not None:
            result[unmatched[new]] = spell_contact_like(contacts[unmatched[new]], rest_of_like[old])
    return tuple(result)


def spell_contact_like(contact: ContactRecord, like: ContactRecord) -> ContactRecord:
    """The contact, with the spelling of `like` in each value that means the same there."""
    mine, other = contact_meaning(contact), contact_meaning(like)
    same = {name: getattr(like, name) for name in CONTACT_LABELS if getattr(mine, name) == getattr(other, name)}
    return replace(contact, **same)


def contact_meaning(contact: ContactRecord) -> ContactRecord:
    """The contact in a normalized spelling: two contacts that mean the same are equal."""
    return readable(OrganizationRecord(contacts=(contact,))).contacts[0]


def _theirs(name: str, before: object, theirs: object, mine: object) -> Any:
    changed = getattr(before, name) != getattr(theirs, name)
    return getattr(theirs if changed else mine, name)


def _merged_contacts(
    before: tuple[ContactRecord, ...], theirs: tuple[ContactRecord, ...], mine: tuple[ContactRecord, ...]
) -> Iterator[ContactRecord]:
    """The contacts of `theirs` in their order, then those added in `mine`.

    A contact that `mine` removed is left out, unless `theirs` changed it.
    """
    place_before = {new: old for old, new in pair_contacts(before, theirs)}
    kept_by_me, added_by_me = kept_and_added(before, mine)
    for place, their in enumerate(theirs):
        old = place_before[place]
        own = None if old is None else kept_by_me.get(old)
        if old is None:
            yield their
        elif their != before[old]:
            values = {name: _theirs(name, before[old], their, own or their) for name in CONTACT_LABELS}
            yield replace(their, **values)
        elif own is not None:
            yield own
    meanings = tuple(contact_meaning(their) for place, their in enumerate(theirs) if place_before[place] is None)
    yield from (contact for contact in added_by_me if contact_meaning(contact) not in meanings)
