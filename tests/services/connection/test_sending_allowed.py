"""The check before each request: when it blocks, and which messages."""

import datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from organizations.models import EnvironmentGate, Installation, clock
from organizations.services.actors import system
from organizations.services.connection import redox_requests, redox_settings
from tests.connected import redox
from tests.services.fake_redox import API_KEY
from tests.services.sending import get_token

HERE, ELSEWHERE = "http://127.0.0.1:9", "https://redox.example"
MINUTE = datetime.timedelta(minutes=1)


def open_to(url: str = HERE, *, is_write: bool = True, **settings: Any) -> str:
    """The reason why nothing can be sent to this address, or ""."""
    with override_settings(REDOX=redox(url, **settings)):
        try:
            redox_requests.check_sending_allowed(redox_settings.environment("staging"), is_write=is_write)
        except redox_requests.SendingBlocked as closed:
            return str(closed)
    return ""


@pytest.mark.django_db(transaction=True)
class TestSendingAllowed:
    def test_messages_are_allowed(self) -> None:
        assert (open_to(HERE), open_to(ELSEWHERE)) == ("", "")

    def test_it_blocks_inside_a_transaction(self) -> None:
        with transaction.atomic():
            assert open_to() == "A database transaction is open. No message is sent inside one."

    def test_it_blocks_without_a_credential(self) -> None:
        assert open_to(REDOX_STAGING_AUTH="") == "STAGING is not connected."

    def test_a_demonstration_leads_to_this_machine_only(self) -> None:
        Installation.objects.update(demonstration=True)
        marked = "This database holds demonstration records; they are never sent to another machine."
        assert (open_to(HERE), open_to(ELSEWHERE)) == ("", marked)

    @pytest.mark.parametrize("is_write", [True, False])
    def test_nothing_is_sent_while_redox_asks_to_wait(self, is_write: bool) -> None:
        EnvironmentGate.objects.filter(pk="staging").update(hold_asked_until=clock.now() + MINUTE)
        closed = open_to(is_write=is_write)
        assert closed.startswith("Redox asked the portal to wait. Nothing is sent to STAGING until ")
        with override_settings(REDOX=redox(HERE, **API_KEY)):
            assert get_token("staging", system("Worker")) == ""
        EnvironmentGate.objects.filter(pk="staging").update(hold_asked_until=clock.now() - MINUTE)
        assert open_to(is_write=is_write) == ""

    @pytest.mark.parametrize("field", ["stopped_at", "hold_until", "probing"])
    def test_a_stop_or_pause_blocks_messages_and_not_queries(self, field: str) -> None:
        value = True if field == "probing" else clock.now() + MINUTE
        EnvironmentGate.objects.filter(pk="staging").update(**{field: value})
        assert open_to() == "STAGING was stopped or paused before the message was sent."
        assert open_to(is_write=False) == ""
        EnvironmentGate.objects.filter(pk="production").update(**{field: value})
        EnvironmentGate.objects.filter(pk="staging").update(stopped_at=None, hold_until=None, probing=False)
        assert open_to() == ""

    def test_no_query_is_sent_without_a_token(self) -> None:
        with override_settings(REDOX=redox(HERE, **API_KEY)):
            exchange = redox_requests.send_query(redox_settings.environment("staging"), b"{}")
        assert (exchange.token.token, exchange.exchange) == ("", None)


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        ("http://127.0.0.1:8000/endpoint", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("https://redox.example", False),
        ("https://128.0.0.1", False),
        ("https://localhost.example", False),
        ("", False),
    ],
)
def test_only_loopback_addresses_are_this_machine(url: str, is_loopback: bool) -> None:
    assert redox_settings.is_loopback(url) is is_loopback
