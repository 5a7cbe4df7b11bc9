"""Several submissions at once, and answers to them without a directory."""

import json

import pytest

from organizations.models import Submission, User
from organizations.redox.client import Exchange
from organizations.services.connection import redox_requests
from tests import factories
from tests.factories import BASE
from tests.redox.answers import success
from tests.services.sending import exchange_result

YES = exchange_result(200, json.dumps(success()).encode())


def queue(count: int, user: User, environment: str = "staging") -> list[Submission]:
    """Submit this many News, each of a separate record below BASE."""
    oids = [f"{BASE}.{number}" for number in range(1, count + 1)]
    rows = [factories.organization(oid, user=user, environment=environment) for oid in oids]
    if environment == "staging":
        return factories.plain_submissions(rows, user=user)
    return [factories.submission(row, user=user) for row in rows]


def answering(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Exchange]) -> list[str]:
    """Answer messages by their OID, all others with a success. Returns the OIDs of all messages that were sent."""
    sent: list[str] = []

    def send(_redox: object, message: bytes, _token: str) -> Exchange:
        (identifier,) = json.loads(message)["Organizations"][0]["Identifiers"][:1]
        sent.append(identifier["ID"])
        return answers.get(identifier["ID"], YES)

    monkeypatch.setattr(redox_requests, "send_message", send)
    return sent
