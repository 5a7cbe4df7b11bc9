"""Locks that keep what was decided true until it is committed, and the one order in which all code takes them.

A person's act that looks at other records decides alone: it first locks the structure of its environment, and reads
again under the lock whatever it read before. Two people who move A below B and B below A at the same moment would
otherwise both see no circle.

The order, everywhere: structure (of both environments: STAGING, then PRODUCTION), gate, plan, all records by id,
submissions by id, send slots, audit head. Records and submissions that wait for others are collected first and locked
together. Workers claim, store and settle without the structure lock; a claim takes a submission and its record together
and skips what somebody else has locked.

On SQLite a write transaction excludes all others from its beginning, so there these functions only read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction

from organizations.models import Environment, Organization, State, StructureLock, Submission
from organizations.services.errors import RecordWithdrawn

from . import failpoints


@dataclass(frozen=True, slots=True)
class LockedSubmissions:
    """Locked submissions, each with its locked record, and everything that waits for them."""

    by_id: dict[int, Submission]

    def followers_of(self, submission: Submission) -> list[Submission]:
        """Those that wait directly for this one and were never attempted, by id."""
        ids = _follower_ids({submission.pk})
        return [each for pk, each in sorted(self.by_id.items()) if pk in ids]


def lock_structure(environment: str) -> None:
    """Wait until nobody else decides from several records of this environment, and keep others from it.

    The first lock of a person's act (design rule 15). It is held until the transaction ends.
    """
    failpoints.reach("before-structure-lock")
    StructureLock.objects.select_for_update().get(pk=environment)


def lock_structures() -> None:
    """The same for both environments, for an act that decides from records of both: STAGING first.

    Nobody who holds only one of the two locks waits for the other one.
    """
    for environment in (Environment.STAGING, Environment.PRODUCTION):
        lock_structure(environment)


def lock_structure_of_record(organization_id: int) -> None:
    """The same for the environment of a record, which never changes.

    Raises:
        Gone: the record was withdrawn.
    """
    environment = Organization.objects.filter(pk=organization_id).values_list("environment", flat=True).first()
    if environment is None:
        raise RecordWithdrawn
    lock_structure(environment)


def lock_records(collect: Callable[[], Iterable[int]]) -> None:
    """Lock the records whose ids `collect` finds, in the order of their ids.

    What is found may change until it is locked, so it is collected again. If a record was added, all are released and
    locked anew: locking one more could break the order.
    """
    while True:
        ids = set(collect())
        with transaction.atomic():
            rows = Organization.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
            list(rows.values_list("pk", flat=True))
            if ids.issuperset(collect()):
                return
            # Back to the savepoint, which releases what was locked since.
            transaction.set_rollback(True)


def lock_with_followers(submission_ids: Callable[[], Iterable[int]]) -> LockedSubmissions:
    """Lock these submissions and everything that waits for them, with all their records.

    While a record is locked nobody adds a follower to its submission.
    """

    def records() -> Iterable[int]:
        ids = _with_followers(submission_ids())
        return Submission.objects.filter(pk__in=ids).values_list("organization_id", flat=True)

    lock_records(records)
    failpoints.reach("between-locks")
    found = Submission.objects.filter(pk__in=_with_followers(submission_ids())).order_by("pk")
    locked = {each.pk: each for each in found.select_for_update(of=("self",))}
    organizations = Organization.objects.in_bulk({each.organization_id for each in locked.values()})
    for each in locked.values():
        each.organization = organizations[each.organization_id]
    return LockedSubmissions(locked)


def _with_followers(submission_ids: Iterable[int]) -> set[int]:
    found = level = set(submission_ids)
    while level:
        level = _follower_ids(level) - found
        found = found | level
    return found


def _follower_ids(submission_ids: set[int]) -> set[int]:
    waiting = Submission.objects.filter(after__in=submission_ids, state=State.QUEUED, attempt=0)
    return set(waiting.values_list("pk", flat=True))
