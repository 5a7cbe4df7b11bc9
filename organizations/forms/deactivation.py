"""The reason for deactivating or reactivating a record; in PRODUCTION also its name, typed."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms

from organizations.fields import read_text
from organizations.forms.base import PortalForm, TextField
from organizations.models import Intent
from organizations.posted_numbers import read_number

LONGEST_DEACTIVATION_REASON = 500
REPLACED = "replaced"

_CHOICES = {
    Intent.DEACTIVATE: (
        ("closed", "Location closed"),
        ("mistake", "Registered by mistake"),
        (REPLACED, "Replaced by another record"),
        ("other", "Other"),
    ),
    Intent.REACTIVATE: (
        ("open", "Location open again"),
        ("mistake", "Deactivated by mistake"),
        ("other", "Other"),
    ),
}


class Replacement(NamedTuple):
    """The record that replaces the deactivated one."""

    name: str
    oid: str


class ReasonChoiceForm(PortalForm):
    """A reason from a list, and a text. Text below a reason that was not chosen is ignored.

    `replacement` finds a record of ours by its OID or name, or returns a sentence that says why there is none.
    """

    why = forms.ChoiceField(
        label="Reason", required=False, widget=forms.RadioSelect(attrs={"class": "form-check-input"})
    )
    replaced_by = TextField("Replaced by", "Its OID, or its name.", list="parents", css="w-oid")
    in_words = TextField("In words")

    def __init__(
        self,
        *args: Any,
        intent: Intent,
        environment_name: str,
        replacement: Callable[[str], Replacement | str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.environment_name, self.find_replacement = environment_name, replacement
        self.replacement: Replacement | None = None
        why = self.fields["why"]
        assert isinstance(why, forms.ChoiceField)  # noqa: S101 - for the type checker
        why.choices = _CHOICES[intent]
        why.error_messages["invalid_choice"] = "Choose a reason."
        if intent != Intent.DEACTIVATE:
            del self.fields["replaced_by"]

    def clean(self) -> dict[str, Any]:
        why = self.text("why")
        if not why and "why" not in self.errors:
            self.add_error("why", "Choose a reason.")
        words = self.read("in_words", lambda typed: read_text("Reason", typed, LONGEST_DEACTIVATION_REASON))
        if why == "other" and not words and "in_words" not in self.errors:
            self.add_error("in_words", "Enter the reason in words.")
        if why == REPLACED:
            self._read_replacement()
        return self.cleaned_data | {"in_words": words}

    def _read_replacement(self) -> None:
        typed = self.text("replaced_by").strip()
        result = self.find_replacement(typed) if typed else "Name the record that replaces it."
        if isinstance(result, Replacement):
            self.replacement = result
        else:
            self.add_error("replaced_by", result)

    @property
    def reason_text(self) -> str:
        """The reason as it is stored, such as "Location closed: lease ended"."""
        choice = dict(self.fields["why"].choices)[self.text("why")]  # type: ignore[attr-defined]
        words = self.text("in_words")
        if self.replacement is not None:
            replaced = f"Replaced by {self.replacement.name} ({self.replacement.oid})"
            return f"{replaced}. {words}" if words else replaced
        return f"{choice}: {words}" if words else choice


class DeactivationForm(ReasonChoiceForm):
    """`sha256` and `seen_submission` identify the review on the page. If `name` is given, the person must type it."""

    typed_name = TextField("Type the name")
    sha256 = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_submission = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        if not name:
            del self.fields["typed_name"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.name and _folded(self.text("typed_name")) != _folded(self.name):
            self.add_error("typed_name", f"This is not the name. Type: {self.name}.")
        return cleaned

    @property
    def last_submission_seen(self) -> int:
        """The id of the record's last submission when the page was made; 0 if there was none."""
        return read_number(self.text("seen_submission"))


class BranchForm(ReasonChoiceForm):
    """The reason for several records. If they are many, the person must type their number."""

    number = TextField("Type the number of records", css="w-date", inputmode="numeric")

    def __init__(self, *args: Any, number_to_type: int, **kwargs: Any) -> None:
        super().__init__(*args, intent=Intent.DEACTIVATE, **kwargs)
        self.number_to_type = number_to_type
        self.fields["number"].label = f"Type the number of records: {number_to_type}."
        if not number_to_type:
            del self.fields["number"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.number_to_type and self.text("number").strip() != str(self.number_to_type):
            self.add_error("number", f"This is not the number. Type: {self.number_to_type}.")
        return cleaned


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
