"""The lists in the form of a record: contacts and our own identifiers, at most 20 of each."""

from typing import Any

from django import forms
from django.forms.formsets import formset_factory

from organizations.fields import Read, oid_or_text, read_email, read_text
from organizations.forms.base import PortalForm, TextField
from organizations.phones import read_phone
from organizations.records import MOST_ROWS, PHONES, ContactRecord, IdentifierRecord

_NO_PURPOSE = "Enter a purpose or remove the contact."


class ContactForm(PortalForm):
    """One contact. The limits of length are those of its columns."""

    hints = {"purpose": "hint-purpose", "email_addresses": "hint-email"} | dict.fromkeys(PHONES, "hint-phone")
    purpose = TextField("Purpose", required=True, list="purposes")
    name = TextField("Contact name")
    email_addresses = TextField("E-mail addresses", rows=1)
    work_phone = TextField("Work phone", inputmode="tel")
    mobile_phone = TextField("Mobile phone", inputmode="tel")
    home_phone = TextField("Home phone", inputmode="tel")

    @property
    def heading(self) -> str:
        """Such as "Contact 2, Operations", from the values in the form."""
        number = int((self.prefix or "").rpartition("-")[2]) + 1
        return ", ".join(filter(None, (f"Contact {number}", self._field_text("purpose"))))

    @property
    def summary(self) -> str:
        """The summary of a folded contact: its name, and its first e-mail address or phone."""
        reached = (self._field_text(name) for name in ("email_addresses", *PHONES))
        return " · ".join(filter(None, (self._field_text("name"), next(filter(None, reached), ""))))

    @property
    def is_open(self) -> bool:
        """Whether the page unfolds this contact: it was just added, or it has an error or a note."""
        return bool(self.errors or self.kept_notes or self.is_new)

    def _field_text(self, name: str) -> str:
        return " ".join(str(self[name].value() or "").split())

    def clean(self) -> dict[str, Any]:
        labels = {name: str(self.fields[name].label) for name in PHONES}
        self.record = ContactRecord(
            purpose=self.read("purpose", lambda typed: read_text("Purpose", typed, 100)),
            name=self.read("name", lambda typed: read_text("Contact name", typed, 200)),
            email_addresses=self._email_addresses(),
            work_phone=self.read("work_phone", lambda typed: read_phone(labels["work_phone"], typed)),
            mobile_phone=self.read("mobile_phone", lambda typed: read_phone(labels["mobile_phone"], typed)),
            home_phone=self.read("home_phone", lambda typed: read_phone(labels["home_phone"], typed)),
        )
        if not self.errors:
            self._refuse_incomplete(self.record)
        return self.cleaned_data

    def _email_addresses(self) -> tuple[str, ...]:
        """The addresses without repetitions. If the stored text has repetitions and nobody changed it, it stays."""
        is_untouched = self.is_stored("email_addresses", self.text("email_addresses"))
        before: set[str] = set()

        def reader(_: int, line: str) -> Read:
            email = read_email(line)
            folded = email.value.casefold()
            if folded and folded in before and not is_untouched:
                return Read("", f"{email.value} was given twice; the second one was left out")
            before.add(folded)
            return email

        return self.read_each("email_addresses", reader)

    def _refuse_incomplete(self, record: ContactRecord) -> None:
        if not record.purpose and (self.is_all_stored or self._resembles_stored_contact()):
            self.kept["purpose"] = _NO_PURPOSE
        elif not record.purpose:
            self.add_error("purpose", _NO_PURPOSE)
        elif not any((record.name, record.email_addresses, *(getattr(record, name) for name in PHONES))):
            self.refuse_whole("name", "Enter a name, an e-mail address or a phone, or remove the contact.")

    def _resembles_stored_contact(self) -> bool:
        """Whether a stored contact without a purpose shares a value with this one."""
        others = [name for name in self.fields if name != "purpose" and self.text(name)]
        without = [row for row in self.stored if not row.get("purpose")]
        return any(self.text(name) == row.get(name) for row in without for name in others)


class IdentifierForm(PortalForm):
    """An identifier of our own and its kind, such as LSC-014 and FACID."""

    hints = {"value": "hint-identifiers"}  # noqa: RUF012
    value = TextField("Own identifier", required=True)
    kind = TextField("Its kind", required=True)

    def __init__(self, *args: Any, oid: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.oid = oid

    def clean(self) -> dict[str, Any]:
        self.record = IdentifierRecord(
            value=self.read("value", lambda typed: read_text("Own identifier", typed, 200)),
            kind=self.read("kind", lambda typed: read_text("Its kind", typed, 60)),
        )
        if not self.errors:
            self._refuse_invalid(self.record)
        return self.cleaned_data

    def _refuse_invalid(self, record: IdentifierRecord) -> None:
        if not record.value or not record.kind:
            self.refuse_whole("kind" if record.value else "value", "Enter both number and kind, or remove the line.")
        elif record.kind.upper() == "OID" or oid_or_text(record.value) == self.oid:
            self.refuse_whole("value", "The OID is entered above; do not repeat it here.")


class LinesFormSet(forms.BaseFormSet):
    """A list in the form. It is refused if lines are missing from the request, so that no contact is lost."""

    is_incomplete = False
    left_out = 0
    most = MOST_ROWS  # more, if more are stored

    def clean(self) -> None:
        if self.is_incomplete:
            raise forms.ValidationError(
                f"Some of the {self.prefix} did not arrive. Nothing was saved. Check them and press the button again."
            )
        if self.left_out:
            raise forms.ValidationError(
                f"At most {self.most} {self.prefix} can be kept. The last {self.left_out} were left out."
            )
        too_many = self.total_form_count() - self.most
        if too_many > 0:
            remove = "one" if too_many == 1 else too_many
            raise forms.ValidationError(f"At most {self.most} {self.prefix} can be kept. Remove {remove}.")


# Django's own limit of forms is not used: it would drop further lines from the page without an error.
ContactFormSet: Any = formset_factory(ContactForm, formset=LinesFormSet, extra=0)
IdentifierFormSet: Any = formset_factory(IdentifierForm, formset=LinesFormSet, extra=0)
