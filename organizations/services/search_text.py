"""The text column that a search reads, and the words that it looks for, folded in the same way."""

import re
import unicodedata

from django.db.models import Q

from organizations.characters import INVISIBLE, ZERO_WIDTH_SPACE
from organizations.fields import FieldError, read_oid, with_hyphens
from organizations.folding import fold, near_duplicate_key
from organizations.records import OrganizationRecord

LONGEST = 200
MOST_WORDS = 10
"""A search looks for each word in every record, so further words are ignored."""
_NOT_DIGITS = re.compile(r"\D+")
_AROUND = re.compile(r"^[^\w.]+|\W+$")
# Labels that people copy along with an OID or an e-mail address.
_LABEL = re.compile(r"\b(?: (?:urn\s*:\s*)? oid\b \W* (?=\d+\s*\.) | mailto:\s* (?=\S+@) )", re.IGNORECASE | re.VERBOSE)
_PHONE_LIKE = re.compile(r"[\d\s()+\-/]{7,}")
# A phone number with dots or among other words: American in any form, or with its country code, or seven local digits.
# No OID matches: its first arc is 0, 1 or 2, and below 1 there are 40 arcs, while area codes begin with 200.
# A label before and an extension after the number belong to the match.
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
    """The folded name, aliases, OID, own identifiers, and contacts of one record, phones as digits."""
    texts = [record.name, *record.aliases, record.oid, *(identifier.value for identifier in record.identifiers)]
    for contact in record.contacts:
        texts += [contact.name, *contact.email_addresses]
        texts += [digits(phone) for phone in contact.phones]
    return fold_all(texts)


def fold_all(texts: list[str]) -> str:
    """The texts folded and joined, in the form of a search column."""
    return " ".join(filter(None, map(fold, texts)))


def record_near_duplicate_key(record: OrganizationRecord) -> str:
    """A key that is equal for records with the same name and address; "" without an address."""
    address = record.address
    return near_duplicate_key(
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
    """The query in the form that a page shows: on one line, without NUL, at most `LONGEST` characters."""
    return " ".join(text.replace("\x00", " ").split())[:LONGEST]


def query_words(text: str) -> tuple[str, ...]:
    """The folded words of a query, at most `MOST_WORDS`. A search column must contain each of them.

    A phone number is one word, however it is typed. A dash or a slash in a word becomes a blank, as in the column:
    "LSC-014" finds neither "LSC" nor "014" alone.
    """
    return _all_words(text)[:MOST_WORDS]


def has_too_many_words(text: str) -> bool:
    """Whether `query_words` leaves words out."""
    return len(_all_words(text)) > MOST_WORDS


def _all_words(text: str) -> tuple[str, ...]:
    oid = oid_in(text)
    if oid:
        return (oid,)
    visible = _LABEL.sub("", _visible(clean_query(text).replace(ZERO_WIDTH_SPACE, " ")))
    return tuple(dict.fromkeys(filter(None, map(fold, _with_phones_as_digits(visible).split()))))


def matching_rows(text: str) -> Q:
    """The filter for rows that contain every word of the query. A query of punctuation alone matches no row."""
    words = query_words(text)
    condition = Q() if words or not text else Q(pk__in=[])
    for word in words:
        condition &= Q(search_text__contains=word)
    return condition


def oid_in(text: str) -> str:
    """The OID in `text`, in any form that an OID field accepts, or "" if it is not one OID.

    The word OID before it, and brackets, quotes and punctuation around it, are ignored.
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
    """The digits in the form of a column: without the prefix for calls abroad and without the (0) for calls at home."""
    return digits(phone.replace("(0)", "")).removeprefix("011").removeprefix("00")


def _visible(text: str) -> str:
    visible = "".join(each for each in INVISIBLE.sub("", text) if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", visible)
