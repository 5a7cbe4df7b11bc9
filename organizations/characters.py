"""Characters that people do not see, or that they type for one another."""

import re

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What no font draws: Unicode's Default_Ignorable_Code_Point and three marks of annotations. Cf lacks half."""

ZERO_WIDTH_SPACE = "\u200b"
"""It is invisible, but a line may break there: so in a text it separates two words."""

BRAILLE_BLANK = "\u2800"
"""It looks like a blank and is of the category So."""

QUOTES = frozenset(
    "'\"`\u02b9\u02ba\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u02cc\u02ee\u055a\u05f3\u05f4\u07f4\u07f5"
    "\u201a\u201e\u2032\u2033\u2034\u2035\u2036\u2037\u2057\u275b\u275c\u275d\u275e\u275f\u2760\u2e42"
    "\u301d\u301e\u301f\ua78b\ua78c\uff02\uff07\U0001f676\U0001f677\U0001f678"
)
"""Quotes and apostrophes beside the categories Pi and Pf, with accents, primes and letters that are typed for them."""
