"""The form of a review: the reason, the ticked warnings, and which message was reviewed."""

import re
from typing import Any

from django.http import QueryDict

from organizations.fields import read_text
from organizations.forms.base import PortalForm, TextField
from organizations.posted_numbers import read_number

LONGEST_REASON = 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ReviewForm(PortalForm):
    """The reason. The environment and the differences decide whether it is required."""

    reason = TextField("Reason", "Why, and a ticket number if there is one. An auditor will read this.", rows=2)

    def __init__(self, *args: Any, needs_reason: bool, environment_name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needs_reason = needs_reason
        if not needs_reason:
            self.fields["reason"].label = f"Reason (optional in {environment_name})"

    def clean(self) -> dict[str, Any]:
        self.reason_text = self.read("reason", lambda typed: read_text("Reason", typed, LONGEST_REASON))
        if self.needs_reason and not self.reason_text and "reason" not in self.errors:
            self.add_error("reason", "Enter a reason.")
        return self.cleaned_data


class PostedReview:
    """The review on the posted page, and the ticked warnings. Malformed values match no review."""

    def __init__(self, data: QueryDict) -> None:
        sha256 = data.get("sha256", "")
        self.sha256 = sha256 if _SHA256.fullmatch(sha256) else ""
        self.shown_submission = read_number(data.get("seen", ""))
        self.version = read_number(data.get("version", ""))
        self.ticked = frozenset(data.getlist("tick"))
