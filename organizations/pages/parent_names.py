"""Parents by name in differences, because people do not know records by their OIDs."""

from collections.abc import Collection

from organizations.queries import parents
from organizations.records import Difference


def with_parent_names(environment: str, differences: Collection[Difference]) -> list[Difference]:
    """The differences; those of PartOf with the name of the parent before its OID."""
    moves = [difference for difference in differences if difference.field == "part_of_oid"]
    oids = {oid for move in moves for oid in (move.before, move.after) if oid}
    if not oids:
        return list(differences)
    known = parents.names(environment, oids)
    return [
        difference._replace(before=name_and_oid(difference.before, known), after=name_and_oid(difference.after, known))
        if difference.field == "part_of_oid"
        else difference
        for difference in differences
    ]


def name_and_oid(oid: str, known: dict[str, str]) -> str:
    """The OID after its name, as in "Lakeside Clinics (2.16...)"; without a known name the OID alone."""
    return f"{known[oid]} ({oid})" if oid in known else oid
