"""The list of records: list and tree in one, and a branch of the tree."""

from dataclasses import dataclass

from organizations.models import Environment, Organization, User
from organizations.pages import Page
from organizations.pages.organizations import listing, tree_rows
from organizations.pages.organizations.listing import Empty, Listing
from organizations.pages.organizations.rows import RecordRow
from organizations.permissions import Right, may, sending, why_not
from organizations.queries import chosen_records
from organizations.queries.filters import Filters
from organizations.services.connection import gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationsPage(Page):
    """The records of an environment; `empty` says what to do while there are none."""

    template = "organizations/page.html"

    listing: Listing
    why_not_edit: str
    why_not_send: str
    empty: Empty | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPage(Page):
    """The children of one record as rows of the tree."""

    template = "organizations/_rows.html"

    rows: list[RecordRow]
    may_edit: bool
    may_send: bool


def build(
    environment: Environment, user: User, filters: Filters, *, number: str, wish: str, ticks: chosen_records.Ticks
) -> OrganizationsPage:
    """The page of that number. `wish` says which branches are to be open; only who may send can tick records."""
    why_not_edit = why_not(user, Right.EDIT, environment)
    why_not_send = why_not(user, sending(environment), environment)
    chosen = listing.NOTHING_CHOSEN if why_not_send else ticks
    shown = listing.read(environment, filters, number, wish, chosen, can_choose=not why_not_send)
    return OrganizationsPage(
        listing=shown,
        why_not_edit=why_not_edit,
        why_not_send=why_not_send,
        empty=None if shown.total else _empty(environment, may_edit=not why_not_edit),
    )


def build_branch(organization: Organization, user: User, number: str) -> BranchPage:
    return BranchPage(
        rows=tree_rows.branch(organization, number),
        may_edit=may(user, Right.EDIT),
        may_send=may(user, sending(organization.environment)),
    )


def _empty(environment: Environment, *, may_edit: bool) -> Empty:
    is_connected = gateway.connection(environment).is_connected
    return listing.empty(environment, is_connected=is_connected, may_edit=may_edit)
