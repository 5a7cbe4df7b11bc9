"""Where the directory shows other values than were accepted, and what taking them would change."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from organizations import knowledge
from organizations.models import Organization
from organizations.pages import parent_names
from organizations.pages.comparison import sent_and_seen
from organizations.pages.comparison.field_lines import is_code
from organizations.pages.comparison.sent_and_seen import ComparedField
from organizations.pages.submission.decision_choices import suspicion
from organizations.queries import record_entries
from organizations.records import (
    OrganizationRecord,
    contact_text,
    difference,
    kept_and_added,
    label_in_sentence,
    labels_in_sentence,
)
from organizations.services.directory import differences
from organizations.services.directory.differences import DifferingReading
from organizations.text import freshness, vocabulary
from organizations.text.freshness import Freshness
from organizations.text.markup import written

MOST_NAMED = 8


class DifferenceRow(NamedTuple):
    """One field that differs. Taking the directory's value replaces `saved` with `directory`.

    `accepted` is the value of the baseline, or None if there is no baseline.
    """

    field: str
    label: str
    saved: str
    accepted: str | None
    directory: str

    @property
    def is_code(self) -> bool:
        return is_code(self.field)

    @property
    def is_edited(self) -> bool:
        """Whether taking replaces a saved change."""
        return self.saved != (self.accepted or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferencesContent:
    """What the template prints.

    `compared` has each field here and as the last reading shows it, unless the OID is known to be ours. `decided_by` is
    who decided that it belongs to another organization. `block_reason` says why nothing can be
    taken now, `ours_block_reason` why nobody can decide now that the OID is ours.
    """

    organization: Organization
    freshness: Freshness
    known: str
    rows: tuple[DifferenceRow, ...]
    stays: tuple[str, ...]
    spelled: tuple[DifferenceRow, ...]
    takes_type: bool
    compared: tuple[ComparedField, ...]
    decided_by: str
    block_reason: str
    ours_block_reason: str

    @property
    def is_foreign(self) -> bool:
        return self.organization.is_foreign

    @property
    def asks_whose(self) -> bool:
        """Whether the page asks to whom the OID belongs, and not about values."""
        return self.is_foreign or self.organization.is_there_unclaimed

    @property
    def differing(self) -> tuple[ComparedField, ...]:
        return tuple(row for row in self.compared if row.equal is False)

    @property
    def equal_labels(self) -> str:
        return labels_in_sentence(row.label for row in self.compared if row.equal)

    @property
    def compared_heading(self) -> str:
        read = sum(1 for row in self.compared if row.equal is not None)
        number = len(self.differing)
        return f"{number} of {read} readable fields {'differs' if number == 1 else 'differ'}"

    @property
    def suspicion(self) -> str:
        """To whom the OID probably belongs, and why; "" if the portal cannot tell."""
        return suspicion(self.compared)

    @property
    def heading(self) -> str:
        name = self.organization.name
        if self.organization.is_there_unclaimed:
            return f"{name}: the directory shows its OID already"
        if self.is_foreign:
            return f"{name}: its OID belongs to another organization"
        if freshness.lags(self.organization):
            return f"{name}: the directory does not show the last acceptance yet"
        if self.organization.later_reading() is None:
            return f"{name}: {freshness.without_later_reading(self.organization)}"
        if not self.rows:
            return f"{name}: the directory showed no other values"
        differ = "differs" if len(self.rows) == 1 else "differ"
        return f"{name}: {vocabulary.count(len(self.rows), 'value')} {differ} in the directory"

    @property
    def has_baseline(self) -> bool:
        return bool(self.known)

    @property
    def way_on(self) -> str:
        """What to do if nothing can be taken; "" if there is nothing to do."""
        if self.organization.is_missing:
            return (
                "If it was removed there and should be there, send it again. Redox will probably answer that the "
                "OID is not valid. Then it can be registered as a New."
            )
        return ""

    @property
    def since(self) -> str:
        """When the first difference was seen. Later ones have no known time."""
        since = self.organization.differs_since
        return f"The first difference was seen on {written(since)}." if since and self.rows else ""

    @property
    def accepted_heading(self) -> str:
        return freshness.accepted_heading(self.organization)

    @property
    def directory_heading(self) -> str:
        at = self.organization.seen_at
        return f"Directory {written(at, 'clock')}" if at else "Directory"

    @property
    def take_label(self) -> str:
        count = len(self.rows)
        return "Take this value" if count == 1 else f"Take these {count} values"

    @property
    def wanted_words(self) -> str:
        """What is saved here after taking."""
        them = "it" if len(self.rows) == 1 else "them"
        also = " Type, which the form does not have, is taken as well." if self.takes_type else ""
        return f"Saved here afterwards: {_named([row.label for row in self.rows])} as the directory shows {them}.{also}"

    @property
    def replaced_words(self) -> str:
        """The saved changes that taking replaces; "" if there are none."""
        edited = [row.label for row in self.rows if row.is_edited]
        if not edited:
            return ""
        if not self.has_baseline:
            return "The values saved here are replaced."
        changes = vocabulary.count(len(edited), "saved change is", "saved changes are")
        return f"{changes} replaced by the directory's value: {_named(edited)}."

    @property
    def stays_words(self) -> str:
        """What taking does not change."""
        if not self.stays:
            return "All other fields stay as they are saved."
        changes = vocabulary.count(len(self.stays), "saved change stays", "saved changes stay")
        return f"{changes} saved here and not sent: {_named(self.stays)}. All other fields stay as they are saved."

    @property
    def spelled_words(self) -> str:
        return f"{vocabulary.count(len(self.spelled), 'value is', 'values are')} spelled differently in the directory"


def differences_content(organization: Organization) -> DifferencesContent:
    """What the page of a record's differences shows."""
    reading = differences.differing_reading(organization)
    rows: tuple[DifferenceRow, ...] = ()
    stays: tuple[str, ...] = ()
    if reading is not None:
        rows = tuple(
            _rows(organization, reading.baseline, reading.seen) if reading.baseline else _first(organization, reading)
        )
        stays = _stays(organization, reading)
    baseline, seen = organization.baseline_record(), organization.later_reading()
    return DifferencesContent(
        organization=organization,
        freshness=freshness.record_freshness(organization),
        known=freshness.compared_with(organization, record_entries.taken_by(organization)) if baseline else "",
        rows=rows,
        stays=stays,
        spelled=tuple(_spelled(organization, baseline, seen)) if baseline and seen else (),
        takes_type=reading is not None and _takes_type(organization, reading),
        compared=_compared(organization),
        decided_by=record_entries.foreign_decided_by(organization) or "Somebody",
        block_reason=differences.take_block_reason(organization),
        ours_block_reason=differences.ours_block_reason(organization),
    )


def taken_sentence(organization: Organization, count: int) -> str:
    """What was done, for the next page."""
    values, were = vocabulary.count(count, "value"), "was" if count == 1 else "were"
    return f"{values} of {organization.name} {were} taken from the directory. Nothing was sent."


def read_again_sentence(asked_at: datetime.datetime) -> str:
    """Why nothing was done: the page was posted without the answer of a later Query."""
    at = written(asked_at, "clock")
    return f"The directory was asked at {at}, after this page was made. Nothing was sent. Look at what it shows now."


def _rows(
    organization: Organization, baseline: OrganizationRecord, seen: OrganizationRecord
) -> Iterator[DifferenceRow]:
    environment = organization.environment
    unsent = knowledge.in_form(difference(baseline, organization.record()))
    edits = {each.field: each for each in parent_names.with_parent_names(environment, unsent)}
    edited = _edited_contacts(baseline, organization.record())
    for each in parent_names.with_parent_names(environment, knowledge.seen_differences(baseline, seen)):
        edit = edits.get(each.field)
        saved = edit.after if edit is not None and edit.before == each.before else each.before
        saved = edited.get(each.field, saved)
        yield DifferenceRow(each.field, each.label, saved, each.before, each.after)


def _first(organization: Organization, reading: DifferingReading) -> Iterator[DifferenceRow]:
    """The rows of a record without a baseline: what is saved here beside what the directory shows."""
    wanted = knowledge.sendable(organization.record())
    differing = knowledge.changes_by_origin(None, reading.seen, wanted).overwritten
    for each in parent_names.with_parent_names(organization.environment, differing):
        yield DifferenceRow(each.field, each.label, each.after, None, each.before)


def _takes_type(organization: Organization, reading: DifferingReading) -> bool:
    wanted = organization.record()
    return knowledge.taken_from(reading.baseline, reading.seen, wanted).carried != wanted.carried


def _edited_contacts(baseline: OrganizationRecord, wanted: OrganizationRecord) -> dict[str, str]:
    """Each contact of the baseline as it is saved here, by the key of a contact that the directory lacks."""
    kept, _ = kept_and_added(baseline.contacts, wanted.contacts)
    return {f"contacts.removed.{place}": contact_text(contact) for place, contact in kept.items()}


def _stays(organization: Organization, reading: DifferingReading) -> tuple[str, ...]:
    """The saved changes that stay unsent after the directory's values are taken."""
    baseline, seen = reading
    wanted = organization.record()
    after = knowledge.sendable(knowledge.taken_from(baseline, seen, wanted))
    known = knowledge.sendable(knowledge.newest(baseline, seen) if baseline else knowledge.first_shown(seen, wanted))
    return tuple(each.label for each in knowledge.in_form(difference(known, after)))


def _spelled(
    organization: Organization, baseline: OrganizationRecord, seen: OrganizationRecord
) -> Iterator[DifferenceRow]:
    """The fields that the directory spells differently from the baseline."""
    for each in knowledge.changes_by_origin(baseline, seen, baseline).equivalent:
        yield DifferenceRow(each.field, each.label, each.after, each.after, each.before)


def _compared(organization: Organization) -> tuple[ComparedField, ...]:
    seen = organization.seen_record()
    if seen is None or not (organization.is_foreign or organization.is_there_unclaimed):
        return ()
    return sent_and_seen.compare_sent_with_seen(knowledge.sendable(organization.record()), seen, None)


def _named(labels: list[str] | tuple[str, ...]) -> str:
    return vocabulary.name_some([label_in_sentence(label) for label in labels], MOST_NAMED)
