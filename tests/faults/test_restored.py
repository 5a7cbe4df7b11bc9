"""A restored backup: nothing is sent until a person resumes sending. Then open messages are only queried."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from organizations.models import (
    Action,
    AuditEntry,
    AuditHead,
    EnvironmentGate,
    Installation,
    Organization,
    State,
    Submission,
    User,
)
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.connection import check
from organizations.services.delivery import resolve, restore_guard, resume
from organizations.services.errors import ActionRefused
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.faults.evidence import attempt_faults, chain_faults
from tests.faults.portals import Nursery, Portal, portal, until
from tests.services.sending import claim_next, create_and_send, deliver, edit, sent_messages

SENT = UPDATE, ASKED, NEW = tuple(f"{BASE}.{number}" for number in range(1, 4))
UNSENT, UNSENT_UPDATE = f"{BASE}.4", f"{BASE}.5"
AS_LONG_AS_IT_TAKES: dict[str, Any] = {"REDOX_DEADLINE": 20.0, "REDOX_LEASE": 30.0}


@pytest.fixture(autouse=True)
def kept_in(tmp_path: Path) -> Iterator[Path]:
    """The folder in which the worker of this machine stores the end of its history."""
    folder = tmp_path / "var"
    with override_settings(VAR_DIR=str(folder)):
        yield folder


@pytest.fixture
def file(kept_in: Path, transactional_db: None) -> Path:
    return kept_in / f"sent-{Installation.objects.get().key}.txt"


def put_back(file: Path) -> None:
    """Write the file of a machine whose history is longer than that of this database."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{AuditHead.objects.get().sequence + 7} {'a' * 64}\n")


def test_the_end_of_the_history_is_stored_outside_the_database_before_sending(
    practice: PracticeDirectory, editor: User, file: Path
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    assert not file.exists()
    assert deliver()
    intent = AuditEntry.objects.of_submission(submission.pk).get(action=Action.ATTEMPT_INTENT)
    assert file.read_text() == f"{intent.sequence} {intent.hash}\n"


@pytest.mark.one_database
def test_the_sequence_in_the_file_never_decreases(practice: PracticeDirectory, editor: User, file: Path) -> None:
    create_and_send(editor)
    put_back(file)
    kept = file.read_text()
    restore_guard.store_newest_entry()
    assert file.read_text() == kept


@pytest.mark.one_database
def test_a_truncated_file_is_written_again(
    practice: PracticeDirectory, editor: User, worker: Actor, file: Path
) -> None:
    file.parent.mkdir()
    for content in ("", "12", "12 \n", "zwölf " + "a" * 64, "\x00\x00\x00"):
        file.write_bytes(content.encode("latin-1"))
        assert not restore_guard.stop_if_restored(actor=worker)
    create_and_send(editor)
    assert int(file.read_text().split()[0]) > 0
    assert not restore_guard.stop_if_restored(actor=worker)


@pytest.mark.one_database
def test_the_file_of_another_database_is_ignored(
    practice: PracticeDirectory, editor: User, worker: Actor, file: Path
) -> None:
    put_back(file.with_name("sent-7f296bb4-83fd-498d-92f3-a76960648788.txt"))
    assert not restore_guard.stop_if_restored(actor=worker)
    create_and_send(editor)


def test_a_restored_database_stops_every_environment_once(transactional_db: None, worker: Actor, file: Path) -> None:
    put_back(file)
    assert restore_guard.stop_if_restored(actor=worker)
    assert not restore_guard.stop_if_restored(actor=worker)
    gates = EnvironmentGate.objects.all()
    assert {(gate.stopped_reason, gate.is_restored) for gate in gates} == {(restore_guard.STOP_REASON, True)}
    assert AuditEntry.objects.filter(action=Action.ENVIRONMENT_STOPPED).count() == 2


@pytest.mark.one_database
@pytest.mark.parametrize("is_in_place", [False, True])
def test_an_interrupted_restore_stops_only_the_restored_copy(
    db: None, worker: Actor, file: Path, is_in_place: bool
) -> None:
    numbers: list[int] = []
    for _ in range(2):
        assert restore_guard.prepare_stop_after_restore(
            Installation.objects.get().key, lambda *_: False, numbers.append
        )
    assert len(set(numbers)) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA user_version = {numbers[0] if is_in_place else 0}")
    assert restore_guard.stop_if_restored(actor=worker) is is_in_place


def test_a_database_restored_under_a_running_worker_sends_nothing(
    practice: PracticeDirectory, editor: User, file: Path
) -> None:
    """The check before a message detects it, earlier than the next heartbeat."""
    factories.submission(factories.organization(user=editor), user=editor)
    put_back(file)
    assert not deliver()
    assert sent_messages(practice) == []
    assert EnvironmentGate.objects.get(pk="staging").is_restored


@pytest.mark.one_database
def test_a_restore_is_detected_after_the_history_has_grown_past_the_stored_end(
    practice: PracticeDirectory, editor: User, file: Path
) -> None:
    put_back(file)
    while AuditHead.objects.get().sequence <= int(file.read_text().split()[0]):
        factories.organization(f"{BASE}.{AuditHead.objects.get().sequence + 1}", user=editor)
    factories.submission(Organization.objects.all()[0], user=editor)
    assert not deliver()
    assert sent_messages(practice) == []


@pytest.mark.one_database
def test_a_message_that_was_being_sent_at_the_time_of_the_backup_becomes_unknown_and_is_queried(
    practice: PracticeDirectory, editor: User, worker: Actor, file: Path
) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    assert claim_next("staging", actor=worker)
    put_back(file)
    restore_guard.stop_if_restored(actor=worker)
    assert check.check_connection("staging", actor=as_actor(editor)).succeeded

    resume.resume("staging", actor=as_actor(editor))

    submission = Submission.objects.get()
    assert (submission.state, submission.is_restored) == (State.UNKNOWN, True)
    entries = list(AuditEntry.objects.of_submission(submission.pk))
    assert attempt_faults(entries, submission) == []
    assert (entries[-1].action, entries[-1].facts["details"]) == (Action.SUBMISSION_SETTLED, {"state": "unknown"})


@pytest.fixture
def yesterday(practice: PracticeDirectory, editor: User) -> None:
    """An outbox with an open submission of each kind."""
    changed = [edit(create_and_send(editor, oid), editor, name="Lakeside North") for oid in (UPDATE, UNSENT_UPDATE)]
    factories.submission(factories.organization(ASKED, user=editor), user=editor)
    practice.behaviour = "applies-then-504"
    assert deliver()
    practice.behaviour = "answers"
    EnvironmentGate.objects.update(failures=0)
    for organization in changed:
        factories.submission(organization, user=editor)
    for oid in (NEW, UNSENT):
        factories.submission(factories.organization(oid, user=editor), user=editor)


@pytest.mark.one_database
def test_a_restored_database_sends_nothing_until_a_person_resumes_it_and_then_only_queries(
    practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path, yesterday: None
) -> None:
    # The test's database is the backup. The portal that continues uses a copy.
    with portal(tmp_path / "today", nursery, practice) as today:
        directory, left_out = today.practice, (UNSENT, UNSENT_UPDATE)
        Submission.objects.using(today.alias).filter(oid__in=left_out).open().update(state=State.CANCELLED)
        today.worker(**AS_LONG_AS_IT_TAKES)
        for oid in SENT:
            until(functools.partial(is_accepted, today, oid), oid)
        today.end()
        done = list(directory.effects)

        old = Portal("default", today.folder, directory, nursery)
        with override_settings(REDOX=redox(directory.url), VAR_DIR=str(today.folder)), old.ended():
            old.worker(**AS_LONG_AS_IT_TAKES)
            until(lambda: EnvironmentGate.objects.exclude(stopped_at=None).count() == 2, "the stop")
            assert set(EnvironmentGate.objects.values_list("stopped_reason", flat=True)) == {restore_guard.STOP_REASON}
            with pytest.raises(ActionRefused, match="Check the connection first"):
                resume.resume("staging", actor=as_actor(editor))
            assert check.check_connection("staging", actor=as_actor(editor)).succeeded
            resume.resume("staging", actor=as_actor(editor))
            until(lambda: not Submission.objects.open().exclude(state=State.NEEDS_PERSON).exists(), "every answer")

        states = {oid: old.submission(oid).state for oid in (*SENT, *left_out)}
        assert states == dict.fromkeys(SENT, State.ACCEPTED) | dict.fromkeys(left_out, State.NEEDS_PERSON)
        assert old.submission(UNSENT).state_reason == resolve.RESTORED_REASON
        assert directory.effects == done
        assert chain_faults("default") == []


def is_accepted(where: Portal, oid: str) -> bool:
    return where.submission(oid).state == State.ACCEPTED
