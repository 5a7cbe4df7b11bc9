"""Pages as people with each role see them."""

from collections.abc import Callable

import pytest

from organizations.models import Organization, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.delivery import courier
from tests import factories
from tests.factories import BASE


@pytest.fixture
def queued(editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor, reason="New site, ticket 118")


@pytest.fixture
def deliver_all(practice: PracticeDirectory, worker: Actor) -> Callable[[], None]:
    """Delivers until nothing of STAGING is due."""

    def deliver() -> None:
        while courier.deliver_next("staging", actor=worker):
            pass

    return deliver


@pytest.fixture
def family(editor: User) -> dict[str, Organization]:
    """A company with two regions, and two locations below the first."""
    names = {
        "": "Lakeside Clinics",
        ".1": "North Region",
        ".2": "Harbor Region",
        ".1.1": "Lakeside North",
        ".1.2": "Quarry Road",
    }
    made = {}
    for end, name in names.items():
        parent = {"part_of_oid": BASE + end.rpartition(".")[0]} if end else {}
        aliases = ("Old Harbor Pediatrics",) if name == "Quarry Road" else ()
        made[name] = factories.organization(BASE + end, user=editor, name=name, aliases=aliases, **parent)
    return made
