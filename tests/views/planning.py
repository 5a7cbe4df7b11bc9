"""Branches of records and the pages that send them together."""

from typing import Any

from django.test import Client

from organizations.models import Organization, User
from tests import factories
from tests.factories import BASE

NEW = "/staging/plans/new/"


def tree_of(user: User, *places: int, **values: Any) -> list[Organization]:
    top = factories.organization(user=user, name="Lakeside Clinics", **values)
    return [
        top,
        *(factories.organization(f"{BASE}.{place}", user=user, part_of_oid=BASE, **values) for place in places),
    ]


def address(made: list[Organization]) -> str:
    return f"{NEW}?" + "&".join(f"record={each.pk}" for each in made)


def branch(made: Organization, **values: str) -> str:
    return f"{NEW}?branch={made.oid}" + "".join(f"&{name}={value}" for name, value in values.items())


def press(client: Client, url: str, **typed: Any) -> Any:
    """Read the page and press its button, with every box ticked."""
    page = client.get(url).context["page"]
    boxes = [question.key for question in page.draft.questions]
    given = {"sha256": page.draft.sha256, "tick": boxes, "planned": page.planned, "left": page.left}
    reason = {"why": "closed", "in_words": "ticket 7"} if page.deactivates else {"reason": "ticket 7"}
    return client.post(url, given | reason | typed)
