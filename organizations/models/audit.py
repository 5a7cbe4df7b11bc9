"""The history: append-only facts, chained by hashes."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Self

from django.db import models
from django.db.models import Q


class Action(models.TextChoices):
    """All actions in the history, by their stored names."""

    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_EDITED = "organization.edited"
    ORGANIZATION_DISCARDED = "organization.discarded"
    ORGANIZATION_WITHDRAWN = "organization.withdrawn"
    ORGANIZATION_DEACTIVATION_WANTED = "organization.deactivation_wanted"
    ORGANIZATION_REACTIVATION_WANTED = "organization.reactivation_wanted"
    ORGANIZATION_CONFIRMED = "organization.confirmed"
    ORGANIZATION_ACTIVE_RETURNED = "organization.active_returned"
    ORGANIZATION_STATED = "organization.stated"
    ORGANIZATION_UNSTATED = "organization.unstated"
    ORGANIZATION_SEEN = "organization.seen"
    ORGANIZATION_ASKED = "organization.asked"
    ORGANIZATION_TAKEN = "organization.taken"
    # Somebody decided whose an OID is: ours (again, after it was decided to be foreign), ours, or foreign.
    ORGANIZATION_REOPENED = "organization.reopened"
    ORGANIZATION_CLAIMED = "organization.claimed"
    ORGANIZATION_DISCLAIMED = "organization.disclaimed"
    ORGANIZATION_LINKED = "organization.linked"
    ORGANIZATION_UNLINKED = "organization.unlinked"
    SUBMISSION_MADE = "submission.made"
    SUBMISSION_APPROVED = "submission.approved"
    SUBMISSION_RETURNED = "submission.returned"
    SUBMISSION_VOIDED = "submission.voided"
    SUBMISSION_CANCELLED = "submission.cancelled"
    SUBMISSION_ASKED = "submission.asked"
    SUBMISSION_SETTLED = "submission.settled"
    PLAN_MADE = "plan.made"
    PLAN_PAUSED = "plan.paused"
    PLAN_RESUMED = "plan.gone_on"
    PLAN_STOPPED = "plan.stopped"
    ATTEMPT_INTENT = "attempt.intent"
    ATTEMPT_RESPONSE = "attempt.response"
    ATTEMPT_OUTCOME = "attempt.outcome"
    ATTEMPT_LATE = "attempt.late"
    DIRECTORY_SEARCHED = "directory.searched"
    ENVIRONMENT_STOPPED = "environment.stopped"
    ENVIRONMENT_PAUSED = "environment.held"
    ENVIRONMENT_RESUMED = "environment.released"
    ENVIRONMENT_CHECKED = "environment.checked"
    DIRECTORY_ASKED = "directory.asked"
    DIRECTORY_SCANNED = "directory.scanned"
    TAKE_OVER_BEGUN = "take_over.begun"
    TAKE_OVER_STOPPED = "take_over.stopped"
    TAKE_OVER_DESTINATIONS = "take_over.destinations"
    TAKE_OVER_CHOSEN = "take_over.chosen"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_SIGNED_OUT = "person.signed_out"
    PERSON_REFUSED = "person.refused"
    PERSON_CHANGED = "person.changed"
    PERMISSION_REFUSED = "permission.refused"
    EXPORT_MADE = "export.made"
    SETTINGS_SEEN = "settings.seen"


EDITS = (Action.ORGANIZATION_CREATED, Action.ORGANIZATION_EDITED)
ABOUT_A_RECORD = tuple(action for action in Action if action.startswith("organization."))
"""Actions whose entry contains the whole wanted record afterwards."""


# The last of these decides to whom an OID belongs.
ABOUT_AN_OID = (
    Action.ORGANIZATION_DISCLAIMED,
    Action.ORGANIZATION_REOPENED,
    Action.ORGANIZATION_CLAIMED,
    Action.SUBMISSION_SETTLED,
)
QUERIES_LOOKED_AT = 10


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def of_organization(self, organization_id: int) -> Self:
        return self.filter(organization_id=organization_id).order_by("-sequence")

    def of_submission(self, submission_id: int) -> Self:
        return self.filter(submission_id=submission_id).order_by("sequence")

    def edits_since(self, organization_id: int, version: int) -> Self:
        """Edits of a record after a version, oldest first: those whose changes are not accepted yet."""
        return self.filter(organization_id=organization_id, action__in=EDITS, version_after__gt=version).order_by(
            "sequence"
        )

    def wanted_at(self, organization_id: int, version: int) -> AuditEntry | None:
        """The entry with the wanted record at a version. A submission made from it may contain less."""
        entries = self.filter(organization_id=organization_id, version_after=version, action__in=ABOUT_A_RECORD)
        return entries.order_by("sequence").last()

    def decided_foreign(self, organization_id: int, oid: str) -> AuditEntry | None:
        """The decision in force that an OID of this record belongs to another organization, or None."""
        last = self.of_organization(organization_id).filter(oid=oid, action__in=ABOUT_AN_OID).first()
        if last is None or last.action == Action.ORGANIZATION_DISCLAIMED:
            return last
        return last if last.facts.get("details", {}).get("verdict") == "foreign" else None

    def last_answer_about(self, environment: str, oid: str) -> AuditEntry | None:
        """The last answer of the directory about an OID that was not a record here yet; None if nobody asked."""
        asked = self.filter(environment=environment, oid=oid, action=Action.DIRECTORY_ASKED)
        for entry in asked.order_by("-sequence").defer("raw")[:QUERIES_LOOKED_AT]:
            details = entry.facts.get("details", {})
            # A Query with the filter Active does not decide alone.
            if details.get("asked") and "active" not in details:
                return entry
        return None

    def had_unknown_before(self, submission_id: int, attempt: int) -> bool:
        """Whether an earlier attempt ended unknown. Then its message may be why the OID "already exists"."""
        if attempt < 2:
            return False
        earlier = self.filter(submission_id=submission_id, action=Action.ATTEMPT_OUTCOME, attempt__lt=attempt)
        return earlier.filter(outcome="unknown").exists()

    def attempt_entry(self, submission_id: int, attempt: int, action: Action) -> AuditEntry | None:
        return self.filter(submission_id=submission_id, attempt=attempt, action=action).order_by("-sequence").first()


class AuditEntry(models.Model):
    """One fact: who did or received what, when, about which record.

    `body` holds the whole fact. The columns from `at` to `search_text` repeat parts of it, for searching.
    """

    sequence = models.BigIntegerField(primary_key=True)
    body = models.BinaryField(help_text="Canonical JSON. The hash is computed from these bytes.")
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64)

    at = models.DateTimeField(db_index=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    environment = models.CharField(max_length=10, blank=True)
    oid = models.CharField(max_length=64, blank=True)
    organization_id = models.BigIntegerField(null=True, blank=True)
    version_after = models.PositiveIntegerField(null=True, blank=True)
    submission_id = models.BigIntegerField(null=True, blank=True)
    attempt = models.PositiveIntegerField(null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True, help_text="The kind of the outcome.")
    request_id = models.CharField(max_length=40, blank=True)
    search_text = models.TextField(blank=True)
    raw = models.BinaryField(null=True, blank=True, help_text="The raw request or response, at most 1 MiB.")
    raw_cut = models.BooleanField(default=False)

    objects = AuditQuerySet.as_manager()

    class Meta:
        # No check constraint lists the actions: on SQLite each new action would rebuild the largest table.
        constraints = [
            *(
                models.UniqueConstraint(
                    fields=["submission_id", "attempt"], condition=Q(action=action), name=f"audit_one_{name}_an_attempt"
                )
                for name, action in (("intent", Action.ATTEMPT_INTENT), ("outcome", Action.ATTEMPT_OUTCOME))
            ),
        ]
        indexes = [
            models.Index(fields=["organization_id", "-sequence"], name="audit_by_organization"),
            models.Index(fields=["submission_id", "attempt"], name="audit_by_submission"),
            models.Index(fields=["action", "-sequence"], name="audit_by_action"),
            models.Index(fields=["actor_id", "-sequence"], name="audit_by_actor"),
            models.Index(fields=["environment", "oid", "-sequence"], name="audit_by_oid"),
            # With the time, so that a search for old entries skips the newer ones without reading the rows.
            models.Index(fields=["outcome", "-sequence", "at"], name="audit_by_outcome_and_time"),
        ]

    def __str__(self) -> str:
        return f"Entry {self.sequence}: {self.action}"

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The body, parsed. Do not change it: everybody gets the same object."""
        parsed: dict[str, Any] = json.loads(bytes(self.body))
        return parsed


class AuditHead(models.Model):
    """One row with the last sequence and hash. It is locked before appending, so the chain has no gap and no fork."""

    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"Head at {self.sequence}"
