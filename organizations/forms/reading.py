"""A form whose fields are read by the readers of `fields`: they say what is wrong, and what they changed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.forms import BoundField

from organizations.fields import FieldError, Read, read_lines

LONGEST_LIST = 2000
MOST_LINES = 50
KEPT = "The stored text is kept and sent unchanged. Typed anew it would be refused:"


class Text(forms.Field):
    """Text as it was typed. What is wrong with it, also that it is empty, is for the form to say.

    `required` marks it as a field that the form refuses when it is empty.
    """

    def __init__(
        self,
        label: str,
        hint: str = "",
        *,
        rows: int = 0,
        css: str = "",
        required: bool = False,
        **attributes: str,
    ) -> None:
        attrs = {name.replace("_", "-"): text for name, text in attributes.items()} | {"autocomplete": "off"}
        attrs |= ({"class": css} if css else {}) | ({"rows": str(rows)} if rows else {})
        widget = forms.Textarea(attrs) if rows else forms.TextInput(attrs)
        super().__init__(required=required, label=label, help_text=hint, widget=widget)

    def validate(self, value: object) -> None:
        """Leave it to the form: it has the words for what is missing."""


class ReadingField(BoundField):
    """A field on the page with everything that describes it: hints, errors, and why a stored text is kept."""

    form: "ReadingForm"

    @property
    def is_marked_required(self) -> bool:
        return self.field.required

    @property
    def kept(self) -> str:
        """Why the stored text would be refused if it were typed anew; "" if it would not be."""
        return self.form.marked.get(self.name, "")

    @property
    def aria_describedby(self) -> str | None:
        ids = [self.form.hints.get(self.name), super().aria_describedby, self.kept and f"{self.auto_id}_kept"]
        return " ".join(filter(None, ids)) or None

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        is_told = self.is_marked_required and not self.use_fieldset and not self.is_hidden
        return super().build_widget_attrs(attrs, widget) | ({"aria-required": "true"} if is_told else {})


type Row = Mapping[str, str]
"""The texts of one form by the names of its fields."""


class ReadingForm(forms.Form):
    """Reads its fields in `clean` and remembers what the readers changed, by field.

    `stored` are the texts of all forms of this kind that are stored. Such a text is never refused in its field: `kept`
    says why it would be, typed anew. `hints` are the ids of the hints beside a section, by field.
    """

    hints: ClassVar[Mapping[str, str]] = {}
    use_required_attribute = False
    bound_field_class = ReadingField

    def __init__(self, *args: Any, stored: Iterable[Row] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes: dict[str, list[str]] = {}
        self.stored = tuple(stored)
        self.kept: dict[str, str] = {}
        self.marked: dict[str, str] = {}
        self.is_new = False

    def begin(self) -> None:
        """Put the focus into the first field when the page comes: the form was just added."""
        self.is_new = True
        next(iter(self.fields.values())).widget.attrs["autofocus"] = True

    def text(self, name: str) -> str:
        """What was typed; "" for a field that was not sent."""
        return str(self.cleaned_data.get(name) or "")

    def read(self, name: str, reader: Callable[[str], Read]) -> str:
        """The text of a field in the form that is sent; "" with an error at the field when it cannot be."""
        try:
            found = reader(self.text(name))
        except FieldError as error:
            return self.refuse(name, str(error), self.text(name))
        self._note_change(name, found)
        return found.value

    def read_each(self, name: str, reader: Callable[[int, str], Read]) -> tuple[str, ...]:
        """The lines of a field that takes one value a line; the reader is told the number of the line, from 1.

        Of too long a text, and of too many lines, none is read: each line that cannot be is an error of its own.
        """
        typed = self.text(name)
        if (error := self._list_error(name, typed)) and not self.is_stored(name, typed):
            self.add_error(name, error)
            return ()
        values = []
        lines = read_lines(typed)
        for number, line in enumerate(lines, start=1):
            try:
                found = reader(number, line)
            except FieldError as error:
                if self.refuse(name, str(error), "\n".join([line] * lines.count(line))):
                    values.append(line)
                continue
            if found.value:  # a line of invisible characters is none
                values.append(found.value)
            self._note_change(name, found)
        return tuple(values)

    @property
    def changed(self) -> list[str]:
        """What the readers changed, field after field."""
        return [change for changes in self.changes.values() for change in changes]

    def _note_change(self, name: str, found: Read) -> None:
        if found.changed:
            self.changes.setdefault(name, []).append(found.changed)

    def _list_error(self, name: str, typed: str) -> str:
        label = str(self.fields[name].label)
        if len(typed) > LONGEST_LIST:
            return f"{label} have {len(typed)} characters; at most {LONGEST_LIST} can be kept."
        count = len(read_lines(typed))
        if count > MOST_LINES:
            return f"At most {MOST_LINES} {label.lower()} can be kept; here are {count}. Remove some."
        return ""

    def is_stored(self, name: str, text: str) -> bool:
        """Whether a field is stored with this text; of one with lines, with each of them as often."""
        stored = [row.get(name, "") for row in self.stored]
        if not isinstance(self.fields[name].widget, forms.Textarea):
            return text in stored
        return any(Counter(read_lines(text)) <= Counter(read_lines(each)) for each in stored)

    @property
    def is_all_stored(self) -> bool:
        """Whether one form is stored with all these texts."""
        typed = {name: read_lines(self.text(name)) for name in self.fields}
        return any(all(read_lines(row[name]) == lines for name, lines in typed.items()) for row in self.stored)

    def refuse(self, name: str, error: str, text: str = "") -> str:
        """Say at a field what is wrong with it; a stored text is given back instead and kept as it is."""
        if self.is_stored(name, text):
            self.kept[name] = error
            return text
        self.add_error(name, error)
        return ""

    def refuse_whole(self, name: str, error: str) -> None:
        """Say at a field what is wrong with the form as a whole, unless one is stored with just these texts."""
        if self.is_all_stored:
            self.kept[name] = error
        else:
            self.add_error(name, error)

    def mark(self, kept: Mapping[str, str]) -> None:
        """Say beside each of these fields that its text is kept, and why it would be refused if it were typed anew."""
        self.marked = {name: f"{KEPT} {error}" for name, error in kept.items()}
