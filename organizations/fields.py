"""Readers of what people type: each takes any usual form, gives the form that is sent, and says what it changed.

An empty text stays empty, except for an OID: whether a field may be empty is for the form to say. What cannot be read
raises FieldError, whose message says what is wrong and what to do.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from organizations.oid import Oid, OidError

_UNSENDABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff]"
)
_INVISIBLE = re.compile(r"[\u200b\u2060\ufeff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EMAIL_NAME = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_EMAIL_NAME}(\.{_EMAIL_NAME})*@({_EMAIL_LABEL}\.)+(?![0-9]+\Z){_EMAIL_LABEL}")
_MAX_EMAIL_LENGTH = 254
_MAX_QUOTED = 60


class FieldError(ValueError):
    """What was typed cannot be sent; the message is for the person who typed it."""


class Read(NamedTuple):
    """The form that is sent, and what was changed to get there, in words; "" when nothing was."""

    value: str
    changed: str = ""


def read_text(label: str, value: str, max_length: int) -> Read:
    """One line of text without blanks at its ends or in a row.

    Refuses what JSON or the directory's XML cannot carry and what makes a text look like another: control characters,
    lone surrogates, non-characters, bidirectional overrides; and the replacement character, which stands where a text
    was broken on its way.
    """
    _refuse_unsendable(label, value)
    visible = _INVISIBLE.sub("", value)
    text = " ".join(visible.split())
    if len(text) > max_length:
        raise FieldError(f"{label} has {len(text)} characters; at most {max_length} can be kept.")
    removed = []
    if visible != value:
        removed.append("invisible characters")
    if text != visible.strip():
        removed.append("extra spaces")
    return Read(text, _removed(label, removed))


def read_street(value: str, max_length: int) -> Read:
    """The street and number; Redox has one line for it."""
    if _LINE_BREAK.search(value.strip()):
        raise FieldError("Put the street on one line.")
    return read_text("Street", value, max_length)


def read_oid(value: str, label: str = "OID") -> Read:
    """A bare OID; takes it with 'urn:oid:' in front, with a dot at the end, and with blanks anywhere."""
    visible = _INVISIBLE.sub("", value)
    text = "".join(visible.split())
    _refuse_unsendable(label, text)
    removed = []
    if visible != value:
        removed.append("invisible characters")
    if text != visible.strip():
        removed.append("spaces")
    if text.lower().startswith("urn:oid:"):
        text = text[len("urn:oid:") :]
        removed.append("'urn:oid:'")
    if text.endswith("."):
        text = text.rstrip(".")
        removed.append("the dot at the end")
    try:
        return Read(Oid(text).text, _removed(label, removed))
    except OidError as fault:
        raise FieldError(str(fault)) from None


def read_email(value: str) -> Read:
    """One e-mail address as browsers understand it (HTML standard), with a dot in its domain."""
    typed = typed_code("E-mail address", value)
    if typed and (len(typed) > _MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(typed)):
        raise FieldError(f"{quoted(typed)} is not an e-mail address. Example: desk@example.org.")
    return reshaped("E-mail address", value, typed, typed)


def read_uuid(value: str, routing_names: Mapping[str, str], own_ids: Mapping[str, str]) -> Read:
    """A destination ID in small letters.

    `routing_names` are Redox's fixed routing IDs with purpose and environment, `own_ids` our source and client IDs with
    "source ID" or "client ID": UUIDs as well, and never a destination of ours.
    """
    typed = typed_code("Destination ID", value)
    found = typed.lower()
    if found and not _UUID.fullmatch(found):
        raise FieldError("Enter a UUID (36 characters with four hyphens), or leave it empty.")
    if found in routing_names:
        raise FieldError(
            f"This is the routing ID '{routing_names[found]}' of Redox's table. It tells Redox which directory to "
            "write; the portal sets it. Enter your own destination ID, or leave it empty."
        )
    if found in own_ids:
        raise FieldError(f"This is our {own_ids[found]}, not a destination.")
    return reshaped("Destination ID", value, typed, found)


def read_lines(value: str) -> tuple[str, ...]:
    """The lines of a field that takes one value a line; blank lines say nothing."""
    return tuple(line for line in _LINE_BREAK.split(value) if line.strip())


def typed_code(label: str, value: str) -> str:
    """What is visible of a typed code, such as a phone number, with single blanks. Raises FieldError as `read_text`."""
    _refuse_unsendable(label, value)
    return " ".join(_INVISIBLE.sub("", value).split())


def _refuse_unsendable(label: str, value: str) -> None:
    found = _UNSENDABLE.search(value)
    if found:
        name = label[0].lower() + label[1:] if label.split(maxsplit=1)[0][1:].islower() else label
        code = f"U+{ord(found.group()):04X}"
        raise FieldError(
            f"The {name} holds a character that cannot be sent ({code}, place {found.start() + 1}). Delete it."
        )


def reshaped(label: str, raw: str, typed: str, value: str) -> Read:
    """What became of `typed`, the visible text of `raw`. Blanks at the ends are not worth a word."""
    removed = _removed(label, ["invisible characters"] if _INVISIBLE.search(raw) else [])
    changed = "" if typed == value else f"{label} {quoted(typed)} to {value}"
    return Read(value, "; ".join(filter(None, (removed, changed))))


def _removed(label: str, parts: list[str]) -> str:
    return f"{label}: {' and '.join(parts)} removed" if parts else ""


def quoted(typed: str) -> str:
    """The beginning of a text for a sentence about it."""
    return f"'{typed}'" if len(typed) <= _MAX_QUOTED else f"'{typed[:_MAX_QUOTED]}...'"
