"""Parents by their names: an OID alone tells nobody which record is meant."""

from collections.abc import Collection

from organizations.models import Organization
from organizations.records import Difference
from organizations.services.connection import gateway


def names(environment: str, oids: Collection[str]) -> dict[str, str]:
    """What stands at these OIDs: a record of ours or Redox's gateway. What is neither is not in it."""
    gateways = dict.fromkeys(gateway.gateway_oids(environment), "the Redox gateway")
    found = Organization.objects.in_environment(environment).filter(oid__in=oids)
    return gateways | dict(found.values_list("oid", "name"))


def named(environment: str, found: Collection[Difference]) -> list[Difference]:
    """The differences, where they are about the parent with its name before the OID."""
    oids = {oid for one in found if one.field == "part_of_oid" for oid in (one.before, one.after) if oid}
    if not oids:
        return list(found)
    known = names(environment, oids)
    return [
        one._replace(before=text_of(one.before, known), after=text_of(one.after, known))
        if one.field == "part_of_oid"
        else one
        for one in found
    ]


def text_of(oid: str, known: dict[str, str]) -> str:
    """ "Lakeside Clinics (2.16...)" """
    return f"{known[oid]} ({oid})" if oid in known else oid
