"""Counterparts: the two records of one organization, one in each environment. Their link is never sent.

Every function that sets or removes a link locks the structures of both environments, so that links cannot change at
the same time.
"""

from collections.abc import Collection
from typing import NamedTuple

from django.db.models import Q

from organizations.models import Action, Environment, Organization
from organizations.services import locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.errors import ActionRefused, EditConflict, RecordWithdrawn


class SeenVersion(NamedTuple):
    """A record in the version that a page showed."""

    pk: int
    version: int


def link(staging: Organization | SeenVersion, production: Organization | SeenVersion, *, actor: Actor) -> None:
    """Link two records as counterparts, in the versions that the person saw. Raises the same errors as `link_pairs`."""
    link_pairs([(staging, production)], actor=actor)


def link_pairs(
    pairs: Collection[tuple[Organization | SeenVersion, Organization | SeenVersion]], *, actor: Actor
) -> None:
    """Link each pair of a STAGING and a PRODUCTION record, in the versions that the person saw: all pairs or none.

    Raises:
        EditConflict: somebody saved one of them since.
        ActionRefused: one of them has a counterpart.
        RecordWithdrawn: one of them was withdrawn.
    """
    with audit.atomic(actor) as history:
        rows = _lock_all(*(seen.pk for pair in pairs for seen in pair))
        for staging, production in pairs:
            for seen in (staging, production):
                if rows[seen.pk].version != seen.version:
                    raise EditConflict(rows[seen.pk])
            pair = rows[staging.pk], rows[production.pk]
            if sentence := link_block_reason(*pair):
                raise ActionRefused(sentence)
            write_link(history, *pair)


def unlink(organization_id: int, counterpart_id: int, *, actor: Actor) -> None:
    """Remove the link between two records. The records do not change.

    Raises:
        ActionRefused: they are not linked.
        RecordWithdrawn: one of them was withdrawn.
    """
    with audit.atomic(actor) as history:
        rows = _lock_all(organization_id, counterpart_id)
        organization = rows[organization_id]
        if organization.counterpart != rows[counterpart_id]:
            raise ActionRefused("These two records are no longer linked. Nothing was changed.")
        _remove_link(organization, rows[counterpart_id])
        for one, other in ((organization_id, counterpart_id), (counterpart_id, organization_id)):
            history.log_record(Action.ORGANIZATION_UNLINKED, rows[one], counterpart=reference(rows[other]))


def unlink_withdrawn(history: audit.History, withdrawn: Organization) -> None:
    """Remove the link of a record that is being withdrawn, and write a history entry for its counterpart.

    The caller has locked both rows with `lock_with_counterpart`.
    """
    counterpart = withdrawn.counterpart
    if counterpart is not None:
        _remove_link(withdrawn, counterpart)
        history.log_record(
            Action.ORGANIZATION_UNLINKED, counterpart, counterpart=reference(withdrawn), is_withdrawn=True
        )


def lock_with_counterpart(organization_id: int) -> None:
    """Lock both structures, then a record and its counterpart, before their link changes."""
    locks.lock_structures()
    pair = Q(pk=organization_id) | Q(staging_record=organization_id) | Q(production_record=organization_id)
    locks.lock_records(lambda: Organization.objects.filter(pair).values_list("pk", flat=True))


def link_block_reason(staging: Organization, production: Organization) -> str:
    """Why two records cannot become counterparts, as a sentence; "" if they can."""
    if staging.counterpart == production:
        return "These two records are already counterparts."
    for record in (staging, production):
        other = record.counterpart
        if other is not None:
            environment_name = Environment(record.environment).label
            linked = f"{record.name} in {environment_name} already has a counterpart: {other.name}, {other.oid}."
            return f"{linked} Remove that link first."
    return ""


def write_link(history: audit.History, staging: Organization, production: Organization) -> None:
    """Link two locked records, and write a history entry for each."""
    production.staging_record = staging
    production.save(update_fields=["staging_record"])
    history.log_record(Action.ORGANIZATION_LINKED, production, counterpart=reference(staging))
    history.log_record(Action.ORGANIZATION_LINKED, staging, counterpart=reference(production))


def reference(organization: Organization) -> dict[str, object]:
    """How the history entry of another record names a record."""
    return {
        "id": organization.pk,
        "name": organization.name,
        "oid": organization.oid,
        "environment": organization.environment,
    }


def _remove_link(one: Organization, other: Organization) -> None:
    pair = (one.pk, other.pk)
    Organization.objects.filter(pk__in=pair, environment=Environment.PRODUCTION).update(staging_record=None)


def _lock_all(*ids: int) -> dict[int, Organization]:
    locks.lock_structures()
    locks.lock_records(lambda: Organization.objects.filter(pk__in=ids).values_list("pk", flat=True))
    rows = Organization.objects.in_bulk(ids)
    if len(rows) < len(set(ids)):
        raise RecordWithdrawn
    return rows
