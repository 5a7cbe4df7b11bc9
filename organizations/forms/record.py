"""The form of a record: its fields and its two lists, validated together."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from organizations.forms.base import PortalForm
from organizations.forms.organization import FormContext, OrganizationForm
from organizations.models import RecordKind
from organizations.records import ADDRESS_LABELS, MOST_ROWS, OrganizationRecord

from .contacts import ContactFormSet, IdentifierFormSet
from .typed import CONTACTS, IDENTIFIERS, Typed

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "identity": ("name", "oid", "aliases", "stands_for"),
    "place": ("place", "parent", "other_oid"),
    "routing": ("destination_id", "destination_source"),
    "contacts": (),
    "address": tuple(ADDRESS_LABELS),
}
SECTION_NAMES = {
    "identity": "Identity",
    "place": "Place",
    "routing": "Routing",
    "contacts": "Contacts",
    "address": "Address",
}


class RecordForm:
    """The parts of the form. `checked`: whether the texts are validated. A form that is only shown is not."""

    def __init__(self, typed: Typed, form_context: FormContext, *, checked: bool, marks_kept: bool = True) -> None:
        self.typed = typed
        self.checked = checked
        posted, stored = typed.as_post() if checked else None, form_context.stored or Typed()
        self.main = OrganizationForm(posted, initial=typed.fields, form_context=form_context)
        self.contacts = ContactFormSet(
            posted,
            initial=list(typed.contacts),
            prefix=CONTACTS,
            form_kwargs={"stored": stored.contacts},
        )
        oid = self.main.values["oid"] if checked and not self.main.errors.get("oid") else ""
        self.identifiers = IdentifierFormSet(
            posted,
            initial=list(typed.identifiers),
            prefix=IDENTIFIERS,
            form_kwargs={"oid": oid, "stored": stored.identifiers},
        )
        for lines in (self.contacts, self.identifiers):
            lines.is_incomplete = lines.prefix in typed.incomplete
            lines.left_out = typed.left_out.get(lines.prefix, 0)
            lines.most = max(MOST_ROWS, len(stored.rows(lines.prefix)))
            if lines.prefix == typed.added:
                lines[-1].focus_first_field()
        if marks_kept and form_context.stored is not None:
            self._mark_kept(form_context)

    def is_valid(self) -> bool:
        """Whether all parts are valid. All are checked, so that the page shows every error at once."""
        return all([self.main.is_valid(), self.identifiers.is_valid(), self.contacts.is_valid()])

    @property
    def has_errors(self) -> bool:
        return self.checked and not self.is_valid()

    @property
    def sections(self) -> list[tuple[str, str, int]]:
        """The sections of the form: anchor, heading and number of errors."""
        return [(key, heading, self._problems_in(key)) for key, heading in SECTION_NAMES.items()]

    @property
    def lacks_only_the_oid(self) -> bool:
        """Whether only the OID was refused."""
        lists_are_valid = self.identifiers.is_valid() and self.contacts.is_valid()
        return lists_are_valid and set(self.main.errors) == {"oid"}

    def record(self) -> OrganizationRecord:
        """The typed values as a neutral record. The form must be valid, or lack only the OID."""
        return OrganizationRecord(
            **self.main.values,
            identifiers=tuple(form.record for form in self.identifiers),
            contacts=tuple(form.record for form in self.contacts),
        )

    @property
    def stands_for(self) -> RecordKind:
        return RecordKind(self.main.cleaned_data["stands_for"])

    @property
    def destination_source(self) -> str:
        """How the person knows the destination ID; "" if the form did not ask."""
        return self.main.entered_source

    @property
    def changes_sentence(self) -> str:
        """What the readers changed, as one sentence; "" if nothing."""
        parts = [*self.main.changed]
        for form in (*self.identifiers, *self.contacts):
            parts += form.changed
        return f"Changed for you: {'; '.join(parts)}." if parts else ""

    def _mark_kept(self, form_context: FormContext) -> None:
        """Mark the stored texts that would be refused today. A form that is only shown is checked for this."""
        checked = self
        if not self.checked:
            alone = replace(
                form_context,
                oid_named=_nothing,
                other_environment_sentence=_nothing,
                oid_error=_nothing,
                parent_error=_nothing,
            )
            checked = RecordForm(self.typed, alone, checked=True, marks_kept=False)
        checked.is_valid()
        for form, checked_form in zip(self._forms(), checked._forms(), strict=True):
            form.show_kept(checked_form.kept)

    def _forms(self) -> list[PortalForm]:
        return [self.main, *self.identifiers, *self.contacts]

    def _problems_in(self, section: str) -> int:
        if not self.checked:
            return 0
        count = sum(len(self.main.errors.get(name, [])) for name in SECTIONS[section])
        lists: dict[str, Any] = {"identity": self.identifiers, "contacts": self.contacts}
        if section in lists:
            formset = lists[section]
            count += len(formset.non_form_errors()) + sum(
                map(len, (e for form in formset for e in form.errors.values()))
            )
        return count


def _nothing(*_: str) -> str:
    """No error and no record: only the texts are checked."""
    return ""
