"""The one text column that a search looks through, and what is looked for in it, both folded alike."""

import re
import unicodedata

from django.db.models import Q

from organizations.folding import fold, near_double_key
from organizations.oid import Oid, OidError
from organizations.records import OrganizationRecord

LONGEST = 200
MOST_WORDS = 10
"""More words would each be looked for in every record."""
_OID_PREFIX = "urn:oid:"
_NOT_DIGITS = re.compile(r"\D+")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_PHONE_LIKE = re.compile(r"[\d\s()+\-/]{7,}")
# A phone with points or among other words: American in any writing, else with its country, else the seven digits of a
# place. No OID looks so: its first arc is 0, 1 or 2, and below 1 there are 40 arcs while area codes begin with 200.
_PHONE = re.compile(
    r"""(?<![\w.]) (?:tel:)? (?:
        (?:\+?1{part})? \(?[2-9]\d\d\)? {part} [2-9]\d\d {part} \d{{4}}
        | \+[1-9] [\d\s().\-/]{{5,}} \d
        | [2-9]\d\d-\d{{4}}
    ) (?! \w | \.\d )""".format(part=r"[\s.\-/]{0,3}"),
    re.VERBOSE,
)


def search_text(record: OrganizationRecord) -> str:
    """Name, aliases, OID, own identifiers, contacts' names and e-mails, and the digits of phones, of one record."""
    texts = [record.name, *record.aliases, record.oid, *(identifier.value for identifier in record.identifiers)]
    for contact in record.contacts:
        texts += [contact.name, *contact.email_addresses]
        texts += [digits(phone) for phone in (contact.work_phone, contact.mobile_phone, contact.home_phone)]
    return folded(texts)


def folded(texts: list[str]) -> str:
    """Several texts as a search column holds them."""
    return " ".join(filter(None, map(fold, texts)))


def double_key(record: OrganizationRecord) -> str:
    """Equal for records with the same name and address; "" without an address."""
    address = record.address
    return near_double_key(
        record.name,
        street=address.street,
        city=address.city,
        state=address.state,
        zip_code=address.zip_code,
        country=address.country,
    )


def digits(text: str) -> str:
    return _NOT_DIGITS.sub("", text)


def typed(text: str) -> str:
    """What was typed, as a page shows it again: on one line, and without what no database stores."""
    return " ".join(text.replace("\x00", " ").split())[:LONGEST]


def words(text: str) -> tuple[str, ...]:
    """What must be found, each of it, in a search column; at most `MOST_WORDS`.

    A phone is one word, however it is typed. One with a dash or a slash is looked for as it stands in the column, with
    a blank: "LSC-014" finds neither "LSC" nor "014" alone.
    """
    return _all_words(text)[:MOST_WORDS]


def has_too_many_words(text: str) -> bool:
    """Whether `words` leaves some out."""
    return len(_all_words(text)) > MOST_WORDS


def _all_words(text: str) -> tuple[str, ...]:
    found = (fold(word).removeprefix(_OID_PREFIX) for word in _with_phones_as_digits(typed(text)).split())
    return tuple(dict.fromkeys(filter(None, found)))


def holding(text: str) -> Q:
    """Rows in whose search column every word of the text is found: no row if it has only quotes, dots and the like."""
    looked_for = words(text)
    found = Q() if looked_for or not text else Q(pk__in=[])
    for word in looked_for:
        found &= Q(search_text__contains=word)
    return found


def oid_in(text: str) -> str:
    """The OID that was typed, also with `urn:oid:` in front or a dot at the end; "" if it is not an OID."""
    try:
        return Oid(_visible(text).strip().lower().removeprefix(_OID_PREFIX).strip().rstrip(".")).text
    except OidError:
        return ""


def _with_phones_as_digits(text: str) -> str:
    text = _DASHES.sub("-", _visible(text))
    if _PHONE_LIKE.fullmatch(text):
        return digits(text)
    return _PHONE.sub(lambda phone: digits(phone[0]), text)


def _visible(text: str) -> str:
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", visible)
