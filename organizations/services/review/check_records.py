"""Check all stored records by the current rules. Writes nothing.

Services do not import forms, so the caller passes `read_by_form` of forms/check_records.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from django.db.models import Count, F, Max, Min

from organizations.csv_cells import line
from organizations.models import Environment, Organization, Presence, tree
from organizations.models.organization import OrganizationQuerySet
from organizations.models.submission import MIRRORED
from organizations.records import OrganizationRecord
from organizations.services.connection import redox_settings
from organizations.services.review import warnings
from organizations.services.review.record_warnings import KEPT

BATCH_SIZE = 200
_UNUSED_COLUMNS = ("confirmed", "taken", "seen", "search_text")


type Remark = tuple[str, str, str]
"""Kind, field and text of a finding."""


class RecordFinding(NamedTuple):
    """One finding about a stored record."""

    environment: str
    oid: str
    name: str
    kind: str
    field: str
    text: str


class ReadByForm(Protocol):
    """A function that reads a record as the form does, and returns what the form would refuse or change."""

    def __call__(
        self,
        record: OrganizationRecord,
        *,
        gateways: frozenset[str],
        routing_names: Mapping[str, str],
        own_ids: Mapping[str, str],
    ) -> Iterable[Remark]: ...


STALE_STATUS: Remark = ("Status", "To do", "The copy of the last submission's state is out of date. Report this error.")
HEADINGS = ("Environment", "OID", "Name", "Kind", "Field", "Finding")


def stored_records(environment: str) -> OrganizationQuerySet:
    """The records of an environment, in the order of their OIDs."""
    return Organization.objects.in_environment(environment).order_by("oid_key")


def id_batches(environment: str) -> Iterator[list[int]]:
    """The ids of all records in batches. Each batch is one short query, run when it is needed."""
    last = ""
    while rows := list(stored_records(environment).filter(oid_key__gt=last).values_list("pk", "oid_key")[:BATCH_SIZE]):
        last = rows[-1][1]
        yield [record_id for record_id, _ in rows]


def check_stored_records(environment: Environment, ids: Sequence[int], read_by_form: ReadByForm) -> list[RecordFinding]:
    """The findings about these records, in the order of their OIDs, with the same number of queries for any number."""
    organizations = list(
        stored_records(environment)
        .filter(pk__in=ids)
        .defer(*_UNUSED_COLUMNS)
        .prefetch_related("contacts", "identifiers")
    )
    gateways, routing_names = redox_settings.gateway_oids(environment), redox_settings.routing_names()
    own_ids = redox_settings.source_and_client_ids()
    parents = {
        each.oid: each for each in stored_records(environment).filter(oid__in={x.part_of_oid for x in organizations})
    }
    warning_remarks = _warnings(environment, organizations, parents)
    stale_ids = ids_with_stale_status(ids)
    tree_findings = _tree_findings(environment, organizations, parents, gateways)
    findings = []
    for organization in organizations:
        record = organization.record()
        remarks = [
            *read_by_form(record, gateways=gateways, routing_names=routing_names, own_ids=own_ids),
            *warning_remarks[organization.oid],
            *tree_findings[organization.oid],
            *([STALE_STATUS] if organization.pk in stale_ids else []),
        ]
        findings += [RecordFinding(environment.label, organization.oid, record.name, *remark) for remark in remarks]
    return findings


def ids_with_stale_status(ids: Sequence[int]) -> set[int]:
    """The ids of the records whose copy of the state of their last submission is out of date."""
    records = Organization.objects.filter(pk__in=ids)
    never_submitted = records.filter(last_submission=None).exclude(
        last_state="", last_state_at=None, last_wanted_hash=""
    )
    same = {column: F(f"last_submission__{source}") for column, source in MIRRORED.items()}
    stale = records.exclude(last_submission=None).exclude(**same)
    return {*never_submitted.values_list("pk", flat=True), *stale.values_list("pk", flat=True)}


def csv_lines(environment: Environment, read_by_form: ReadByForm) -> Iterator[str]:
    """The findings in an environment as lines of a CSV file. Each part is checked when its lines are read."""
    yield line(HEADINGS)
    for ids in id_batches(environment):
        yield from map(line, check_stored_records(environment, ids, read_by_form))


def _warnings(
    environment: Environment, organizations: Sequence[Organization], parents: Mapping[str, Organization]
) -> dict[str, list[Remark]]:
    """The review warnings about each record's own values and OIDs, by OID."""
    redox = redox_settings.environment(environment)
    names = warnings.names_elsewhere(environment, [organization.record() for organization in organizations])
    findings = {}
    for organization in organizations:
        case = warnings.WarningCase(
            organization=organization,
            record=organization.record(),
            before=None,
            redox=redox,
            parent=parents.get(organization.part_of_oid),
            edits_by_others=(),
            names_elsewhere=names,
        )
        # `read_by_form` already finds what the form would refuse.
        texts = [warning.text for warning in warnings.value_and_oid_warnings(case) if warning.key != KEPT]
        findings[organization.oid] = [("Warning", "", text) for text in texts]
    return findings


def _tree_findings(
    environment: Environment,
    organizations: Sequence[Organization],
    parents: Mapping[str, Organization],
    gateways: frozenset[str],
) -> dict[str, list[Remark]]:
    """Findings about the place of each record in the tree, and about near-duplicates, by OID."""
    circles = tree.in_circles(environment, [organization.oid for organization in organizations])
    near_duplicates = _near_duplicates(environment, {organization.double_key for organization in organizations} - {""})
    findings: dict[str, list[Remark]] = {}
    for organization in organizations:
        remarks = findings.setdefault(organization.oid, [])
        if organization.oid in circles:
            remarks.append(("Place", "PartOf", "The record is below itself: PartOf makes a circle."))
        elif organization.part_of_oid not in gateways and (
            error := _parent_finding(organization, parents.get(organization.part_of_oid))
        ):
            remarks.append(("Place", "PartOf", error))
        if same := near_duplicates.get(organization.double_key):
            remarks.append(("Near-duplicate", "Name, address", same.text(organization.oid)))
    return findings


def _parent_finding(organization: Organization, parent: Organization | None) -> str:
    environment_name = Environment(organization.environment).label
    if parent is None:
        return f"{organization.part_of_oid} is not a record of ours in {environment_name}."
    if parent.is_missing:
        return f"The directory of {environment_name} did not show {parent.name} when it was last read."
    if organization.active and parent.presence == Presence.PRESENT and parent.confirmed_active is False:
        return f"{parent.name} is deactivated, and this record is active."
    return ""


class _NearDuplicates(NamedTuple):
    """Records with the same key: their first and last OID, and their number."""

    first: str
    last: str
    records: int

    def text(self, oid: str) -> str:
        other = self.last if oid == self.first else self.first
        if self.records > 2:
            return f"{other} and {self.records - 2:,} more have the same name and address."
        return f"{other} has the same name and address."


def _near_duplicates(environment: str, keys: set[str]) -> dict[str, _NearDuplicates]:
    same = Organization.objects.filter(environment=environment, double_key__in=keys).values("double_key")
    groups = same.annotate(first=Min("oid"), last=Max("oid"), records=Count("pk")).filter(records__gt=1)
    return {row["double_key"]: _NearDuplicates(row["first"], row["last"], row["records"]) for row in groups}
