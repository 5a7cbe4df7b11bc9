"""The counterpart of a record: on the record's page, as the next step after an acceptance, and compared with it."""

from dataclasses import dataclass
from typing import NamedTuple

from organizations.models import Environment, Intent, Organization, Submission
from organizations.pages import parent_names
from organizations.pages.addresses import environment_url, record_url
from organizations.pages.next_step import NextStep
from organizations.pages.organizations.rows import RecordRow, standing_of
from organizations.queries import parents
from organizations.queries.record_rows import organizations_of
from organizations.records import ADDRESS_LABELS, difference
from organizations.services.records.prepare import without_own_keys
from organizations.text import evidence
from organizations.text.markup import written


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterpartBox:
    """The counterpart of a record, or how to get one.

    `prepare_url` is "" if the record is in PRODUCTION: only PRODUCTION is filled from the other environment.
    """

    other: str
    row: RecordRow | None
    prepare_url: str
    page_url: str


class CounterpartFact(NamedTuple):
    """One fact about two records. Equal OIDs prove nothing: each environment has its own."""

    label: str
    here: str
    there: str
    differs: bool = False


def counterpart_box(organization: Organization) -> CounterpartBox:
    """What the page of a record shows about its counterpart."""
    counterpart = organization.counterpart
    return CounterpartBox(
        other=Environment(organization.environment).other.label,
        row=RecordRow(organization=counterpart) if counterpart else None,
        prepare_url="" if counterpart else prepare_url(organization),
        page_url=page_url(organization),
    )


def page_url(organization: Organization) -> str:
    """The page where a counterpart is linked or the link removed."""
    return record_url(organization, "counterpart")


def prepare_url(organization: Organization) -> str:
    """The form of PRODUCTION filled from this record; "" for a record of PRODUCTION or one with a foreign OID."""
    if organization.environment == Environment.PRODUCTION or organization.is_foreign:
        return ""
    return f"{environment_url('organization-new', Environment.PRODUCTION)}?from={organization.oid}"


def next_step(submission: Submission) -> NextStep | None:
    """The next step in PRODUCTION after STAGING accepted this; None if there is none."""
    organization = submission.organization
    if organization.environment == Environment.PRODUCTION:
        return None
    counterpart = organization.counterpart
    if counterpart is not None and submission.intent in (Intent.CREATE, Intent.UPDATE):
        return NextStep("Compare with PRODUCTION", page_url(organization))
    if counterpart is not None:
        return NextStep("Open in PRODUCTION", record_url(counterpart))
    url = "" if submission.intent == Intent.DEACTIVATE else prepare_url(organization)
    return NextStep("Repeat in PRODUCTION", url, needs_edit=True) if url else None


def counterpart_facts(here: Organization, there: Organization) -> list[CounterpartFact]:
    """The facts by which a person sees whether two records are one organization."""
    one, other = organizations_of([here.pk, there.pk])
    address, others_address = _address(here), _address(there)
    return [
        CounterpartFact("Name", here.name, there.name, here.name != there.name),
        CounterpartFact("OID", here.oid, there.oid),
        CounterpartFact("Address", address, others_address, address != others_address),
        *_other_differences(one, other),
        CounterpartFact("PartOf", _part_of(here), _part_of(there)),
        CounterpartFact("Directory status", standing_of(one).word, standing_of(other).word),
        CounterpartFact("Last accepted", _accepted(one), _accepted(other)),
    ]


def _other_differences(one: Organization, other: Organization) -> list[CounterpartFact]:
    """The other fields in which the two differ, without those that differ between environments anyway."""
    own_rows = ("name", "part_of_oid", *ADDRESS_LABELS)
    differences = difference(without_own_keys(one.record()), without_own_keys(other.record()))
    return [
        CounterpartFact(each.label, each.before or "none", each.after or "none", differs=True)
        for each in differences
        if each.field not in own_rows
    ]


def _address(organization: Organization) -> str:
    values = (getattr(organization, name) for name in ADDRESS_LABELS)
    return ", ".join(filter(None, values)) or "none"


def _part_of(organization: Organization) -> str:
    oid = organization.part_of_oid
    return parent_names.name_and_oid(oid, parents.names(organization.environment, [oid]))


def _accepted(organization: Organization) -> str:
    if organization.confirmed_at is None:
        return "never"
    return ", ".join(
        filter(None, (written(organization.confirmed_at, "day"), evidence.beside_record_date(organization)))
    )
