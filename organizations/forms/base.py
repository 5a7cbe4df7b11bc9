"""A form that reads its fields with the readers of `fields`, which report what is wrong and what they changed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.forms import BoundField

from organizations.fields import FieldError, Read, read_lines

LONGEST_LIST = 2000
MOST_TEXT_LINES = 50
KEPT_NOTICE = "The stored text is kept and sent unchanged. If you typed it now, it would be refused:"


class TextField(forms.Field):
    """Text as it was typed. The form checks it, also whether it is empty.

    `required` marks the field on the page, because the form refuses it if it is empty.
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
        """Do nothing: the form has the sentence for a missing value."""


class PortalBoundField(BoundField):
    """A field on the page, described by its hints, its errors, and the reason why a stored text is kept."""

    form: "PortalForm"

    @property
    def is_marked_required(self) -> bool:
        return self.field.required

    @property
    def kept(self) -> str:
        """Why the stored text would be refused if somebody typed it now; "" if it would not."""
        return self.form.kept_notes.get(self.name, "")

    @property
    def aria_describedby(self) -> str | None:
        ids = [self.form.hints.get(self.name), super().aria_describedby, self.kept and f"{self.auto_id}_kept"]
        return " ".join(filter(None, ids)) or None

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        needs_aria_required = self.is_marked_required and not self.use_fieldset and not self.is_hidden
        return super().build_widget_attrs(attrs, widget) | ({"aria-required": "true"} if needs_aria_required else {})


type StoredTexts = Mapping[str, str]
"""The texts of one form by field name."""


class PortalForm(forms.Form):
    """A form that reads its fields in `clean`, and remembers in `changes_by_field` what the readers changed.

    `stored`: the stored texts of all forms of this kind. A stored text is never refused; `kept` says why it would be if
    somebody typed it now. `hints`: the ids of the hints beside a section, by field.
    """

    hints: ClassVar[Mapping[str, str]] = {}
    use_required_attribute = False
    bound_field_class = PortalBoundField

    def __init__(self, *args: Any, stored: Iterable[StoredTexts] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes_by_field: dict[str, list[str]] = {}
        self.stored = tuple(stored)
        self.kept: dict[str, str] = {}
        self.kept_notes: dict[str, str] = {}
        self.is_new = False

    def focus_first_field(self) -> None:
        """Put the focus into the first field: the form was just added."""
        self.is_new = True
        next(iter(self.fields.values())).widget.attrs["autofocus"] = True

    def text(self, name: str) -> str:
        """The typed text; "" for a field that was not sent."""
        return str(self.cleaned_data.get(name) or "")

    def read(self, name: str, reader: Callable[[str], Read]) -> str:
        """The value that is sent; "" with an error at the field if the reader refuses the text."""
        try:
            result = reader(self.text(name))
        except FieldError as error:
            return self.refuse(name, str(error), self.text(name))
        self._note_change(name, result)
        return result.value

    def read_each(self, name: str, reader: Callable[[int, str], Read]) -> tuple[str, ...]:
        """The values of a field with one value a line. The reader gets the number of the line, from 1, and the line.

        A text that is too long, or has too many lines, is refused as a whole. Otherwise each refused line is an error.
        """
        typed = self.text(name)
        if (error := self._list_error(name, typed)) and not self.is_stored(name, typed):
            self.add_error(name, error)
            return ()
        values = []
        lines = read_lines(typed)
        for number, line in enumerate(lines, start=1):
            try:
                result = reader(number, line)
            except FieldError as error:
                if self.refuse(name, str(error), "\n".join([line] * lines.count(line))):
                    values.append(line)
                continue
            if result.value:  # a line with only invisible characters is left out
                values.append(result.value)
            self._note_change(name, result)
        return tuple(values)

    @property
    def changed(self) -> list[str]:
        """What the readers changed, in the order of the fields."""
        return [change for changes in self.changes_by_field.values() for change in changes]

    def _note_change(self, name: str, result: Read) -> None:
        if result.changed:
            self.changes_by_field.setdefault(name, []).append(result.changed)

    def _list_error(self, name: str, typed: str) -> str:
        label = str(self.fields[name].label)
        if len(typed) > LONGEST_LIST:
            return f"{label} have {len(typed)} characters; at most {LONGEST_LIST} can be kept."
        count = len(read_lines(typed))
        if count > MOST_TEXT_LINES:
            return f"At most {MOST_TEXT_LINES} {label.lower()} can be kept. You entered {count}. Remove some."
        return ""

    def is_stored(self, name: str, text: str) -> bool:
        """Whether a field is stored with this text. In a field with lines, stored lines may be missing."""
        stored = [row.get(name, "") for row in self.stored]
        if not isinstance(self.fields[name].widget, forms.Textarea):
            return text in stored
        return any(Counter(read_lines(text)) <= Counter(read_lines(each)) for each in stored)

    @property
    def is_all_stored(self) -> bool:
        """Whether one stored form has all these texts."""
        typed = {name: read_lines(self.text(name)) for name in self.fields}
        return any(all(read_lines(row[name]) == lines for name, lines in typed.items()) for row in self.stored)

    def refuse(self, name: str, error: str, text: str = "") -> str:
        """Add an error to a field. A stored text is kept and returned instead."""
        if self.is_stored(name, text):
            self.kept[name] = error
            return text
        self.add_error(name, error)
        return ""

    def refuse_whole(self, name: str, error: str) -> None:
        """Add an error about the whole form to a field, unless a stored form has these texts."""
        if self.is_all_stored:
            self.kept[name] = error
        else:
            self.add_error(name, error)

    def show_kept(self, kept: Mapping[str, str]) -> None:
        """Note beside each field that its stored text is kept, and why it would be refused if somebody typed it now."""
        self.kept_notes = {name: f"{KEPT_NOTICE} {error}" for name, error in kept.items()}
