"""Organization: one row for each record and environment."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When

from organizations import knowledge
from organizations.folding import name_key
from organizations.oid import Oid
from organizations.records import ADDRESS_LABELS, AddressRecord, OrganizationRecord, from_canonical

NAME_LENGTH = 200
TEXT_LENGTH = 200
OID_LENGTH = 64
SAME_COLUMNS = ("oid", "name", "active", "destination_id", "destination_known", "part_of_oid")
"""The fields of a record that are columns of the same name and value. The fields of its address are columns too."""


class Environment(models.TextChoices):
    """Two separate directories, each with its own records and credentials."""

    STAGING = "staging", "STAGING"
    PRODUCTION = "production", "PRODUCTION"

    @property
    def other(self) -> Environment:
        return Environment.PRODUCTION if self is Environment.STAGING else Environment.STAGING


class Presence(models.TextChoices):
    """Whether the OID is in the directory. New if never or absent, Update if present, neither if unknown."""

    NEVER = "never"
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Basis(models.TextChoices):
    """How the portal knows the presence."""

    NONE = "", "none"
    ACCEPTED = "accepted", "a message of ours was accepted"
    SEEN = "seen", "a Query showed it"
    STATED = "stated", "a person says so, with a reason"


class Evidence(models.TextChoices):
    """The evidence for an acceptance. EQUIVALENT comes from earlier releases: a Query showed no visible difference."""

    NONE = "", "nothing"
    ANSWER = "answer", "Redox's answer"
    QUERY = "query", "a Query showed what was sent"
    BOTH = "both", "Redox's answer and a Query"
    PERSON = "person", "a person's decision"
    EQUIVALENT = "equivalent", "a Query showed something equivalent"


class RecordKind(models.TextChoices):
    """What a record is: one location, or a patient index. It is only for people, and never sent."""

    NOT_SAID = "", "Not said"
    LOCATION = "location", "Physical location"
    PATIENT_INDEX = "patient_index", "Patient index (MPI)"


class DestinationSource(models.TextChoices):
    """How a person knows which destination ID a record from the directory has, or that it has none.

    No Query shows it.
    """

    MESSAGE = "message", "An old message"
    DASHBOARD = "dashboard", "The Redox dashboard"
    MEMORY = "memory", "Somebody's memory"
    NONE = "none", "It has none"


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def in_environment(self, environment: str) -> Self:
        return self.filter(environment=environment)

    def named(self, name: str) -> Self:
        """The records with this name in any spelling; none if folding removes the whole name."""
        key = name_key(name)
        return self.filter(name_key=key) if key else self.none()

    def with_oid(self, oid: str) -> Organization | None:
        """The record with this OID, in one environment. `first` would also sort, which doubles the time."""
        return next(iter(self.filter(oid=oid)[:1]), None)

    def to_do(self, key: str) -> Self:
        """The records with this key of OPEN_WORK. A record can have "directory_differs" in addition to another."""
        return self.filter(differs__gt=0) if key == "directory_differs" else self.filter(open_work=key)


STANDING_RULE = Case(
    When(presence=Presence.UNKNOWN, then=Value("unknown")),
    When(presence__in=(Presence.NEVER, Presence.ABSENT), then=Value("not_registered")),
    When(presence_basis=Basis.STATED, then=Value("stated")),
    When(presence_basis=Basis.SEEN, then=Value("seen")),
    When(confirmed_active=True, then=Value("active")),
    default=Value("deactivated"),
)
OPEN_WORK_RULE = Case(
    When(last_state="needs_person", then=Value("needs_person")),
    When(last_state="unknown", then=Value("unknown")),
    When(last_state="rejected", last_wanted_hash=F("wanted_hash"), then=Value("rejected")),
    When(last_state__in=("sending", "queued", "awaiting"), then=F("last_state")),
    When(changes__gt=0, then=Value("changes_not_sent")),
    default=Value(""),
)
"""The most urgent open work of a record's messages and edits. `differs` counts differences separately."""


class Organization(models.Model):
    """A record: the values saved here, what Redox last accepted, and what the directory last showed.

    The saved values are called wanted: they are what the directory should have.
    """

    environment = models.CharField(max_length=10, choices=Environment)
    oid = models.CharField(max_length=OID_LENGTH)
    oid_key = models.CharField(max_length=160, help_text="Sorts by arcs in any collation.")

    name = models.CharField(max_length=NAME_LENGTH)
    active = models.BooleanField(default=True)
    destination_id = models.CharField(max_length=36, blank=True, help_text="Empty if the record has none.")
    destination_known = models.BooleanField(
        default=True,
        help_text="False if the record was read from the directory, which does not show the destination ID.",
    )
    destination_source = models.CharField(
        max_length=10,
        choices=DestinationSource,
        blank=True,
        default="",
        help_text="How a person knows the destination ID. Empty if Redox accepted it, or if it is still to be sent.",
    )
    part_of_oid = models.CharField(max_length=OID_LENGTH)
    aliases = models.JSONField(default=list, blank=True)
    street = models.CharField(max_length=TEXT_LENGTH, blank=True)
    city = models.CharField(max_length=TEXT_LENGTH, blank=True)
    state = models.CharField(max_length=TEXT_LENGTH, blank=True)
    zip_code = models.CharField(max_length=20, blank=True)
    county = models.CharField(max_length=TEXT_LENGTH, blank=True)
    country = models.CharField(max_length=60, blank=True)
    carried = models.JSONField(
        default=dict,
        blank=True,
        help_text="Keys of the directory's record that have no field here. An Update sends those in SENT_BACK back.",
    )
    stands_for = models.CharField(
        max_length=20,
        choices=RecordKind,
        blank=True,
        default=RecordKind.NOT_SAID,
        help_text="The kind of record, as pages call it. Never sent.",
    )
    version = models.PositiveIntegerField(default=1)

    presence = models.CharField(max_length=10, choices=Presence, default=Presence.NEVER)
    presence_basis = models.CharField(max_length=10, choices=Basis, blank=True, default=Basis.NONE)
    presence_at = models.DateTimeField(null=True, blank=True)
    presence_reason = models.TextField(blank=True)

    confirmed = models.TextField(
        blank=True, help_text="Canonical JSON of what Redox last accepted, made from the submission's bytes."
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_active = models.BooleanField(null=True, blank=True)
    confirmed_part_of_oid = models.CharField(
        max_length=OID_LENGTH,
        blank=True,
        default="",
        help_text="PartOf as it was last accepted or taken, whatever is saved here.",
    )
    confirmed_version = models.PositiveIntegerField(
        default=0, help_text="The saved versions up to this one have nothing to send."
    )
    confirmed_submission = models.ForeignKey(
        "organizations.Submission", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_evidence = models.CharField(
        max_length=12, choices=Evidence, blank=True, default=Evidence.NONE, help_text="The evidence of the acceptance."
    )
    taken = models.TextField(
        blank=True,
        help_text="Canonical JSON of the values that a person took from the directory since the last acceptance. The"
        " next message is compared with them.",
    )
    known_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="A reading is newer than the accepted or taken values if its Query was sent at this time or later.",
    )
    seen = models.TextField(blank=True, help_text="Canonical JSON of the last understood answer to a Query.")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="When that Query was sent.")
    not_visible_yet = models.BooleanField(
        default=False,
        help_text="The last reading still showed the values from before the last acceptance. Nobody changed them.",
    )
    differs = models.PositiveIntegerField(
        default=0, help_text="The number of fields in which a later reading differs from the accepted or taken values."
    )
    shown_active = models.BooleanField(
        null=True, blank=True, help_text="Active in a later reading, if it differs from the accepted or taken value."
    )
    shown_part_of_oid = models.CharField(
        max_length=OID_LENGTH,
        blank=True,
        default="",
        help_text="PartOf in a later reading, if it differs from the accepted or taken value.",
    )
    added_as_other = models.BooleanField(
        default=False, help_text="An approver took it over although it is not ours by its OID or PartOf."
    )
    differs_since = models.DateTimeField(null=True, blank=True, help_text="When a reading first showed a difference.")
    foreign_since = models.DateTimeField(
        null=True, blank=True, help_text="When a person decided that the OID belongs to another organization."
    )
    foreign_name = models.CharField(
        max_length=NAME_LENGTH, blank=True, help_text="The name that the directory showed for that organization."
    )

    wanted_hash = models.CharField(max_length=64)
    changes = models.PositiveIntegerField(
        default=0, help_text="The number of fields with saved changes that were not sent."
    )

    staging_record = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="production_record"
    )
    last_submission = models.ForeignKey(
        "organizations.Submission", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    last_state = models.CharField(
        max_length=14, blank=True, default="", help_text="The state of the last submission, kept beside the record."
    )
    last_state_at = models.DateTimeField(null=True, blank=True, help_text="When the last submission entered its state.")
    last_wanted_hash = models.CharField(
        max_length=64, blank=True, default="", help_text="The wanted record when the last submission was settled."
    )
    standing = models.GeneratedField(
        expression=STANDING_RULE, output_field=models.CharField(max_length=14), db_persist=True
    )
    open_work = models.GeneratedField(
        expression=OPEN_WORK_RULE, output_field=models.CharField(max_length=16), db_persist=True
    )
    search_text = models.TextField(blank=True)
    name_key = models.CharField(
        max_length=32,
        blank=True,
        default="",
        help_text="Equal for the same name in any spelling; empty if folding leaves nothing of it.",
    )
    double_key = models.CharField(
        max_length=32,
        blank=True,
        default="",
        help_text="Equal for the same name and address; empty without an address.",
    )
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField()
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "oid"], name="organization_oid_once_per_environment"),
            models.CheckConstraint(
                condition=Q(environment__in=Environment.values), name="organization_environment_known"
            ),
            models.CheckConstraint(condition=Q(presence__in=Presence.values), name="organization_presence_known"),
            models.CheckConstraint(condition=Q(presence_basis__in=Basis.values), name="organization_basis_known"),
            models.CheckConstraint(
                condition=Q(confirmed_evidence__in=Evidence.values), name="organization_evidence_known"
            ),
            models.CheckConstraint(condition=~Q(part_of_oid=""), name="organization_part_of_something"),
            models.CheckConstraint(condition=~Q(part_of_oid=F("oid")), name="organization_not_part_of_itself"),
            models.CheckConstraint(
                condition=Q(staging_record=None) | Q(environment=Environment.PRODUCTION),
                name="organization_counterpart_side",
            ),
        ]
        indexes = [
            models.Index(fields=["environment", "part_of_oid", "oid_key"], name="organization_children"),
            models.Index(fields=["environment", "confirmed_part_of_oid"], name="organization_confirmed_below"),
            models.Index(fields=["environment", "shown_part_of_oid"], name="organization_shown_below"),
            models.Index(fields=["environment", "oid_key"], name="organization_by_oid"),
            models.Index(fields=["environment", "name"], name="organization_by_name"),
            models.Index(fields=["environment", "name_key"], name="organization_by_name_key"),
            models.Index(fields=["environment", "double_key"], name="organization_doubles"),
            # Not after the environment: SQLite would read all records of an environment in the order of this index.
            models.Index(fields=["zip_code"], name="organization_by_zip"),
            models.Index(fields=["environment", "destination_id", "name"], name="organization_by_destination"),
            models.Index(fields=["environment", "state", "oid_key"], name="organization_by_state"),
            models.Index(fields=["environment", "differs", "part_of_oid"], name="organization_differing"),
            # It includes the id, so that the database finds a late page without reading the rows.
            models.Index(fields=["environment", "confirmed_at", "oid_key", "id"], name="organization_by_acceptance"),
            # In the list's order, so that the database finds a page or a count without reading the rows.
            models.Index(fields=["environment", "standing", "oid_key", "id"], name="organization_by_standing"),
            models.Index(
                fields=["environment", "open_work", "oid_key", "id", "part_of_oid"], name="organization_by_work"
            ),
            models.Index(fields=["environment", "open_work", "last_state_at"], name="organization_work_since"),
            models.Index(fields=["environment", "open_work", "edited_by", "edited_at"], name="organization_work_of"),
            models.Index(fields=["environment", "presence", "seen_at"], name="organization_compared"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.oid}, {self.get_environment_display()})"

    @property
    def parsed_oid(self) -> Oid:
        return Oid(self.oid)

    @property
    def has_submission(self) -> bool:
        """Whether a submission of this record was ever made. If so, it cannot be withdrawn."""
        return self.last_submission_id is not None

    @property
    def can_change_oid(self) -> bool:
        """Whether the OID can change: nothing was accepted or found there, or it belongs to another organization."""
        if self.last_submission is not None and self.last_submission.is_open:
            return False
        return self.is_foreign or (not self.confirmed and self.presence in (Presence.NEVER, Presence.ABSENT))

    @property
    def is_deactivated(self) -> bool:
        """Whether the directory has the record, and Active = false was last accepted or taken from there."""
        return self.presence == Presence.PRESENT and self.confirmed_active is False

    @property
    def counterpart(self) -> Organization | None:
        if self.environment == Environment.PRODUCTION:
            return self.staging_record
        return getattr(self, "production_record", None)

    def parent(self) -> Organization | None:
        return Organization.objects.in_environment(self.environment).with_oid(self.part_of_oid)

    def record(self) -> OrganizationRecord:
        """The saved values as a neutral record."""
        return OrganizationRecord(
            **{name: getattr(self, name) for name in SAME_COLUMNS},
            aliases=tuple(self.aliases),
            identifiers=tuple(identifier.record() for identifier in self.identifiers.all()),
            contacts=tuple(contact.record() for contact in self.contacts.all()),
            address=AddressRecord(**{name: getattr(self, name) for name in ADDRESS_LABELS}),
            carried=tuple(sorted(self.carried.items())),
        )

    def fill_columns(self, record: OrganizationRecord) -> None:
        """Copy a record into the columns, without saving. Contacts and identifiers have their own rows."""
        for name in SAME_COLUMNS:
            setattr(self, name, getattr(record, name))
        for name in ADDRESS_LABELS:
            setattr(self, name, getattr(record.address, name))
        self.oid_key = Oid(record.oid).key
        self.aliases = list(record.aliases)
        self.carried = dict(record.carried)

    def confirmed_record(self) -> OrganizationRecord | None:
        """The record that Redox last accepted; None if it accepted none."""
        return from_canonical(self.confirmed) if self.confirmed else None

    def seen_record(self) -> OrganizationRecord | None:
        """The record in the last answer to a Query; None if the OID was not in it."""
        return from_canonical(self.seen) if self.seen else None

    def baseline_record(self) -> OrganizationRecord | None:
        """The record that saved changes are compared with: taken from the directory, else accepted, else None."""
        return from_canonical(self.taken) if self.taken else self.confirmed_record()

    def compared_record(self) -> OrganizationRecord | None:
        """The baseline, with the destination ID that a person entered when the record was taken over.

        No Query shows a destination ID. This one was not changed here, so no message has to change it.
        """
        baseline = self.baseline_record()
        if baseline is None or baseline.destination_known or not self.destination_source:
            return baseline
        return replace(baseline, destination_id=self.destination_id, destination_known=True)

    def later_reading(self) -> OrganizationRecord | None:
        """The record in a reading after the baseline; None without such a reading, or if it did not show the OID."""
        return self.seen_record() if self.is_read_later and not self.not_visible_yet else None

    def newest_record(self) -> OrganizationRecord | None:
        """The newest known value of each field, with which the next message is compared; None if nothing is known."""
        compared, seen = self.compared_record(), self.later_reading()
        if compared is None or seen is None:
            return compared or seen
        return knowledge.newest(compared, seen)

    @property
    def is_read_later(self) -> bool:
        """Whether the last reading is newer than what was accepted or taken."""
        return self.seen_at is not None and (self.known_at is None or self.seen_at >= self.known_at)

    @property
    def is_missing(self) -> bool:
        """Whether the directory had the record, but a reading after the last acceptance did not show its OID."""
        was_there = self.presence == Presence.PRESENT or self.baseline_record() is not None
        return self.is_read_later and not self.seen and not self.not_visible_yet and was_there

    @property
    def is_there_unclaimed(self) -> bool:
        """Whether the directory showed the OID, but no message of this record was accepted. A person decides."""
        is_unregistered = self.presence in (Presence.NEVER, Presence.ABSENT) and not self.is_foreign
        is_newer = self.seen_at is not None and (self.presence_at is None or self.seen_at >= self.presence_at)
        return is_unregistered and is_newer and self.is_read_later and bool(self.seen)

    @property
    def makes_others_ours(self) -> bool:
        """Whether an organization that is part of this record in the directory is ours.

        Not if only an approver called this record ours: the next one needs an approver too.
        """
        return self.presence == Presence.PRESENT and not self.is_foreign and not self.added_as_other

    @property
    def is_foreign(self) -> bool:
        """Whether a person decided that the OID belongs to another organization: nothing is sent to it."""
        return self.foreign_since is not None
