"""The state of an environment, from its settings and its circuit breaker."""

import datetime
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from organizations.models import EnvironmentGate, clock
from organizations.pages.environment_state import environment_state
from organizations.services.connection import redox_settings
from tests.connected import redox

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NOW = datetime.datetime(2027, 5, 3, 19, 3, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.STARTED_AT = NOW - datetime.timedelta(minutes=3)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def checked(**values: Any) -> dict[str, Any]:
    """What a gate stores about a check with the current settings."""
    facts = {"fingerprint": redox_settings.fingerprint("staging"), "sentence": "The key is unknown."}
    return {"checked_at": NOW, "check_succeeded": True, "check_facts": facts} | values


@pytest.mark.usefixtures("unreachable_redox")
@pytest.mark.parametrize(
    ("values", "key", "sentence"),
    [
        ({}, "not_checked", "Nobody has checked it since the portal started at 14:00."),
        ({"stopped_at": NOW, "stopped_reason": "No key."}, "stopped", "at 14:03: No key. Nothing is lost"),
        ({"hold_until": LATER}, "waiting", "Redox asked us to slow down. Sending continues at 15:03."),
        ({"hold_until": LATER, "probing": True, "failures": 5}, "paused", "5 times in a row."),
        ({"hold_until": NOW, "probing": True, "failures": 1}, "not_checked", ""),  # a single failure does not pause
    ],
)
def test_the_state_follows_from_the_gate(values, key, sentence):
    state = environment_state(EnvironmentGate(environment="staging", **values))
    assert (state.key, sentence in state.sentence) == (key, True)


@pytest.mark.usefixtures("unreachable_redox")
def test_a_check_is_valid_only_for_the_settings_it_used():
    gate = EnvironmentGate(environment="staging", **checked())
    assert environment_state(gate).key == "connected"
    gate.check_succeeded = False
    state = environment_state(gate)
    assert (state.key, state.sentence) == ("check_failed", "The last check at 14:03 failed: The key is unknown.")
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_ACCESS_TOKEN="another")):
        assert environment_state(gate).key == "not_checked"


def test_an_environment_without_a_credential_is_not_connected():
    state = environment_state(EnvironmentGate.objects.get(pk="production"))
    assert state.key == "not_connected"
    assert state.sentence.startswith("No credential is set for PRODUCTION.")


def test_an_invalid_setting_names_its_variable_and_does_not_affect_the_other_environment():
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_SOURCE_ID="no-uuid")):
        state = environment_state(EnvironmentGate.objects.get(pk="staging"))
        assert (state.key, state.word) == ("faulty", "Not connected")
        assert state.sentence.startswith("Not connected: REDOX_STAGING_SOURCE_ID: is not a UUID")
        assert environment_state(EnvironmentGate.objects.get(pk="production")).key == "not_checked"
