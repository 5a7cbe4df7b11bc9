"""The organizations in the directory with the name or the address of a new record: possible duplicates."""

from typing import NamedTuple

from organizations.services.directory.duplicates import Duplicates, PossibleDuplicate
from organizations.text.markup import plain, written
from organizations.text.vocabulary import count


class DuplicatesShown(NamedTuple):
    """A sentence, and a line for each organization."""

    sentence: str
    lines: tuple[str, ...]


def duplicates_shown(duplicates: Duplicates) -> DuplicatesShown:
    asked = f"Asked at {written(duplicates.asked_at, 'clock')}, the directory"
    if duplicates.causes and not duplicates.received:
        return DuplicatesShown(f"{asked} gave no answer: {plain(duplicates.causes[0]).rstrip('.')}.", ())
    found = count(len(duplicates.found), "organization") if duplicates.found else "no organization"
    has_address = duplicates.asked_zip or any(each.has_address for each in duplicates.found)
    sentence = f"{asked} showed {found} with this name{' or address' if has_address else ''}."
    if not duplicates.asked_zip:
        sentence += " Only the name was searched: to search for the address, the portal needs a ZIP of the USA."
    if not duplicates.is_whole:
        sentence += " It showed only some of those that may match."
    return DuplicatesShown(sentence, tuple(map(_line, duplicates.found)))


def _line(duplicate: PossibleDuplicate) -> str:
    shared = [word for word, has in (("name", duplicate.has_name), ("address", duplicate.has_address)) if has]
    address = duplicate.record.address
    place = ", ".join(filter(None, (address.street, address.city, address.state, address.zip_code)))
    active = "" if duplicate.record.active else ", not active"
    where = f", {plain(place)}" if place else ""
    return (
        f"{plain(duplicate.record.name)}, {plain(duplicate.record.oid)}{where}{active}: the same {' and '.join(shared)}"
    )
