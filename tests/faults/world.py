"""A directory in memory with its own clock, for tests that draw random events.

It stores what the judges need: each content that the directory had, each request that arrived, and each reply.
"""

import datetime
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from unittest import mock

from organizations.models import EnvironmentGate, Installation, clock
from organizations.practice.behaviour import Behaviour
from organizations.practice.directory import Directory
from organizations.practice.replies import NoReply, Reply, gateway_reply, json_reply, too_many
from organizations.practice.shape import oid_of
from organizations.practice.store import Store
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.environment import RedoxEnvironment
from organizations.services.connection import redox_requests

REDOX_WORKS_FOR = 120.0
"""Seconds that Redox may still work on a message whose answer was lost."""
TICK = datetime.timedelta(milliseconds=1)
"""The clock moves on by this much at each reading, because a real clock moves on too."""


class Way(StrEnum):
    """What can happen to a message that is sent."""

    YES = "yes"
    OTHER_YES = "yes in other words"
    NO = "no"
    NOT_VALID = "no: not valid"
    BREAKS = "applied, and the answer is lost"
    APPLIED_504 = "applied, and a gateway answers 504"
    NOT_APPLIED_504 = "not applied, and a gateway answers 504"
    LATE = "applied later, and the answer is lost"
    LOST = "lost on the way"
    REFUSED = "refused before it left"
    TOO_MANY = "too many requests"
    NOT_SIGNED_IN = "not signed in"


BEHAVIOUR = {
    Way.YES: Behaviour.ANSWERS,
    Way.OTHER_YES: Behaviour.STRANGE_YES,
    Way.NO: Behaviour.SAYS_NO_PARSE,
    Way.NOT_VALID: Behaviour.SAYS_NO_NOT_VALID,
    Way.BREAKS: Behaviour.APPLIES_THEN_BREAKS,
    Way.APPLIED_504: Behaviour.APPLIES_THEN_504,
}


class Showing(StrEnum):
    """How the directory answers a Query."""

    AS_IT_IS = "as it is"
    SPELLED = "spelled differently"
    TWO_OIDS = "with another OID first"
    OTHERS = "with other organizations only"
    ACTIVE_ONLY = "only what is active"


class Died(BaseException):
    """The worker died here, as by kill -9. No except clause of the portal catches it."""


@dataclass(frozen=True, slots=True)
class Content:
    """The record of an OID from this time on, or None. `sha256` is that of our message; "" after another's change."""

    at: datetime.datetime
    oid: str
    organization: dict[str, Any] | None
    sha256: str


@dataclass(frozen=True, slots=True)
class LoggedExchange:
    """One request of the portal and its reply. If the worker died, nobody read the reply."""

    at: datetime.datetime
    request: bytes
    exchange: Exchange
    was_read: bool = True


@dataclass(slots=True)
class World:
    """The directory of one example. `way` says what happens to the next message, `dies` what happens to its worker.

    Before it dies the worker sends as many messages as `survives` says.
    """

    store: Store
    way: Way = Way.YES
    showing: Showing = Showing.AS_IT_IS
    answers_queries: bool = True
    dies: bool = False
    survives: int = 0
    time: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    arrived: list[bytes] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    replies: list[LoggedExchange] = field(default_factory=list)
    answers: list[LoggedExchange] = field(default_factory=list)
    """Replies to Queries; `replies` are those to messages."""
    _late: list[tuple[datetime.datetime, bytes]] = field(default_factory=list)
    _directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        self._directory = Directory(self.store, 0.0, threading.Event(), threading.Event())

    @classmethod
    def at(cls, folder: Path) -> "World":
        return cls(Store(folder))

    def copied(self, folder: Path) -> "World":
        """A copy of the world with its own directory."""
        copy = World(Store(folder), time=self.time, arrived=[*self.arrived], doubled=[*self.doubled])
        copy.contents, copy.replies, copy.answers = [*self.contents], [*self.replies], [*self.answers]
        copy._late = [*self._late]
        for oid in {content.oid for content in self.contents}:
            if (organization := self.record(oid)) is not None:
                copy.store.put("staging", oid, organization)
        return copy

    def now(self) -> datetime.datetime:
        """Replaces `clock.now`."""
        self.time += TICK
        return self.time

    def record(self, oid: str) -> dict[str, Any] | None:
        return next(iter(self.store.find("staging", oid=oid)), None)

    def put(self, oid: str, content: dict[str, Any] | None) -> None:
        """Change the directory without the portal. None removes the record."""
        if content is None:
            self.store.remove("staging", oid)
        else:
            self.store.put("staging", oid, content)
        self.contents.append(Content(self.now(), oid, content, ""))

    def news(self, oid: str) -> int:
        return sum(1 for effect in self.store.effects() if (effect.event, effect.oid) == ("New", oid))

    def pass_time(self, seconds: float) -> None:
        """Move the clock. Messages that the directory still processes take effect at their time."""
        end = self.time + datetime.timedelta(seconds=seconds)
        for moment, message in [late for late in self._late if late[0] <= end]:
            self.time = max(self.time, moment)
            self._answer(message, Behaviour.ANSWERS)
        self._late = [late for late in self._late if late[0] > end]
        self.time = max(self.time, end)

    def close_breaker(self) -> None:
        """Close the circuit breaker: messages are sent again. It is not tested here."""
        EnvironmentGate.objects.update(
            stopped_at=None, hold_until=None, hold_asked_until=None, failures=0, probing=False
        )

    def exchange(self, redox: RedoxEnvironment, message: bytes, token: str) -> Exchange:
        """Replaces `redox_requests.send_message`."""
        if json.loads(message)["Meta"]["EventType"] == "Query":
            return self._answer_query(message)
        exchange = self._sent(message)
        dies = self.dies and self.survives == 0
        self.replies.append(LoggedExchange(self.now(), message, exchange, was_read=not dies))
        if dies:
            self.dies = False
            raise Died
        self.survives -= self.dies
        return exchange

    def ask(self, redox: RedoxEnvironment, query: bytes) -> redox_requests.QueryReply:
        """Replaces `redox_requests.send_query`."""
        return redox_requests.QueryReply(TokenAnswer(token="token"), self._answer_query(query))

    def _answer_query(self, query: bytes) -> Exchange:
        if not self.answers_queries:
            exchange = self._exchange(query, status=502, body=b"Bad Gateway")
        else:
            reply = self._directory.answer(query, "staging", Behaviour.ANSWERS)
            exchange = self._replied(query, _shown(reply, self.showing, query))
        self.answers.append(LoggedExchange(self.now(), query, exchange))
        return exchange

    @contextmanager
    def in_place_of_redox(self) -> Iterator[None]:
        """Connect the portal to this directory and its clock."""
        # The clock of another example may be far ahead.
        Installation.objects.update(next_send_at=None)
        with (
            mock.patch.object(clock, "now", self.now),
            mock.patch.object(
                redox_requests, "check_sending_allowed"
            ),  # nothing leaves, so a test's transaction may be open
            mock.patch.object(redox_requests, "send_message", self.exchange),
            mock.patch.object(redox_requests, "send_query", self.ask),
            mock.patch.object(redox_requests, "access_token", return_value=TokenAnswer(token="token")),
            mock.patch.object(redox_requests, "ready_token", return_value=TokenAnswer(token="token")),
            mock.patch.object(redox_requests, "discard_token", return_value=True),
            # Random waits would make two runs of one example differ.
            mock.patch("random.uniform", lambda least, most: most),
        ):
            yield

    def _sent(self, message: bytes) -> Exchange:
        if self.way is Way.REFUSED:
            return self._exchange(message, sent=False, fault=Fault.REFUSED, fault_text="refused")
        self._arrive(message)
        if self.way is Way.LATE:
            self._late.append((self.time + datetime.timedelta(seconds=REDOX_WORKS_FOR), message))
        if self.way in (Way.LATE, Way.LOST):
            return self._exchange(message, fault=Fault.DEADLINE, fault_text="no whole answer")
        if self.way is Way.NOT_SIGNED_IN:
            return self._exchange(message, status=401, body=b'{"errorDetail": "over"}')
        if self.way is Way.NOT_APPLIED_504:
            return self._replied(message, gateway_reply(504, "Gateway Time-out"))
        reply = too_many() if self.way is Way.TOO_MANY else self._answer(message, BEHAVIOUR[self.way])
        return self._replied(message, reply)

    def _arrive(self, message: bytes) -> None:
        """Log the message. A New is a duplicate if our own New created the record or will create it."""
        read = json.loads(message)
        oid = oid_of(read["Organizations"][0])
        ours = hashlib.sha256(message).hexdigest() in {effect.body_sha256 for effect in self.store.effects()}
        there = self.record(oid) is not None
        if read["Meta"]["EventType"] == "New" and ((ours and there) or message in [late for _, late in self._late]):
            self.doubled.append(oid)
        self.arrived.append(message)

    def _answer(self, message: bytes, behaviour: Behaviour) -> Reply | NoReply:
        """Apply a message to the directory, and store the content after it."""
        organization = json.loads(message)["Organizations"][0]
        before = len(self.store.effects())
        reply = self._directory.answer(message, "staging", behaviour)
        if len(self.store.effects()) > before:
            sha256 = hashlib.sha256(message).hexdigest()
            self.contents.append(Content(self.now(), oid_of(organization), organization, sha256))
        return reply

    def _replied(self, message: bytes, reply: Reply | NoReply) -> Exchange:
        if isinstance(reply, NoReply):
            return self._exchange(message, fault=Fault.BROKEN, fault_text="broken off")
        headers = {"content-type": reply.content_type}
        return self._exchange(message, status=reply.status, headers=headers, body=reply.body)

    def _exchange(self, message: bytes, *, sent: bool = True, **values: Any) -> Exchange:
        return Exchange(request_sha256=hashlib.sha256(message).hexdigest(), sent=sent, duration_ms=5, **values)


def _shown(reply: Reply | NoReply, showing: Showing, query: bytes) -> Reply | NoReply:
    """The answer to a Query, changed as `showing` says."""
    if isinstance(reply, NoReply) or showing is Showing.AS_IT_IS:
        return reply
    content, asked = json.loads(reply.body), json.loads(query)
    organizations = content["Organizations"]
    if showing is Showing.SPELLED:
        organizations = list(map(respell, organizations))
    if showing is Showing.TWO_OIDS:
        other = {"ID": "2.16.840.1.113883.4.6.1", "IDType": "OID"}
        organizations = [each | {"Identifiers": [other, *each["Identifiers"]]} for each in organizations]
    if showing is Showing.OTHERS:
        oids = [{"ID": "2.16.840.1.113883.4.6.2", "IDType": "OID"}]
        organizations = [each | {"Identifiers": oids} for each in organizations]
    if showing is Showing.ACTIVE_ONLY and "Active" not in asked:
        organizations = [each for each in organizations if each["Active"]]
    return json_reply(reply.status, content | {"Organizations": organizations})


def respell(organization: dict[str, Any]) -> dict[str, Any]:
    """The same organization in another spelling: US for USA, five digits of a ZIP, small letters, another order."""
    address = dict(organization.get("Address", {}))
    if address.get("Country") in ("USA", "US"):
        address["Country"] = "US" if address["Country"] == "USA" else "USA"
    if "ZIP" in address:
        address["ZIP"] = address["ZIP"][:5]
    if "State" in address:
        address["State"] = address["State"].lower()
    changed = {"Aliases": list(reversed(organization["Aliases"]))} if organization.get("Aliases") else {}
    return organization | changed | ({"Address": address} if address else {})
