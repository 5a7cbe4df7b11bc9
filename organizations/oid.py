"""The OID of an organization record: its form, its order and its parent.

The form follows X.660 and the limit of the directory. An OID has digits and single dots, at least two arcs, no leading
zeros, and at most 64 characters. The first arc is 0, 1 or 2; below 0 and 1 the second is at most 39. An arc may exceed
64 bits, so arcs are text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

MAX_LENGTH = 64
REDOX_ROOT = "2.16.840.1.113883.3.6147.458"

_FORM = re.compile(r"[0-9]+(\.[0-9]+)+")
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_SHAPES = {"1": "organization", "2": "patient", "3": "document"}


class OidError(ValueError):
    """The text is not an OID. The message is for people, and says why and what to do."""


@dataclass(frozen=True, slots=True)
class Oid:
    """An OID in its bare dotted form. Raises OidError if the text is not an OID."""

    text: str

    def __post_init__(self) -> None:
        error = _form_error(self.text)
        if error:
            raise OidError(error)

    def __str__(self) -> str:
        return self.text

    @property
    def arcs(self) -> tuple[str, ...]:
        """The numbers between the dots, as text."""
        return tuple(self.text.split("."))

    @property
    def key(self) -> str:
        """Text that sorts by arcs in any collation: 2.9 before 2.10, a parent before its child. At most 97 digits."""
        return "".join(f"{len(arc):02}{arc}" for arc in self.arcs)

    @property
    def parent(self) -> "Oid | None":
        """The OID without its last arc; None if fewer than two arcs would be left."""
        arcs = self.arcs
        return Oid(".".join(arcs[:-1])) if len(arcs) > 2 else None

    def is_below(self, other: "Oid") -> bool:
        """Whether this OID begins with all arcs of the other and has more."""
        return self.text.startswith(f"{other.text}.")


def shape(oid: Oid) -> str:
    """The kind of an OID of Redox, by its form: "organization", "patient" or "document"; else "".

    Redox documents `{root}.{number}.{environment}.{site}.{1, 2 or 3}.{n}`. The kind is only a hint: older OIDs have
    fewer arcs.
    """
    if not oid.text.startswith(f"{REDOX_ROOT}."):
        return ""
    own_arcs = oid.text.removeprefix(f"{REDOX_ROOT}.").split(".")
    return _SHAPES.get(own_arcs[3], "") if len(own_arcs) > 3 else ""


def next_free_child(parent: Oid, taken: Iterable[str]) -> Oid:
    """The first of `children` that is not taken. Raises OidError if the child would be too long."""
    used = set(taken)
    return next(child for child in children(parent) if child.text not in used)


def children(parent: Oid) -> Iterator[Oid]:
    """The children by their numbers from 1, without end, but not those that begin Redox's patient or document OIDs.

    Raises OidError at a child that would be too long.
    """
    for arc in count(1):
        child = Oid(f"{parent}.{arc}")
        begins_another_kind = shape(child) in ("patient", "document") and not shape(parent)
        if not begins_another_kind:
            yield child


def _form_error(text: str) -> str:
    if not text:
        return "Enter the OID."
    if "^" in text:
        return "'^' belongs to a document number. Enter only the part before it."
    if _UUID.fullmatch(text):
        return "This is a UUID, not an OID."
    if len(text) > MAX_LENGTH:
        return f"An OID has at most {MAX_LENGTH} characters; this one has {len(text)}."
    if not _FORM.fullmatch(text):
        return _not_an_oid(text)
    return _arcs_error(text)


def _arcs_error(text: str) -> str:
    arcs = text.split(".")
    for number, arc in enumerate(arcs, start=1):
        if len(arc) > 1 and arc.startswith("0"):
            return f"Part {number} of the OID begins with 0. Remove the leading zero."
    first, second = int(arcs[0]), int(arcs[1])
    if first > 2 or (first < 2 and second > 39):
        return _not_an_oid(text)
    return ""


def _not_an_oid(text: str) -> str:
    return f"'{text}' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."
