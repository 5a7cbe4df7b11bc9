"""What a browser posts from the form of a record."""

from django.test import Client
from django.urls import reverse

from organizations.forms.typed import GATEWAY, OTHER, OURS, Typed
from organizations.models import Organization
from organizations.records import OrganizationRecord
from organizations.redox.environment import GATEWAY_OID

__all__ = ["GATEWAY", "OTHER", "OURS", "edit_url", "form_of", "posted"]


def edit_url(organization: Organization, name: str = "edit") -> str:
    return reverse(name, args=[organization.environment, organization.oid])


def posted(
    record: OrganizationRecord, *, act: str = "save", version: int | None = None, **texts: str
) -> dict[str, str]:
    """The inputs of the form filled with a record, with some texts typed over them."""
    place = GATEWAY if record.part_of_oid == GATEWAY_OID else OURS
    inputs = Typed.from_record(record, stands_for="", place=place).as_post() | {"act": act}
    return inputs | ({} if version is None else {"version": str(version)}) | texts


def form_of(client: Client, organization: Organization, **texts: str) -> dict[str, str]:
    """What the form of a record that is open in this browser would post."""
    version = client.get(edit_url(organization)).context["version"]
    now = Organization.objects.get(pk=organization.pk)
    return {"record": str(now.pk)} | posted(now.record(), version=version, **texts)
