"""The form of a roll-call: OIDs and own identifiers, one a line."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from organizations.fields import FieldError, read_oid, read_text
from organizations.forms.base import PortalForm, TextField
from organizations.models.organization import TEXT_LENGTH

MOST_LINES = 1_000
NOTHING_ENTERED = "Enter at least one OID or own identifier."

_PREFIX = re.compile(r"\A\s*oid\s*[:=]?\s*(?=[0-9])", re.IGNORECASE)
"""A word before a pasted OID that `read_oid` does not remove."""
_MEANT_AS_OID = re.compile(r"\s*(?:(?:urn\s*:\s*)?oid\s*:|[0-9]+\s*\.[\s0-9.]*$)", re.IGNORECASE)


class EnteredLine(NamedTuple):
    """One OID or own identifier. `numbers` are the lines that contain it, from 1.

    `text` is for people. `oid` is "" if it is not an OID, and `identifier` if it cannot be one of our own identifiers.
    `error` says what is wrong with a text that somebody meant as an OID, or that no field can hold.
    """

    numbers: tuple[int, ...]
    text: str
    oid: str = ""
    identifier: str = ""
    error: str = ""


class RollCallForm(PortalForm):
    """A list of OIDs and own identifiers. After validation `entered` holds each once, in the order of the lines."""

    lines = TextField(
        "OIDs or own identifiers",
        f"One a line, up to {MOST_LINES:,}.",
        rows=8,
        css="oid",
        required=True,
        spellcheck="false",
    )

    def clean(self) -> dict[str, Any]:
        numbered = [(number, line) for number, line in enumerate(_lines(self.text("lines")), start=1) if line.strip()]
        self.entered: tuple[EnteredLine, ...] = ()
        if not numbered:
            self.add_error("lines", NOTHING_ENTERED)
        elif len(numbered) > MOST_LINES:
            sentence = f"Up to {MOST_LINES:,} lines can be looked up at once. You entered {len(numbered):,}."
            self.add_error("lines", f"{sentence} Remove {len(numbered) - MOST_LINES:,}.")
        else:
            self.entered = tuple(_each_once(numbered))
        return self.cleaned_data


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _each_once(numbered: Iterable[tuple[int, str]]) -> Iterable[EnteredLine]:
    """Lines with the same meaning become one, at the place of the first."""
    first: dict[str, EnteredLine] = {}
    for number, line in numbered:
        entered = _read_line(number, line)
        key = entered.oid or entered.text
        earlier = first.get(key)
        first[key] = earlier._replace(numbers=(*earlier.numbers, number)) if earlier else entered
    return first.values()


def _read_line(number: int, line: str) -> EnteredLine:
    try:
        text = read_text("Line", line, TEXT_LENGTH).value
    except FieldError as error:
        return EnteredLine((number,), line.strip()[:TEXT_LENGTH], error=str(error))
    try:
        return EnteredLine((number,), text, read_oid(_PREFIX.sub("", line, count=1)).value, text)
    except FieldError as error:
        return EnteredLine((number,), text, "", text, str(error) if _MEANT_AS_OID.match(text) else "")
