"""Readers of typed values. Each accepts any usual form, and returns the form that is sent and the changes in words.

An empty text stays empty, because the form decides whether a field may be empty. Only the reader of an OID refuses it.
A reader raises FieldError for a text that it cannot read; the message says what is wrong and what to do.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from organizations.characters import BRAILLE_BLANK, DIRECTION_OVERRIDE, INVISIBLE, UNSENDABLE
from organizations.oid import MAX_LENGTH, Oid, OidError

_JOINERS = "\u200c\u200d"
_VARIATION = re.compile("[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_URN = re.compile(r"urn\s*:\s*oid\s*:\s*", re.IGNORECASE)
_FIRST_ARCS = re.compile(r"(?:[0-9]+\.){3}")
_BESIDE_A_DOT = re.compile(r"\s+(?=\.)|(?<=\.)\s+")
_TWO_OIDS = re.compile(r"[0-9]\s+(?:[0-9]|urn\b)|[0-9]\.\s+(?:1\.2\.840|1\.3\.6|2\.16)\.", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EMAIL_NAME = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_EMAIL_NAME}(\.{_EMAIL_NAME})*@({_EMAIL_LABEL}\.)+(?![0-9]+\Z){_EMAIL_LABEL}")
_ADDRESS = re.compile(r"[^@\s:;,/|<>&·、；，：]+@[^@\s:;,/|<>&·、；，：]+")
_MAX_EMAIL_LENGTH = 254
_MAX_EMAIL_NAME_LENGTH = 64
_MAX_QUOTED = 60
_MAX_TYPED_OID = 1000  # with blanks, prefix and invisible characters, which are removed

DESTINATION_NOT_KNOWN = (
    "Enter the destination ID that this record has today. The directory does not show it, and the message would"
    " overwrite it."
)


class FieldError(ValueError):
    """The typed text cannot be sent. The message is for the person who typed it."""


class Read(NamedTuple):
    """A value in the form that is sent, and what the reader changed, in words; "" if nothing."""

    value: str
    changed: str = ""


def read_text(label: str, value: str, max_length: int) -> Read:
    """One line of text, without blanks at its ends and with single blanks inside.

    Refuses characters that cannot be sent (UNSENDABLE) and overrides of the writing direction.

    Removes invisible characters. Joiners and variation selectors stay where a script or an emoji needs them: after a
    letter or symbol that is not Latin. A joiner also needs such a character after it. Beside Latin letters they only
    make two equal names differ.
    """
    _refuse_unsendable(label, value)
    _refuse_unsendable(label, value, DIRECTION_OVERRIDE)
    visible = _without_needless_invisible(value)
    text = " ".join(visible.replace(BRAILLE_BLANK, " ").split())
    if len(text) > max_length:
        raise FieldError(f"{label} has {len(text)} characters; at most {max_length} can be kept.")
    removed = []
    if visible != value:
        removed.append("invisible characters")
    if text != visible.strip():
        removed.append("extra spaces")
    return Read(text, _removed(label, removed))


def read_street(value: str, max_length: int) -> Read:
    """Street and number. Redox has one line for them."""
    if _LINE_BREAK.search(value.strip()):
        raise FieldError("Put the street on one line.")
    return read_text("Street", value, max_length)


def read_oid(value: str, label: str = "OID") -> Read:
    """A bare OID. The text may begin with 'urn:oid:', end with a dot, and wrap before or after a dot.

    Refuses a blank or an invisible character between two digits, and a blank before a text that begins like an OID:
    these are two OIDs, or a dot is missing.
    """
    _refuse_unsendable(label, value)
    if len(value) > _MAX_TYPED_OID:
        raise FieldError(f"An OID has at most {MAX_LENGTH} characters; this text has {len(value)}.")
    typed = _with_blanks_for_invisible(value).strip()
    removed = ["invisible characters"] if _without_invisible(value) != value else []
    prefix = _URN.match(typed)
    number = typed[prefix.end() :] if prefix else typed
    _refuse_two_oids(number)
    text = _BESIDE_A_DOT.sub("", number)
    if text != number:
        removed.append("spaces")
    if prefix:
        removed.append("'urn:oid:'")
    if text.endswith("."):
        text = text.rstrip(".")
        removed.append("the dot at the end")
    try:
        return Read(Oid(text).text, _removed(label, removed))
    except OidError as error:
        raise FieldError(f"{error}{lookalike_hint(text)}") from None


def oid_or_text(text: str) -> str:
    """The bare OID if the text is one; else the text unchanged. For a value that nobody typed as an OID.

    Accepts white space around the OID, and 'urn:oid:' before it in any case. It accepts no other form: a value with an
    extra dot, a blank or an invisible character inside is not evidence of an OID.
    """
    bare = text.strip()
    if bare[: len("urn:oid:")].lower() == "urn:oid:":
        bare = bare[len("urn:oid:") :].strip()
    try:
        return Oid(bare).text
    except OidError:
        return text


def read_email(value: str) -> Read:
    """One e-mail address by the rule of the HTML standard, with a dot in its domain."""
    typed = typed_code("E-mail address", value)
    if len(_ADDRESS.findall(typed)) > 1:
        raise FieldError(f"{quoted(typed)} contains more than one address. Enter one address a line.")
    if typed and not _EMAIL.fullmatch(typed):
        raise FieldError(f"{quoted(typed)} is not an e-mail address.{lookalike_hint(typed)} Example: desk@example.org.")
    name = typed.partition("@")[0]
    if len(name) > _MAX_EMAIL_NAME_LENGTH:
        raise FieldError(
            f"The part before the @ has {len(name)} characters. It can have at most {_MAX_EMAIL_NAME_LENGTH}."
        )
    if len(typed) > _MAX_EMAIL_LENGTH:
        raise FieldError(f"The address has {len(typed)} characters. It can have at most {_MAX_EMAIL_LENGTH}.")
    return reshaped("E-mail address", value, typed, typed)


def read_uuid(value: str, routing_names: Mapping[str, str], own_ids: Mapping[str, str]) -> Read:
    """A destination ID in lower case.

    `routing_names`: Redox's fixed routing IDs, with their purpose and environment. `own_ids`: our source and client
    IDs, with "source ID" or "client ID". They are UUIDs too, but never a destination of ours.
    """
    typed = typed_code("Destination ID", value)
    uuid = with_hyphens(typed).lower()
    if uuid and not _UUID.fullmatch(uuid):
        raise FieldError(f"Enter a UUID (36 characters with four hyphens), or leave it empty.{lookalike_hint(uuid)}")
    if uuid in routing_names:
        raise FieldError(
            f"This is the routing ID '{routing_names[uuid]}' of Redox's table. It tells Redox which directory to "
            "write; the portal sets it. Enter your own destination ID, or leave it empty."
        )
    if uuid in own_ids:
        raise FieldError(f"This is our {own_ids[uuid]}, not a destination.")
    return reshaped("Destination ID", value, typed, uuid)


def read_lines(value: str) -> tuple[str, ...]:
    """The lines of a field that takes one value a line, without blank ones."""
    return tuple(line for line in _LINE_BREAK.split(value) if line.strip())


def typed_code(label: str, value: str) -> str:
    """The visible characters of a typed code, such as a phone number, with single blanks.

    No code needs format characters (Unicode's category Cf) or characters that no font draws, so they are removed.
    Raises FieldError for characters that cannot be sent.
    """
    _refuse_unsendable(label, value)
    return " ".join(_without_invisible(value).split())


def with_hyphens(typed: str) -> str:
    """The text with a hyphen for every dash (Unicode's category Pd) and minus sign."""
    return "".join("-" if _is_dash(character) else character for character in typed)


def lookalike_hint(typed: str) -> str:
    """A sentence, after a blank, about the first character that can look like another; "" if there is none.

    Without it an error would quote a code that looks right. Letters from A to Z, also with an accent, do not count.
    """
    for place, character in enumerate(typed, start=1):
        if not unicodedata.normalize("NFD", character)[0].isascii():
            return f" Character {place} is U+{ord(character):04X}. Type it again."
    return ""


def _is_dash(character: str) -> bool:
    return character == "\u2212" or unicodedata.category(character) == "Pd"


def _without_invisible(text: str) -> str:
    """The text without all invisible characters: in a code no other character needs them."""
    return "".join(character for character in text if not _is_invisible(character))


def _with_blanks_for_invisible(text: str) -> str:
    """As `_without_invisible`, but between two digits a blank replaces the character: it may be a line break."""
    result: list[str] = []
    was_invisible = False
    for character in text:
        if _is_invisible(character):
            was_invisible = True
            continue
        if was_invisible and result and result[-1].isdigit() and character.isdigit():
            result.append(" ")
        result.append(character)
        was_invisible = False
    return "".join(result)


def _is_invisible(character: str) -> bool:
    return bool(INVISIBLE.match(character)) or unicodedata.category(character) == "Cf"


def _without_needless_invisible(text: str) -> str:
    """The text without invisible characters, except those that a script or an emoji needs."""
    result: list[str] = []
    for place, character in enumerate(text):
        if INVISIBLE.match(character):
            before = result[-1] if result else ""
            if character in _JOINERS:
                after = INVISIBLE.sub("", text[place + 1 : place + 10])[:1]
                is_needed = (_takes_joiner(before) or bool(_VARIATION.match(before))) and _takes_joiner(after)
            else:
                is_needed = bool(_VARIATION.match(character)) and _takes_joiner(before)
            if not is_needed:
                continue
        result.append(character)
    return "".join(result)


def _takes_joiner(character: str) -> bool:
    """Whether a joiner or variation selector can shape it: it is a letter, mark or symbol that is not Latin."""
    if not character or character.isascii() or INVISIBLE.match(character):
        return False
    is_latin = unicodedata.name(character, "").startswith(("LATIN ", "COMBINING ", "FULLWIDTH LATIN "))
    return unicodedata.category(character)[0] in "LMS" and not is_latin


def _refuse_two_oids(text: str) -> None:
    first_arcs = _FIRST_ARCS.match(text)
    begins_again = first_arcs and re.search(rf"\s{re.escape(first_arcs[0])}", text)
    if begins_again or _TWO_OIDS.search(text):
        raise FieldError(
            "There is a blank or a line break inside. Enter one OID: if these are two, delete one; if a dot is missing,"
            " add it."
        )


def _refuse_unsendable(label: str, value: str, pattern: re.Pattern[str] = UNSENDABLE) -> None:
    match = pattern.search(value)
    if match:
        name = label[0].lower() + label[1:] if label.split(maxsplit=1)[0][1:].islower() else label
        code = f"U+{ord(match.group()):04X}"
        raise FieldError(
            f"The {name} contains a character that cannot be sent ({code}, place {match.start() + 1}). Delete it."
        )


def reshaped(label: str, raw: str, typed: str, value: str) -> Read:
    """`value`, and how it differs from `raw`, whose visible text is `typed`. Blanks at the ends are not mentioned."""
    removed = _removed(label, ["invisible characters"] if _without_invisible(raw) != raw else [])
    changed = "" if typed == value else f"{label} {quoted(typed)} to {value}"
    return Read(value, "; ".join(filter(None, (removed, changed))))


def _removed(label: str, parts: list[str]) -> str:
    return f"{label}: {' and '.join(parts)} removed" if parts else ""


def quoted(typed: str) -> str:
    """The text in quotation marks, cut if it is long."""
    return f"'{typed}'" if len(typed) <= _MAX_QUOTED else f"'{typed[:_MAX_QUOTED]}...'"
