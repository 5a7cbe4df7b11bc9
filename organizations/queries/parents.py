"""Names of parents, because people do not know records by their OIDs."""

from collections.abc import Collection

from organizations.models import Organization
from organizations.records import Difference
from organizations.services.connection import redox_settings


def names(environment: str, oids: Collection[str]) -> dict[str, str]:
    """The names of these OIDs: of our records and of Redox's gateways. Unknown OIDs are missing."""
    gateways = dict.fromkeys(redox_settings.gateway_oids(environment), "the Redox gateway")
    records = Organization.objects.in_environment(environment).filter(oid__in=oids)
    return gateways | dict(records.values_list("oid", "name"))


def named(environment: str, differences: Collection[Difference]) -> list[Difference]:
    """The differences; those of PartOf with the name of the parent before its OID."""
    oids = {oid for each in differences if each.field == "part_of_oid" for oid in (each.before, each.after) if oid}
    if not oids:
        return list(differences)
    known = names(environment, oids)
    return [
        each._replace(before=text_of(each.before, known), after=text_of(each.after, known))
        if each.field == "part_of_oid"
        else each
        for each in differences
    ]


def text_of(oid: str, known: dict[str, str]) -> str:
    """ "Lakeside Clinics (2.16...)" """
    return f"{known[oid]} ({oid})" if oid in known else oid
