"""The form of a record without its lists: identity, place in the tree, routing, address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from organizations.countries import is_american, names_of_countries, read_country
from organizations.fields import FieldError, Read, read_oid, read_street, read_text, read_uuid
from organizations.forms.base import PortalForm, TextField
from organizations.forms.take_over import CHOOSE_SOURCE, CONTRADICTION, SOURCES
from organizations.models import DestinationSource, RecordKind
from organizations.places import STATES, read_state, read_zip
from organizations.records import AddressRecord

from .typed import GATEWAY, OTHER, OURS, Typed

_LENGTH = 200
_LONGEST_LABEL = 2 * _LENGTH + 10  # a suggestion is a name, "below" and the name of the parent

_CHOOSE_PARENT = "Choose what this record is part of."
_STATES = (("", "Not given"), *((code, f"{name} ({code})") for code, name in STATES.items()))
_COUNTRIES = tuple((name, name) for name in names_of_countries())
IS_GATEWAY = "This is the Redox gateway, not your organization. Choose it under Place."
_FIELD_OF_PARENT = {OURS: "parent", GATEWAY: "place", OTHER: "other_oid"}  # the field that chooses each kind of parent


@dataclass(frozen=True, slots=True, kw_only=True)
class FormContext:
    """The values and functions that the caller gives to the form.

    `fixed_oid`: the OID of a record whose OID cannot change. `stored`: the texts of an existing record.
    `oid_named` returns the OID of the record of ours with this OID or name; "" for none or several.
    `other_environment_sentence` returns a sentence about the record of the other environment that was probably meant,
    or "". `oid_error` and `parent_error` return a sentence, or "" if nothing is wrong. `destination_known`: if not, the
    form asks how the person knows the destination ID.
    """

    environment_name: str
    gateway_oid: str
    gateways: frozenset[str]
    routing_names: Mapping[str, str]
    own_ids: Mapping[str, str]
    oid_named: Callable[[str], str]
    other_environment_sentence: Callable[[str], str]
    oid_error: Callable[[str], str]
    parent_error: Callable[[str, str], str]
    fixed_oid: str = ""
    destination_known: bool = True
    stored: Typed | None = None


class LongSelect(forms.Select):
    """A select with many options."""

    template_name = "organizations/select.html"


class CountrySelect(LongSelect):
    """A list of countries. It marks American ones, because the page shows the list of states only beside those."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        return option | {"attrs": option["attrs"] | {"data-american": is_american(str(value))}}


class OrganizationForm(PortalForm):
    """The fields of a record. After validation `values` holds them as they are sent, by their names in the record.

    `entered_source` is a `DestinationSource` if the form asked how the person knows the destination ID, else "".
    """

    hints = {  # noqa: RUF012 - as Django's own
        "name": "hint-name",
        "oid": "hint-oid",
        "aliases": "hint-aliases",
        "stands_for": "hint-kind",
        "destination_id": "hint-destination",
        "street": "hint-street",
    }
    name = TextField("Name", required=True)
    oid = TextField("OID", css="oid", required=True, spellcheck="false")
    aliases = TextField("Aliases", rows=2)
    stands_for = forms.ChoiceField(
        required=False,
        label="Kind of record",
        choices=RecordKind.choices,
        widget=forms.Select,
        error_messages={"invalid_choice": "Choose from the list."},
    )
    place = forms.ChoiceField(
        required=False,
        label="Place",
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _CHOOSE_PARENT},
    )
    parent = TextField("Name or OID of the record", list="parents", css="oid w-oid", required=True)
    other_oid = TextField("OID of the parent", css="oid w-oid", required=True)
    destination_id = TextField("Destination ID", css="oid w-oid", list="destinations", spellcheck="false")
    destination_source = forms.ChoiceField(
        required=False,
        label="How do you know it?",
        choices=SOURCES,
        widget=forms.Select,
        error_messages={"invalid_choice": CHOOSE_SOURCE},
    )
    street = TextField("Street")
    city = TextField("City")
    state = TextField("State")
    zip_code = TextField("ZIP")
    county = TextField("County")
    country = TextField("Country", required=True)

    def __init__(self, *args: Any, form_context: FormContext, **kwargs: Any) -> None:
        stored = form_context.stored
        super().__init__(*args, stored=[stored.fields] if stored else (), **kwargs)
        self.form_context = form_context
        self.fields["place"].choices = [  # type: ignore[attr-defined]
            (OURS, f"A record in {form_context.environment_name}"),
            (GATEWAY, "The Redox gateway"),
            (OTHER, "Another OID"),
        ]
        self._offer("country", CountrySelect, _COUNTRIES)
        if not self.is_abroad:
            self._offer("state", LongSelect, _STATES)

    @property
    def states(self) -> tuple[tuple[str, str], ...]:
        """The American states to choose from, by code."""
        return _STATES

    @property
    def is_abroad(self) -> bool:
        """Whether the address is outside the USA, where the state can be any text."""
        return not is_american(self._field_text("country"))

    def _offer(self, name: str, widget: type[forms.Select], choices: tuple[tuple[str, str], ...]) -> None:
        """Show a field as a list. A value that is not in the list becomes an entry, so that it is kept."""
        text = self._field_text(name)
        if text not in dict(choices):
            label = f"{text}, as {'stored' if super().is_stored(name, text) else 'typed'}" if text else "Not given"
            choices = ((text, label), *choices)
        self.fields[name].widget = widget(choices=choices)

    def _field_text(self, name: str) -> str:
        """The value that the page shows in a field."""
        return str(self[name].value() or "")

    def is_stored(self, name: str, text: str) -> bool:
        """As in any form, but state and ZIP count as stored only with their stored country."""
        if name in ("state", "zip_code") and not super().is_stored("country", self.text("country")):
            return False
        return super().is_stored(name, text)

    def clean(self) -> dict[str, Any]:
        self.entered_source = ""
        oid = self._oid()
        name = self.read(
            "name", lambda typed: _required(read_text("Name", typed, _LENGTH), "Enter the name of the organization.")
        )
        self.values: dict[str, Any] = {
            "oid": oid,
            "name": name,
            "aliases": self._aliases(),
            "part_of_oid": self._part_of(oid),
            "address": self._address(),
            **self._destination(),
        }
        return self.cleaned_data

    def _oid(self) -> str:
        context = self.form_context
        if context.fixed_oid:
            return context.fixed_oid
        oid = self.read("oid", read_oid)
        if oid in context.gateways:
            self.add_error("oid", IS_GATEWAY)
            return ""  # otherwise PartOf would get an error too: "A record cannot be part of itself."
        if oid and (error := context.oid_error(oid)):
            self.add_error("oid", error)
        return oid

    def _aliases(self) -> tuple[str, ...]:
        return self.read_each("aliases", lambda number, line: read_text(f"Alias {number}", line, _LENGTH))

    def _part_of(self, oid: str) -> str:
        parent_kind = self.text("place")
        if parent_kind == GATEWAY:
            part_of = self.form_context.gateway_oid
        elif parent_kind == OTHER:
            part_of = self._other_oid()
        elif parent_kind == OURS:
            part_of = self._record_of_ours()
        else:
            if "place" not in self.errors:
                self.add_error("place", _CHOOSE_PARENT)
            return ""
        if part_of and part_of == oid:
            self.refuse_parent("A record cannot be part of itself.")
        elif part_of and (error := self.form_context.parent_error(oid, part_of)):
            self.refuse_parent(error)
        return part_of

    def refuse_parent(self, error: str) -> None:
        """Add an error to the field that chose the parent."""
        self.add_error(_FIELD_OF_PARENT[self.text("place")], error)

    def _other_oid(self) -> str:
        if not self.text("other_oid").strip():
            self.refuse_parent(_CHOOSE_PARENT)
            return ""
        return self.read("other_oid", lambda typed: read_oid(typed, "PartOf"))

    def _record_of_ours(self) -> str:
        typed = self.read("parent", lambda text: read_text("Record", text, _LONGEST_LABEL))
        if "parent" in self.errors:
            return ""
        if not typed:
            self.add_error("parent", _CHOOSE_PARENT)
            return ""
        oid = self.form_context.oid_named(typed)
        if not oid:
            error = f"'{typed}' does not name exactly one record of ours in {self.form_context.environment_name}."
            other_environment = self.form_context.other_environment_sentence(typed)
            advice = "Choose from the list, or enter its OID."
            self.add_error("parent", " ".join(filter(None, (error, other_environment, advice))))
        return oid

    def _destination(self) -> dict[str, Any]:
        context = self.form_context
        destination = self.read(
            "destination_id", lambda typed: read_uuid(typed, context.routing_names, context.own_ids)
        )
        if context.destination_known:
            return {"destination_id": destination, "destination_known": True}
        self.entered_source = self.text("destination_source")
        has_none = self.entered_source == DestinationSource.NONE
        # It may stay unknown: that blocks the review, not the edit of another field.
        is_read = not self.errors.keys() & {"destination_id", "destination_source"}
        if is_read and destination and (has_none or not self.entered_source):
            self.add_error("destination_source", CONTRADICTION if has_none else CHOOSE_SOURCE)
        return {"destination_id": destination, "destination_known": bool(destination) or has_none}

    def _address(self) -> AddressRecord:
        country = self.read("country", lambda typed: _required(read_country(typed), "Choose a country."))
        return AddressRecord(
            street=self.read("street", lambda typed: read_street(typed, _LENGTH)),
            city=self.read("city", lambda typed: read_text("City", typed, _LENGTH)),
            county=self.read("county", lambda typed: read_text("County", typed, _LENGTH)),
            state=self.read("state", lambda typed: read_state(typed, country)),
            zip_code=self.read("zip_code", lambda typed: read_zip(typed, country)),
            country=country,
        )


def _required(reading: Read, error: str) -> Read:
    """The value of a required field. Raises FieldError if it is empty."""
    if not reading.value:
        raise FieldError(error)
    return reading
