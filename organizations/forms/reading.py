"""A form whose fields are read by the readers of `fields`: they say what is wrong, and what they changed."""

from collections.abc import Callable
from typing import Any

from django import forms

from organizations.fields import FieldError, Read, read_lines

LONGEST_LIST = 2000


class Text(forms.Field):
    """Text as it was typed. Whether it may be empty, and what is wrong with it, is for the form to say."""

    def __init__(self, label: str, hint: str = "", *, rows: int = 0, css: str = "", **attributes: str) -> None:
        attrs = {name.replace("_", "-"): text for name, text in attributes.items()} | {"autocomplete": "off"}
        attrs |= ({"class": css} if css else {}) | ({"rows": str(rows)} if rows else {})
        widget = forms.Textarea(attrs) if rows else forms.TextInput(attrs)
        super().__init__(required=False, label=label, help_text=hint, widget=widget)


class ReadingForm(forms.Form):
    """Reads its fields in `clean` and remembers what the readers changed."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changed: list[str] = []

    def text(self, name: str) -> str:
        """What was typed; "" for a field that was not sent."""
        return str(self.cleaned_data.get(name) or "")

    def read(self, name: str, reader: Callable[[str], Read]) -> str:
        """The text of a field in the form that is sent; "" with an error at the field when it cannot be."""
        try:
            found = reader(self.text(name))
        except FieldError as fault:
            self.add_error(name, str(fault))
            return ""
        if found.changed:
            self.changed.append(found.changed)
        return found.value

    def read_each(self, name: str, reader: Callable[[int, str], Read]) -> tuple[str, ...]:
        """The lines of a field that takes one value a line; the reader is told the number of the line, from 1."""
        typed = self.text(name)
        if len(typed) > LONGEST_LIST:
            label = self.fields[name].label
            self.add_error(name, f"{label} have {len(typed)} characters; at most {LONGEST_LIST} can be kept.")
            return ()
        values = []
        for number, line in enumerate(read_lines(typed), start=1):
            try:
                found = reader(number, line)
            except FieldError as fault:
                self.add_error(name, str(fault))
                continue
            if found.value:  # a line of invisible characters is none
                values.append(found.value)
            if found.changed:
                self.changed.append(found.changed)
        return tuple(values)
