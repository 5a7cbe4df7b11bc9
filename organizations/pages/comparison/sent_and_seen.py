"""What was sent, what the directory shows, and what was accepted before, side by side."""

from dataclasses import replace
from typing import NamedTuple

from organizations import knowledge
from organizations.pages.comparison.contacts import reading_contacts
from organizations.pages.comparison.field_lines import plain_lines
from organizations.records import (
    CONTACT_LABELS,
    ContactRecord,
    OrganizationRecord,
    contact_lines,
    contact_text,
    fields_as_text,
)

NOT_READ = "cannot be read"


class ComparedField(NamedTuple):
    """One field on the three sides. `equal`: both mean the same; None if a Query cannot show the field."""

    label: str
    sent: str
    seen: str
    before: str
    equal: bool | None

    @property
    def means_same(self) -> bool:
        """Whether the directory spells the same value differently."""
        return self.equal is True and self.sent != self.seen


def compare_sent_with_seen(
    sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None
) -> tuple[ComparedField, ...]:
    """Every field that is filled on a side, in the order of the form. Values that mean the same are equal."""
    rows = [*_plain(sent, seen, before), *_contacts(sent, seen, before)]
    return tuple(row for row in rows if row.sent or row.before or row.seen not in ("", NOT_READ))


def _plain(
    sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None
) -> list[ComparedField]:
    texts, seen_texts, old = _texts(sent), _texts(seen), _texts(before)
    respelled = _texts(knowledge.spell_like(seen, sent))
    rows = []
    for field in fields_as_text(replace(sent, contacts=(), carried=())):
        key, was = field.field, old.get(field.field, "")
        if key == "destination_id":
            rows.append(ComparedField(field.label, texts[key], NOT_READ, was, None))
        else:
            rows.append(ComparedField(field.label, texts[key], seen_texts[key], was, texts[key] == respelled[key]))
    return rows


def _texts(record: OrganizationRecord | None) -> dict[str, str]:
    return {field: "\n".join(lines) for field, lines in plain_lines(record).items()}


def _contacts(
    sent: OrganizationRecord, seen: OrganizationRecord, before: OrganizationRecord | None
) -> list[ComparedField]:
    accepted = {each.number: each.seen for each in reading_contacts(sent, before) if each.saved} if before else {}
    return [
        row
        for number, each in enumerate(reading_contacts(sent, seen), start=1)
        for row in _contact(number, each.saved, each.seen, accepted.get(each.number) if each.saved else None)
    ]


def _contact(
    number: int, sent: ContactRecord | None, seen: ContactRecord | None, before: ContactRecord | None
) -> list[ComparedField]:
    """One row for each field; one row for a contact that only one side has, as everywhere else."""
    if sent is None or seen is None:
        ours, theirs, accepted = (contact_text(contact) if contact else "" for contact in (sent, seen, before))
        return [ComparedField(f"Contact {number}", ours, theirs, accepted, equal=False)]
    same = knowledge.spell_contact_like(seen, sent)
    texts, seen_texts, old, respelled = map(_contact_texts, (sent, seen, before or ContactRecord(), same))
    return [
        ComparedField(
            f"Contact {number}, {label}", texts[name], seen_texts[name], old[name], texts[name] == respelled[name]
        )
        for name, label in CONTACT_LABELS.items()
    ]


def _contact_texts(contact: ContactRecord) -> dict[str, str]:
    return {name: "\n".join(lines) for name, lines in contact_lines(contact).items()}
