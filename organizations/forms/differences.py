"""The forms of the differences page: a reason for taking values, and the decision to whom an OID belongs."""

from typing import Any

from django import forms

from organizations.fields import read_text
from organizations.forms.base import PortalForm, TextField

from .review import LONGEST_REASON


class ReasonForm(PortalForm):
    """A required reason."""

    reason = TextField("Reason", "Why, and a ticket number if there is one. An auditor will read this.", rows=2)

    def clean(self) -> dict[str, Any]:
        self.reason_text = self.read("reason", lambda typed: read_text("Reason", typed, LONGEST_REASON))
        if not self.reason_text and "reason" not in self.errors:
            self.add_error("reason", "Enter a reason.")
        return self.cleaned_data


class WhoseForm(ReasonForm):
    """To whom the OID belongs, and a reason."""

    whose = forms.ChoiceField(
        label="Whose OID is this?",
        choices=[("ours", "It is ours"), ("foreign", "It belongs to another organization")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whose OID it is.", "invalid_choice": "Choose whose OID it is."},
    )
    field_order = ("whose", "reason")
