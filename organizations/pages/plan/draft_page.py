"""The review of several records that are sent together: each message, and what to confirm first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import urlencode

from django.http import QueryDict

from organizations.forms.deactivation import BranchForm, Replacement
from organizations.forms.plan import PlanForm
from organizations.models import Organization, PlanKind, User
from organizations.pages import Page
from organizations.pages.addresses import counterpart_url, environment_url, path_to, record_url
from organizations.pages.deactivation.replacement import read_replacement
from organizations.pages.plan.draft import DraftContent, draft_content
from organizations.pages.record_choices import suggestion_attributes
from organizations.permissions import block_reason, right_to_send
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords, PlanDraft


class PlanTarget(NamedTuple):
    """The records of a plan, the root if they are a branch, and the address of the page."""

    chosen: ChosenRecords
    root: Organization | None
    url: str

    @classmethod
    def branch(cls, root: Organization, kind: PlanKind) -> Self:
        """A record with the records below it."""
        query = {"branch": root.oid} | ({"kind": kind.value} if kind == PlanKind.DEACTIVATE else {})
        url = environment_url("plan-new", root.environment) + "?" + urlencode(query)
        return cls(plan_draft.choose_branch(root, kind), root, url)

    def path_to(self, page: str) -> list[tuple[str, str]]:
        """The links from the list of organizations to a page of this plan, without the ancestors of the root."""
        if self.root:
            return path_to(self.root, page, above=[])
        return [("Organizations", self.back_url), (page, "")]

    @property
    def back_url(self) -> str:
        """The list, or the record whose branch the plan is for."""
        return record_url(self.root) if self.root else environment_url("organizations", self.chosen.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage(Page):
    """`content` is the draft in words. `notes` say why the last press of the button sent nothing."""

    template = "plans/new.html"

    content: DraftContent
    form: PlanForm | BranchForm
    path: list[tuple[str, str]]
    action: str
    notes: Collection[str]
    is_unsaved: bool
    block_reason: str
    back_url: str
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchDraftPage(DraftPage):
    """The draft of a plan that deactivates records."""

    template = "deactivation/branch.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingPage(Page):
    """`why` says what is wrong: nothing was chosen, or more than one plan can hold."""

    template = "plans/nothing.html"

    why: str
    back_url: str


def build(
    target: PlanTarget,
    draft: PlanDraft,
    user: User,
    form: PlanForm | BranchForm | None = None,
    *,
    ticked: Collection[str] = (),
    missing: Collection[str] = (),
    notes: Collection[str] = (),
) -> DraftPage:
    """`form` holds what somebody typed; `missing` are the keys of the boxes that must still be ticked."""
    page = BranchDraftPage if draft.kind == PlanKind.DEACTIVATE else DraftPage
    return page(
        content=draft_content(draft, root=target.root, ticked=ticked, missing=missing),
        form=form or plan_form(draft),
        path=target.path_to("Deactivate" if draft.kind == PlanKind.DEACTIVATE else "Review"),
        action=target.url,
        notes=notes,
        is_unsaved=form is not None,
        block_reason=block_reason(user, right_to_send(draft.environment)),
        back_url=target.back_url,
        switch_url=counterpart_url(target.root) if target.root else "",
    )


def build_nothing(target: PlanTarget, why: str) -> NothingPage:
    return NothingPage(why=why, back_url=target.back_url)


def plan_form(
    draft: PlanDraft, data: QueryDict | None = None, *, typed: Mapping[str, str] | None = None
) -> PlanForm | BranchForm:
    """The form of a draft with what was posted, or with typed text that is not checked yet."""
    environment_name, number = draft.environment.label, draft.number_to_type
    if draft.kind != PlanKind.DEACTIVATE:
        return PlanForm(
            data,
            needs_reason=draft.needs_reason,
            number_to_type=number,
            environment_name=environment_name,
            initial=typed,
        )
    planned = [review.organization.pk for review in draft.reviews]

    def replacement(text: str) -> Replacement | str:
        return read_replacement(draft.environment, text, without=planned)

    form = BranchForm(
        data, number_to_type=number, environment_name=environment_name, replacement=replacement, initial=typed
    )
    form.fields["replaced_by"].widget.attrs |= suggestion_attributes(draft.environment)
    return form
