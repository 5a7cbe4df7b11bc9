"""The reason for taking a record out of use or into use again, and in PRODUCTION its name, typed."""

from typing import Any

from django import forms

from organizations.fields import read_text
from organizations.models import Intent

from .reading import ReadingForm, Text

LONGEST_REASON = 500

_CHOICES = {
    Intent.DEACTIVATE: (
        ("closed", "Location closed"),
        ("mistake", "Registered by mistake"),
        ("replaced", "Replaced by another record"),
        ("other", "Other"),
    ),
    Intent.REACTIVATE: (
        ("open", "Location open again"),
        ("mistake", "Deactivated by mistake"),
        ("other", "Other"),
    ),
}
_NEEDS_WORDS = {"replaced": "Name the record that replaces it.", "other": "Say the reason in words."}


class DeactivationForm(ReadingForm):
    """`sha256` and `seen_submission` tie it to the review that the page showed; `name` has to be typed if given."""

    why = forms.ChoiceField(
        label="Reason", required=False, widget=forms.RadioSelect(attrs={"class": "form-check-input"})
    )
    in_words = Text("In words")
    typed_name = Text("Type the name")
    sha256 = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_submission = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, intent: Intent, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        why = self.fields["why"]
        assert isinstance(why, forms.ChoiceField)  # noqa: S101 - tells the type checker what stands above
        why.choices = _CHOICES[intent]
        why.error_messages["invalid_choice"] = "Choose a reason."
        if not name:
            del self.fields["typed_name"]

    def clean(self) -> dict[str, Any]:
        why = self.text("why")
        if not why and "why" not in self.errors:
            self.add_error("why", "Choose a reason.")
        words = self.read("in_words", lambda typed: read_text("Reason", typed, LONGEST_REASON))
        if why in _NEEDS_WORDS and not words and "in_words" not in self.errors:
            self.add_error("in_words", _NEEDS_WORDS[why])
        if self.name and _folded(self.text("typed_name")) != _folded(self.name):
            self.add_error("typed_name", f"This is not the name. Type: {self.name}.")
        return self.cleaned_data | {"in_words": words}

    @property
    def reason(self) -> str:
        """The reason as it is kept: "Location closed: lease ended"."""
        choice = dict(self.fields["why"].choices)[self.text("why")]  # type: ignore[attr-defined]
        words = self.text("in_words")
        return f"{choice}: {words}" if words else choice

    @property
    def last_seen(self) -> int:
        """The record's last submission when the page was made; -1, which is none, for what is no number."""
        text = self.text("seen_submission")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
