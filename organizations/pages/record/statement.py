"""The page on which an approver states that an OID was registered outside the portal, or withdraws that statement."""

from collections.abc import Collection
from dataclasses import dataclass

from organizations.forms.differences import ReasonForm
from organizations.models import AuditEntry, Organization, User
from organizations.pages import Page
from organizations.pages.addresses import counterpart_url, path_to
from organizations.permissions import ASK, Right, block_reason
from organizations.queries.record_entries import last_statement
from organizations.services.records import statements
from organizations.text.freshness import Freshness, record_freshness

HEADING = "Registration outside the portal"
STATE = "state that a record is registered already"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage(Page):
    """`statement` is the entry of the statement in force. `block_reason` is why neither is possible.

    `has_decision`: the directory shows the OID, and a person must decide on another page to whom it belongs.
    """

    template = "record/statement.html"

    organization: Organization
    form: ReasonForm
    statement: AuditEntry | None
    block_reason: str
    ask_block_reason: str
    freshness: Freshness
    has_decision: bool
    notes: Collection[str]
    is_unsaved: bool
    path: list[tuple[str, str]]
    switch_url: str


def build(
    organization: Organization,
    user: User,
    form: ReasonForm,
    *,
    notes: Collection[str] = (),
    is_unsaved: bool = False,
) -> StatementPage:
    """`notes` say why the last press of the button changed nothing."""
    statement = None if statements.take_back_block_reason(organization) else last_statement(organization)
    return StatementPage(
        organization=organization,
        form=form,
        statement=statement,
        block_reason="" if statement else statements.statement_block_reason(organization),
        ask_block_reason=block_reason(user, Right.EDIT, organization.environment, ASK),
        freshness=record_freshness(organization),
        has_decision=organization.is_there_unclaimed,
        notes=notes,
        is_unsaved=is_unsaved,
        path=path_to(organization, HEADING),
        switch_url=counterpart_url(organization),
    )
