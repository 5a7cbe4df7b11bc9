"""What was sent, what the directory shows and what was accepted before, side by side."""

from dataclasses import replace
from typing import NamedTuple

from organizations import knowledge
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
    """One field on the three sides. `equal`, also of what only means the same, is None where it cannot be read."""

    label: str
    sent: str
    seen: str
    before: str
    equal: bool | None

    @property
    def means_same(self) -> bool:
        """Whether the directory spells it in another way."""
        return self.equal is True and self.sent != self.seen


def compare(
    sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None
) -> tuple[Compared, ...]:
    """Every field that is filled on any side, in the order of the form; what means the same counts as equal."""
    rows = [*_plain(sent, seen, before), *_contacts(sent, seen, before)]
    return tuple(row for row in rows if row.sent or row.before or row.seen not in ("", NOT_READ))


def _plain(sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None) -> list[Compared]:
    texts, shown = _texts(sent), _texts(seen)
    old = _texts(before) if before else dict.fromkeys(texts, "")
    respelled = _texts(knowledge.respelled(seen, sent))
    rows = []
    for field in print_fields(replace(sent, contacts=(), carried=())):
        key = field.field
        if key == "destination_id":
            rows.append(Compared(field.label, texts[key], NOT_READ, old[key], None))
        else:
            rows.append(Compared(field.label, texts[key], shown[key], old[key], texts[key] == respelled[key]))
    return rows


def _contacts(sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None) -> list[Compared]:
    old = dict(_paired(sent.contacts, before.contacts if before else ()))
    rows = []
    for number, (mine, theirs) in enumerate(_paired(sent.contacts, seen.contacts), start=1):
        rows += _contact(number, mine, theirs, old.get(mine, ContactRecord()))
    return rows


def _paired(
    ours: tuple[ContactRecord, ...], others: tuple[ContactRecord, ...]
) -> list[tuple[ContactRecord, ContactRecord]]:
    """Which contact is which; those that mean the same first, whatever their order. One alone stands beside none."""
    left, rest, pairs = list(others), [], []
    for contact in ours:
        same = next((other for other in left if _means(other) == _means(contact)), None)
        if same is None:
            rest.append(contact)
        else:
            left.remove(same)
            pairs.append((contact, same))
    for one, other in pair_contacts(tuple(rest), tuple(left)):
        pairs.append((ContactRecord() if one is None else rest[one], ContactRecord() if other is None else left[other]))
    return sorted(pairs, key=lambda pair: ours.index(pair[0]) if pair[0] in ours else len(ours))


def _means(contact: ContactRecord) -> ContactRecord:
    """The contact in the form in which equal ones are equal."""
    return readable(OrganizationRecord(contacts=(contact,))).contacts[0]


def _contact(number: int, sent: ContactRecord, seen: ContactRecord, before: ContactRecord) -> list[Compared]:
    texts, shown, old = (_contact_texts(contact) for contact in (sent, seen, before))
    alike, other = _contact_texts(_means(sent)), _contact_texts(_means(seen))
    return [
        Compared(f"Contact {number}, {label}", texts[name], shown[name], old[name], alike[name] == other[name])
        for name, label in CONTACT_LABELS.items()
    ]


def _texts(record: OrganizationRecord) -> dict[str, str]:
    return {shown.field: shown.value for shown in print_fields(replace(record, contacts=(), carried=()))}


def _contact_texts(contact: ContactRecord) -> dict[str, str]:
    fields = print_fields(OrganizationRecord(contacts=(contact,)))
    return {shown.field.rpartition(".")[2]: shown.value for shown in fields if shown.field.startswith("contacts.")}
