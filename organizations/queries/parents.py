"""The names of parents."""

from collections.abc import Collection

from organizations.models import Organization
from organizations.services.connection import redox_settings


def names(environment: str, oids: Collection[str]) -> dict[str, str]:
    """The names of these OIDs: of our records and of Redox's gateways. Unknown OIDs are missing."""
    gateways = dict.fromkeys(redox_settings.gateway_oids(environment), "the Redox gateway")
    records = Organization.objects.in_environment(environment).filter(oid__in=oids)
    return gateways | dict(records.values_list("oid", "name"))
