"""Characters that people do not see, that they type for one another, or that may break a message."""

import re

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""No font draws these: Unicode's Default_Ignorable_Code_Point and three annotation marks. Cf lacks half of them."""

WRITTEN_OUT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Pages write these as escapes, such as \\u202E, because they are invisible or change how other characters look.

Controls except tab and line feed, marks and overrides of writing direction, line separators, zero-width spaces,
surrogates and tags.
"""

UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff]")
"""JSON or the directory's XML cannot have these. U+FFFD is one of them: it replaces bytes that could not be decoded."""

DIRECTION_OVERRIDE = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""These show the characters after them in another order, so that one text looks like another."""

XML_SPECIAL = "&<>"
"""These have a meaning in XML. Redox makes XML from a message, so they probably cause "Parsing XML request error!"."""

ZERO_WIDTH_SPACE = "\u200b"
"""It is invisible, but a line may break there, so it separates two words."""

BRAILLE_BLANK = "\u2800"
"""It looks like a blank, but its category is So (symbol)."""

QUOTES = frozenset(
    "'\"`\u02b9\u02ba\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u02cc\u02ee\u055a\u05f3\u05f4\u07f4\u07f5"
    "\u201a\u201e\u2032\u2033\u2034\u2035\u2036\u2037\u2057\u275b\u275c\u275d\u275e\u275f\u2760\u2e42"
    "\u301d\u301e\u301f\ua78b\ua78c\uff02\uff07\U0001f676\U0001f677\U0001f678"
)
"""Quotes and apostrophes outside the categories Pi and Pf, and the accents, primes and letters typed for them."""
