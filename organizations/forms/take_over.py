"""The forms of a take-over: OIDs and old messages, destination IDs, and an organization that an approver adds."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings

from organizations.fields import read_text, read_uuid
from organizations.forms.base import PortalForm, TextField
from organizations.models import DestinationSource

from .differences import ReasonForm

NOT_KNOWN = "Not known yet"
SOURCES = (("", NOT_KNOWN), *DestinationSource.choices)
LIST_SOURCES = (("", "Choose"), *(each for each in DestinationSource.choices if each[0] != DestinationSource.NONE))
CHOOSE_SOURCE = "Choose how you know this destination ID."
CONTRADICTION = "A destination ID and “It has none” contradict each other. Delete the ID, or choose how you know it."
ENTER_DESTINATION = "Enter the destination ID, or choose “It has none” or “Not known yet”."


class _FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """Any number of files. The view reads them from the request; the form does not keep them."""

    def __init__(self, label: str, hint: str) -> None:
        super().__init__(required=False, label=label, help_text=hint, widget=_FilesInput(), allow_empty_file=True)

    def clean(self, data: Any, initial: Any = None) -> None:
        """Do nothing: a file is not a value of the form."""


class TakeOverForm(PortalForm):
    """What to take over: OIDs, or the messages with which they were registered."""

    oids = TextField(
        "OIDs",
        "One a line. A destination ID may follow, after a tab or a comma.",
        rows=8,
        css="oid",
        spellcheck="false",
    )
    # Not a ChoiceField: whether an answer is needed depends on the list, so what reads the list checks it.
    list_source = forms.CharField(
        required=False,
        label="Where do the destination IDs in this list come from?",
        help_text="Leave it open if the list has none.",
        widget=forms.Select(attrs={"class": "form-select"}, choices=LIST_SOURCES),
    )
    old_messages = TextField(
        "Old messages",
        "Many curl commands, JSON, a shell script or a Postman collection. Only the organizations are stored.",
        rows=8,
        css="oid",
        spellcheck="false",
    )
    message_files = FilesField("Files with old messages", f"At most {settings.MOST_FILES} files and 5 MB together.")
    base_oid = TextField("Base OID", css="oid w-oid", spellcheck="false")

    def clean(self) -> dict[str, Any]:
        number = len(self.files.getlist("message_files"))
        if number > settings.MOST_FILES:
            sentence = f"At most {settings.MOST_FILES} files can be read at once. You chose {number}."
            self.add_error(
                "message_files", f"{sentence} No file was read: choose the files again, in two or more parts."
            )
        elif not number and not self.text("oids").strip() and not self.text("old_messages").strip():
            self.add_error("oids", "Enter at least one OID, or give old messages below.")
        return self.cleaned_data


class FindForm(PortalForm):
    """The search through the whole directory for our organizations."""

    base_oid = TextField("Base OID", css="oid w-oid", spellcheck="false")
    asks_probes = forms.BooleanField(
        required=False,
        initial=True,
        label="Also ask about the next 20 numbers below each record",
        widget=forms.CheckboxInput({"class": "form-check-input", "aria-describedby": "probes-hint"}),
    )


class DestinationForm(PortalForm):
    """The destination ID of one organization, and how the person knows it."""

    destination_id = TextField("Destination ID", css="oid", spellcheck="false")
    source = forms.ChoiceField(
        required=False,
        label="How do you know it?",
        widget=forms.Select(attrs={"class": "form-select"}),
        choices=SOURCES,
        error_messages={"invalid_choice": CHOOSE_SOURCE},
    )

    def __init__(self, *args: Any, routing_names: Mapping[str, str], own_ids: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.routing_names, self.own_ids = routing_names, own_ids

    def clean(self) -> dict[str, Any]:
        self.entered_id = self.read("destination_id", lambda typed: read_uuid(typed, self.routing_names, self.own_ids))
        self.entered_source = self.text("source")
        if self.errors:
            return self.cleaned_data
        has_none = self.entered_source == DestinationSource.NONE
        if self.entered_id and (has_none or not self.entered_source):
            self.add_error("source", CONTRADICTION if has_none else CHOOSE_SOURCE)
        elif self.entered_source and not has_none and not self.entered_id:
            self.add_error("destination_id", ENTER_DESTINATION)
        return self.cleaned_data


class DestinationForAllForm(DestinationForm):
    """One destination ID for every organization that has none yet. The person types their number."""

    number = TextField("Type the number of organizations", css="w-date", inputmode="numeric")

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors and not self.entered_source:
            self.add_error("source", CHOOSE_SOURCE)
        return self.cleaned_data


class OtherForm(ReasonForm):
    """The OID, typed, and a reason, for an organization that only an approver can add."""

    typed_oid = TextField("Type its OID", css="oid w-oid", spellcheck="false")
    field_order = ("typed_oid", "reason")

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.oid_text = self.read("typed_oid", lambda typed: read_text("OID", typed, 64))
        return self.cleaned_data
