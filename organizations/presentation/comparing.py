"""Each field of a record as it is wanted here and as Redox last accepted it, side by side."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from organizations.records import OrganizationRecord, Shown, pair_contacts, print_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field. `differs` only where Redox accepted something that is not what is wanted."""

    field: str
    label: str
    wanted: str
    accepted: str
    differs: bool

    @property
    def is_code(self) -> bool:
        """Whether people compare it digit by digit. OIDs are set so wherever they stand."""
        return self.field.endswith(("destination_id", "_phone", "zip_code"))

    @property
    def name(self) -> str:
        """The field without the place of its contact."""
        return self.field.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Group:
    """The fields under one heading; `anchor` is the section of the form that holds them."""

    heading: str
    anchor: str
    rows: tuple[FieldRow, ...]


def groups(wanted: OrganizationRecord, accepted: OrganizationRecord | None) -> tuple[Group, ...]:
    """Every field under its heading; contacts are paired, empty fields of contacts left out."""
    plain = _gathered(replace(wanted, contacts=()), accepted and replace(accepted, contacts=()))
    contacts = tuple(_contacts(wanted, accepted))
    before = [group for group in plain if group.anchor not in ("address", "")]
    after = [group for group in plain if group.anchor in ("address", "")]
    return (*before, *contacts, *after)


def differing(all_groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """Only the rows that differ, and the headings that have some."""
    found = (replace_rows(group, tuple(row for row in group.rows if row.differs)) for group in all_groups)
    return tuple(group for group in found if group.rows)


def replace_rows(group: Group, rows: tuple[FieldRow, ...]) -> Group:
    return Group(group.heading, group.anchor, rows)


def _gathered(wanted: OrganizationRecord, accepted: OrganizationRecord | None) -> tuple[Group, ...]:
    new = {shown.field: shown for shown in print_fields(wanted)}
    old = {shown.field: shown for shown in print_fields(accepted)} if accepted else {}
    rows: dict[tuple[str, str], list[FieldRow]] = {}
    for field, shown in (old | new).items():
        rows.setdefault((shown.group, shown.anchor), []).append(_row(field, new, old, accepted is not None))
    return tuple(Group(heading, anchor, tuple(found)) for (heading, anchor), found in rows.items())


def _row(field: str, new: dict[str, Shown], old: dict[str, Shown], was_accepted: bool) -> FieldRow:
    shown = new.get(field) or old[field]
    wanted = new[field].value if field in new else ""
    accepted = old[field].value if field in old else ""
    return FieldRow(
        field=field,
        label=shown.label,
        wanted=wanted,
        accepted=accepted,
        differs=was_accepted and wanted != accepted,
    )


def _contacts(wanted: OrganizationRecord, accepted: OrganizationRecord | None) -> Iterator[Group]:
    before = accepted.contacts if accepted else ()
    for old, new in pair_contacts(before, wanted.contacts):
        one_before = _alone(accepted, old) if accepted else None
        one_after = _alone(wanted, new)
        for group in _gathered(one_after, one_before):
            if group.anchor == "contacts":
                rows = tuple(row for row in group.rows if row.wanted or row.accepted)
                yield Group(_heading(group, old, new), group.anchor, rows)


def _alone(record: OrganizationRecord, position: int | None) -> OrganizationRecord:
    """The record with this contact alone, so that the fields of a pair have the same keys."""
    return replace(record, contacts=() if position is None else (record.contacts[position],))


def _heading(group: Group, old: int | None, new: int | None) -> str:
    _, comma, purpose = group.heading.partition(",")
    place = new if new is not None else old
    return f"Contact {(place or 0) + 1}{comma}{purpose}{', taken away' if new is None else ''}"
