"""An answer about an OID that was not a record here counts for the record that gets this OID."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from organizations.models import Organization, User
from organizations.practice import PracticeDirectory
from organizations.redox import messages
from organizations.services.connection import redox_settings
from organizations.services.directory.ask_oid import ask_about_oid
from organizations.services.records import organizations
from organizations.services.review import reviews
from organizations.services.review.blockers import BlockerKind
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.records.test_prepare import THEIRS, prepared


def add(editor: User) -> Organization:
    return factories.organization(user=editor)


def change_oid(editor: User) -> Organization:
    other = factories.organization(f"{BASE}.9", user=editor)
    changed = replace(other.record(), oid=BASE)
    return organizations.edit(other.pk, other.version, changed, stands_for="", actor=as_actor(editor))


def register(practice: PracticeDirectory, environment: str, oid: str) -> None:
    message = messages.build_message(factories.record(oid), messages.NEW, redox_settings.environment(environment))
    practice.register(environment, json.loads(message)["Organizations"][0])


@pytest.mark.parametrize("save", [add, change_oid])
@pytest.mark.parametrize("is_shown", [True, False])
def test_a_new_is_blocked_if_the_answer_showed_its_oid(
    practice: PracticeDirectory, editor: User, save: Callable[[User], Organization], is_shown: bool
) -> None:
    if is_shown:
        register(practice, "staging", BASE)
    answer = ask_about_oid("staging", BASE, actor=as_actor(editor))
    organization = save(editor)
    kinds = [blocker.kind for blocker in reviews.review(organization).blockers]
    assert kinds == ([BlockerKind.ALREADY_THERE] if is_shown else [])
    organization.refresh_from_db()
    assert organization.seen_at == (answer.asked_at if is_shown else None)


def test_a_new_of_a_prepared_record_is_blocked_too(practice: PracticeDirectory, editor: User) -> None:
    register(practice, "production", THEIRS)
    ask_about_oid("production", THEIRS, actor=as_actor(editor))
    assert prepared(factories.accepted_organization(user=editor), editor).is_there_unclaimed
