"""Branches of records and the pages that send them together, with a client and without."""

from typing import Any

from django.test import Client

from organizations.models import Environment, Organization, PlanKind, User
from organizations.pages.plan import draft_page
from organizations.pages.plan.draft_page import DraftPage, PlanTarget
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import BASE, acting

NEW = "/staging/plans/new/"


def tree_of(user: User, *places: int, is_accepted: bool = False, **values: Any) -> list[Organization]:
    """A record and those below it, never sent or as if accepted."""
    top = factories.organization(user=user, name="Lakeside Clinics", **values)
    below = [factories.organization(f"{BASE}.{place}", user=user, part_of_oid=BASE, **values) for place in places]
    return [factories.confirmed(each) if is_accepted else each for each in (top, *below)]


def page_of(made: list[Organization], user: User, kind: PlanKind = PlanKind.SEND, **values: Any) -> DraftPage:
    """The page on which these are sent together."""
    environment = Environment(made[0].environment)
    target = PlanTarget(ChosenRecords(environment, kind, tuple(each.pk for each in made)), None, address(made))
    return draft_page.build(target, plan_draft.draft_plan(target.chosen, actor=acting(user)), user, **values)


def page_of_branch(root: Organization, user: User, kind: PlanKind = PlanKind.SEND, **values: Any) -> DraftPage:
    target = PlanTarget.branch(Organization.objects.get(pk=root.pk), kind)
    return draft_page.build(target, plan_draft.draft_plan(target.chosen, actor=acting(user)), user, **values)


def address(made: list[Organization]) -> str:
    return f"/{made[0].environment}/plans/new/?" + "&".join(f"record={each.pk}" for each in made)


def branch(made: Organization, **values: str) -> str:
    return f"{NEW}?branch={made.oid}" + "".join(f"&{name}={value}" for name, value in values.items())


def press(client: Client, page: DraftPage, **typed: Any) -> Any:
    """Press the button of an open page, with every box ticked."""
    shown = page.content
    boxes = [question.key for question in shown.draft.questions]
    given = {"sha256": shown.draft.sha256, "tick": boxes, "planned": shown.planned, "left": shown.left}
    reason = {"why": "closed", "in_words": "ticket 7"} if shown.deactivates else {"reason": "ticket 7"}
    return client.post(page.action, given | reason | typed)
