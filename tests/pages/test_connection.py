"""The connection page: settings, the last check and the workers of an environment, built without a client."""

import datetime
from functools import cache
from html import unescape
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import override_settings
from django.utils.html import strip_tags
from joserfc.jwk import RSAKey

from organizations.models import Environment, EnvironmentGate, Worker, clock
from organizations.pages.connection import page as pages
from organizations.pages.connection import setting_rows
from organizations.pages.connection.page import ConnectionPage
from organizations.redox import auth
from organizations.redox.environment import GATEWAY_OID, ROUTING_TABLE
from organizations.services.connection import overview, redox_settings
from organizations.services.delivery import heartbeat
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.page_text import html_of_page

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

REDOX = "https://api.redoxengine.com"


@cache
def key() -> RSAKey:
    return RSAKey.generate_key(2048)


def oauth(**values: str) -> dict[str, Any]:
    defaults = {
        "REDOX_STAGING_AUTH": "oauth",
        "REDOX_STAGING_CLIENT_ID": "client-1",
        "REDOX_STAGING_KEY_ID": "key-1",
        "REDOX_STAGING_PRIVATE_KEY": key().as_pem(private=True).decode(),
    }
    return redox(REDOX, **(defaults | values))


def page(environment: Environment = Environment.STAGING) -> ConnectionPage:
    return pages.build(environment, factories.UserFactory(role="viewer"))


def rows() -> dict[str, tuple[str, str, str]]:
    """The value, source and note of each setting, by its label."""
    return {
        row.label: (row.value, row.source, row.note)
        for row in setting_rows.settings_in_force(overview.connection_facts("staging"))
    }


# Settings ----------------------------------------------------------------------------------------------------


def test_without_a_way_to_sign_in_four_variables_are_missing():
    missing = page().missing
    assert [each.variable.removeprefix("REDOX_STAGING_") for each in missing] == [
        "AUTH",
        "CLIENT_ID",
        "KEY_ID",
        "PRIVATE_KEY_FILE",
    ]
    assert all(each.means for each in missing)
    assert page().lines_to_set.splitlines()[:2] == ["REDOX_STAGING_AUTH=oauth", "REDOX_STAGING_CLIENT_ID="]
    html = html_of_page(page(), "staging")
    assert "STAGING is not connected. Set these variables and restart:" in html
    assert ">Check connection<" not in html


def test_only_the_missing_variables_of_the_chosen_sign_in_are_named():
    with override_settings(REDOX=oauth(REDOX_STAGING_PRIVATE_KEY="")):
        assert page().lines_to_set == "REDOX_STAGING_PRIVATE_KEY_FILE="


def test_an_invalid_setting_is_not_replaced_by_its_default():
    invalid = {"REDOX_STAGING_SOURCE_ID": "no-uuid", "REDOX_STAGING_BASE_OIDS": "2.16.1,2.x"}
    with override_settings(REDOX=redox("https://redox.example.org", **invalid)):
        assert rows()["Address"][:2] == ("https://redox.example.org", "set")
        assert rows()["Source ID"][:2] == rows()["Base OIDs"][:2] == ("cannot be used", "set, not valid")
        html = html_of_page(page(), "staging")
    assert "Correct the variable and restart." in html
    assert "Set these variables" not in html
    with override_settings(REDOX=redox("https://name:secret@redox.example.org")):
        assert rows()["Address"][:2] == ("cannot be used", "set, not valid")
        assert "name:secret" not in html_of_page(page(), "staging")


def test_settings_are_shown_without_secrets():
    with override_settings(REDOX=oauth()):
        setting_values, html = rows(), html_of_page(page(), "staging")
    assert setting_values["Address"][:2] == (REDOX, "default")
    assert setting_values["Way to sign in"][:2] == ("OAuth, client client-1, key key-1", "set")
    assert setting_values["Private key"][0].startswith("read from a variable, loaded ")
    assert setting_values["Private key"][0].endswith(f", thumbprint {key().thumbprint()}")
    assert setting_values["Source ID"][:2] == ("not set", "not set")
    assert (
        "“Query for/create/update/delete an organization, STAGING” in Redox's table" in setting_values["Routing ID"][0]
    )
    assert f'"n": "{key().as_dict(private=False)["n"]}"' in unescape(html)
    secret = key().as_dict(private=True)
    assert not any(str(secret[part]) in html for part in ("d", "p", "q", "dp", "dq", "qi"))
    assert "PRIVATE KEY-----" not in html


LEGACY = {
    "REDOX_STAGING_AUTH": "api-key",
    "REDOX_STAGING_API_KEY": "legacy-key",
    "REDOX_STAGING_API_SECRET": "legacy-secret",
}


@pytest.mark.parametrize(("given", "way"), [({}, "Fixed access token"), (LEGACY, "Legacy API key")])
def test_the_secret_of_each_way_to_sign_in_is_hidden(given, way):
    with override_settings(REDOX=redox(REDOX, **given)):
        setting_values, html = rows(), html_of_page(page(), "staging")
    assert setting_values["Way to sign in"][0] == way
    assert setting_values["Secret"] == ("set", "set", "never shown")
    assert "Show public key" not in html
    assert [secret for secret in ("staging-token", "legacy-key", "legacy-secret") if secret in html] == []


def test_a_valid_but_short_key_is_marked(monkeypatch):
    with override_settings(REDOX=oauth()):
        note = "never shown. This key has 2,048 bits. It works, but 3,072 bits or more are recommended."
        assert rows()["Private key"][2] == note
        monkeypatch.setattr(auth, "RECOMMENDED_BITS", 2048)
        assert rows()["Private key"][2] == "never shown"


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_key_that_is_too_short_is_refused():
    short = rsa.generate_private_key(
        public_exponent=65537, key_size=1024
    )  # the portal's own library refuses to create one
    pem = short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with override_settings(REDOX=oauth(REDOX_STAGING_PRIVATE_KEY=pem)):
        error = overview.connection_facts("staging").error
    assert error.startswith("REDOX_STAGING_PRIVATE_KEY: cannot be used: the private key has fewer than 2048 bits")


def test_the_table_has_all_routing_ids():
    html = html_of_page(page(), "staging")
    assert "These never belong in a record’s destination ID." in html
    shown_ids = [text for purpose, ids in ROUTING_TABLE.items() for text in (str(purpose), *ids.values())]
    assert [text for text in shown_ids if text not in html] == []


# The last check ----------------------------------------------------------------------------------------------


def record_check(succeeded: bool, **facts: Any) -> EnvironmentGate:
    gate = EnvironmentGate.objects.get(pk="staging")
    gate.checked_at, gate.checked_by, gate.check_succeeded = clock.now(), "Editor <One>", succeeded
    gate.check_facts = facts | {"fingerprint": redox_settings.fingerprint("staging")}
    gate.save()
    return gate


@pytest.mark.usefixtures("unreachable_redox")
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"oid": GATEWAY_OID}, f"The directory did not show {GATEWAY_OID} (the Redox gateway)."),
        (
            {"oid": BASE, "known": True, "active": True, "name": "Lakeside <Clinics>"},
            f"The directory showed {BASE} (a record of yours): “Lakeside &lt;Clinics&gt;”, Active.",
        ),
        ({"oid": "1.2.3", "known": True, "name": "X"}, "The directory showed 1.2.3: “X”, Active = false."),
    ],
)
def test_a_check_shows_its_result_person_and_duration(facts, said):
    factories.organization(user=factories.editor())
    sentence = strip_tags(setting_rows.check_sentence(record_check(True, token_ms=0, query_ms=120, **facts)))
    assert f"by Editor &lt;One&gt;: token in 0 ms, Query in 0.1 s. {said}" in sentence


def test_a_base_oid_is_called_that():
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=BASE)):
        assert f"did not show {BASE} (your base OID)." in strip_tags(
            setting_rows.check_sentence(record_check(True, oid=BASE))
        )


@pytest.mark.usefixtures("unreachable_redox")
def test_a_failed_check_shows_its_reason_escaped(client_of):
    record_check(False, sentence="<script>alert(1)</script>\u202e", headline="The token <b>ended", cause="<i>")
    html = client_of("viewer").get("/staging/connection/").content.decode()
    for said in ("Check failed", "Checked by Editor &lt;One&gt;.", "<b>The token &lt;b&gt;ended</b> &lt;i&gt;"):
        assert said in html
    assert [text for text in ("<script>alert", "<i>", "\u202e", "Nobody has checked it") if text in html] == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "less than 2 seconds apart"), (30, "30 seconds behind Redox's"), (-30, "30 seconds ahead of Redox's")],
)
def test_the_clocks_are_compared(seconds, said):
    gate = record_check(True)
    assert gate.checked_at is not None
    moment = gate.checked_at.replace(microsecond=0)
    date = (moment + datetime.timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    gate.checked_at, gate.check_facts = moment, {"redox_date": date}
    assert setting_rows.clock_sentence(gate) == said
    gate.check_facts = {}
    assert setting_rows.clock_sentence(gate) == ""


# Workers -----------------------------------------------------------------------------------------------------


def test_workers_are_listed_with_whether_their_settings_match():
    assert "No worker is running. Queued messages wait." in html_of_page(page(), "staging")
    now, staging = clock.now(), heartbeat.settings_fingerprint().split("-")[0]
    heartbeat.record_heartbeat("alpha", now)
    times = {"started_at": now, "seen_at": now - datetime.timedelta(minutes=5)}
    Worker.objects.create(name="beta", release="0", settings_fingerprint=f"{staging}-x", **times)
    matches = {
        environment: [each.has_same_settings for each in page(environment).workers] for environment in Environment
    }
    assert matches == {Environment.STAGING: [True, True], Environment.PRODUCTION: [True, False]}
    html = html_of_page(page(Environment.PRODUCTION), "production")
    assert html.count("same settings as this page") == 2  # one is in the explanation of a key change
    assert "Worker beta runs with other settings than this page. Restart it." in html
    assert "ago; it does not answer" in html
