"""The locks: what they lock, in which order, and what happens when more rows are added."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from organizations.models import (
    Environment,
    Organization,
    Plan,
    PlanKind,
    State,
    StructureLock,
    Submission,
    User,
    Verdict,
    clock,
)
from organizations.records import canonical
from organizations.redox.outcome import Kind
from organizations.services import installation, locks
from organizations.services.delivery import decide, resume
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused, RecordWithdrawn
from organizations.services.outbox import plans, submissions
from organizations.services.records import counterparts, organizations, prepare, statements
from organizations.services.review import plan_draft, reviews
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import answer_next

pytestmark = pytest.mark.django_db


def locking(queries: CaptureQueriesContext) -> list[str]:
    """The statements that lock records, each in the order of their ids."""
    end = "FOR UPDATE OF" if connection.vendor == "postgresql" else "ORDER BY 1 ASC"
    return [query["sql"] for query in queries if "ORDER BY 1 ASC" in query["sql"] and end in query["sql"]]


def test_each_environment_has_a_lock_of_its_own() -> None:
    StructureLock.objects.all().delete()
    installation.ensure_rows()
    installation.ensure_rows()
    assert {lock.environment for lock in StructureLock.objects.all()} == set(Environment.values)


def test_the_structure_of_a_withdrawn_record_cannot_be_locked() -> None:
    with pytest.raises(RecordWithdrawn):
        locks.lock_structure_of_record(4711)


def test_a_follower_added_during_locking_is_locked_too(editor: User) -> None:
    one, other = (factories.organization(f"{BASE}.{number}", user=editor).pk for number in (1, 2))
    answers = iter([{other}, {one, other}, {one, other}, {one, other}])
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        locks.lock_records(lambda: next(answers))
    locked = locking(queries)
    assert len(locked) == 2
    assert f"({one}, {other})" in locked[1] or f"({other}, {one})" in locked[1]
    # The first locks were released, so that the order is kept.
    assert any(query["sql"].startswith("ROLLBACK TO SAVEPOINT") for query in queries)


def test_followers_of_followers_are_locked_with_their_records(editor: User) -> None:
    top = factories.organization(user=editor)
    below = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    lowest = factories.organization(f"{BASE}.1.1", user=editor, part_of_oid=f"{BASE}.1")
    first, second, third = (factories.submission(each, user=editor) for each in (top, below, lowest))
    with transaction.atomic():
        locked = locks.lock_with_followers(lambda: [first.pk])
    assert list(locked.by_id) == [first.pk, second.pk, third.pk]
    assert [each.organization for each in locked.by_id.values()] == [top, below, lowest]
    assert locked.followers_of(locked.by_id[first.pk]) == [second]


def test_a_record_is_locked_with_the_parents_that_it_may_wait_for(editor: User) -> None:
    parent, place, former_parent, child = (
        factories.organization(f"{BASE}.{number}", user=editor) for number in (1, 2, 3, 4)
    )
    values = {"part_of_oid": parent.oid, "confirmed_part_of_oid": place.oid}
    values |= {"taken": canonical(factories.record(part_of_oid=former_parent.oid))}
    Organization.objects.filter(pk=child.pk).update(**values)
    factories.organization(f"{BASE}.5", user=editor)
    factories.organization(parent.oid, user=editor, environment="production")
    with CaptureQueriesContext(connection) as queries, suppress(ActionRefused):
        submissions.submit_record(child.pk, sha256="", shown_submission=0, reason="", actor=as_actor(editor))
    locked = re.search(r" IN \(([\d, ]+)\)", locking(queries)[0])
    assert locked is not None
    assert set(map(int, locked[1].split(", "))) == {each.pk for each in (parent, place, former_parent, child)}


def test_a_second_cancel_says_that_the_submission_is_cancelled_already(editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    submissions.cancel_submission(submission.pk, actor=as_actor(editor))
    with pytest.raises(ActionRefused, match=f"Submission {submission.pk} was cancelled already"):
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))


def saved(user: User) -> Organization:
    """A record that Redox accepted, with a change that was not sent."""
    organization = factories.accept(factories.organization(user=user))
    return organizations.edit(
        organization.pk, 1, replace(organization.record(), name="North"), stands_for="", actor=as_actor(user)
    )


def queued(user: User) -> Submission:
    return factories.submission(factories.organization(user=user), user=user)


def planned(user: User) -> Plan:
    return factories.plan([factories.organization(user=user)], user=user)


def paused(user: User) -> Plan:
    return plans.pause_plan(planned(user).pk, actor=as_actor(user))


def undecided(user: User) -> Submission:
    submission = queued(user)
    factories.change_submissions(state=State.NEEDS_PERSON)
    return submission


def pressing(user: User) -> Callable[[], object]:
    organization = factories.organization(user=user)
    sha256 = reviews.review(organization, actor=as_actor(user)).sha256
    return partial(
        submissions.submit_record,
        organization.pk,
        sha256=sha256,
        shown_submission=0,
        reason="Test",
        actor=as_actor(user),
    )


def planning(user: User) -> Callable[[], object]:
    organization = factories.organization(user=user)
    selection = ChosenRecords(Environment.STAGING, PlanKind.SEND, (organization.pk,))
    draft = plan_draft.draft_plan(selection, actor=as_actor(user))
    return partial(plans.make_plan, selection, sha256=draft.sha256, actor=as_actor(user))


def pair(user: User) -> tuple[Organization, Organization]:
    """A record of each environment."""
    return factories.organization(user=user), factories.organization(user=user, environment="production")


def preparing_from(organization: Organization, user: User) -> Callable[[], object]:
    basis = prepare.FormBasis(organization.record(), organization.record())
    return partial(
        prepare.prepare, organization.record(), organization.pk, basis=basis, stands_for="", actor=as_actor(user)
    )


def versioned(
    act: Callable[..., object], organization: Organization, user: User, *more: object, **values: object
) -> partial:
    return partial(act, organization.pk, organization.version, *more, actor=as_actor(user), **values)


ACTS: dict[str, Callable[[User], Callable[[], object]]] = {
    "create": lambda user: partial(
        organizations.create, factories.record(), "staging", stands_for="", actor=as_actor(user)
    ),
    "edit": lambda user: versioned(
        organizations.edit, saved(user), user, factories.record(name="South"), stands_for=""
    ),
    "discard": lambda user: versioned(organizations.discard, saved(user), user),
    "withdraw": lambda user: versioned(organizations.withdraw, factories.organization(user=user), user),
    "take over": lambda user: partial(factories.seen_organization, factories.record(), user=user),
    "state registered": lambda user: partial(
        statements.state_registered, factories.organization(user=user).pk, reason="By curl", actor=as_actor(user)
    ),
    "prepare in PRODUCTION": lambda user: preparing_from(factories.organization(user=user), user),
    "link": lambda user: partial(counterparts.link, *pair(user), actor=as_actor(user)),
    "remove a link": lambda user: partial(counterparts.unlink, *(each.pk for each in pair(user)), actor=as_actor(user)),
    "submit": pressing,
    "make a plan": planning,
    "pause a plan": lambda user: partial(plans.pause_plan, planned(user).pk, actor=as_actor(user)),
    "let a plan go on": lambda user: partial(plans.resume_plan, paused(user).pk, actor=as_actor(user)),
    "stop a plan": lambda user: partial(plans.stop_plan, planned(user).pk, actor=as_actor(user)),
    "cancel": lambda user: partial(submissions.cancel_submission, queued(user).pk, actor=as_actor(user)),
    "decide": lambda user: partial(
        decide.decide_submission, undecided(user).pk, Verdict.OURS, sequence=0, reason="Seen", actor=as_actor(user)
    ),
    "take what the directory shows": lambda user: versioned(
        differences.take_directory_values, saved(user), user, reason="Seen"
    ),
    "take a decision back": lambda user: partial(
        differences.decide_ours, saved(user).pk, reason="Seen", actor=as_actor(user)
    ),
    "go on after a stop": lambda user: partial(resume.resume, "staging", actor=as_actor(user)),
}
LOCKING = re.compile(r"FOR UPDATE|^(INSERT|UPDATE|DELETE)|structurelock")


@pytest.mark.parametrize("name", ACTS)
def test_an_action_of_a_person_locks_the_structure_first(editor: User, name: str) -> None:
    act = ACTS[name](editor)
    # Nothing can be decided without an answer of the directory. The service checks that under the lock.
    with CaptureQueriesContext(connection) as queries, suppress(ActionRefused):
        act()
    locking = [query["sql"] for query in queries if LOCKING.search(query["sql"])]
    assert "organizations_structurelock" in locking[0]


@pytest.mark.parametrize("name", ["prepare in PRODUCTION", "link", "remove a link", "withdraw"])
def test_an_action_on_a_link_locks_both_structures_in_one_order(editor: User, name: str) -> None:
    act = ACTS[name](editor)
    with CaptureQueriesContext(connection) as queries, suppress(ActionRefused):
        act()
    structures = [query["sql"] for query in queries if "structurelock" in query["sql"]]
    assert [re.findall("staging|production", sql) for sql in structures] == [["staging"], ["production"]]


@pytest.mark.parametrize("kind", [Kind.ACCEPTED, Kind.REJECTED, Kind.UNKNOWN])
def test_a_worker_does_not_wait_for_locks_of_people(editor: User, kind: Kind) -> None:
    queued(editor)
    with CaptureQueriesContext(connection) as queries:
        answer_next(kind)
    assert not [query["sql"] for query in queries if "structurelock" in query["sql"]]


def test_a_claim_locks_a_submission_with_its_record_and_skips_what_is_locked(editor: User) -> None:
    submission = queued(editor)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert submissions.lock_claimable(Submission.objects.due("staging", clock.now()), 1) == [submission]
    (sql,) = [query["sql"] for query in queries if "LIMIT 1" in query["sql"]]
    both = 'FOR UPDATE OF "organizations_submission", "organizations_organization" SKIP LOCKED'
    assert sql.rpartition("LIMIT 1")[2].strip() == (both if connection.vendor == "postgresql" else "")
