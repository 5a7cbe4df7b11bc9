"""Take-overs: lists of organizations that were registered outside the portal and become records here."""

from __future__ import annotations

import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from organizations.records import OrganizationRecord, from_canonical

from .organization import NAME_LENGTH, OID_LENGTH, DestinationSource, Environment, Organization
from .user import User


class TakeOverKind(models.TextChoices):
    """Where the OIDs come from."""

    OIDS = "oids", "OIDs that somebody entered"
    MESSAGES = "messages", "Old messages"
    SCAN = "scan", "A search through the whole directory"


class TakeOverState(models.TextChoices):
    """ASKING: the worker queries. READY: a person decides what happens next. TAKING: the worker adds records."""

    ASKING = "asking", "Asking the directory"
    READY = "ready", "Ready"
    TAKING = "taking", "Adding records"


_READING_PAGES = ~Q(position={}) & Q(end_reason="")


class TakeOverQuerySet(models.QuerySet["TakeOver"]):
    def in_progress(self, environment: str) -> Self:
        """Take-overs that a worker must still work on."""
        return self.filter(environment=environment, state__in=(TakeOverState.ASKING, TakeOverState.TAKING))

    def asking_by_oid(self, environment: str) -> Self:
        """Those that ask OID by OID now, the oldest first. A scan does so at its own pace, after its last page."""
        return self.filter(environment=environment, state=TakeOverState.ASKING).past_pages().order_by("pk")

    def free(self, environment: str, state: TakeOverState, moment: datetime.datetime) -> Self:
        """Take-overs in this state that no worker has leased, the oldest first."""
        in_state = self.filter(environment=environment, state=state)
        return in_state.filter(Q(lease_until=None) | Q(lease_until__lte=moment)).order_by("pk")

    def scans(self) -> Self:
        return self.filter(kind=TakeOverKind.SCAN)

    def lists(self) -> Self:
        """Take-overs of OIDs or messages that a person entered."""
        return self.exclude(kind=TakeOverKind.SCAN)

    def reading_pages(self) -> Self:
        """Take-overs that still read pages of the whole directory."""
        return self.filter(_READING_PAGES)

    def past_pages(self) -> Self:
        """Take-overs that read no page any more, or never did."""
        return self.exclude(_READING_PAGES)


class TakeOver(models.Model):
    """One list of OIDs that a person wants to take over. The worker asks the directory about each and adds the records.

    It survives a restart: a worker leases a page or an OID and continues where the last one ended.
    """

    environment = models.CharField(max_length=10, choices=Environment)
    kind = models.CharField(max_length=10, choices=TakeOverKind)
    state = models.CharField(max_length=10, choices=TakeOverState, default=TakeOverState.ASKING)
    state_at = models.DateTimeField(help_text="When it entered this state.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    base_oids = models.JSONField(
        default=list,
        help_text="OIDs below which an organization is ours: from the settings, or entered by an approver.",
    )
    problems = models.JSONField(default=list, blank=True, help_text="What could not be read: source and sentence.")
    position = models.JSONField(
        default=dict, blank=True, help_text="Of a search through the directory: where the next page begins."
    )
    read_count = models.PositiveIntegerField(
        default=0, help_text="Of a search through the directory: how many organizations were read."
    )
    asks_probes = models.BooleanField(
        default=True, help_text="Of a search through the directory: whether it asks about the next OIDs below records."
    )
    probed_until = models.CharField(
        max_length=160,
        blank=True,
        default="",
        help_text="The key of the last OID below which the search asks about the next OIDs.",
    )
    probes_added = models.PositiveIntegerField(
        default=0, help_text="How many of these OIDs were added since the last page."
    )
    probes_total = models.PositiveIntegerField(
        default=0, help_text="How many of these OIDs there are, as far as it is known."
    )
    end_reason = models.TextField(blank=True, help_text="Why it stopped asking, if that was not the end of the list.")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lease_until = models.DateTimeField(
        null=True, blank=True, help_text="Of a search through the directory: until then one worker reads the next page."
    )
    token = models.PositiveIntegerField(default=0, help_text="Counts the leases: an earlier one stores nothing.")

    objects = TakeOverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(environment__in=Environment.values), name="take_over_environment_known"),
            models.CheckConstraint(condition=Q(kind__in=TakeOverKind.values), name="take_over_kind_known"),
            models.CheckConstraint(condition=Q(state__in=TakeOverState.values), name="take_over_state_known"),
        ]
        indexes = [models.Index(fields=["environment", "state", "id"], name="take_over_by_state")]

    def __str__(self) -> str:
        return f"Take-over {self.pk}"

    @property
    def acts_for(self) -> User:
        """For whom the worker asks and adds records: who last chose records or asked again, else who began it."""
        return self.taken_by or self.made_by

    @property
    def is_reading_pages(self) -> bool:
        """Whether it still reads pages of the whole directory."""
        return bool(self.position) and not self.end_reason

    @property
    def probes_left(self) -> int:
        """How many OIDs below records a search still has to add before it can ask about them."""
        return self.probes_total - self.probes_added


class CandidateState(models.TextChoices):
    """WAITING: not asked yet. HERE: the OID is a record of the portal. REFUSED: it could not be added or read."""

    WAITING = "waiting", "Waiting"
    FOUND = "found", "Found"
    ABSENT = "absent", "Not found"
    UNANSWERED = "unanswered", "No answer"
    HERE = "here", "In the portal"
    CHOSEN = "chosen", "Being added"
    TAKEN = "taken", "Taken over"
    REFUSED = "refused", "Not taken over"


PROBE = "probe"
"""The source of an OID that the portal asks for because it is below a record of ours."""
NOT_SHOWN = (CandidateState.WAITING, CandidateState.ABSENT, CandidateState.UNANSWERED)


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def listed(self) -> Self:
        """Candidates without the probes that found nothing: the portal only guessed these OIDs."""
        return self.exclude(source=PROBE, state__in=NOT_SHOWN)

    def probes(self, *states: CandidateState) -> Self:
        return self.filter(source=PROBE, state__in=states)

    def to_ask_again(self) -> Self:
        """Those that got no answer, were not found, or could not be read."""
        is_unreadable = Q(state=CandidateState.REFUSED, seen="")
        return self.filter(Q(state__in=(CandidateState.UNANSWERED, CandidateState.ABSENT)) | is_unreadable)

    def waiting(self) -> Self:
        return self.filter(state=CandidateState.WAITING).order_by("position")

    def to_ask(self, environment: str, moment: datetime.datetime) -> Self:
        """Those of lists that wait and that no worker asks about now, in the order of the lists."""
        lists = TakeOver.objects.asking_by_oid(environment).lists()
        free = self.filter(take_over__in=lists).free_to_ask(moment)
        return free.order_by("take_over_id", "position")

    def free_to_ask(self, moment: datetime.datetime) -> Self:
        """Those that wait and that no worker asks about now."""
        return self.waiting().filter(Q(lease_until=None) | Q(lease_until__lte=moment))

    def chosen(self) -> Self:
        """In the order of their OIDs, so that a parent comes before the organizations below it."""
        return self.filter(state=CandidateState.CHOSEN).order_by("oid_key")


class Candidate(models.Model):
    """One OID of a take-over: its source, what the directory showed of it, and whether it became a record."""

    take_over = models.ForeignKey(TakeOver, on_delete=models.CASCADE, related_name="candidates")
    position = models.PositiveIntegerField()
    oid = models.CharField(max_length=OID_LENGTH)
    oid_key = models.CharField(max_length=160)
    source = models.CharField(max_length=300, blank=True, help_text="For people: the line or the old message.")
    state = models.CharField(max_length=10, choices=CandidateState, default=CandidateState.WAITING)
    sentence = models.TextField(blank=True, help_text="Why it is in this state, if that needs a reason.")
    name = models.CharField(max_length=NAME_LENGTH, blank=True, help_text="From the directory or the old message.")
    part_of_oid = models.CharField(max_length=OID_LENGTH, blank=True, help_text="From the directory.")
    active = models.BooleanField(null=True, blank=True, help_text="From the directory.")
    destination_id = models.CharField(max_length=36, blank=True)
    destination_source = models.CharField(
        max_length=10,
        choices=DestinationSource,
        blank=True,
        help_text="Empty while nobody said which destination ID the organization has.",
    )
    message = models.TextField(blank=True, help_text="Canonical JSON of the record in the old message.")
    seen = models.TextField(blank=True, help_text="Canonical JSON of the directory's answer.")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the directory was asked.")
    organization = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until then one worker asks about it.")
    token = models.PositiveIntegerField(default=0, help_text="Counts the leases: an earlier one stores nothing.")

    objects = CandidateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["take_over", "oid"], name="candidate_oid_once"),
            models.CheckConstraint(condition=Q(state__in=CandidateState.values), name="candidate_state_known"),
        ]
        indexes = [models.Index(fields=["take_over", "state", "position"], name="candidate_by_state")]

    def __str__(self) -> str:
        return f"{self.oid} of take-over {self.take_over_id}"

    def seen_record(self) -> OrganizationRecord | None:
        """The record that the directory showed, if it showed the OID."""
        return from_canonical(self.seen) if self.seen else None

    def message_record(self) -> OrganizationRecord | None:
        """The record in the old message, if there is one."""
        return from_canonical(self.message) if self.message else None
