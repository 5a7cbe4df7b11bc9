"""What was sent, what the directory shows and what Redox accepted before, side by side."""

from dataclasses import replace
from typing import NamedTuple

from organizations.records import (
    CONTACT_LABELS,
    ContactRecord,
    OrganizationRecord,
    pair_contacts,
    print_fields,
    readable,
)

NOT_READ = "cannot be read"


class Compared(NamedTuple):
    """One field on the three sides. `equal` is None where the directory cannot be read."""

    label: str
    sent: str
    seen: str
    before: str
    equal: bool | None


def compare(
    sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None
) -> tuple[Compared, ...]:
    """Every field that is filled on any side, in the order of the form; what means the same counts as equal."""
    rows = [*_plain(sent, seen, before), *_contacts(sent, seen, before)]
    return tuple(row for row in rows if row.sent or row.before or row.seen not in ("", NOT_READ))


def _plain(sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None) -> list[Compared]:
    texts, shown = _texts(sent), _texts(seen)
    old = _texts(before) if before else dict.fromkeys(texts, "")
    alike, other = _texts(readable(sent)), _texts(readable(seen))
    rows = []
    for field in print_fields(replace(sent, contacts=(), carried=())):
        key = field.field
        if key == "destination_id":
            rows.append(Compared(field.label, texts[key], NOT_READ, old[key], None))
        else:
            rows.append(Compared(field.label, texts[key], shown[key], old[key], alike[key] == other[key]))
    return rows


def _contacts(sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None) -> list[Compared]:
    old = before.contacts if before else ()
    was = {new: place for place, new in pair_contacts(old, sent.contacts) if place is not None}
    rows = []
    for number, (mine, theirs) in enumerate(pair_contacts(sent.contacts, seen.contacts), start=1):
        one = sent.contacts[mine] if mine is not None else ContactRecord()
        other = seen.contacts[theirs] if theirs is not None else ContactRecord()
        earlier = old[was[mine]] if mine in was else ContactRecord()
        rows += _contact(number, one, other, earlier)
    return rows


def _contact(number: int, sent: ContactRecord, seen: ContactRecord, before: ContactRecord) -> list[Compared]:
    texts, shown, old = (_contact_texts(contact) for contact in (sent, seen, before))
    alike, other = (
        _contact_texts(readable(OrganizationRecord(contacts=(contact,))).contacts[0]) for contact in (sent, seen)
    )
    return [
        Compared(f"Contact {number}, {label}", texts[name], shown[name], old[name], alike[name] == other[name])
        for name, label in CONTACT_LABELS.items()
    ]


def _texts(record: OrganizationRecord) -> dict[str, str]:
    return {shown.field: shown.value for shown in print_fields(replace(record, contacts=(), carried=()))}


def _contact_texts(contact: ContactRecord) -> dict[str, str]:
    fields = print_fields(OrganizationRecord(contacts=(contact,)))
    return {shown.field.rpartition(".")[2]: shown.value for shown in fields if shown.field.startswith("contacts.")}
