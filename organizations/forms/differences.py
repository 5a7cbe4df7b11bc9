"""Why somebody takes the directory's values, or takes back the decision that an OID is another organization's."""

from typing import Any

from organizations.fields import read_text

from .reading import ReadingForm, Text
from .review import LONGEST_REASON


class ReasonForm(ReadingForm):
    """A reason, which is required."""

    reason = Text("Reason", "Why, and a ticket number if there is one. An auditor will read this.", rows=2)

    def clean(self) -> dict[str, Any]:
        self.why = self.read("reason", lambda typed: read_text("Reason", typed, LONGEST_REASON))
        if not self.why and "reason" not in self.errors:
            self.add_error("reason", "Enter a reason.")
        return self.cleaned_data
