"""The health addresses: access, responses, and a database that does not respond."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

PATIENCE = 60
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_needs_no_sign_in_no_known_host_and_no_tls(settings, path):
    settings.SECURE_SSL_REDIRECT = True
    response = Client(headers={"host": "10.1.2.3"}).get(path)
    assert response.status_code == 200
    assert not response.cookies


def test_a_missing_migration_is_not_ready():
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("organizations", "0001_initial")
    try:
        response = Client().get("/health/ready")
    finally:
        recorder.record_applied("organizations", "0001_initial")
    assert (response.status_code, response.content) == (503, b"1 migrations are not applied\n")
    assert Client().get("/health/live").status_code == 200


def test_an_upgraded_database_with_migrations_of_a_removed_package_is_ready():
    recorder = MigrationRecorder(connection)
    recorder.record_applied("admin", "0001_initial")  # Django's admin was part of earlier releases
    try:
        assert Client().get("/health/ready").status_code == 200
    finally:
        recorder.record_unapplied("admin", "0001_initial")


def test_a_database_that_does_not_answer_is_not_ready(settings):
    there = connections.settings["default"]
    before = dict(there)
    there["NAME"] = "/nowhere/at/all"
    try:
        response = Client().get("/health/ready")
    finally:
        there.update(before)
    assert (response.status_code, response.content) == (503, b"the database does not answer\n")


@contextmanager
def locked() -> Iterator[None]:
    """Another connection writes (SQLite) or locks the rows that the check reads (PostgreSQL)."""
    has_begun, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
            has_begun.set()
            may_end.wait(PATIENCE)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert has_begun.wait(PATIENCE)
        yield
    finally:
        may_end.set()
        thread.join()


def test_a_locked_database_does_not_delay_the_response():
    client = Client()
    with locked():
        answers = [client.get("/health/ready").status_code for _ in range(3)]
    # On SQLite a reader never waits for a writer.
    assert answers == [503 if connection.vendor == "postgresql" else 200] * 3
