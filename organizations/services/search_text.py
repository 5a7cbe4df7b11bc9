"""The one text column that a search looks through, and what is looked for in it, both folded alike."""

import re
import unicodedata

from django.db.models import Q

from organizations.characters import INVISIBLE, ZERO_WIDTH_SPACE
from organizations.fields import FieldError, read_oid, with_hyphens
from organizations.folding import fold, near_double_key
from organizations.records import OrganizationRecord

LONGEST = 200
MOST_WORDS = 10
"""More words would each be looked for in every record."""
_NOT_DIGITS = re.compile(r"\D+")
_AROUND = re.compile(r"^[^\w.]+|\W+$")
# What is copied along with an OID or an e-mail address.
_LABEL = re.compile(r"\b(?: (?:urn\s*:\s*)? oid\b \W* (?=\d+\s*\.) | mailto:\s* (?=\S+@) )", re.IGNORECASE | re.VERBOSE)
_PHONE_LIKE = re.compile(r"[\d\s()+\-/]{7,}")
# A phone with points or among other words: American in any writing, else with its country, else the seven digits of a
# place. No OID looks so: its first arc is 0, 1 or 2, and below 1 there are 40 arcs while area codes begin with 200.
# A label in front and an extension behind belong to it.
_PHONE = re.compile(
    r"""(?<![\w.])
    (?: (?:tele?|(?:tele)?phone|ph|fax|mobile|cell|call|[tpmf](?=[.:])) (?:\s+(?:number|no))? [\s.:]* )?
    (?P<number>
        (?:(?:\+|00)?1{part})? \(?[2-9]\d\d\)? {part} [2-9]\d\d {part} \d{{4}}
        | (?:\+|00)[1-9] [\d\s().\-/]{{5,}} \d
        | [2-9]\d\d-\d{{4}}
    ) (?: [\s,;(]* (?:extension|extn?|x|\#) [\s.:=\#]* \d{{1,6}} \)? )? (?! \w | \.\d )""".format(
        part=r"[\s.\-/_\u00b7\u02d7\u2022\u2027\u2043\u2219\u22c5]{0,3}"
    ),
    re.VERBOSE | re.IGNORECASE,
)


def record_search_text(record: OrganizationRecord) -> str:
    """Name, aliases, OID, own identifiers, contacts' names and e-mails, and the digits of phones, of one record."""
    texts = [record.name, *record.aliases, record.oid, *(identifier.value for identifier in record.identifiers)]
    for contact in record.contacts:
        texts += [contact.name, *contact.email_addresses]
        texts += [digits(phone) for phone in (contact.work_phone, contact.mobile_phone, contact.home_phone)]
    return fold_all(texts)


def fold_all(texts: list[str]) -> str:
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


def clean_query(text: str) -> str:
    """What was typed, as a page shows it again: on one line, and without what no database stores."""
    return " ".join(text.replace("\x00", " ").split())[:LONGEST]


def query_words(text: str) -> tuple[str, ...]:
    """What must be found, each of it, in a search column; at most `MOST_WORDS`.

    A phone is one word, however it is typed. A word with a dash or a slash is looked for as the column has it, with
    a blank: "LSC-014" finds neither "LSC" nor "014" alone.
    """
    return _all_words(text)[:MOST_WORDS]


def has_too_many_words(text: str) -> bool:
    """Whether `words` leaves some out."""
    return len(_all_words(text)) > MOST_WORDS


def _all_words(text: str) -> tuple[str, ...]:
    oid = oid_in(text)
    if oid:
        return (oid,)
    visible = _LABEL.sub("", _visible(clean_query(text).replace(ZERO_WIDTH_SPACE, " ")))
    return tuple(dict.fromkeys(filter(None, map(fold, _with_phones_as_digits(visible).split()))))


def matching_rows(text: str) -> Q:
    """Rows in whose search column every word of the text is found: no row if it has only quotes, dots and the like."""
    looked_for = query_words(text)
    found = Q() if looked_for or not text else Q(pk__in=[])
    for word in looked_for:
        found &= Q(search_text__contains=word)
    return found


def oid_in(text: str) -> str:
    """The OID that was typed, in every form that the field for an OID takes; "" if it is not one OID.

    Also takes the word OID in front, and brackets, quotes and punctuation around it.
    """
    try:
        return read_oid(_AROUND.sub("", _LABEL.sub("", _visible(text)))).value
    except FieldError:
        return ""


def _with_phones_as_digits(text: str) -> str:
    text = with_hyphens(text)
    if _PHONE_LIKE.fullmatch(text):
        return _dialled(text)
    return _PHONE.sub(lambda phone: _dialled(phone["number"]), text)


def _dialled(phone: str) -> str:
    """The digits as a column holds them: without what one dials to call abroad, and the (0) to call at home."""
    return digits(phone.replace("(0)", "")).removeprefix("011").removeprefix("00")


def _visible(text: str) -> str:
    visible = "".join(each for each in INVISIBLE.sub("", text) if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", visible)
