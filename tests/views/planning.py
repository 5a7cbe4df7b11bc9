"""Trees of records, and the page that sends several records together."""

from typing import Any

from django.test import Client

from organizations.models import Environment, Organization, PlanKind, User
from organizations.pages.plan import draft_page
from organizations.pages.plan.draft_page import DraftPage, PlanTarget
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import BASE, as_actor

NEW = "/staging/plans/new/"


def create_tree(user: User, *places: int, is_accepted: bool = False, **values: Any) -> list[Organization]:
    """Create a record and its children, either never sent or accepted."""
    top = factories.organization(user=user, name="Lakeside Clinics", **values)
    below = [factories.organization(f"{BASE}.{place}", user=user, part_of_oid=BASE, **values) for place in places]
    return [factories.accept(each) if is_accepted else each for each in (top, *below)]


def page_of(organizations: list[Organization], user: User, kind: PlanKind = PlanKind.SEND, **values: Any) -> DraftPage:
    """The page that sends these records together."""
    environment = Environment(organizations[0].environment)
    target = PlanTarget(
        ChosenRecords(environment, kind, tuple(each.pk for each in organizations)), None, address(organizations)
    )
    return draft_page.build(target, plan_draft.draft_plan(target.chosen, actor=as_actor(user)), user, **values)


def page_of_branch(root: Organization, user: User, kind: PlanKind = PlanKind.SEND, **values: Any) -> DraftPage:
    target = PlanTarget.branch(Organization.objects.get(pk=root.pk), kind)
    return draft_page.build(target, plan_draft.draft_plan(target.chosen, actor=as_actor(user)), user, **values)


def address(organizations: list[Organization]) -> str:
    return f"/{organizations[0].environment}/plans/new/?" + "&".join(f"record={each.pk}" for each in organizations)


def branch(organization: Organization, **values: str) -> str:
    return f"{NEW}?branch={organization.oid}" + "".join(f"&{name}={value}" for name, value in values.items())


def press(client: Client, page: DraftPage, **typed: Any) -> Any:
    """Press the button of an open page, with every box ticked."""
    content = page.content
    boxes = [question.key for question in content.draft.questions]
    inputs = {"sha256": content.draft.sha256, "tick": boxes, "planned": content.planned, "left": content.left}
    reason = {"why": "closed", "in_words": "ticket 7"} if content.deactivates else {"reason": "ticket 7"}
    return client.post(page.action, inputs | reason | typed)
