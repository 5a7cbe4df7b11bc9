"""What tests of delivery do again and again."""

from dataclasses import replace
from typing import Any

from organizations.models import (
    AuditEntry,
    Organization,
    Submission,
    User,
)
from organizations.practice import PracticeDirectory
from organizations.services import delivery, organizations
from organizations.services.actors import system
from tests import factories
from tests.factories import BASE, acting


def deliver(environment: str = "staging") -> bool:
    return delivery.deliver_next(environment, actor=system("Worker test"))


def fresh(made: Organization) -> Organization:
    return Organization.objects.with_words().get(pk=made.pk)


def accepted(user: User, oid: str = BASE, **values: Any) -> Organization:
    made = factories.organization(oid, user=user, **values)
    factories.submission(made, user=user)
    assert deliver()
    return fresh(made)


def edit(made: Organization, user: User, **values: object) -> Organization:
    made = fresh(made)
    record = replace(made.record(), **values)  # type: ignore[arg-type]
    return organizations.edit(made.pk, made.version, record, stands_for="", actor=acting(user))


def actions_of(submission: Submission) -> list[str]:
    return list(AuditEntry.objects.of_submission(submission.pk).values_list("action", flat=True))


def sent(practice: PracticeDirectory) -> list[bytes]:
    return [request.body for request in practice.requests if request.path == "/endpoint"]
