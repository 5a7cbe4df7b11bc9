"""The one text column that a search looks through, and the same folding for what is typed."""

import re

from organizations.records import OrganizationRecord

_NOT_DIGITS = re.compile(r"\D+")
_PHONE_LIKE = re.compile(r"^[\d\s()+.\-/]{7,}$")


def folded(text: str) -> str:
    """Text as the search column holds it: lower case, one blank between words, nothing that a database cannot store."""
    return " ".join(text.replace("\x00", " ").lower().split())


def search_text(record: OrganizationRecord) -> str:
    """Name, aliases, OID, own identifiers, contacts' names and e-mails, and the digits of phones, of one record."""
    words = [record.name, *record.aliases, record.oid, *(identifier.value for identifier in record.identifiers)]
    for contact in record.contacts:
        words += [contact.name, *contact.email_addresses]
        words += [digits(phone) for phone in (contact.work_phone, contact.mobile_phone, contact.home_phone)]
    return folded(" ".join(words))


def digits(text: str) -> str:
    return _NOT_DIGITS.sub("", text)


def looked_for(typed: str) -> str:
    """What to look for: a phone in any form becomes its digits; `urn:oid:` and the mark of left-out arcs fall away."""
    text = folded(typed).removeprefix("urn:oid:").lstrip("…")
    if _PHONE_LIKE.match(text) and text.count(".") < 3:
        return digits(text)
    return text


def words(typed: str) -> tuple[str, ...]:
    """The words that all must be found. A phone is one word, however it was typed."""
    return tuple(looked_for(typed).split())
