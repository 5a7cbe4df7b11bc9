"""Fold text for search and near-duplicates. Python does it, so that both databases find the same.

Folded text is never evidence: records.py compares the values of a Query by a stricter rule. After a change here, a
migration must fold the stored texts again.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache

from organizations import countries
from organizations.characters import INVISIBLE, QUOTES, ZERO_WIDTH_SPACE

# Lower-case letters that Unicode does not decompose.
_LETTERS = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "ŧ": "t",
    "ŋ": "n",
    "ı": "i",
}
_REMOVED = frozenset({"Mn", "Mc", "Me", "Cf", "Cs", "Pi", "Pf"})
# Dashes, brackets, blanks; other punctuation, and symbols such as bullets, arrows and mathematical signs.
_BLANKS = frozenset({"Pd", "Ps", "Pe", "Zs", "Zl", "Zp", "Pc", "Po", "So", "Sm", "Sk"})
_KEPT = frozenset(".@+")  # parts of e-mail addresses and OIDs
_SPACING_ACCENT = re.compile(" [\u0300-\u036f]+")  # as Unicode decomposes ´
_DOTS = re.compile(r"\.{2,}")
_DOT_NOT_BETWEEN_DIGITS = re.compile(r"(?<![0-9])\.|\.(?![0-9])")


def fold(text: str) -> str:
    """The text without the differences that people do not search by. Folding it again changes nothing.

    Removed: case, accents, quotes, apostrophes and invisible characters. A blank replaces dashes, brackets, other
    punctuation, symbols, and U+200B, where a line may break. "&" becomes "and". A dot stays only between two digits,
    as in an OID.
    """
    if not text.isascii():
        text = INVISIBLE.sub("", text.replace(ZERO_WIDTH_SPACE, " "))
        text = _SPACING_ACCENT.sub("", unicodedata.normalize("NFKD", text))
    text = _DOTS.sub(" ", "".join(map(_fold_character, text.casefold())))
    return " ".join(_DOT_NOT_BETWEEN_DIGITS.sub("", text).split())


def name_key(name: str) -> str:
    """A key that is equal for names that fold to the same text; "" if nothing is left of the name."""
    folded = fold(name)
    return _key(folded) if folded else ""


def near_duplicate_key(name: str, *, street: str, city: str, state: str, zip_code: str, country: str) -> str:
    """A key that is equal for the same name at the same address, however they are written; "" without an address.

    Blanks in the name do not count. All names of a country are the same, and only the first five digits of an
    American ZIP count.
    """
    if not any((street, city, state, zip_code, country)):
        return ""
    is_american = countries.is_american(country)
    country_name = "" if is_american else countries.name_of_country(country) or country
    postal_code = fold(zip_code).replace(" ", "")
    parts = map(fold, (street, city, state, country_name))
    text = "\n".join((fold(name).replace(" ", ""), *parts, postal_code[:5] if is_american else postal_code))
    return _key(text)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in _LETTERS:
        return _LETTERS[character]
    if character == "&":
        return " and "
    category = unicodedata.category(character)
    if category in _REMOVED or character in QUOTES:
        return ""
    if character.isspace() or (category in _BLANKS and character not in _KEPT):
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "" if category == "Cc" else character
