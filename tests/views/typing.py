"""The inputs that a browser posts from a record form, and the form itself without a browser."""

from django.test import Client
from django.urls import reverse

from organizations.forms.record import RecordForm
from organizations.forms.typed import GATEWAY, OTHER, OURS, Typed
from organizations.models import Environment, Organization
from organizations.pages.record_form.editing import Editing
from organizations.records import OrganizationRecord
from organizations.redox.environment import GATEWAY_OID

__all__ = [
    "GATEWAY",
    "OTHER",
    "OURS",
    "edit_url",
    "form_of",
    "inputs_of",
    "new_form",
    "open_form",
    "record_inputs",
    "record_texts",
]


def edit_url(organization: Organization, name: str = "edit") -> str:
    return reverse(name, args=[organization.environment, organization.oid])


def record_texts(record: OrganizationRecord, **texts: str) -> Typed:
    """The texts of a form filled with a record, with some of them replaced."""
    place = GATEWAY if record.part_of_oid == GATEWAY_OID else OURS
    return Typed.from_record(record, stands_for="", parent_kind=place).having(**texts)


def record_inputs(
    record: OrganizationRecord, *, act: str = "save", version: int | None = None, **texts: str
) -> dict[str, str]:
    """The inputs of a form filled with a record, with some of them replaced."""
    inputs = record_texts(record).as_post() | {"act": act}
    return inputs | ({} if version is None else {"version": str(version)}) | texts


def inputs_of(organization: Organization, **texts: str) -> dict[str, str]:
    """The inputs of a record form that is opened now."""
    now = Organization.objects.get(pk=organization.pk)
    return {"record": str(now.pk)} | record_inputs(now.record(), version=now.version, **texts)


def form_of(client: Client, organization: Organization, **texts: str) -> dict[str, str]:
    """The inputs of the record form that this client opens."""
    return inputs_of(organization, **texts) | {"version": str(client.get(edit_url(organization)).context["version"])}


def open_form(organization: Organization, *, version: int | None = None) -> Editing:
    """The form of the current record, as if the person had opened it at `version`."""
    now = Organization.objects.get(pk=organization.pk)
    started_from = now.version if version is None else version
    return Editing(environment=Environment(now.environment), organization=now, version=started_from)


def new_form(record: OrganizationRecord, environment: Environment = Environment.STAGING, **texts: str) -> RecordForm:
    """The checked form of a new record with these texts."""
    return Editing(environment=environment).form(record_texts(record, **texts), checked=True)
