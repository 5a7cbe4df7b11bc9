"""The form of the directory page: what to search for. It says what is wrong beside each field, and sends nothing."""

import datetime
import re
from typing import Any

from django import forms
from django.utils import timezone

from organizations.fields import FieldError, Read, read_oid, read_text, typed_code
from organizations.forms.base import PortalForm, TextField
from organizations.forms.organization import LongSelect
from organizations.models.organization import NAME_LENGTH
from organizations.places import STATES, read_zip

FIELDS = ("name", "oid", "zip_code", "radius", "state", "active", "changed_since")
NO_UNIT = "Redox does not name the unit."
FIRST_YEAR = 2000
_RADIUS = re.compile(r"[1-9][0-9]{0,3}")
_STATES = (("", "any"), *((code, f"{name} ({code})") for code, name in STATES.items()))
_ACTIVE = {"": None, "true": True, "false": False}


class DirectorySearchForm(PortalForm):
    """What to search for. After `is_valid`, `filters` are the values by the names of `SearchFilters`."""

    name = TextField("Name", css="form-control")
    oid = TextField("OID", css="form-control oid", inputmode="decimal")
    zip_code = TextField("ZIP", css="form-control", inputmode="numeric")
    radius = TextField("Within", NO_UNIT, css="form-control", inputmode="numeric")
    state = forms.ChoiceField(
        label="State",
        choices=_STATES,
        required=False,
        widget=LongSelect({"class": "form-select"}),
        error_messages={"invalid_choice": "Choose a state from the list."},
    )
    active = forms.ChoiceField(
        label="Active",
        choices=[("", "any"), ("true", "yes"), ("false", "no")],
        required=False,
        widget=forms.Select({"class": "form-select"}),
        error_messages={"invalid_choice": "Choose yes, no or any."},
    )
    changed_since = TextField("Changed since", css="form-control", type="date")

    def clean(self) -> dict[str, Any]:
        self.filters: dict[str, Any] = {
            "name": self.read("name", lambda typed: read_text("Name", typed, NAME_LENGTH)),
            "oid": self.read("oid", lambda typed: read_oid(typed) if typed.strip() else Read("")),
            "zip_code": self.read("zip_code", read_zip),
            "radius": self.read("radius", _read_radius),
            "state": self.text("state"),
            "active": _ACTIVE.get(self.text("active")),
            "changed_since": self.read("changed_since", _read_day),
        }
        self._check_radius()
        if not self.errors and all(value in ("", None) for value in self.filters.values()):
            self.add_error("name", "Enter something to search for: a name, an OID, or any other field.")
        return self.cleaned_data

    def _check_radius(self) -> None:
        """A ZIP and a radius belong together: Redox does not document what one means without the other."""
        zip_code, radius = self.filters["zip_code"], self.filters["radius"]
        if radius and not zip_code and "zip_code" not in self.errors:
            self.add_error("zip_code", "Enter the ZIP from which to measure.")
        if zip_code and not radius and "radius" not in self.errors:
            self.add_error("radius", "Enter how far around the ZIP to search.")

    @property
    def typed(self) -> dict[str, str]:
        """The texts as they were typed."""
        return {name: self.text(name) for name in FIELDS}


def _read_radius(value: str) -> Read:
    typed = typed_code("Radius", value)
    if typed and not _RADIUS.fullmatch(typed):
        raise FieldError("Enter a whole number from 1 to 9999, such as 10.")
    return Read(typed)


def _read_day(value: str) -> Read:
    """The beginning of a day of the shown time zone, as a time in ISO 8601."""
    text = value.strip()
    if not text:
        return Read("")
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise FieldError("Enter a date, such as 2026-11-01.") from None
    if day > timezone.localdate():
        raise FieldError("This day is in the future. Enter an earlier one.")
    if day.year < FIRST_YEAR:
        raise FieldError(f"Enter a day from {FIRST_YEAR} on.")
    begins = datetime.datetime.combine(day, datetime.time.min, timezone.get_current_timezone())
    return Read(f"{begins.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}")
