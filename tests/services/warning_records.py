"""Builders of records for the tables of warnings. A record is created when its row is tested."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils import timezone

from organizations.models import Organization, User
from organizations.records import ENDPOINTS_LEFT_OUT, OrganizationRecord
from organizations.services.directory import differences
from organizations.services.records import counterparts, directory_state, organizations, statements
from organizations.services.review import reviews
from organizations.services.review.warnings import ReviewWarning
from tests import factories
from tests.factories import BASE, as_actor

PIER = "2.16.840.1.113883.3.6147.458.99999.1.10.1.7"

type Arrange = Callable[[User], Organization]


def new_record(oid: str = BASE, **values: Any) -> Arrange:
    return lambda user: factories.organization(oid, user=user, **values)


def after(*before: Arrange, then: Arrange) -> Arrange:
    def arrange(user: User) -> Organization:
        for each in before:
            each(user)
        return then(user)

    return arrange


def accepted_record(arrange: Arrange, **values: object) -> Arrange:
    """The same record, accepted by Redox and then edited with these values."""

    def arranged(user: User) -> Organization:
        return factories.accept(arrange(user))

    return edited(arranged, **values) if values else arranged


def edited(arrange: Arrange, **values: object) -> Arrange:
    def arranged(user: User) -> Organization:
        organization = arrange(user)
        record = replace(organization.record(), **values)  # type: ignore[arg-type]
        return organizations.edit(organization.pk, organization.version, record, stands_for="", actor=as_actor(user))

    return arranged


def shown_with(arrange: Arrange, **values: object) -> Arrange:
    """The same record, and a later Query that shows it with these values."""
    return _read(arrange, lambda organization: replace(organization.record(), destination_known=False, **values))  # type: ignore[arg-type]


def missing(arrange: Arrange) -> Arrange:
    """The same record, and a later Query that does not show it."""
    return _read(arrange, lambda organization: None)


def _read(arrange: Arrange, reading: Callable[[Organization], OrganizationRecord | None]) -> Arrange:
    asked_at = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)

    def arranged(user: User) -> Organization:
        organization = arrange(user)
        organization.known_at = asked_at
        organization.save()
        directory_state.store_reading(organization, reading(organization), asked_at)
        return organization

    return arranged


def claimed_by_decision(arrange: Arrange) -> Arrange:
    """The same record, never accepted. A person decided that it is in the directory, with another name."""

    def arranged(user: User) -> Organization:
        organization = arrange(user)
        record_there = replace(organization.record(), name="By hand", destination_known=False)
        directory_state.store_reading(organization, record_there, timezone.now())
        directory_state.mark_present(organization, record_there, timezone.now())
        return organization

    return arranged


def by_another_editor(arrange: Arrange, last_name: str = "Two") -> Arrange:
    return lambda _: arrange(factories.UserFactory(role="editor", first_name="Editor", last_name=last_name))


def in_production(staging: Arrange) -> Arrange:
    """The counterpart in PRODUCTION of this record of STAGING."""

    def arranged(user: User) -> Organization:
        organization = new_record(PIER, environment="production")(user)
        counterparts.link(staging(user), organization, actor=as_actor(user))
        return organization

    return arranged


def taken_over(user: User) -> Organization:
    """A record of STAGING that was taken over from the directory."""
    return factories.seen_organization(factories.record(), user=user)


def stated_as_registered(arrange: Arrange) -> Arrange:
    def arranged(user: User) -> Organization:
        return statements.state_registered(arrange(user).pk, reason="Sent with curl.", actor=as_actor(user))

    return arranged


def with_directory_values(arrange: Arrange) -> Arrange:
    """The same record, after somebody took the values of the directory."""

    def arranged(user: User) -> Organization:
        organization = arrange(user)
        return differences.take_directory_values(
            organization.pk, organization.version, reason="Seen", actor=as_actor(user)
        )

    return arranged


def with_presence(arrange: Arrange, presence: str) -> Arrange:
    def arranged(user: User) -> Organization:
        organization = arrange(user)
        Organization.objects.filter(pk=organization.pk).update(presence=presence)
        return organization

    return arranged


def warnings_of(organization: Organization, user: User) -> list[ReviewWarning]:
    """The warnings that this person reads now."""
    return list(reviews.review(Organization.objects.get(pk=organization.pk), actor=as_actor(user)).warnings)


def with_endpoints_left_out(arrange: Arrange) -> Arrange:
    """The same record with endpoints of an old message, of which a password was left out."""

    def arranged(user: User) -> Organization:
        organization = arrange(user)
        organization.carried = {"Endpoints": '[{"Url":"https://a.example"}]', ENDPOINTS_LEFT_OUT: '["password"]'}
        organization.save()
        return organization

    return arranged
