"""A roll-call as CSV lines for spreadsheets."""

from collections.abc import Iterable, Iterator

from organizations.csv_cells import BYTE_ORDER_MARK, line
from organizations.models import Environment
from organizations.pages.organizations.csv_export import NOT_LINKED, STATE_HEAD, state_cells
from organizations.pages.roll_call import claims
from organizations.pages.roll_call.rows import NOT_HERE, LineRow, Side

_SIDE_HEAD = ("OID", *STATE_HEAD, "Active", "Compared with the directory", "What is known")
_HEAD = (
    "Lines",
    "Entered",
    "Found as",
    "Name",
    "Remark",
    *(f"{environment.label}: {heading}" for environment in Environment for heading in _SIDE_HEAD),
)
NO_RECORD = "No record"
_ACTIVE = {True: "true", False: "false", None: "not known"}


def csv_lines(rows: Iterable[LineRow]) -> Iterator[str]:
    """The head, then a line for each row."""
    yield BYTE_ORDER_MARK + line(_HEAD)
    for row in rows:
        yield line(_cells(row))


def _cells(row: LineRow) -> Iterator[str]:
    yield ", ".join(map(str, row.line.numbers))
    yield row.line.text
    yield row.found_as
    yield row.name
    records = (f"{each.key.name} ({each.key.oid} in {each.environment.label})" for each in row.named)
    yield "\n".join(filter(None, (row.sentence, *records)))
    if not row.sides:
        yield from [""] * len(_SIDE_HEAD) * len(Environment)
    for side in row.sides:
        yield from _side_cells(side, NO_RECORD if row.kind == NOT_HERE else NOT_LINKED)


def _side_cells(side: Side, status_without_record: str) -> Iterator[str]:
    organization = side.organization
    if organization is None or side.comparison is None:
        status = "OID", *STATE_HEAD
        yield from (status_without_record if heading == "Directory status" else "" for heading in status)
        yield from ("", "", side.note)
        return
    yield organization.oid
    yield from state_cells(organization)
    yield _ACTIVE[claims.known_active(organization)]
    yield side.comparison.word
    yield side.comparison.sentence
