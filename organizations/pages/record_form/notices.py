"""The sentences above the form of a record, and the records that fill a new form."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from organizations import knowledge
from organizations.models import AuditEntry, Organization, Presence, State
from organizations.queries.record_context import child_count
from organizations.queries.record_entries import edits_since_acceptance
from organizations.records import (
    ADDRESS_LABELS,
    AddressRecord,
    Difference,
    OrganizationRecord,
    difference,
    labels_in_sentence,
)
from organizations.services.records import organizations
from organizations.services.records.authors import edit_of_ours
from organizations.text import vocabulary
from organizations.text.markup import plain, written
from organizations.text.vocabulary import FOREIGN_OID


def notices(organization: Organization, person_id: int | None) -> list[str]:
    """What a person who edits this record must know."""
    sentences = list(_saved_by_others(organization, person_id))
    last = organization.last_submission
    if last is not None and last.is_open:
        word = vocabulary.SUBMISSION_STATE[last.state].word.lower()
        state = word if last.state == State.NEEDS_PERSON else f"is {word}"
        sentences.append(f"Submission {last.pk} of this record {state}. You can edit, and send when it has ended.")
    if organization.presence == Presence.PRESENT and organization.confirmed_active is False:
        sentences.append("This record is deactivated. Saving and sending keeps it deactivated.")
    return sentences


def fixed_oid_sentence(organization: Organization) -> str:
    """Why the OID of a record cannot be changed; "" if it can."""
    if organization.is_foreign and organization.can_change_oid:
        return ""
    if organization.confirmed_at:
        return f"Accepted {_day(organization.confirmed_at)}; cannot be changed."
    if organizations.was_only_cancelled(organization):
        return (
            "A submission of this record was made and cancelled before anything was sent; its history names this OID."
            " It cannot be changed."
        )
    if not organization.can_change_oid:
        return "A submission uses this OID, or the directory shows it, so it cannot be changed."
    return ""


def changeable_oid_sentence(organization: Organization) -> str:
    """Why the OID of a record that was sent can be changed, and what follows; "" if it was never sent."""
    if fixed_oid_sentence(organization) or not organization.has_submission:
        return ""
    name = plain(organization.foreign_name) or "not named"
    why = FOREIGN_OID.format(name=name) if organization.is_foreign else "No message to this OID was accepted."
    below = child_count(organization)
    follow = f" {vocabulary.count(below, 'record')} below {'follows' if below == 1 else 'follow'}." if below else ""
    return f"{why} You can give this record another OID.{follow}"


def last_editor(organization: Organization) -> str:
    """Who saved the record last, by name."""
    person = organization.edited_by
    return person.display_name if person else "Somebody"


def saved_sentence(organization: Organization) -> str:
    """Why nothing was done: somebody saved the record while the page was open."""
    time = written(organization.edited_at, "clock")
    return f"{last_editor(organization)} saved this record at {time}, while this page was open. Nothing was done."


def saved_again_sentence(organization: Organization) -> str:
    """Somebody saved the record again while two other versions were compared."""
    return (
        f"{last_editor(organization)} saved this record again at {written(organization.edited_at, 'clock')},"
        " while you were choosing. Choose again for the values that changed."
    )


def withdrawn_sentence(withdrawal: AuditEntry) -> str:
    """Somebody withdrew the record while its form was open."""
    return (
        f"{withdrawal.actor_name} withdrew this record at {written(withdrawal.at, 'clock')}."
        " What you typed is kept. Save it as a new record if it is still needed."
    )


def record_below(parent: Organization) -> OrganizationRecord:
    """A new record below this one, with its contacts, state, country and destination ID."""
    known = parent.record()
    return OrganizationRecord(
        part_of_oid=parent.oid,
        destination_id=known.destination_id,
        contacts=known.contacts,
        address=AddressRecord(state=known.address.state, country=known.address.country),
    )


def record_like(other: Organization) -> OrganizationRecord:
    """A new record like this one, without its name, street, city and ZIP."""
    known = other.record()
    return OrganizationRecord(
        part_of_oid=known.part_of_oid,
        destination_id=known.destination_id,
        contacts=known.contacts,
        address=replace(known.address, street="", city="", zip_code=""),
    )


def filled_sentence(begun: OrganizationRecord, source: Organization) -> str:
    """Which fields of a new form are filled from another record; "" if none are. The parent does not count."""
    filled = {"contacts": begun.contacts, "destination ID": begun.destination_id}
    filled |= {label.lower(): getattr(begun.address, name) for name, label in ADDRESS_LABELS.items()}
    names = [name for name, value in filled.items() if value]
    if not names:
        return ""
    listed_names = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    are, them = ("is", "it") if len(names) == 1 and not begun.contacts else ("are", "them")
    return f"{listed_names[0].upper()}{listed_names[1:]} {are} filled in from {plain(source.name)}. Check {them}."


def _saved_by_others(organization: Organization, person_id: int | None) -> Iterator[str]:
    known = organization.compared_record()
    if known is None:
        return
    edits = edits_since_acceptance(organization)
    by_person: dict[int | None, list[tuple[Difference, AuditEntry]]] = {}
    for change in knowledge.in_form(difference(known, knowledge.sendable(organization.record()))):
        entry = edit_of_ours(change, edits, known)
        if entry is not None and entry.actor_id != person_id:
            by_person.setdefault(entry.actor_id, []).append((change, entry))
    for changes in by_person.values():
        yield _saved(changes)


def _saved(changes: list[tuple[Difference, AuditEntry]]) -> str:
    newest = max((entry for _, entry in changes), key=lambda entry: entry.sequence)
    labels = labels_in_sentence(change.label for change, _ in changes)
    one = len(changes) == 1
    return (
        f"{newest.actor_name} saved {vocabulary.count(len(changes), 'change')} on {_day(newest.at)} that "
        f"{'was' if one else 'were'} not sent: {labels}. "
        f"{'It is' if one else 'They are'} part of this record and will be sent with yours."
    )


def _day(moment: datetime) -> str:
    return written(moment, "day")
