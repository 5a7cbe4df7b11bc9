"""Reads pasted OIDs, one a line, each with its destination ID if the person has it."""

import re
from typing import NamedTuple

from organizations.fields import FieldError, quoted, read_oid, read_uuid
from organizations.redox.environment import ROUTING_NAMES

MOST_OIDS = 1_000
_MOST_CHARACTERS = 500_000

_HEADER = re.compile(r"\W*(?:oids?|organization|org)\b[^0-9]*", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\t,;]")
_MARKS = "\"'\u201c\u201d"
_UUID = r"[0-9A-Fa-f]{8}(?:[-\u2010-\u2015\u2212]?[0-9A-Fa-f]{4}){3}[-\u2010-\u2015\u2212]?[0-9A-Fa-f]{12}"
_TWO_COLUMNS = re.compile(rf"(.*\S)\s+({_UUID})")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class OidRow(NamedTuple):
    """An OID and its destination ID, "" if none was given. `line` is the number, from 1, of the line it was read from.

    That is the first line with the OID, or the first with its destination ID.
    """

    line: int
    oid: str
    destination_id: str = ""


class LineError(NamedTuple):
    """A line that was not read or that repeats an OID, and a sentence about it. Line 0 is the whole list."""

    line: int
    sentence: str


class OidList(NamedTuple):
    """The OIDs of a list. `remarks`: lines that repeat an OID without contradiction, so nothing must be corrected."""

    rows: tuple[OidRow, ...] = ()
    errors: tuple[LineError, ...] = ()
    remarks: tuple[LineError, ...] = ()


def read_oid_list(text: str) -> OidList:
    """The OIDs in the text. A text with more than MOST_OIDS lines that are not empty is refused as a whole.

    A line has an OID, or an OID and a destination ID with a tab, comma, semicolon or blanks between them. A first line
    without digits that begins with OID is a header.
    """
    lines = [(number, line) for number, line in enumerate(_LINE_BREAK.split(text), start=1) if _is_filled(line)]
    if lines and _HEADER.fullmatch(lines[0][1]):
        del lines[0]
    if len(lines) > MOST_OIDS or len(text) > _MOST_CHARACTERS:
        return OidList(errors=(LineError(0, _too_many(len(lines))),))
    rows: dict[str, OidRow] = {}
    errors: list[LineError] = []
    remarks: list[LineError] = []
    for number, line in lines:
        try:
            row = OidRow(number, *_read_line(line))
        except FieldError as error:
            errors.append(LineError(number, str(error)))
            continue
        first = rows.get(row.oid)
        if first is None:
            rows[row.oid] = row
        elif row.destination_id in ("", first.destination_id):
            remarks.append(LineError(number, f"This OID is in line {first.line} too. It is read once."))
        elif not first.destination_id:
            rows[row.oid] = row
            remarks.append(
                LineError(number, f"This OID is in line {first.line} too. The destination ID of this line is read.")
            )
        else:
            errors.append(LineError(number, f"This OID is in line {first.line} too, with another destination ID."))
    return OidList(tuple(rows.values()), tuple(errors), tuple(remarks))


def _too_many(count: int) -> str:
    if count > MOST_OIDS:
        return f"You entered {count:,} OIDs. Enter at most {MOST_OIDS:,} at a time."
    return "This text is too long for a list of OIDs."


def _is_filled(line: str) -> bool:
    return bool(line.strip(f"{_MARKS},; \t\ufeff\u200b\xa0"))


def _read_line(line: str) -> tuple[str, str]:
    """OID and destination ID. Raises FieldError."""
    oid, destination, *more = [*_columns(line.removeprefix("\ufeff")), "", ""]
    if any(more):
        raise FieldError(f"{quoted(line.strip())} has more than two columns: give the OID and the destination ID.")
    if not oid:
        raise FieldError("The OID is missing before the destination ID.")
    return read_oid(oid).value, read_uuid(destination, ROUTING_NAMES, {}).value


def _columns(line: str) -> list[str]:
    if _SEPARATOR.search(line.strip()):
        return [column.strip().strip(_MARKS).strip() for column in _SEPARATOR.split(line)]
    match = _TWO_COLUMNS.fullmatch(line.strip())
    return [column.strip().strip(_MARKS) for column in (match.groups() if match else (line,))]
