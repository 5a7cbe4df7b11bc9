"""The page of a plan, the parts that an open page loads again, and the list of plans."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page as Slice
from django.core.paginator import Paginator

from organizations.models import Environment, Plan, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.plan.progress import PlanContent, PlanSummary, plan_content, plan_summaries
from organizations.permissions import Right, block_reason, may, right_to_send
from organizations.queries import plan_rows

PAUSE_OR_STOP = "pause or stop a plan"
ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage(Page):
    """`content` is the plan in words."""

    template = "plans/page.html"

    plan: Plan
    content: PlanContent
    pause_block_reason: str
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStateFragment(PlanPage):
    """What an open page takes in if something is new. `changed`: the plan has another state."""

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


def build_state(plan: Plan, user: User, seen: str) -> PlanStateFragment | None:
    """What is new for an open page that last showed `seen`; None if nothing is."""
    content = plan_content(plan)
    if seen == content.version_token:
        return None
    return PlanStateFragment(**_names(plan, user, content), changed=not seen.startswith(f"{content.stage}-"))


def build_list(environment: Environment, number: str | None) -> PlansPage:
    """The page of the list with this number."""
    page = Paginator(plan_rows.plan_ids(environment), ROWS).get_page(number)
    lines = plan_summaries(list(page))
    return PlansPage(page=page, lines=lines, switch_url=environment_url("plans", environment.other))


def _names(plan: Plan, user: User, content: PlanContent) -> dict[str, Any]:
    environment = Environment(plan.environment)
    is_maker = plan.made_by_id == user.pk and may(user, Right.EDIT)
    return {
        "plan": plan,
        "content": content,
        "pause_block_reason": ""
        if is_maker
        else block_reason(user, right_to_send(environment), environment, PAUSE_OR_STOP),
        "switch_url": environment_url("submissions", environment.other),
    }
