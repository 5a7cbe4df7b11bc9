"""The pages before discard and withdraw: two acts on a record that send nothing to Redox."""

import datetime
from dataclasses import dataclass

from organizations import knowledge
from organizations.models import Organization
from organizations.pages import Page, parent_names
from organizations.pages.addresses import counterpart_url, path_to
from organizations.records import Difference, difference
from organizations.services.records import organizations


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordActPage(Page):
    """`block_reason`: why nobody can do this now. `problem`: why nothing was done when somebody tried."""

    organization: Organization
    path: list[tuple[str, str]]
    block_reason: str
    problem: str
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardPage(RecordActPage):
    """`last` names what the record goes back to: the values last "accepted", or "taken from the directory"."""

    template = "record/discard.html"

    changes: list[Difference]
    last: str
    last_at: datetime.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPage(RecordActPage):
    template = "record/withdraw.html"


def build_discard(organization: Organization, problem: str = "") -> DiscardPage:
    block_reason = organizations.discard_block_reason(organization)
    compared = organization.compared_record()
    wanted = knowledge.sendable(organization.record())
    changes = knowledge.in_form(difference(compared, wanted)) if compared and not block_reason else ()
    return DiscardPage(
        organization=organization,
        path=path_to(organization, "Discard"),
        block_reason=block_reason,
        problem=problem,
        switch_url=counterpart_url(organization),
        changes=parent_names.with_parent_names(organization.environment, changes),
        last=last(organization),
        last_at=organization.known_at if organization.taken else organization.confirmed_at,
    )


def build_withdraw(organization: Organization, problem: str = "") -> WithdrawPage:
    block_reason = organizations.withdraw_block_reason(organization)
    return WithdrawPage(
        organization=organization,
        path=path_to(organization, "Withdraw"),
        block_reason=block_reason,
        problem="" if block_reason else problem,
        switch_url=counterpart_url(organization),
    )


def last(organization: Organization) -> str:
    """What the saved changes are compared with."""
    return "taken from the directory" if organization.taken else "accepted"
