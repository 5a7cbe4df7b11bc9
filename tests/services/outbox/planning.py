"""Plans for tests: trees of records, their drafts, and the answers to their messages."""

from typing import Any

from organizations.models import Environment, Organization, Plan, PlanKind, User
from organizations.redox.outcome import Kind
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords, PlanDraft
from organizations.services.review.reviews import Review
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import answer_next

SEND = PlanKind.SEND


def tree_of(user: User, *parts: str, make: Any = factories.organization, **values: Any) -> list[Organization]:
    """A record at the base OID, and one at each of these OIDs below it: "1", "1.1"."""
    records = [make(user=user, **values)]
    for part in parts:
        parent = f"{BASE}.{part}".rpartition(".")[0]
        records.append(make(f"{BASE}.{part}", user=user, part_of_oid=parent, **values))
    return records


def accepted_tree(user: User, *parts: str) -> list[Organization]:
    return tree_of(user, *parts, make=factories.accepted_organization)


def chosen(records: list[Organization], kind: PlanKind = SEND) -> ChosenRecords:
    return ChosenRecords(Environment(records[0].environment), kind, tuple(each.pk for each in records))


def drawn(records: list[Organization], user: User, kind: PlanKind = SEND) -> PlanDraft:
    return plan_draft.draft_plan(chosen(records, kind), actor=as_actor(user))


def planned(records: list[Organization], user: User, kind: PlanKind = SEND, **values: Any) -> Plan:
    """A plan as its page creates it, with everything that the page requires."""
    return factories.plan(records, user=user, kind=kind, **values)


def oids(reviews: tuple[Review, ...]) -> list[str]:
    return [review.organization.oid.removeprefix(BASE) for review in reviews]


def waits(plan: Plan) -> dict[str, set[str]]:
    """For each record of a plan, the records that must be accepted before it."""
    return {
        each.oid.removeprefix(BASE): {first.oid.removeprefix(BASE) for first in each.waits_for.all()}
        for each in plan.submissions.all()
    }


def answer_all(kind: Kind = Kind.ACCEPTED) -> list[str]:
    """Give each message that can be sent the same answer. Returns the OIDs of their records, in order."""
    answers = []
    while submission := answer_next(kind):
        answers.append(submission.oid.removeprefix(BASE))
    return answers


def states(plan: Plan) -> list[str]:
    return list(plan.submissions.order_by("pk").values_list("state", flat=True))


def fresh_plan(plan: Plan) -> Plan:
    return Plan.objects.get(pk=plan.pk)
