"""Locks for decisions that look at several records, and the one order in which all code takes locks.

A person's action that reads other records first locks the structure of its environment. Only then does it read the rows
that it decides from. Otherwise two people who move A below B and B below A at the same moment would both see no circle.

The order: structure (STAGING, then PRODUCTION), gate, take-over with its candidates, plan, all records by id,
submissions by id, send slots, audit head. Submissions that wait for others are collected first; all are locked together
with their records. Workers claim, store and settle without the structure lock. A claim locks a submission and its
record together and skips rows that are locked.

On SQLite a write transaction excludes all others from its start, so these functions only read there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction

from organizations.models import Environment, Organization, State, StructureLock, Submission
from organizations.services.errors import RecordWithdrawn

from . import failpoints


@dataclass(frozen=True, slots=True)
class LockedSubmissions:
    """Locked submissions with their locked records, and the submissions that wait for them, by id."""

    by_id: dict[int, Submission]

    def followers_of(self, submission: Submission) -> list[Submission]:
        """The submissions that wait directly for this one and were never attempted, in the order of their ids."""
        ids = _follower_ids({submission.pk})
        return [follower for pk, follower in sorted(self.by_id.items()) if pk in ids]


def lock_structure(environment: str) -> None:
    """Wait until no other transaction decides from several records of this environment, and make others wait.

    It is the first lock of a person's action (design rule 15), and lasts until the transaction ends.
    """
    failpoints.reach("before-structure-lock")
    StructureLock.objects.select_for_update().get(pk=environment)


def lock_structures() -> None:
    """Lock the structure of both environments, STAGING first, for an action that decides from records of both."""
    for environment in (Environment.STAGING, Environment.PRODUCTION):
        lock_structure(environment)


def lock_structure_of_record(organization_id: int) -> None:
    """Lock the structure of a record's environment, which never changes.

    Raises:
        RecordWithdrawn: the record was withdrawn.
    """
    environment = Organization.objects.filter(pk=organization_id).values_list("environment", flat=True).first()
    if environment is None:
        raise RecordWithdrawn
    lock_structure(environment)


def lock_records(collect: Callable[[], Iterable[int]]) -> None:
    """Lock the records whose ids `collect` returns, in the order of their ids.

    The ids may change until the records are locked, so they are collected again. If one was added, all records are
    released and locked again: locking one more could break the order.
    """
    while True:
        ids = set(collect())
        with transaction.atomic():
            rows = Organization.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
            list(rows.values_list("pk", flat=True))
            if ids.issuperset(collect()):
                return
            # Rolling back to the savepoint releases the locks taken since.
            transaction.set_rollback(True)


def lock_with_followers(submission_ids: Callable[[], Iterable[int]]) -> LockedSubmissions:
    """Lock these submissions and all that wait for them, with their records.

    While a record is locked, no transaction can add a follower to its submission.
    """

    def records() -> Iterable[int]:
        ids = _with_followers(submission_ids())
        return Submission.objects.filter(pk__in=ids).values_list("organization_id", flat=True)

    lock_records(records)
    failpoints.reach("between-locks")
    submissions = Submission.objects.filter(pk__in=_with_followers(submission_ids())).order_by("pk")
    locked = {submission.pk: submission for submission in submissions.select_for_update(of=("self",))}
    organizations = Organization.objects.in_bulk({submission.organization_id for submission in locked.values()})
    for submission in locked.values():
        submission.organization = organizations[submission.organization_id]
    return LockedSubmissions(locked)


def _with_followers(submission_ids: Iterable[int]) -> set[int]:
    ids = level = set(submission_ids)
    while level:
        level = _follower_ids(level) - ids
        ids = ids | level
    return ids


def _follower_ids(submission_ids: set[int]) -> set[int]:
    waiting = Submission.objects.filter(waits_for__in=submission_ids, state=State.QUEUED, may_have_been_sent=False)
    return set(waiting.values_list("pk", flat=True))
