"""A decision about a submission: what happened to it, and why."""

from typing import Any

from django import forms
from django.utils.html import format_html

from organizations.fields import read_text
from organizations.forms.base import PortalForm, TextField

from .review import LONGEST_REASON


class DecisionForm(PortalForm):
    """One of the choices on the page, and a reason."""

    verdict = forms.ChoiceField(
        label="What happened?",
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        error_messages={"required": "Choose what happened.", "invalid_choice": "Choose what happened."},
    )
    sequence = forms.IntegerField(
        widget=forms.HiddenInput, error_messages={"required": "Compare again.", "invalid": "Compare again."}
    )
    reason = TextField(
        format_html('Reason<span class="req">{}</span>', "required"),
        "How you know, and a ticket number if there is one. An auditor will read this.",
        rows=2,
        css="form-control",
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], is_open: bool = True, **kwargs: Any) -> None:
        """`is_open`: whether the person can decide, or only read."""
        super().__init__(*args, **kwargs)
        if not is_open:
            self.fields["reason"].widget.attrs["disabled"] = True
        self.fields["verdict"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        self.reason_text = self.read("reason", lambda typed: read_text("Reason", typed, LONGEST_REASON))
        if not self.reason_text and "reason" not in self.errors:
            self.add_error("reason", "Enter a reason.")
        return self.cleaned_data
