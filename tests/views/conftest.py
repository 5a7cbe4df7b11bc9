"""Pages as people with each role see them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from organizations.models import Organization, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import delivery
from organizations.services.actors import Actor, system
from tests import factories
from tests.connected import connected
from tests.factories import BASE


@pytest.fixture
def client_of(db: None) -> Callable[..., Client]:
    """A browser in which a person with that role is signed in; `user` gives the person instead."""

    def signed_in(role: str = "", user: User | None = None) -> Client:
        client = Client()
        client.force_login(user or factories.UserFactory(role=role))
        return client

    return signed_in


@pytest.fixture
def editor(db: None) -> User:
    return factories.editor()


@pytest.fixture
def worker() -> Actor:
    return system("Worker test")


@pytest.fixture
def practice(tmp_path: Path, transactional_db: None) -> Iterator[PracticeDirectory]:
    with connected(tmp_path) as running:
        yield running


@pytest.fixture
def queued(editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor, reason="New site, ticket 118")


@pytest.fixture
def deliver_all(practice: PracticeDirectory, worker: Actor) -> Callable[[], None]:
    """Delivers until nothing of STAGING is due."""

    def deliver() -> None:
        while delivery.deliver_next("staging", actor=worker):
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
