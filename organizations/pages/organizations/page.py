"""The page of organizations, and one branch of its tree."""

from dataclasses import dataclass
from typing import NamedTuple

from organizations.models import Environment, Organization, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.organizations import listing, tree_rows
from organizations.pages.organizations.listing import Listing
from organizations.pages.organizations.rows import RecordRow
from organizations.permissions import Right, block_reason, may, right_to_send
from organizations.queries.chosen_records import TickedRecords
from organizations.queries.record_filters import RecordFilters
from organizations.services.connection import redox_settings


class NoRecords(NamedTuple):
    """What the page says while the environment has no record, and up to two next steps; "" offers no step."""

    heading: str
    text: str
    url: str
    step: str
    other_url: str
    other_step: str = "See Connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationsPage(Page):
    """The records of an environment. `no_records` is None if there are any."""

    template = "organizations/page.html"

    listing: Listing
    edit_block_reason: str
    send_block_reason: str
    no_records: NoRecords | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeBranchPage(Page):
    """The children of one record as rows of the tree."""

    template = "organizations/_rows.html"

    rows: list[RecordRow]
    may_edit: bool
    may_send: bool


def build(
    environment: Environment, user: User, filters: RecordFilters, *, number: str, opening: str, chosen: TickedRecords
) -> OrganizationsPage:
    """The page of that number. `opening` says which branches are open; only people who can send choose records."""
    edit_block_reason = block_reason(user, Right.EDIT, environment)
    send_block_reason = block_reason(user, right_to_send(environment), environment)
    records = listing.build(
        environment,
        filters,
        number,
        opening,
        listing.NOTHING_CHOSEN if send_block_reason else chosen,
        can_choose=not send_block_reason,
    )
    is_connected = redox_settings.connection(environment).is_connected
    may_edit = not edit_block_reason
    return OrganizationsPage(
        listing=records,
        edit_block_reason=edit_block_reason,
        send_block_reason=send_block_reason,
        no_records=None if records.total else no_records(environment, is_connected=is_connected, may_edit=may_edit),
    )


def build_branch(organization: Organization, user: User, number: str) -> TreeBranchPage:
    return TreeBranchPage(
        rows=tree_rows.branch(organization, number),
        may_edit=may(user, Right.EDIT),
        may_send=may(user, right_to_send(organization.environment)),
    )


def no_records(environment: Environment, *, is_connected: bool, may_edit: bool) -> NoRecords:
    new_url = environment_url("organization-new", environment) if may_edit else ""
    connection_url = "" if is_connected else environment_url("connection", environment)
    if environment == Environment.PRODUCTION:
        return NoRecords(
            heading="No records in PRODUCTION yet.",
            text="Redox's how-to: test in STAGING, then repeat here.",
            url=environment_url("organizations", environment.other) if may_edit else "",
            step="Open a record in STAGING to prepare it here",
            other_url=connection_url,
        )
    if is_connected:
        return NoRecords(
            heading="No records in STAGING yet.",
            text="Have you registered organizations with Redox before, with curl or Postman?",
            url=environment_url("take-over", environment) if may_edit else "",
            step="Yes: take them over",
            other_url=new_url,
            other_step="No: add your top-level record",
        )
    return NoRecords(
        heading="No records in STAGING yet, and STAGING is not connected.",
        text="You can prepare records now and send them later.",
        url=new_url,
        step="Add organization",
        other_url=connection_url,
    )
