"""Why a search found a record: the field that contains the word, and the letters in it."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db.models import prefetch_related_objects

from organizations.folding import fold
from organizations.models import Organization


class Marked(NamedTuple):
    """The text of a field, split around the letters that match; `label` names the field."""

    label: str
    before: str
    hit: str
    after: str


class Match(NamedTuple):
    """The name with its matching letters, and another field with a word that the name does not contain."""

    name: Marked
    other: Marked | None


def read_texts(organizations: Iterable[Organization], words: Sequence[str]) -> None:
    """Read the contacts and identifiers for `match`, only of records whose name lacks a word; two queries."""
    lacking = [organization for organization in organizations if _missing(organization, words)]
    prefetch_related_objects(lacking, "contacts", "identifiers")


def match(organization: Organization, words: Sequence[str]) -> Match:
    """The fields that contain the words. The caller has called `read_texts`."""
    missing = _missing(organization, words)
    in_name = next((word for word in words if word not in missing), "")
    other = _match_in_other_fields(organization, missing[0]) if missing else None
    return Match(marked("Name", organization.name, in_name), other)


def _missing(organization: Organization, words: Sequence[str]) -> list[str]:
    """The words that the name does not contain."""
    folded = fold(organization.name)
    return [word for word in words if word not in folded]


def marked(label: str, text: str, word: str) -> Marked:
    """The text, split around the first place that matches the folded word."""
    if not word or word not in fold(text):
        return Marked(label, text, "", "")
    # The shortest beginning that contains the word, then the shortest end of that beginning that contains it.
    end = bisect_left(range(len(text)), True, key=lambda end: word in fold(text[:end]))
    start = bisect_left(range(end), True, key=lambda start: word not in fold(text[start:end])) - 1
    return Marked(label, text[:start], text[start:end], text[end:])


def _match_in_other_fields(organization: Organization, word: str) -> Marked | None:
    for label, text in _texts(organization):
        if word in fold(text):
            return marked(label, text, word)
    return None


def _texts(organization: Organization) -> Iterator[tuple[str, str]]:
    yield from (("alias", alias) for alias in organization.aliases)
    yield "OID", organization.oid
    yield from (("own identifier", identifier.value) for identifier in organization.identifiers.all())
    for contact in organization.contacts.all():
        yield "contact", contact.name
        yield from (("e-mail", address) for address in contact.email_addresses)
        yield "work phone", contact.work_phone
        yield "mobile phone", contact.mobile_phone
        yield "home phone", contact.home_phone
