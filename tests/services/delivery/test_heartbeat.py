"""The heartbeat of a worker, and what it logs."""

import datetime
from dataclasses import replace

import pytest
from django.test import override_settings
from django.utils import timezone

from organizations.models import Action, AuditEntry, Organization, State, Submission, User, Worker
from organizations.practice import PracticeDirectory
from organizations.services import installation, workers
from organizations.services.actors import Actor
from organizations.services.delivery import heartbeat, query
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


@pytest.mark.django_db
class TestWorkersState:
    def test_a_worker_that_ends_does_not_hide_one_that_runs(self, editor: User) -> None:
        factories.submission(factories.organization(user=editor), user=editor)
        now = timezone.now()
        heartbeat.record_heartbeat("runs", now)
        heartbeat.record_heartbeat("ended", now)
        Worker.objects.filter(name="runs").update(seen_at=now - datetime.timedelta(seconds=4))
        Worker.objects.filter(name="ended").update(stopped_at=now)
        assert heartbeat.workers_state().no_worker_since is None

        Worker.objects.filter(name="runs").update(seen_at=now - datetime.timedelta(seconds=40))
        assert heartbeat.workers_state().no_worker_since == Worker.objects.get(name="ended").seen_at

    def test_without_a_worker_the_oldest_submission_counts_after_a_heartbeat(self, editor: User) -> None:
        assert heartbeat.workers_state().no_worker_since is None
        oldest, newest = (
            factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
            for number in (1, 2)
        )
        assert heartbeat.workers_state().no_worker_since is None
        minute = datetime.timedelta(minutes=1)
        Organization.objects.filter(last_submission=oldest).update(last_state_at=newest.state_at - minute)
        assert heartbeat.workers_state().no_worker_since == newest.state_at - minute

    def test_a_missing_worker_is_not_reported_if_nothing_is_open(self, editor: User) -> None:
        factories.accepted_organization(user=editor)
        now = timezone.now()
        heartbeat.record_heartbeat("ended", now)
        Worker.objects.update(stopped_at=now)
        assert heartbeat.workers_state().no_worker_since is None

    def test_only_running_workers_can_mismatch(self) -> None:
        now = timezone.now()
        for name in ("equal", "other settings", "other release", "ended"):
            heartbeat.record_heartbeat(name, now)
        Worker.objects.filter(name="other settings").update(settings_fingerprint="x")
        Worker.objects.filter(name="other release").update(release="x")
        Worker.objects.filter(name="ended").update(release="x", stopped_at=now)
        assert [worker.name for worker in heartbeat.workers_state().mismatched] == ["other release", "other settings"]


def test_settings_are_logged_only_when_they_change(practice: PracticeDirectory, worker: Actor) -> None:
    for _ in range(2):
        installation.log_settings(worker)
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_SOURCE_ID=SOME_UUID)):
        installation.log_settings(worker)

    entries = AuditEntry.objects.filter(action=Action.SETTINGS_SEEN).order_by("sequence")
    assert [entry.facts["details"]["staging"]["source_id"] for entry in entries] == ["", SOME_UUID]
    assert all("staging-token" not in bytes(entry.body).decode() for entry in entries)


def test_a_query_shows_only_the_oid_that_was_asked_for(practice: PracticeDirectory, editor: User) -> None:
    register_in_practice(practice, factories.accepted_organization(user=editor))
    record = query.query_oid("staging", BASE).record
    assert record is not None
    assert replace(record, carried=()) == as_query_shows(factories.record())
    assert query.query_oid("staging", f"{BASE}.9").record is None
