"""The organizations in the directory with the name or the address of a new record: possible duplicates."""

from typing import NamedTuple

from organizations.services.directory.doubles import Double, Doubles
from organizations.text.markup import plain, written
from organizations.text.vocabulary import count


class DoublesShown(NamedTuple):
    """A sentence, and a line for each organization."""

    sentence: str
    lines: tuple[str, ...]


def doubles_shown(doubles: Doubles) -> DoublesShown:
    asked = f"Asked at {written(doubles.asked_at, 'clock')}, the directory"
    if doubles.causes and not doubles.received:
        return DoublesShown(f"{asked} gave no answer: {plain(doubles.causes[0]).rstrip('.')}.", ())
    found = count(len(doubles.found), "organization") if doubles.found else "no organization"
    sentence = f"{asked} showed {found} with this name or address."
    if not doubles.is_whole:
        sentence += " It showed only some of those that may fit."
    return DoublesShown(sentence, tuple(map(_line, doubles.found)))


def _line(double: Double) -> str:
    shared = [word for word, has in (("name", double.has_name), ("address", double.has_address)) if has]
    address = double.record.address
    place = ", ".join(filter(None, (address.street, address.city, address.state, address.zip_code)))
    active = "" if double.record.active else ", not active"
    where = f", {plain(place)}" if place else ""
    return f"{plain(double.record.name)}, {plain(double.record.oid)}{where}{active}: the same {' and '.join(shared)}"
