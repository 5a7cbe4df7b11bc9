"""The connection page: what is set, the check, going on after a stop. Nothing secret is on it."""

import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import Client, override_settings
from joserfc.jwk import RSAKey

from organizations.models import Action, AuditEntry, EnvironmentGate, User, Worker, clock
from organizations.practice import Credential, PracticeDirectory
from organizations.redox.environment import ROUTING_TABLE
from organizations.services import environments, workers
from organizations.services.actors import Actor
from tests.connected import connected, redox
from tests.factories import BASE
from tests.views.pages import text_of

type ClientOf = Callable[..., Client]

PAGE = "/staging/connection/"
CHECK = "/staging/connection/check/"
GO_ON = "/staging/connection/go-on/"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048)


def oauth(key: RSAKey) -> dict[str, str]:
    return {
        "REDOX_STAGING_AUTH": "oauth",
        "REDOX_STAGING_CLIENT_ID": "client-1",
        "REDOX_STAGING_KEY_ID": "key-1",
        "REDOX_STAGING_PRIVATE_KEY": key.as_pem(private=True).decode(),
    }


# Not connected ----------------------------------------------------------------------------------------------


def test_what_is_missing_is_named_line_by_line_with_a_block_to_copy(client_of: ClientOf) -> None:
    response = client_of("viewer").get(PAGE)
    said = text_of(response)
    assert "<title>Connection | STAGING | orgportal</title>" in response.content.decode()
    assert "No credential is set for STAGING. You can prepare records; nothing can be sent." in said
    assert "STAGING is not connected. Set these variables and restart:" in said
    assert "REDOX_STAGING_CLIENT_ID The client ID of the OAuth API key in Redox's dashboard." in said
    assert "REDOX_STAGING_AUTH=oauth REDOX_STAGING_CLIENT_ID= REDOX_STAGING_KEY_ID=" in said
    assert "Check connection" not in said.replace("Check connection; every worker", "")


def test_of_a_chosen_way_only_what_is_missing_is_named(client_of: ClientOf, key: RSAKey) -> None:
    given = oauth(key) | {"REDOX_STAGING_PRIVATE_KEY": ""}
    with override_settings(REDOX=redox("https://api.redoxengine.com", **given)):
        said = text_of(client_of("viewer").get(PAGE))
    assert "REDOX_STAGING_PRIVATE_KEY_FILE The file with the private key in PEM form." in said
    assert "REDOX_STAGING_KEY_ID= " not in said


def test_a_fault_names_its_variable_and_leaves_the_other_environment_in_use(client_of: ClientOf) -> None:
    with override_settings(REDOX=redox("https://api.redoxengine.com", REDOX_STAGING_SOURCE_ID="no-uuid")):
        said = text_of(client_of("viewer").get(PAGE))
        other = text_of(client_of("viewer").get("/production/connection/"))
        home = text_of(client_of("viewer").get("/"))
        elsewhere = text_of(client_of("viewer").get("/staging/organizations/"))
    sentence = (
        "Not connected: REDOX_STAGING_SOURCE_ID: is no UUID (36 characters with four hyphens)."
        " You can prepare records; nothing can be sent."
    )
    assert f"STAGING: {sentence} Open Connection" in elsewhere
    assert f"Not connected {sentence} What this means Put the variable right and restart." in said
    assert f"Not connected {sentence} See what is missing" in home
    assert text_of(client_of("viewer").get("/help/")).count("Not connected: Redox refuses the credential") == 1
    assert "No credential is set for STAGING" not in said + home
    assert "Not checked" in other
    assert "SOURCE_ID is no UUID" not in other


def test_a_connection_that_nobody_checked_says_since_when_the_portal_runs(client_of: ClientOf) -> None:
    started = datetime.datetime(2026, 5, 3, 19, 3, tzinfo=datetime.UTC)
    with override_settings(REDOX=redox("https://api.redoxengine.com"), STARTED_AT=started):
        said = text_of(client_of("viewer").get(PAGE))
    assert re.search(r"since the portal started at May 3,( \d{4},)? 14:03\.", said)


def test_beside_a_fault_what_is_set_is_shown_and_no_default_takes_its_place(client_of: ClientOf) -> None:
    faulty = {"REDOX_STAGING_SOURCE_ID": "no-uuid", "REDOX_STAGING_BASE_OIDS": "2.16.1,2.x"}
    with override_settings(REDOX=redox("https://redox.example.org", **faulty)):
        said = text_of(client_of("viewer").get(PAGE))
    assert "Address https://redox.example.org set REDOX_STAGING_BASE_URL" in said
    assert "Source ID cannot be used set, faulty REDOX_STAGING_SOURCE_ID" in said
    assert "Base OIDs cannot be used set, faulty REDOX_STAGING_BASE_OIDS" in said
    with override_settings(REDOX=redox("https://name:secret@redox.example.org")):
        said = text_of(client_of("viewer").get(PAGE))
    assert "Address cannot be used set, faulty REDOX_STAGING_BASE_URL" in said
    assert "name:secret" not in said


# What is set ------------------------------------------------------------------------------------------------


def test_settings_are_shown_with_their_variables_and_without_secrets(client_of: ClientOf, key: RSAKey) -> None:
    with override_settings(REDOX=redox("https://api.redoxengine.com", **oauth(key))):
        response = client_of("viewer").get(PAGE)
    said, page = text_of(response), response.content.decode()
    assert "Address https://api.redoxengine.com default REDOX_STAGING_BASE_URL" in said
    assert "Way to sign in OAuth, client client-1, key key-1 set REDOX_STAGING_AUTH" in said
    assert re.search(rf"Private key read from a variable, loaded \d\d:\d\d, thumbprint {key.thumbprint()}", said)
    assert (
        "Source ID not set not set REDOX_STAGING_SOURCE_ID Needed when this Redox environment has more than one" in said
    )
    assert "“Query for/create/update/delete an organization, STAGING” in Redox's table" in said
    assert "Paste this into the Redox dashboard. It is not secret." in said
    assert f'"n": "{key.as_dict(private=False)["n"]}"' in said
    secret = key.as_dict(private=True)
    assert not any(str(secret[part]) in page for part in ("d", "p", "q", "dp", "dq", "qi"))
    assert "PRIVATE KEY-----" not in page


@pytest.mark.parametrize(
    ("bits", "note"),
    [
        (2048, "never shown. This key has 2,048 bits. It works, but 3,072 bits or more are recommended."),
        (3072, "never shown Source ID"),
    ],
)
def test_a_key_that_works_but_is_short_is_marked(client_of: ClientOf, bits: int, note: str) -> None:
    with override_settings(REDOX=redox("https://api.redoxengine.com", **oauth(RSAKey.generate_key(bits)))):
        assert f"REDOX_STAGING_PRIVATE_KEY {note}" in text_of(client_of("viewer").get(PAGE))


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_key_that_is_too_short_is_refused(client_of: ClientOf) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # the portal's own library makes none
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    given = oauth(RSAKey.generate_key(2048)) | {"REDOX_STAGING_PRIVATE_KEY": pem}
    with override_settings(REDOX=redox("https://api.redoxengine.com", **given)):
        said = text_of(client_of("viewer").get(PAGE))
    assert "REDOX_STAGING_PRIVATE_KEY: cannot be used: the private key has fewer than 2048 bits" in said


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, "Fixed access token"),
        (
            {
                "REDOX_STAGING_AUTH": "api-key",
                "REDOX_STAGING_API_KEY": "legacy-key",
                "REDOX_STAGING_API_SECRET": "legacy-secret",
            },
            "Legacy API key",
        ),
    ],
)
def test_no_way_to_sign_in_shows_its_secret(client_of: ClientOf, given: dict[str, str], shown: str) -> None:
    with override_settings(REDOX=redox("https://api.redoxengine.com", **given)):
        response = client_of("viewer").get(PAGE)
    assert shown in text_of(response)
    assert "Show public key" not in text_of(response)
    for secret in ("staging-token", "legacy-key", "legacy-secret"):
        assert secret not in response.content.decode()


def test_the_table_of_routing_ids_is_whole(client_of: ClientOf) -> None:
    page = client_of("viewer").get(PAGE).content.decode()
    assert "These never belong into a record’s destination ID." in page
    for purpose, ids in ROUTING_TABLE.items():
        assert str(purpose) in page
        assert all(routing_id in page for routing_id in ids.values())


def test_workers_are_listed_with_whether_they_send_alike(client_of: ClientOf) -> None:
    said = text_of(client_of("viewer").get(PAGE))
    assert "No worker is running. What is queued waits." in said
    now = clock.now()
    workers.beat("alpha", now)
    Worker.objects.create(
        name="beta",
        release="0",
        settings_fingerprint="a-b",
        started_at=now,
        seen_at=now - datetime.timedelta(minutes=5),
    )
    said = text_of(client_of("viewer").get(PAGE))
    assert "same settings as this page" in said
    assert "Worker beta runs with other settings than this page. Restart it." in said
    assert "5 minutes ago; it does not answer" in said


def test_a_worker_that_differs_for_the_other_environment_alone_is_right_here(client_of: ClientOf) -> None:
    staging = workers.fingerprint().split("-")[0]
    now = clock.now()
    Worker.objects.create(name="beta", release="0", settings_fingerprint=f"{staging}-x", started_at=now, seen_at=now)
    assert "same settings as this page" in text_of(client_of("viewer").get(PAGE))
    assert "Restart it." in text_of(client_of("viewer").get("/production/connection/"))


# The check --------------------------------------------------------------------------------------------------


def test_a_check_asks_once_writes_nothing_and_says_what_it_found(
    client_of: ClientOf, practice: PracticeDirectory, editor: User
) -> None:
    client = client_of(user=editor)
    said = text_of(client.post(CHECK, follow=True))
    assert "Got a token and an answer to a Query. It did not write." in said
    assert "Connected" in said
    assert " by Editor One: token in 0 ms, Query in " in said
    assert "The directory does not know 2.16.840.1.113883.3.6147.458.2 (the Redox gateway)." in said
    assert "This machine’s clock less than 2 seconds apart last check" in said
    assert practice.effects == []


def test_a_check_says_whether_our_own_record_is_there(
    client_of: ClientOf, tmp_path: Path, transactional_db: None, editor: User
) -> None:
    with connected(tmp_path, REDOX_STAGING_BASE_OIDS=BASE) as practice:
        known = {"Name": "Lakeside <Clinics>", "Active": True, "Identifiers": [{"ID": BASE, "IDType": "OID"}]}
        practice.register("staging", known)
        response = client_of(user=editor).post(CHECK, follow=True)
    assert f"The directory knows {BASE} (your base OID): yes, “Lakeside <Clinics>”, Active." in text_of(response)
    assert "Lakeside &lt;Clinics&gt;" in response.content.decode()


def test_a_check_that_fails_says_why_in_plain_words(
    client_of: ClientOf, practice: PracticeDirectory, editor: User
) -> None:
    practice.behaviour = "refuses-sign-in"
    said = text_of(client_of(user=editor).post(CHECK, follow=True))
    sentence = r"The last check at \d\d:\d\d failed: Redox did not accept the credential for the Query\."
    assert re.search(f"Check failed {sentence}", said)
    elsewhere = text_of(client_of("viewer").get("/staging/organizations/"))
    assert re.search(f"STAGING: Check failed. {sentence} Open Connection", elsewhere)
    assert re.search(f"Check failed {sentence} Open Connection Checked", text_of(client_of("viewer").get("/")))
    assert "Checked by Editor One." in said
    assert "Nobody has checked it" not in said
    assert "The fixed access token has ended." in said
    assert "Fixed tokens are for trials." in said


def test_a_key_that_redox_does_not_know_is_named(
    client_of: ClientOf, tmp_path: Path, transactional_db: None, editor: User, key: RSAKey
) -> None:
    other = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "other-key", "use": "sig", "alg": "RS384"}
    known = [Credential(environment="staging", client_id="client-1", public_jwk=other)]
    with (
        PracticeDirectory(tmp_path / "practice", known) as practice,
        override_settings(REDOX=redox(practice.url, **oauth(key)), REDOX_DEADLINE=1.0),
    ):
        said = text_of(client_of(user=editor).post(CHECK, follow=True))
    assert "Redox does not know our key." in said
    assert "Client client-1, key key-1. The public key is not in the dashboard" in said


def test_who_may_not_edit_does_not_check(client_of: ClientOf, practice: PracticeDirectory) -> None:
    viewer = client_of("viewer")
    assert "You cannot check the connection in STAGING. Editors and Approvers can: nobody yet." in text_of(
        viewer.get(PAGE)
    )
    assert viewer.post(CHECK).status_code == 403
    assert practice.requests == []


# Going on ---------------------------------------------------------------------------------------------------


def test_sending_goes_on_only_after_a_check_that_succeeded(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    environments.stop_now("staging", "Redox does not accept the credential", actor=worker)
    client = client_of(user=editor)
    said = text_of(client.get(PAGE))
    assert said.count("Sending to STAGING is stopped since ") == 1
    assert "0 submissions wait, none is lost. Somebody must put it right." in said
    assert "Put it right; after a change of the settings restart. Then: Check connection" in said
    assert "Go on sending to STAGING" not in said
    assert "Check the connection first." in text_of(client.post(GO_ON, follow=True))

    client.post(CHECK)
    assert "Go on sending to STAGING" in text_of(client.get(PAGE))
    said = text_of(client.post(GO_ON, follow=True))
    assert "Sending to STAGING goes on." in said
    assert not EnvironmentGate.objects.get(pk="staging").is_stopped
    assert AuditEntry.objects.filter(action=Action.ENVIRONMENT_RELEASED).count() == 1


def test_who_checks_while_redox_asked_to_wait_is_told_how_long(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    environments.hold_now("staging", 60, "too many requests", actor=worker)
    said = text_of(client_of(user=editor).post(CHECK, follow=True))
    assert "Redox asked the portal to wait. Nothing is sent to STAGING until " in said
    assert practice.requests == []


def test_who_may_not_send_does_not_go_on(client_of: ClientOf, practice: PracticeDirectory, worker: Actor) -> None:
    environments.stop_now("production", "Redox does not accept the credential", actor=worker)
    environments.check("production", actor=worker)
    editor = client_of("editor")
    response = editor.get("/production/connection/")
    assert "You cannot send to PRODUCTION. Approvers can: nobody yet." in text_of(response)
    assert editor.post("/production/connection/go-on/").status_code == 403
    assert EnvironmentGate.objects.get(pk="production").is_stopped


# Ways in ----------------------------------------------------------------------------------------------------


def test_acts_are_posted_and_the_page_is_for_people_with_a_role(client_of: ClientOf) -> None:
    assert client_of("editor").get(CHECK).status_code == 405
    assert client_of("editor").get(GO_ON).status_code == 405
    assert client_of().get(PAGE).status_code == 403
    assert client_of("viewer").get("/test/connection/").status_code == 404


@pytest.mark.django_db
def test_the_facts_of_a_check_are_shown_as_text(client_of: ClientOf) -> None:
    facts = {"sentence": "<script>alert(1)</script>\u202e", "headline": "<b>x", "cause": "<i>"}
    EnvironmentGate.objects.filter(pk="staging").update(
        checked_at=clock.now(), checked_by="<u>", check_succeeded=False, check_facts=json.loads(json.dumps(facts))
    )
    page = client_of("viewer").get(PAGE).content.decode()
    for foreign in ("<script>alert", "<b>x", "<u>", "\u202e"):
        assert foreign not in page


@pytest.mark.slow
def test_the_page_asks_the_database_as_often_for_many_workers_as_for_one(
    client_of: ClientOf, django_assert_max_num_queries
) -> None:
    client = client_of("viewer")
    workers.beat("worker-0", clock.now())
    client.get(PAGE)
    with django_assert_max_num_queries(30) as few:
        client.get(PAGE)
    for number in range(1, 50):
        workers.beat(f"worker-{number}", clock.now())
    with django_assert_max_num_queries(len(few)):
        assert text_of(client.get(PAGE)).count("same settings as this page") == 51
