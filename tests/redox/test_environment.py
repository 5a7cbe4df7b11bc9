"""An environment: the how-to's table, hidden secrets, and the fingerprint."""

from dataclasses import replace
from uuid import UUID

import pytest

from organizations.redox.environment import (
    ENVIRONMENTS,
    GATEWAY_OID,
    ORGANIZATION_ROUTING,
    ROUTING_NAMES,
    ROUTING_TABLE,
    ApiKeyCredential,
    OAuthCredential,
    Purpose,
    RedoxEnvironment,
    TokenCredential,
    environment_fingerprint,
    routing_name,
    routing_use,
)

OAUTH = OAuthCredential(client_id="client-1", key_id="key-1", private_key="hidden-key")
STAGING = RedoxEnvironment(
    name="staging", label="Staging", routing_id=ORGANIZATION_ROUTING["staging"], source_id="source-1", credential=OAUTH
)


def test_organizations_are_routed_by_the_ids_of_the_how_to():
    assert ORGANIZATION_ROUTING == {
        "staging": "a07afe3b-d247-4415-827f-6837707e1b8b",
        "production": "5d0fd248-6c52-4ad9-b907-ae10bf2dcc39",
    }


def test_the_table_has_eight_different_ids_and_none_for_the_repository():
    assert list(ROUTING_TABLE) == list(Purpose)
    assert ROUTING_TABLE[Purpose.REPOSITORY] == {}
    assert len(ROUTING_NAMES) == 8
    assert all(str(UUID(routing_id)) == routing_id for routing_id in ROUTING_NAMES)
    assert all(set(ids) == set(ENVIRONMENTS) for ids in ROUTING_TABLE.values() if ids)


def test_a_routing_id_is_recognized_in_any_spelling():
    upper = " A07AFE3B-D247-4415-827F-6837707E1B8B"
    assert routing_name(upper) == "Query for/create/update/delete an organization, STAGING"
    assert routing_use(upper) == (Purpose.ORGANIZATION, "staging")
    assert routing_use("628cbf79-1156-4923-b9d0-285906160ed6") == (Purpose.DOCUMENT, "production")


def test_another_id_is_not_in_the_table():
    assert routing_name("9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41") == ""
    assert routing_use("9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41") is None


@pytest.mark.parametrize(
    "credential",
    [
        OAUTH,
        ApiKeyCredential(api_key="hidden-name", api_secret="hidden-secret"),
        TokenCredential(access_token="hidden-token"),
    ],
)
def test_no_secret_is_ever_printed(credential):
    environment = replace(STAGING, credential=credential)
    assert "hidden" not in repr(environment) + str(credential) + environment_fingerprint(environment)


def test_the_gateway_and_the_address_have_the_values_of_the_how_to():
    assert (STAGING.base_url, STAGING.gateway_oid) == ("https://api.redoxengine.com", GATEWAY_OID)
    assert GATEWAY_OID == "2.16.840.1.113883.3.6147.458.2"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "production"},
        {"base_url": "https://api.example.org"},
        {"routing_id": ORGANIZATION_ROUTING["production"]},
        {"gateway_oid": "2.16.840.1.113883.3.6147.458.3"},
        {"source_id": ""},
        {"credential": None},
        {"credential": replace(OAUTH, private_key="another")},
        {"credential": replace(OAUTH, client_id="key-1", key_id="client-1")},
        {"credential": TokenCredential(access_token="hidden-key")},
    ],
)
def test_each_setting_that_decides_what_is_sent_where_changes_the_fingerprint(change):
    assert environment_fingerprint(replace(STAGING, **change)) != environment_fingerprint(STAGING)


@pytest.mark.parametrize("change", [{"label": "Development"}, {"base_oids": ("1.2.3",)}])
def test_a_setting_that_is_only_shown_does_not_change_the_fingerprint(change):
    assert environment_fingerprint(replace(STAGING, **change)) == environment_fingerprint(STAGING)
