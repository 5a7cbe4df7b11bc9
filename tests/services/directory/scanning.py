"""Helpers for tests of the search through the whole directory (the scan): its contents, and what it delivered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from organizations.models import EnvironmentGate, TakeOver, TakeOverState, User
from organizations.practice import PracticeDirectory
from organizations.practice.replies import NoReply, Reply
from organizations.practice.server import ReceivedRequest
from organizations.redox import messages
from organizations.redox.client import MAX_BODY
from organizations.redox.paging import Position
from organizations.services.connection import redox_settings
from organizations.services.directory import scan, take_over
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import WORKER

HERE = "2.16.840.1.113883.3.6147.458.77777.1.1.1.1"
"""The OID of the fixture `record_here`."""
ELSEWHERE = "1.3.6.1.4.1.32473.5"
LATE = "2.999.7"
"""OIDs that sort before and after those of Redox."""


def put(practice: PracticeDirectory, oid: str, **values: Any) -> str:
    """Register an organization in the practice directory, as an old curl command did. Returns its OID."""
    record = factories.record(oid, **{"name": f"By curl {oid[-3:]}"} | values)
    message = messages.build_message(record, messages.NEW, redox_settings.environment("staging"))
    practice.register("staging", json.loads(message)["Organizations"][0])
    return oid


def begin(user: User, *, limit: int = 100) -> TakeOver:
    """Begin a scan whose pages have at most this many organizations."""
    run = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(user))
    TakeOver.objects.filter(pk=run.pk).update(position=Position(limit=limit).to_json())
    run.refresh_from_db()
    return run


def read_page(run: TakeOver) -> bool:
    """Read the next page now, without a wait for Redox, a lease or the pace. Returns whether a Query was sent."""
    EnvironmentGate.objects.update(stopped_at=None, hold_until=None, hold_asked_until=None, probing=False)
    TakeOver.objects.update(lease_until=None)
    was_sent = scan.scan_next("staging", actor=WORKER, pace=0)
    run.refresh_from_db()
    return was_sent


def is_reading(run: TakeOver) -> bool:
    return run.state == TakeOverState.ASKING and bool(run.position) and not run.end_reason


def read_to_the_end(run: TakeOver) -> None:
    """Read all pages, without asking for the probes."""
    while is_reading(run):
        read_page(run)


def scanned(user: User, *, limit: int = 100) -> TakeOver:
    """A scan that has read all its pages, without asking for the probes."""
    run = begin(user, limit=limit)
    read_to_the_end(run)
    return run


def continue_to_the_end(run: TakeOver, user: User) -> None:
    """Continue a scan that ended, as a person does, and read the other pages."""
    take_over.ask_again(run.pk, actor=as_actor(user))
    run.refresh_from_db()
    read_to_the_end(run)


def states(run: TakeOver) -> dict[str, str]:
    """The states of the candidates by OID, without probes."""
    return dict(run.candidates.exclude(source="probe").values_list("oid", "state"))


@dataclass
class Delivered:
    """The organizations that the practice directory sent in readable answers, in order."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def take(self, reply: Reply | NoReply) -> None:
        if isinstance(reply, NoReply) or reply.status != 200 or reply.is_cut or len(reply.body) > MAX_BODY:
            return
        organizations = json.loads(reply.body).get("Organizations")
        self.entries += organizations if isinstance(organizations, list) else []

    def oids(self) -> list[str]:
        """The last OID of each organization: the practice directory lists its own after another one."""
        return [entry["Identifiers"][-1]["ID"] for entry in self.entries]


def recorded(practice: PracticeDirectory, monkeypatch: pytest.MonkeyPatch) -> Delivered:
    """Record what the practice directory delivers from now on."""
    delivered, reply_to = Delivered(), practice.reply

    def reply(request: ReceivedRequest, authorization: str) -> Reply | NoReply:
        answer = reply_to(request, authorization)
        delivered.take(answer)
        return answer

    monkeypatch.setattr(practice, "reply", reply)
    return delivered


def pages_asked_for(practice: PracticeDirectory, active: bool | None = None) -> Iterator[tuple[int, int]]:
    """Index and limit of each Query for a page, with this filter."""
    for request in practice.requests:
        message = json.loads(request.body)
        if "Limit" in message and message.get("Active") is active:
            yield int(message["Index"]), int(message["Limit"])
