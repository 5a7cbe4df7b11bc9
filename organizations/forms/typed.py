"""The texts in the form of a record: as typed, or from a stored record."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.http import QueryDict

from organizations.countries import is_american
from organizations.records import ADDRESS_LABELS, CONTACT_LABELS, MOST_ROWS, ContactRecord, OrganizationRecord

MOST_SHOWN_AGAIN = 100  # more than two people can type together
CONTACTS = "contacts"
IDENTIFIERS = "identifiers"
STATE_ABROAD = "state_abroad"
NAMES = {CONTACTS: tuple(CONTACT_LABELS), IDENTIFIERS: ("value", "kind")}

OURS, GATEWAY, OTHER = "ours", "gateway", "other"

type TypedRow = dict[str, str]

_FIELDS = (
    "name",
    "oid",
    "aliases",
    "stands_for",
    "place",
    "parent",
    "other_oid",
    "destination_id",
    "destination_source",
    *ADDRESS_LABELS,
)
_REMOVE = re.compile(r"remove-(contacts|identifiers)-([0-9]{1,4})")
_NEW_ROWS: Mapping[str, TypedRow] = {f"add-{CONTACTS}": {"purpose": "Technical"}, f"add-{IDENTIFIERS}": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The texts of the form. `incomplete`: the lists of which not all lines arrived.

    `left_out`: how many lines of a list were dropped. `added`: the list whose last line was just added.
    """

    fields: dict[str, str] = field(default_factory=dict)
    contacts: tuple[TypedRow, ...] = ()
    identifiers: tuple[TypedRow, ...] = ()
    incomplete: frozenset[str] = frozenset()
    left_out: dict[str, int] = field(default_factory=dict)
    added: str = ""

    @classmethod
    def from_post(cls, data: QueryDict) -> "Typed":
        """The posted texts. Names that are not fields of the form are ignored."""
        rows = {prefix: _rows(data, prefix) for prefix in NAMES}
        return cls(
            fields={name: data.get(name) or "" for name in _FIELDS} | _state_abroad(data),
            contacts=rows[CONTACTS][0][:MOST_SHOWN_AGAIN],
            identifiers=rows[IDENTIFIERS][0][:MOST_SHOWN_AGAIN],
            incomplete=frozenset(prefix for prefix, (_, whole) in rows.items() if not whole),
            left_out={
                prefix: more for prefix, (lines, _) in rows.items() if (more := len(lines) - MOST_SHOWN_AGAIN) > 0
            },
        )

    @classmethod
    def from_record(cls, record: OrganizationRecord, *, stands_for: str, parent_kind: str) -> "Typed":
        """The texts of a record in its form. `parent_kind`: the choice of its parent (ours, gateway or other)."""
        address = {name: getattr(record.address, name) for name in ADDRESS_LABELS}
        return cls(
            fields={
                "name": record.name,
                "oid": record.oid,
                "aliases": "\n".join(record.aliases),
                "stands_for": stands_for,
                "place": parent_kind,
                "parent": record.part_of_oid if parent_kind == OURS else "",
                "other_oid": record.part_of_oid if parent_kind == OTHER else "",
                "destination_id": record.destination_id,
                **address,
            },
            contacts=tuple(map(_contact_row, record.contacts)),
            identifiers=tuple({"value": one.value, "kind": one.kind} for one in record.identifiers),
        )

    def having(self, **texts: str) -> "Typed":
        """The texts with these ones replaced."""
        return replace(self, fields=self.fields | texts)

    def after_button(self, act: str) -> "Typed":
        """The texts after a button that adds or removes a line. Other buttons change nothing."""
        if act in _NEW_ROWS:
            prefix = act.removeprefix("add-")
            rows = self.rows(prefix)
            if len(rows) >= MOST_ROWS:
                return self
            return replace(self._with_rows(prefix, (*rows, dict(_NEW_ROWS[act]))), added=prefix)
        match = _REMOVE.fullmatch(act)
        if not match:
            return self
        prefix, number = match[1], int(match[2])
        return self._with_rows(prefix, tuple(row for place, row in enumerate(self.rows(prefix)) if place != number))

    def rows(self, prefix: str) -> tuple[TypedRow, ...]:
        """The lines of one of the lists."""
        return self.contacts if prefix == CONTACTS else self.identifiers

    def _with_rows(self, prefix: str, rows: tuple[TypedRow, ...]) -> "Typed":
        return replace(self, contacts=rows) if prefix == CONTACTS else replace(self, identifiers=rows)

    def as_post(self) -> dict[str, str]:
        """The texts by input name, with the counts that a formset needs."""
        return (
            self.fields | dict(_row_inputs(CONTACTS, self.contacts)) | dict(_row_inputs(IDENTIFIERS, self.identifiers))
        )


def _state_abroad(data: QueryDict) -> TypedRow:
    """The state as text, for a country without the list of American states."""
    is_text = STATE_ABROAD in data and not is_american(data.get("country") or "")
    return {"state": data.get(STATE_ABROAD) or ""} if is_text else {}


def _row_inputs(prefix: str, rows: tuple[TypedRow, ...]) -> Iterable[tuple[str, str]]:
    yield f"{prefix}-TOTAL_FORMS", str(len(rows))
    # All lines are initial forms, because a formset ignores extra forms that are empty.
    yield f"{prefix}-INITIAL_FORMS", str(len(rows))
    for number, row in enumerate(rows):
        yield from ((f"{prefix}-{number}-{name}", text) for name, text in row.items())


def _rows(data: QueryDict, prefix: str) -> tuple[tuple[TypedRow, ...], bool]:
    """The lines of a list, and whether all lines of the form arrived."""
    input_name = re.compile(rf"{prefix}-([0-9]{{1,4}})-({'|'.join(NAMES[prefix])})")
    numbers = sorted({int(match[1]) for name in data if (match := input_name.fullmatch(name))})
    totals = data.getlist(f"{prefix}-TOTAL_FORMS")
    whole = totals == [str(len(numbers))] and numbers == list(range(len(numbers)))
    # Lines above the limit are read too, so that the form can say so. A line may lack some inputs.
    return tuple(
        {name: data.get(f"{prefix}-{number}-{name}") or "" for name in NAMES[prefix]} for number in numbers
    ), whole


def _contact_row(contact: ContactRecord) -> TypedRow:
    texts = {name: getattr(contact, name) for name in CONTACT_LABELS}
    return texts | {"email_addresses": "\n".join(contact.email_addresses)}
