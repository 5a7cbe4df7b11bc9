"""Settings that mix up the environments, and errors in the settings of one."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import override_settings

from organizations.models import User
from organizations.services import installation
from organizations.services.connection import redox_settings
from orgportal.start_errors import SettingsError
from tests import factories
from tests.connected import redox

pytestmark = pytest.mark.one_database

SOME_UUID = "7f296bb4-83fd-498d-92f3-a76960648788"


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
def test_settings_that_mix_the_environments_stop_the_process(values: dict[str, str], variable: str) -> None:
    with override_settings(REDOX=redox("http://127.0.0.1:9", **values)), pytest.raises(SettingsError) as error:
        redox_settings.verify_settings()
    assert error.value.variable == variable


@cache
def private_key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(number: int, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return private_key(number).private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def test_the_same_key_in_both_environments_is_detected_in_any_format() -> None:
    old, new = pem(1, PrivateFormat.TraditionalOpenSSL), pem(1)
    for other in (old, new, new.replace("\n", "\r\n"), f"\n{new}\n"):
        keys = {"REDOX_STAGING_PRIVATE_KEY": new, "REDOX_PRODUCTION_PRIVATE_KEY": other}
        with override_settings(REDOX=redox("http://127.0.0.1:9", **keys)), pytest.raises(SettingsError) as error:
            redox_settings.verify_settings()
        assert error.value.variable == "REDOX_PRODUCTION_PRIVATE_KEY"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SOME_UUID, SOME_UUID.upper()),
        (SOME_UUID, SOME_UUID.replace("-", "")),
        (SOME_UUID, f"{{{SOME_UUID}}}"),
        ("Lakeside", "lakeside"),
    ],
)
def test_the_same_client_in_both_environments_is_detected_in_any_spelling(first: str, second: str) -> None:
    clients = {"REDOX_STAGING_CLIENT_ID": first, "REDOX_PRODUCTION_CLIENT_ID": second}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **clients)), pytest.raises(SettingsError) as error:
        redox_settings.verify_settings()
    assert error.value.variable == "REDOX_PRODUCTION_CLIENT_ID"


def test_different_credentials_are_accepted() -> None:
    keys = {"REDOX_STAGING_PRIVATE_KEY": pem(1), "REDOX_PRODUCTION_PRIVATE_KEY": pem(2)}
    clients = {"REDOX_STAGING_CLIENT_ID": "one", "REDOX_PRODUCTION_CLIENT_ID": "two"}
    # A secret, unlike a client ID, is another one with another case.
    secrets = {"REDOX_STAGING_API_SECRET": "secret", "REDOX_PRODUCTION_API_SECRET": "SECRET"}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **keys, **clients, **secrets)):
        redox_settings.verify_settings()


@pytest.mark.parametrize(
    ("values", "error"),
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
    values: dict[str, str], error: str
) -> None:
    with override_settings(REDOX=redox("http://127.0.0.1:9", **values)):
        redox_settings.verify_settings()
        staging, production = redox_settings.connection("staging"), redox_settings.connection("production")
    assert (staging.is_connected, production.is_connected) == (False, True)
    assert staging.error.startswith(error)
    assert "secret-key" not in staging.error


@pytest.mark.django_db
def test_a_routing_id_that_is_the_destination_id_of_a_record_is_refused(editor: User) -> None:
    factories.organization(user=editor, destination_id=SOME_UUID)
    crossed = override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_ROUTING_ID=SOME_UUID))
    with crossed, pytest.raises(SettingsError, match="REDOX_STAGING_ROUTING_ID"):
        installation.check_demonstration_mark()
