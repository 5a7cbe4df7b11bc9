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
    accepted = before or OrganizationRecord()
    old = {
        mine: accepted.contacts[place]
        for mine, place in _paired(sent, accepted)
        if mine is not None and place is not None
    }
    rows = []
    for number, (mine, theirs) in enumerate(_paired(sent, seen), start=1):
        ours = None if mine is None else sent.contacts[mine]
        shown = None if theirs is None else seen.contacts[theirs]
        was = old.get(mine) if mine is not None else None
        rows += _contact(number, ours, shown, was)
    return rows


def _paired(ours: OrganizationRecord, other: OrganizationRecord) -> list[tuple[int | None, int | None]]:
    """Which contact is which, by place, ours in their order; None for a contact that one side does not have.

    What means the same is the same contact, whatever its place. The others pair as where a review counts values.
    """
    left, alike = list(range(len(other.contacts))), {}
    for mine, contact in enumerate(ours.contacts):
        same = next((place for place in left if _means(other.contacts[place]) == _means(contact)), None)
        if same is not None:
            left.remove(same)
            alike[mine] = same
    if len(alike) == len(ours.contacts) == len(other.contacts):
        return list(alike.items())
    spelled = knowledge.respelled(other, ours).contacts
    pairs = [(mine, place) for place, mine in pair_contacts(spelled, ours.contacts)]
    return sorted(pairs, key=lambda pair: len(ours.contacts) if pair[0] is None else pair[0])


def _means(contact: ContactRecord) -> ContactRecord:
    """The contact in the form in which equal ones are equal."""
    return readable(OrganizationRecord(contacts=(contact,))).contacts[0]


def _contact(
    number: int, sent: ContactRecord | None, seen: ContactRecord | None, before: ContactRecord | None
) -> list[Compared]:
    """Field by field; a contact that only one side has differs as one field, as everywhere else."""
    if sent is None or seen is None:
        ours, shown_there, accepted = (_summary(contact) if contact else "" for contact in (sent, seen, before))
        return [Compared(f"Contact {number}", ours, shown_there, accepted, equal=False)]
    texts, shown, old = (_contact_texts(contact) for contact in (sent, seen, before or ContactRecord()))
    alike, other = _contact_texts(_means(sent)), _contact_texts(_means(seen))
    return [
        Compared(f"Contact {number}, {label}", texts[name], shown[name], old[name], alike[name] == other[name])
        for name, label in CONTACT_LABELS.items()
    ]


def _summary(contact: ContactRecord) -> str:
    return "\n".join(filter(None, _contact_texts(contact).values()))


def _texts(record: OrganizationRecord) -> dict[str, str]:
    return {shown.field: shown.value for shown in print_fields(replace(record, contacts=(), carried=()))}


def _contact_texts(contact: ContactRecord) -> dict[str, str]:
    fields = print_fields(OrganizationRecord(contacts=(contact,)))
    return {shown.field.rpartition(".")[2]: shown.value for shown in fields if shown.field.startswith("contacts.")}
