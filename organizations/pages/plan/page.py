"""The lasting page of a plan, what an open one loads anew, and the list of all plans."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page as Slice
from django.core.paginator import Paginator
from django.urls import reverse

from organizations.models import Environment, Plan, User
from organizations.pages import Page
from organizations.pages.plan.progress import PlanContent, PlanSummary, plan_content, plan_summaries
from organizations.permissions import Right, may, sending, why_not
from organizations.queries import plan_rows

HOLD = "pause or stop a plan"
ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage(Page):
    """`page` is the plan in words."""

    template = "plans/page.html"

    plan: Plan
    page: PlanContent
    hold_why_not: str
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanState(PlanPage):
    """What an open page takes in when its plan went on; `changed` if the plan's own state is another."""

    template = "plans/state.html"

    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlansPage(Page):
    """All plans of an environment, the newest first."""

    template = "plans/index.html"

    page: Slice
    lines: list[PlanSummary]
    switch_url: str


def build(plan: Plan, user: User) -> PlanPage:
    return PlanPage(**_names(plan, user, plan_content(plan)))


def build_state(plan: Plan, user: User, seen: str) -> PlanState | None:
    """What an open page takes in that has shown `seen`; None if that is still so."""
    page = plan_content(plan)
    if seen == page.since:
        return None
    return PlanState(**_names(plan, user, page), changed=not seen.startswith(f"{page.stage}-"))


def build_list(environment: Environment, number: str | None) -> PlansPage:
    """The page of that number."""
    page = Paginator(plan_rows.plan_ids(environment), ROWS).get_page(number)
    return PlansPage(page=page, lines=plan_summaries(list(page)), switch_url=reverse("plans", args=[environment.other]))


def _names(plan: Plan, user: User, page: PlanContent) -> dict[str, Any]:
    environment = Environment(plan.environment)
    is_maker = plan.made_by_id == user.pk and may(user, Right.EDIT)
    return {
        "plan": plan,
        "page": page,
        "hold_why_not": "" if is_maker else why_not(user, sending(environment), environment, HOLD),
        "switch_url": reverse("submissions", args=[environment.other]),
    }
