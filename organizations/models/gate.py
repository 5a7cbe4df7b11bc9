"""Rows that control sending: a circuit breaker for each environment, the installation, the workers."""

import datetime
import uuid

from django.db import models

from .organization import Environment


class EnvironmentGate(models.Model):
    """The circuit breaker of one environment.

    Closed: messages are sent. Open: nothing is sent; sending is stopped until a person resumes it (`stopped_at`) or
    paused until a time (`hold_until`). Half-open (`probing`): the first exchange after a pause for failures is a Query,
    whose answer closes or opens the breaker.
    """

    environment = models.CharField(max_length=10, choices=Environment, primary_key=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_reason = models.TextField(blank=True)
    hold_until = models.DateTimeField(null=True, blank=True)
    hold_reason = models.TextField(blank=True)
    hold_asked_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Redox asked to wait until then: nothing is sent before, not even a Query or a token request.",
    )
    failures = models.PositiveIntegerField(default=0, help_text="Exchanges in a row that Redox did not answer.")
    probing = models.BooleanField(
        default=False, help_text="Half-open after failures in a row: the first exchange is a Query, never a write."
    )
    is_restored = models.BooleanField(
        default=False,
        help_text="The restored database is older than what was sent. Open submissions are queried on resume.",
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.CharField(max_length=150, blank=True)
    check_succeeded = models.BooleanField(null=True, blank=True)
    check_facts = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"Circuit breaker of {self.get_environment_display()}"

    @property
    def is_stopped(self) -> bool:
        return self.stopped_at is not None

    def is_paused(self, moment: datetime.datetime) -> bool:
        """Whether sending waits until a later time, for any reason."""
        return self.hold_until is not None and self.hold_until > moment

    def is_asked_to_wait(self, moment: datetime.datetime) -> bool:
        """Whether Redox itself asked to wait until a later time."""
        return self.hold_asked_until is not None and self.hold_asked_until > moment

    def can_send(self, moment: datetime.datetime) -> bool:
        """Whether a New or an Update may be sent: the circuit breaker is closed."""
        waits = self.is_paused(moment) or self.is_asked_to_wait(moment)
        return not self.is_stopped and not self.probing and not waits


class Installation(models.Model):
    """The one row for the whole installation."""

    demonstration = models.BooleanField(
        default=False, help_text="Marks a demonstration database: it sends to this machine only."
    )
    next_send_at = models.DateTimeField(null=True, blank=True)
    key = models.UUIDField(default=uuid.uuid4, help_text="Identifies this database and the backups made from it.")

    def __str__(self) -> str:
        return "Installation"


class Worker(models.Model):
    """A process that delivers. It updates `seen_at` while it runs."""

    name = models.CharField(max_length=100, unique=True)
    release = models.CharField(max_length=40)
    settings_fingerprint = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="When it ended normally.")

    def __str__(self) -> str:
        return self.name
