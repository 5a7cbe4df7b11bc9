"""The page of a record whose values differ in the directory, and what this person can do about it."""

from collections.abc import Collection
from dataclasses import dataclass

from organizations.forms.differences import ReasonForm
from organizations.models import Organization, User
from organizations.pages import Page
from organizations.pages.addresses import counterpart_url
from organizations.pages.differences.difference_rows import DifferencesContent, differences_content
from organizations.pages.submission.decision_choices import who_decides
from organizations.permissions import ASK, Right, block_reason

TAKE = "take values from the directory"
DECIDE = "decide who owns an OID"


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferencesPage(Page):
    """`notes` say what the last action did. `is_unsaved`: something was typed."""

    template = "differences/page.html"

    organization: Organization
    content: DifferencesContent
    form: ReasonForm
    notes: Collection[str]
    block_reason: str
    decide_block_reason: str
    who_decides: str
    ask_block_reason: str
    is_unsaved: bool
    switch_url: str


def build(
    organization: Organization, user: User, form: ReasonForm, *, notes: Collection[str] = (), is_unsaved: bool = False
) -> DifferencesPage:
    environment = organization.environment
    decide_block_reason = block_reason(user, Right.RESOLVE, environment, DECIDE)
    return DifferencesPage(
        organization=organization,
        content=differences_content(organization),
        form=form,
        notes=notes,
        block_reason=block_reason(user, Right.EDIT, environment, TAKE),
        decide_block_reason=decide_block_reason,
        who_decides=who_decides(user.display_name, may=not decide_block_reason),
        ask_block_reason=block_reason(user, Right.EDIT, environment, ASK),
        is_unsaved=is_unsaved,
        switch_url=counterpart_url(organization),
    )
