"""Bulk sending: several records that are reviewed, sent, paused and stopped together."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .organization import Environment


class PlanKind(models.TextChoices):
    """What a plan does: send the saved changes of each record, or deactivate each record."""

    SEND = "send", "Send"
    DEACTIVATE = "deactivate", "Deactivate"


class PlanState(models.TextChoices):
    """What a person or the portal last set. A plan without open submissions is finished."""

    GOING = "going", "Going"
    PAUSED = "paused", "Paused"
    STOPPED = "stopped", "Stopped"


class Plan(models.Model):
    """One bulk action. It is stored together with all its submissions."""

    environment = models.CharField(max_length=10, choices=Environment)
    kind = models.CharField(max_length=12, choices=PlanKind)
    sha256 = models.CharField(
        max_length=64,
        unique=True,
        help_text="Hash of all records and messages, so that a second click finds the first plan.",
    )
    reason = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="plans")
    made_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=PlanState, default=PlanState.GOING)
    state_reason = models.TextField(blank=True, help_text="Why it is paused or was stopped.")
    state_at = models.DateTimeField(help_text="When it entered this state.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(environment__in=Environment.values), name="plan_environment_known"),
            models.CheckConstraint(condition=Q(kind__in=PlanKind.values), name="plan_kind_known"),
            models.CheckConstraint(condition=Q(state__in=PlanState.values), name="plan_state_known"),
        ]

    def __str__(self) -> str:
        return f"Plan {self.pk}"
