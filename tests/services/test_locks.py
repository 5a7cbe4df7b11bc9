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
from organizations.services.records import counterparts, organizations, prepare
from organizations.services.review import plan_draft, reviews
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import BASE, acting
from tests.services.sending import answered

pytestmark = pytest.mark.django_db


def locking(asked: CaptureQueriesContext) -> list[str]:
    """The statements that lock records, which they do in the order of their ids."""
    end = "FOR UPDATE OF" if connection.vendor == "postgresql" else "ORDER BY 1 ASC"
    return [query["sql"] for query in asked if "ORDER BY 1 ASC" in query["sql"] and end in query["sql"]]


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
    found = iter([{other}, {one, other}, {one, other}, {one, other}])
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        locks.lock_records(lambda: next(found))
    locked = locking(asked)
    assert len(locked) == 2
    assert f"({one}, {other})" in locked[1] or f"({other}, {one})" in locked[1]
    # What was locked first was released, so that the order holds.
    assert any(query["sql"].startswith("ROLLBACK TO SAVEPOINT") for query in asked)


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
    parent, place, taken, child = (factories.organization(f"{BASE}.{number}", user=editor) for number in (1, 2, 3, 4))
    values = {"part_of_oid": parent.oid, "confirmed_part_of_oid": place.oid}
    values |= {"taken": canonical(factories.record(part_of_oid=taken.oid))}
    Organization.objects.filter(pk=child.pk).update(**values)
    factories.organization(f"{BASE}.5", user=editor)
    factories.organization(parent.oid, user=editor, environment="production")
    with CaptureQueriesContext(connection) as asked, suppress(ActionRefused):
        submissions.submit_record(child.pk, sha256="", seen_submission=0, reason="", actor=acting(editor))
    locked = re.search(r" IN \(([\d, ]+)\)", locking(asked)[0])
    assert locked is not None
    assert set(map(int, locked[1].split(", "))) == {each.pk for each in (parent, place, taken, child)}


def test_a_second_cancel_says_that_there_was_a_first(editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    submissions.cancel_submission(submission.pk, actor=acting(editor))
    with pytest.raises(ActionRefused, match=f"Submission {submission.pk} was cancelled already"):
        submissions.cancel_submission(submission.pk, actor=acting(editor))


def saved(user: User) -> Organization:
    """A record that Redox accepted, with a change that was not sent."""
    made = factories.confirmed(factories.organization(user=user))
    return organizations.edit(made.pk, 1, replace(made.record(), name="North"), stands_for="", actor=acting(user))


def queued(user: User) -> Submission:
    return factories.submission(factories.organization(user=user), user=user)


def planned(user: User) -> Plan:
    return factories.plan([factories.organization(user=user)], user=user)


def paused(user: User) -> Plan:
    return plans.pause_plan(planned(user).pk, actor=acting(user))


def undecided(user: User) -> Submission:
    submission = queued(user)
    Submission.objects.update(state=State.NEEDS_PERSON)
    return submission


def pressing(user: User) -> Callable[[], object]:
    made = factories.organization(user=user)
    sha256 = reviews.review(made, actor=acting(user)).sha256
    return partial(
        submissions.submit_record, made.pk, sha256=sha256, seen_submission=0, reason="Test", actor=acting(user)
    )


def planning(user: User) -> Callable[[], object]:
    made = factories.organization(user=user)
    chosen = ChosenRecords(Environment.STAGING, PlanKind.SEND, (made.pk,))
    drawn = plan_draft.draft_plan(chosen, actor=acting(user))
    return partial(plans.make_plan, chosen, sha256=drawn.sha256, actor=acting(user))


def pair(user: User) -> tuple[Organization, Organization]:
    """A record of each environment."""
    return factories.organization(user=user), factories.organization(user=user, environment="production")


def preparing_from(made: Organization, user: User) -> Callable[[], object]:
    basis = prepare.FormBasis(made.record(), made.record())
    return partial(prepare.prepare, made.record(), made.pk, basis=basis, stands_for="", actor=acting(user))


def versioned(act: Callable[..., object], made: Organization, user: User, *more: object, **values: object) -> partial:
    return partial(act, made.pk, made.version, *more, actor=acting(user), **values)


ACTS: dict[str, Callable[[User], Callable[[], object]]] = {
    "create": lambda user: partial(
        organizations.create, factories.record(), "staging", stands_for="", actor=acting(user)
    ),
    "edit": lambda user: versioned(
        organizations.edit, saved(user), user, factories.record(name="South"), stands_for=""
    ),
    "discard": lambda user: versioned(organizations.discard, saved(user), user),
    "withdraw": lambda user: versioned(organizations.withdraw, factories.organization(user=user), user),
    "take over": lambda user: partial(organizations.take_over, factories.record(), "staging", actor=acting(user)),
    "state registered": lambda user: partial(
        organizations.state_registered, factories.organization(user=user).pk, reason="By curl", actor=acting(user)
    ),
    "prepare in PRODUCTION": lambda user: preparing_from(factories.organization(user=user), user),
    "link": lambda user: partial(counterparts.link, *pair(user), actor=acting(user)),
    "remove a link": lambda user: partial(counterparts.unlink, *(each.pk for each in pair(user)), actor=acting(user)),
    "submit": pressing,
    "make a plan": planning,
    "pause a plan": lambda user: partial(plans.pause_plan, planned(user).pk, actor=acting(user)),
    "let a plan go on": lambda user: partial(plans.resume_plan, paused(user).pk, actor=acting(user)),
    "stop a plan": lambda user: partial(plans.stop_plan, planned(user).pk, actor=acting(user)),
    "cancel": lambda user: partial(submissions.cancel_submission, queued(user).pk, actor=acting(user)),
    "decide": lambda user: partial(
        decide.decide_submission, undecided(user).pk, Verdict.OURS, sequence=0, reason="Seen", actor=acting(user)
    ),
    "take what the directory shows": lambda user: versioned(differences.take_theirs, saved(user), user, reason="Seen"),
    "take a decision back": lambda user: partial(differences.claim, saved(user).pk, reason="Seen", actor=acting(user)),
    "go on after a stop": lambda user: partial(resume.resume, "staging", actor=acting(user)),
}
LOCKING = re.compile(r"FOR UPDATE|^(INSERT|UPDATE|DELETE)|structurelock")


@pytest.mark.parametrize("name", ACTS)
def test_a_persons_act_locks_the_structure_before_anything_else(editor: User, name: str) -> None:
    act = ACTS[name](editor)
    # Without an answer of the directory nothing can be decided, which is found out under the lock.
    with CaptureQueriesContext(connection) as asked, suppress(ActionRefused):
        act()
    locking = [query["sql"] for query in asked if LOCKING.search(query["sql"])]
    assert "organizations_structurelock" in locking[0]


@pytest.mark.parametrize("name", ["prepare in PRODUCTION", "link", "remove a link", "withdraw"])
def test_an_act_on_a_link_locks_both_structures_in_one_order(editor: User, name: str) -> None:
    act = ACTS[name](editor)
    with CaptureQueriesContext(connection) as asked, suppress(ActionRefused):
        act()
    structures = [query["sql"] for query in asked if "structurelock" in query["sql"]]
    assert [re.findall("staging|production", sql) for sql in structures] == [["staging"], ["production"]]


@pytest.mark.parametrize("kind", [Kind.ACCEPTED, Kind.REJECTED, Kind.UNKNOWN])
def test_a_worker_does_not_wait_for_people(editor: User, kind: Kind) -> None:
    queued(editor)
    with CaptureQueriesContext(connection) as asked:
        answered(kind)
    assert not [query["sql"] for query in asked if "structurelock" in query["sql"]]


def test_a_claim_locks_a_submission_with_its_record_and_skips_what_is_locked(editor: User) -> None:
    submission = queued(editor)
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert submissions.next_claimable(Submission.objects.due("staging", clock.now())) == submission
    (sql,) = [query["sql"] for query in asked if "LIMIT 1" in query["sql"]]
    both = 'FOR UPDATE OF "organizations_submission", "organizations_organization" SKIP LOCKED'
    assert sql.rpartition("LIMIT 1")[2].strip() == (both if connection.vendor == "postgresql" else "")
