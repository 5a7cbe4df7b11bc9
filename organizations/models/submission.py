"""The outbox: reviewed messages, from the review until they are accepted, rejected or cancelled."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from organizations.records import OrganizationRecord, from_canonical

from .organization import Environment, Evidence, Organization
from .plan import Plan, PlanState


class Event(models.TextChoices):
    """The event of a message. It follows from the record's presence; nobody chooses it."""

    NEW = "New", "New"
    UPDATE = "Update", "Update"


class Intent(models.TextChoices):
    """What the person wanted to do."""

    CREATE = "create", "Create"
    UPDATE = "update", "Update"
    DEACTIVATE = "deactivate", "Deactivate"
    REACTIVATE = "reactivate", "Reactivate"
    RESTORE = "restore", "Restore"


class State(models.TextChoices):
    AWAITING = "awaiting", "Awaiting approval"
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    UNKNOWN = "unknown", "Unknown"
    NEEDS_PERSON = "needs_person", "Needs a decision"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def is_final(self) -> bool:
        return not MOVES[self]


class Verdict(StrEnum):
    """What a person can decide about a submission that needs a decision; the history stores these words.

    ARRIVED: the message took effect. SEND_AGAIN, GIVE_UP: it did not; the same bytes are sent again, or never. OURS:
    the OID is our organization with other values. FOREIGN: the OID belongs to another organization.
    """

    ARRIVED = "arrived"
    SEND_AGAIN = "send_again"
    GIVE_UP = "give_up"
    OURS = "ours"
    FOREIGN = "foreign"


# All allowed moves. Accepted, rejected and cancelled are final. A submission without an attempt becomes unknown only
# after the database was restored from a backup.
MOVES: dict[str, frozenset[str]] = {
    State.AWAITING: frozenset({State.QUEUED, State.CANCELLED, State.UNKNOWN}),
    State.QUEUED: frozenset({State.SENDING, State.CANCELLED, State.NEEDS_PERSON, State.UNKNOWN}),
    State.SENDING: frozenset({State.ACCEPTED, State.REJECTED, State.QUEUED, State.NEEDS_PERSON, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.UNKNOWN, State.ACCEPTED, State.QUEUED, State.NEEDS_PERSON}),
    State.NEEDS_PERSON: frozenset({State.ACCEPTED, State.REJECTED, State.QUEUED}),
    State.ACCEPTED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}
MIRRORED = {"last_state": "state", "last_state_at": "state_at", "last_wanted_hash": "wanted_hash"}
"""The columns of a record that repeat a column of its last submission."""
NOT_CLAIMED = "A worker could not prepare the message; its log says why"
"""The beginning of the reason of a queued submission that is set aside, because claiming it failed."""
OPEN_STATES = tuple(state for state, moves in MOVES.items() if moves)


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def open(self) -> Self:
        return self.filter(state__in=OPEN_STATES)

    def in_environment(self, environment: str) -> Self:
        return self.filter(environment=environment)

    def due(self, environment: str, moment: datetime.datetime) -> Self:
        """Submissions to send now, oldest first: queued, due, and not waiting for another one or for a paused plan.

        A paused plan keeps all its submissions in the queue. In a stopped plan those with an attempt continue to
        their end: they may have been sent. Otherwise a claim cancels them.
        """
        waits_for_another = Submission.waits_for.through.objects.filter(from_submission=models.OuterRef("pk")).exclude(
            to_submission__state=State.ACCEPTED
        )
        return (
            self.filter(environment=environment, state=State.QUEUED)
            .filter(Q(not_before=None) | Q(not_before__lte=moment))
            .filter(Q(plan=None) | Q(plan__state=PlanState.GOING) | Q(plan__state=PlanState.STOPPED, attempt__gt=0))
            .exclude(models.Exists(waits_for_another))
            .order_by("id")
        )

    def new_messages_being_sent(self, environment: str) -> Counter[int]:
        """How many New messages of each plan a worker has claimed and not settled, by the plan's id."""
        claimed = self.filter(environment=environment, state=State.SENDING, event=Event.NEW).exclude(plan=None)
        return Counter(claimed.values_list("plan", flat=True))

    def leased(self, ids: Collection[int]) -> dict[int, int]:
        """Lock those of these submissions that a worker has claimed. Returns their lease tokens by id."""
        claimed = self.filter(pk__in=ids, state=State.SENDING).order_by("pk")
        return dict(claimed.select_for_update(of=("self",)).values_list("pk", "token"))

    def lease_ended(self, moment: datetime.datetime) -> Self:
        """Submissions whose worker did not settle them in time."""
        return self.filter(state=State.SENDING, lease_until__lt=moment).order_by("id")

    def to_query(self, environment: str, moment: datetime.datetime) -> Self:
        """Unknown submissions that are due and that no worker queries now. The longest waiting comes first."""
        return (
            self.filter(environment=environment, state=State.UNKNOWN, not_before__lte=moment)
            .filter(Q(lease_until=None) | Q(lease_until__lt=moment))
            .order_by("not_before", "id")
        )

    def to_read_back(self, environment: str, moment: datetime.datetime) -> Self:
        """Accepted submissions whose record is due to be read again, since a lost attempt may arrive late."""
        return self.filter(environment=environment, state=State.ACCEPTED, read_back_at__lte=moment).order_by(
            "read_back_at", "id"
        )


class Submission(models.Model):
    """One reviewed New or Update. Its message never changes: the reviewed bytes are sent."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="submissions")
    environment = models.CharField(max_length=10, choices=Environment)
    oid = models.CharField(max_length=64)
    part_of_oid = models.CharField(
        max_length=64, blank=True, default="", help_text="The PartOf that the message names."
    )
    event = models.CharField(max_length=10, choices=Event)
    intent = models.CharField(max_length=12, choices=Intent)
    message = models.BinaryField(help_text="The exact bytes that were reviewed and are sent.")
    message_sha256 = models.CharField(max_length=64)
    record_version = models.PositiveIntegerField(help_text="The version of the record that the message was made from.")
    before = models.TextField(blank=True, help_text="Canonical JSON of what was known of the directory at the review.")
    reason = models.TextField(blank=True)
    warnings = models.JSONField(
        default=list, blank=True, help_text="The accepted warnings, each with key, value and text."
    )
    authors = models.JSONField(default=list, help_text="Ids of everyone who worked on its changes.")
    submitter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submissions")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    waits_for = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="followers",
        help_text="The submissions that must be accepted before this one is sent.",
    )
    plan = models.ForeignKey(
        Plan,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="submissions",
        help_text="The plan that it belongs to, if any.",
    )

    state = models.CharField(max_length=14, choices=State, default=State.QUEUED)
    state_at = models.DateTimeField(help_text="When it entered this state.")
    state_reason = models.TextField(blank=True, help_text="Why it is in this state, if there is a reason.")
    attempt = models.PositiveIntegerField(default=0)
    counted_attempts = models.PositiveIntegerField(
        default=0,
        help_text="The attempts that count against the limit. A refused sign-in and a busy Redox do not count.",
    )
    token = models.PositiveIntegerField(
        default=0, help_text="Increases with each claim. Only the worker with the current token may settle."
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_worker = models.CharField(max_length=100, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the last attempt began.")
    ended_at = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(
        max_length=12, choices=Evidence, blank=True, default=Evidence.NONE, help_text="The evidence of its acceptance."
    )
    evidence_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When Redox's answer was stored, or when the Query behind the acceptance was sent.",
    )
    is_proof = models.BooleanField(
        default=False,
        help_text="Its acceptance proved that Redox accepts Updates of records registered outside the portal.",
    )
    may_have_been_sent = models.BooleanField(
        default=False, help_text="An attempt has ended, and a byte of the message may have reached Redox."
    )
    decided_by = models.CharField(max_length=150, blank=True, help_text="Who decided what became of it.")
    cancelled_by = models.CharField(max_length=150, blank=True)  # empty: by the portal itself

    unknown_since = models.DateTimeField(null=True, blank=True, help_text="When its outcome became unknown.")
    asks = models.PositiveIntegerField(
        default=0, help_text="Queries about it since it became unknown, with or without an answer."
    )
    absent_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When, since it became unknown, the directory first answered that it does not have the OID.",
    )
    lost_attempt = models.BooleanField(
        default=False, help_text="The worker of an attempt died. The directory is queried again after the acceptance."
    )
    read_back_at = models.DateTimeField(null=True, blank=True, help_text="When that Query is due.")
    is_restored = models.BooleanField(
        default=False,
        help_text="It may have been sent after the backup that was restored. Only a person can have it sent again.",
    )
    wanted_hash = models.CharField(
        max_length=64, blank=True, help_text="Hash of the saved record when the last answer was settled."
    )

    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    known_answer = models.CharField(max_length=40, blank=True, help_text="Key of the documented answer.")
    detail = models.TextField(blank=True, help_text="Redox's answer, shortened, in its own words.")
    answer_warning = models.TextField(blank=True)
    redox_message_id = models.CharField(max_length=100, blank=True)
    redox_log_id = models.CharField(max_length=100, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(state__in=OPEN_STATES), name="submission_one_open_per_organization"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="submission_state_known"),
            models.CheckConstraint(condition=Q(event__in=Event.values), name="submission_event_known"),
            models.CheckConstraint(condition=Q(evidence__in=Evidence.values), name="submission_evidence_known"),
            # An accepted submission names its evidence.
            models.CheckConstraint(
                condition=~Q(state="accepted") | ~Q(evidence=""), name="submission_accepted_by_evidence"
            ),
            models.CheckConstraint(condition=Q(intent__in=Intent.values), name="submission_intent_known"),
            models.CheckConstraint(
                condition=Q(environment__in=Environment.values), name="submission_environment_known"
            ),
        ]
        indexes = [
            models.Index(fields=["environment", "id"], condition=Q(state=State.QUEUED), name="submission_queued"),
            # Of all states: SQLite never uses an index with a condition of several values.
            models.Index(fields=["environment", "part_of_oid", "state"], name="submission_below"),
            models.Index(fields=["environment"], condition=Q(is_proof=True), name="submission_proof"),
            models.Index(fields=["environment", "-id"], name="submission_newest"),
            models.Index(fields=["environment", "state", "-id"], name="submission_by_state"),
            models.Index(fields=["redox_message_id"], name="submission_by_message_id"),
            models.Index(fields=["redox_log_id"], name="submission_by_log_id"),
            models.Index(fields=["submitter", "-id"], name="submission_by_submitter"),
            models.Index(
                fields=["environment", "not_before"], condition=Q(state=State.UNKNOWN), name="submission_to_ask"
            ),
            models.Index(
                fields=["environment", "read_back_at"],
                condition=Q(read_back_at__isnull=False),
                name="submission_to_read_back",
            ),
        ]

    def __str__(self) -> str:
        return f"Submission {self.pk}: {self.event} of {self.oid}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def can_be_cancelled(self) -> bool:
        """Whether the message was certainly not sent, and no worker sends it now."""
        return self.state == State.AWAITING or (self.state == State.QUEUED and not self.may_have_been_sent)

    @property
    def fingerprint(self) -> str:
        """The first 12 digits of the message's SHA-256 in groups of four, for people to compare."""
        return " ".join(self.message_sha256[start : start + 4] for start in (0, 4, 8))

    def mirror_on(self, organization: Organization) -> list[str]:
        """Copy the columns of MIRRORED, which `open_work` needs, to the record. Returns the columns to save."""
        for column, source in MIRRORED.items():
            setattr(organization, column, getattr(self, source))
        return list(MIRRORED)

    def before_record(self) -> OrganizationRecord | None:
        return from_canonical(self.before) if self.before else None


def open_deactivation(organization: Organization) -> Submission | None:
    """The open submission that deactivates this record, or None."""
    last = organization.last_submission
    return last if last is not None and last.is_open and last.intent == Intent.DEACTIVATE else None
