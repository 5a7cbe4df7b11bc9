"""The heartbeat of a worker, and what it logs."""

from dataclasses import replace

import pytest
from django.test import override_settings
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    State,
    Submission,
    User,
    Worker,
)
from organizations.practice import PracticeDirectory
from organizations.services import installation
from organizations.services.actors import Actor
from organizations.services.delivery import heartbeat, query, workers
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.services.sending import as_query_shows, register_in_practice

pytestmark = pytest.mark.one_database

SOME_UUID = "7f296bb4-83fd-498d-92f3-a76960648788"


def test_a_worker_sends_heartbeats_and_delivers(practice: PracticeDirectory, editor: User, worker: Actor) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    heartbeat.record_heartbeat("Worker test", timezone.now())
    assert Worker.objects.get().settings_fingerprint == heartbeat.settings_fingerprint()
    assert workers.run_once(worker)
    assert Submission.objects.get().state == State.ACCEPTED
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_SOURCE_ID=SOME_UUID)):
        assert Worker.objects.get().settings_fingerprint != heartbeat.settings_fingerprint()


def test_settings_are_logged_only_when_they_change(practice: PracticeDirectory, worker: Actor) -> None:
    for _ in range(2):
        installation.log_settings(worker)
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_SOURCE_ID=SOME_UUID)):
        installation.log_settings(worker)

    entries = AuditEntry.objects.filter(action=Action.SETTINGS_SEEN).order_by("sequence")
    assert [entry.facts["details"]["staging"]["source_id"] for entry in entries] == ["", SOME_UUID]
    assert all("staging-token" not in bytes(entry.body).decode() for entry in entries)


def test_a_query_shows_only_the_oid_that_was_asked_for(practice: PracticeDirectory, editor: User) -> None:
    register_in_practice(practice, factories.accepted(user=editor))
    record = query.query_oid("staging", BASE).record
    assert record is not None
    assert replace(record, carried=()) == as_query_shows(factories.record())
    assert query.query_oid("staging", f"{BASE}.9").record is None
