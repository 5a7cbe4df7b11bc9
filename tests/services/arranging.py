"""Records that a warning is about, or is not: each is made when its row is tested."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils import timezone

from organizations.models import Organization, User
from organizations.records import OrganizationRecord
from organizations.services.directory import differences
from organizations.services.records import counterparts, directory_state, organizations
from tests import factories
from tests.factories import BASE, acting

PIER = "2.16.840.1.113883.3.6147.458.99999.1.10.1.7"

type Arrange = Callable[[User], Organization]


def made(oid: str = BASE, **values: Any) -> Arrange:
    return lambda user: factories.organization(oid, user=user, **values)


def after(*before: Arrange, then: Arrange) -> Arrange:
    def arrange(user: User) -> Organization:
        for each in before:
            each(user)
        return then(user)

    return arrange


def confirmed(arrange: Arrange, **values: object) -> Arrange:
    """The same, accepted by Redox and then edited."""

    def arranged(user: User) -> Organization:
        return factories.confirmed(arrange(user))

    return edited(arranged, **values) if values else arranged


def edited(arrange: Arrange, **values: object) -> Arrange:
    def arranged(user: User) -> Organization:
        found = arrange(user)
        record = replace(found.record(), **values)  # type: ignore[arg-type]
        return organizations.edit(found.pk, found.version, record, stands_for="", actor=acting(user))

    return arranged


def shown(arrange: Arrange, **values: object) -> Arrange:
    """The same, and a later reading that shows it with these values."""
    return _read(arrange, lambda found: replace(found.record(), destination_known=False, **values))  # type: ignore[arg-type]


def missing(arrange: Arrange) -> Arrange:
    """The same, and a later reading that does not show it."""
    return _read(arrange, lambda found: None)


def _read(arrange: Arrange, reading: Callable[[Organization], OrganizationRecord | None]) -> Arrange:
    asked_at = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)

    def arranged(user: User) -> Organization:
        found = arrange(user)
        found.known_at = asked_at
        found.save()
        directory_state.keep_reading(found, reading(found), asked_at)
        return found

    return arranged


def found_present(arrange: Arrange) -> Arrange:
    """Never accepted, and by a person's decision there with other values."""

    def arranged(user: User) -> Organization:
        found = arrange(user)
        there = replace(found.record(), name="By hand", destination_known=False)
        directory_state.keep_reading(found, there, timezone.now())
        directory_state.mark_present(found, there, timezone.now())
        return found

    return arranged


def by_another(arrange: Arrange, last_name: str = "Two") -> Arrange:
    return lambda _: arrange(factories.UserFactory(role="editor", first_name="Editor", last_name=last_name))


def in_production(staging: Arrange) -> Arrange:
    """The counterpart in PRODUCTION of a record of STAGING."""

    def arranged(user: User) -> Organization:
        found = made(PIER, environment="production")(user)
        counterparts.link(staging(user), found, actor=acting(user))
        return found

    return arranged


def taken_over(user: User) -> Organization:
    """A record of STAGING as its directory showed it."""
    return organizations.take_over(factories.record(), "staging", actor=acting(user))


def stated(arrange: Arrange) -> Arrange:
    def arranged(user: User) -> Organization:
        return organizations.state_registered(arrange(user).pk, reason="Sent with curl.", actor=acting(user))

    return arranged


def taken(arrange: Arrange) -> Arrange:
    """The same, and somebody took what the directory showed."""

    def arranged(user: User) -> Organization:
        found = arrange(user)
        return differences.take_theirs(found.pk, found.version, reason="Seen", actor=acting(user))

    return arranged


def with_presence(arrange: Arrange, presence: str) -> Arrange:
    def arranged(user: User) -> Organization:
        found = arrange(user)
        Organization.objects.filter(pk=found.pk).update(presence=presence)
        return found

    return arranged
