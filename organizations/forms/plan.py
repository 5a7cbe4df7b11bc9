"""The form of a plan: the reason, and the number of records if they are many."""

from typing import Any

from organizations.fields import read_text
from organizations.forms.base import PortalForm, TextField

from .review import LONGEST_REASON


class PlanForm(PortalForm):
    """A reason, and the number of records if it must be typed."""

    reason = TextField("Reason", "Why, and a ticket number if there is one. An auditor will read this.", rows=2)
    number = TextField("Type the number of records", css="w-date", inputmode="numeric")

    def __init__(
        self, *args: Any, needs_reason: bool, number_to_type: int, environment_name: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.needs_reason, self.number_to_type = needs_reason, number_to_type
        if not needs_reason:
            self.fields["reason"].label = f"Reason (optional in {environment_name})"
        self.fields["number"].label = f"Type the number of records: {number_to_type}."
        if not number_to_type:
            del self.fields["number"]

    def clean(self) -> dict[str, Any]:
        self.reason_text = self.read("reason", lambda typed: read_text("Reason", typed, LONGEST_REASON))
        if self.needs_reason and not self.reason_text and "reason" not in self.errors:
            self.add_error("reason", "Enter a reason.")
        if self.number_to_type and self.text("number").strip() != str(self.number_to_type):
            self.add_error("number", f"This is not the number. Type: {self.number_to_type}.")
        return self.cleaned_data
