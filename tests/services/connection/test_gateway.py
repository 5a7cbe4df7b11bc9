"""Crossed settings, the connection check, and the rows and marks of an installation."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import PermissionDenied
from django.test import override_settings
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Installation,
    State,
    Submission,
    User,
    Worker,
)
from organizations.permissions import ROLES, rights_of
from organizations.practice import PracticeDirectory
from organizations.services import demonstration, installation
from organizations.services.accounts import accounts
from organizations.services.actors import Actor, system
from organizations.services.connection import check, gateway
from organizations.services.delivery import courier, heartbeat, query, workers
from orgportal.faults import SettingsFault
from tests import factories
from tests.connected import redox
from tests.factories import BASE, acting
from tests.services.sending import as_read, there

pytestmark = pytest.mark.one_database

SOME_UUID = "7f296bb4-83fd-498d-92f3-a76960648788"


def test_a_check_gets_a_token_and_an_answer_and_never_writes(practice: PracticeDirectory, editor: User) -> None:
    found = check.check_connection("staging", actor=acting(editor))

    assert (found.succeeded, found.facts["known"]) == (True, False)
    assert practice.effects == []
    gate = EnvironmentGate.objects.get(pk="staging")
    assert (gate.check_succeeded, gate.checked_by) == (True, "Editor One")
    entries = AuditEntry.objects.filter(action=Action.ENVIRONMENT_CHECKED)
    assert [b"QueryResponse" in bytes(entry.raw or b"") for entry in entries] == [True] * 3


def test_a_check_that_fails_says_why(practice: PracticeDirectory, editor: User) -> None:
    for behaviour, sentence in (
        ("gateway-error", "was not understood (HTTP 502)"),
        ("never-answers", "got no whole answer"),
        ("refuses-sign-in", "did not accept the credential"),
    ):
        practice.behaviour = behaviour
        with override_settings(REDOX_DEADLINE=0.3):
            found = check.check_connection("staging", actor=acting(editor))
        assert not found.succeeded
        assert sentence in found.sentence


@pytest.mark.django_db(transaction=True)
def test_without_a_credential_nothing_is_queried(editor: User) -> None:
    assert check.check_connection("staging", actor=acting(editor)).sentence == "STAGING is not connected."
    assert not courier.deliver_next("staging", actor=acting(editor))


def test_a_token_that_cannot_be_got_counts_as_a_failure_and_a_refused_one_stops(
    practice: PracticeDirectory, editor: User
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    values = {
        "REDOX_STAGING_AUTH": "api-key",
        "REDOX_STAGING_API_KEY": "unknown",
        "REDOX_STAGING_API_SECRET": "unknown",
    }
    with override_settings(REDOX=redox("http://127.0.0.1:9", **values)):
        assert not courier.deliver_next("staging", actor=acting(editor))
    gate = EnvironmentGate.objects.get(pk="staging")
    assert (gate.is_stopped, gate.hold_until, gate.failures) == (False, None, 1)
    with override_settings(REDOX=redox(practice.url, **values)):
        assert not courier.deliver_next("staging", actor=acting(editor))
    assert EnvironmentGate.objects.get(pk="staging").is_stopped
    submission.refresh_from_db()
    assert (submission.state, submission.attempt) == (State.QUEUED, 0)


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"REDOX_PRODUCTION_ACCESS_TOKEN": "staging-token"}, "REDOX_PRODUCTION_ACCESS_TOKEN"),
        (dict.fromkeys(["REDOX_STAGING_API_KEY", "REDOX_PRODUCTION_API_KEY"], "k"), "REDOX_PRODUCTION_API_KEY"),
        (
            dict.fromkeys(["REDOX_STAGING_API_SECRET", "REDOX_PRODUCTION_API_SECRET"], "s"),
            "REDOX_PRODUCTION_API_SECRET",
        ),
        ({"REDOX_STAGING_ROUTING_ID": "5d0fd248-6c52-4ad9-b907-ae10bf2dcc39"}, "REDOX_STAGING_ROUTING_ID"),
        ({"REDOX_STAGING_ROUTING_ID": "adf917b5-1496-4241-87e2-ed20434b1fdb"}, "REDOX_STAGING_ROUTING_ID"),
        (
            {"REDOX_STAGING_ROUTING_ID": SOME_UUID, "REDOX_PRODUCTION_ROUTING_ID": SOME_UUID},
            "REDOX_PRODUCTION_ROUTING_ID",
        ),
    ],
)
def test_crossed_environments_stop_the_process(values: dict[str, str], variable: str) -> None:
    with override_settings(REDOX=redox("http://127.0.0.1:9", **values)), pytest.raises(SettingsFault) as found:
        gateway.verify_settings()
    assert found.value.variable == variable


@cache
def private_key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(number: int, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return private_key(number).private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def test_one_key_in_both_environments_is_found_however_it_is_written() -> None:
    old, new = pem(1, PrivateFormat.TraditionalOpenSSL), pem(1)
    for other in (old, new, new.replace("\n", "\r\n"), f"\n{new}\n"):
        keys = {"REDOX_STAGING_PRIVATE_KEY": new, "REDOX_PRODUCTION_PRIVATE_KEY": other}
        with override_settings(REDOX=redox("http://127.0.0.1:9", **keys)), pytest.raises(SettingsFault) as found:
            gateway.verify_settings()
        assert found.value.variable == "REDOX_PRODUCTION_PRIVATE_KEY"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SOME_UUID, SOME_UUID.upper()),
        (SOME_UUID, SOME_UUID.replace("-", "")),
        (SOME_UUID, f"{{{SOME_UUID}}}"),
        ("Lakeside", "lakeside"),
    ],
)
def test_one_client_in_both_environments_is_found_however_it_is_written(first: str, second: str) -> None:
    clients = {"REDOX_STAGING_CLIENT_ID": first, "REDOX_PRODUCTION_CLIENT_ID": second}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **clients)), pytest.raises(SettingsFault) as found:
        gateway.verify_settings()
    assert found.value.variable == "REDOX_PRODUCTION_CLIENT_ID"


def test_credentials_that_differ_are_not_crossed() -> None:
    keys = {"REDOX_STAGING_PRIVATE_KEY": pem(1), "REDOX_PRODUCTION_PRIVATE_KEY": pem(2)}
    clients = {"REDOX_STAGING_CLIENT_ID": "one", "REDOX_PRODUCTION_CLIENT_ID": "two"}
    # A secret, unlike a client ID, is another one with another case.
    secrets = {"REDOX_STAGING_API_SECRET": "secret", "REDOX_PRODUCTION_API_SECRET": "SECRET"}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **keys, **clients, **secrets)):
        gateway.verify_settings()


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"REDOX_STAGING_AUTH": "kerberos"}, "REDOX_STAGING_AUTH: must be oauth, api-key or token"),
        ({"REDOX_STAGING_BASE_URL": "http://redox.example"}, "REDOX_STAGING_BASE_URL: is http; that is allowed"),
        ({"REDOX_STAGING_BASE_URL": "redox"}, "REDOX_STAGING_BASE_URL: is not an address"),
        ({"REDOX_STAGING_SOURCE_ID": "none"}, "REDOX_STAGING_SOURCE_ID: is not a UUID"),
        ({"REDOX_STAGING_GATEWAY_OID": "1"}, "REDOX_STAGING_GATEWAY_OID: '1' is not an OID."),
        (
            {
                "REDOX_STAGING_AUTH": "oauth",
                "REDOX_STAGING_CLIENT_ID": "c",
                "REDOX_STAGING_KEY_ID": "k",
                "REDOX_STAGING_PRIVATE_KEY": "secret-key",
            },
            "REDOX_STAGING_PRIVATE_KEY: cannot be used: the private key is not an RSA key in PEM form",
        ),
    ],
)
def test_an_error_in_the_settings_of_one_environment_leaves_the_other_in_use(
    values: dict[str, str], fault: str
) -> None:
    with override_settings(REDOX=redox("http://127.0.0.1:9", **values)):
        gateway.verify_settings()
        staging, production = gateway.connection("staging"), gateway.connection("production")
    assert (staging.is_connected, production.is_connected) == (False, True)
    assert staging.fault.startswith(fault)
    assert "secret-key" not in staging.fault


@pytest.mark.django_db
def test_a_routing_id_that_is_a_records_destination_is_refused(editor: User) -> None:
    factories.organization(user=editor, destination_id=SOME_UUID)
    crossed = override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_ROUTING_ID=SOME_UUID))
    with crossed, pytest.raises(SettingsFault, match="REDOX_STAGING_ROUTING_ID"):
        installation.check_demonstration_mark()


@pytest.mark.django_db
class TestDemonstrationAndRealDatabase:
    def test_a_demonstration_database_runs_only_as_a_demonstration(self) -> None:
        installation.mark_as_demonstration()
        with override_settings(DEMO=False), pytest.raises(SettingsFault, match="names a demonstration database"):
            installation.check_demonstration_mark()

    def test_a_real_database_does_not_run_as_a_demonstration(self, editor: User) -> None:
        with override_settings(DEMO=True), pytest.raises(SettingsFault, match="names a real database"):
            installation.check_demonstration_mark()

    def test_a_database_in_use_is_never_marked(self, editor: User) -> None:
        with pytest.raises(SettingsFault, match="in use"):
            installation.mark_as_demonstration()
        assert not Installation.objects.get().demonstration

    def test_a_demonstration_database_does_not_start_with_the_address_of_another_machine(self) -> None:
        installation.mark_as_demonstration()
        settings = override_settings(DEMO=True, REDOX=redox("https://redox.example"))
        with settings, pytest.raises(SettingsFault, match="leads to another machine"):
            installation.check_demonstration_mark()

    def test_only_a_demonstration_has_a_switch_of_behaviour(self, tmp_path: Path) -> None:
        with override_settings(DEMO=False), pytest.raises(PermissionDenied):
            demonstration.set_behaviour("slow")

    def test_only_a_demonstration_has_a_sign_in_by_role(self) -> None:
        factories.UserFactory(username="editor", role="editor")
        assert demonstration.person_with_role("editor") is None


@pytest.mark.django_db
def test_rows_that_must_exist_can_be_made_again() -> None:
    installation.ensure_rows()
    installation.ensure_rows()
    assert EnvironmentGate.objects.count() == 2
    assert rights_of(factories.UserFactory(role="editor")) == ROLES["editor"]


@pytest.mark.django_db
def test_an_account_and_its_entry_are_saved_together() -> None:
    user = User(username="new")
    accounts.save(user, groups=[], what="account made", actor=system("Test"))
    entry = AuditEntry.objects.get(action=Action.PERSON_CHANGED)
    assert entry.facts["object"]["name"] == "new"
    accounts.change_password(user, "a password of some length", actor=system("Test"))
    assert "a password of some length" not in "".join(bytes(e.body).decode() for e in AuditEntry.objects.all())


def test_a_worker_beats_and_delivers(practice: PracticeDirectory, editor: User, worker: Actor) -> None:
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
    there(practice, factories.accepted(user=editor))
    found = query.query_oid("staging", BASE).record
    assert found is not None
    assert replace(found, carried=()) == as_read(factories.record())
    assert query.query_oid("staging", f"{BASE}.9").record is None
