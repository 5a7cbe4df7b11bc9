"""The one text column that a search looks through, and the same folding for what is typed."""

import re

from organizations.records import OrganizationRecord

_NOT_DIGITS = re.compile(r"\D+")
_PHONE_LIKE = re.compile(r"[\d\s()+\-/]{7,}")
# A phone with points or among other words: American in any writing, else with its country, else the seven digits of a
# place. No OID looks so: its first arc is 0, 1 or 2, and below 1 there are 40 arcs while area codes begin with 200.
_PHONE = re.compile(
    r"""(?<![\w.]) (?:tel:)? (?:
        (?:\+?1{part})? \(?[2-9]\d\d\)? {part} [2-9]\d\d {part} \d{{4}}
        | \+[1-9] [\d\s().\-/]{{5,}} \d
        | [2-9]\d\d-\d{{4}}
    ) (?! \w | \.\d )""".format(part=r"[\s.\-/\u2010\u2011\u2013]{0,3}"),
    re.VERBOSE,
)


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
    """What to look for: phones in any form become their digits; `urn:oid:` and the mark of left-out arcs fall away."""
    text = folded(typed).removeprefix("urn:oid:").lstrip("…")
    if _PHONE_LIKE.fullmatch(text):
        return digits(text)
    return _PHONE.sub(lambda phone: digits(phone[0]), text)


def words(typed: str) -> tuple[str, ...]:
    """The words that all must be found. A phone is one word, however it was typed."""
    return tuple(looked_for(typed).split())
