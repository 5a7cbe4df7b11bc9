"""Finds many records by their OIDs, a few hundred in each database query."""

from collections.abc import Iterable, Iterator
from itertools import batched

from organizations.models import Organization
from organizations.models.organization import OrganizationQuerySet

OIDS_IN_ONE_QUERY = 500


def batches(oids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The OIDs in parts that one database query looks up."""
    return batched(oids, OIDS_IN_ONE_QUERY)


def records_by_oid(records: OrganizationQuerySet, oids: Iterable[str]) -> dict[str, Organization]:
    """Those of `records`, which are all of one environment, that have one of the OIDs."""
    return {organization.oid: organization for some in batches(oids) for organization in records.filter(oid__in=some)}
