"""A directory in memory, and the clock: what stands on the other side of one submission, for the state machine."""

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

from django.db.models import F

from organizations.models import EnvironmentGate, Submission
from organizations.practice.behaviour import Behaviour
from organizations.practice.directory import Directory
from organizations.practice.replies import NoReply, Reply, too_many
from organizations.practice.shape import oid_of
from organizations.practice.store import Store
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.environment import Environment as RedoxEnvironment
from organizations.services import gateway
from organizations.services.turns import Turn

REDOX_WORKS_FOR = 120.0
"""Seconds that Redox may still work on a message whose answer was lost."""
TIMES = ("not_before", "lease_until", "unknown_since", "absent_at", "read_back_at")


class Way(StrEnum):
    """What can become of a message that goes out."""

    YES = "yes"
    OTHER_YES = "yes in other words"
    NO = "no"
    NOT_VALID = "no: not valid"
    BREAKS = "applied, and the answer is lost"
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
}


@dataclass(slots=True)
class World:
    """The directory of one example; `way` is what becomes of the next message."""

    store: Store
    way: Way = Way.YES
    answers_queries: bool = True
    arrived: list[bytes] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    _late: list[tuple[float, bytes]] = field(default_factory=list)
    _directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        self._directory = Directory(self.store, 0.0, threading.Event())

    @classmethod
    def at(cls, folder: Path) -> "World":
        return cls(Store(folder))

    def record(self, oid: str) -> dict[str, Any] | None:
        return next(iter(self.store.find("staging", oid=oid)), None)

    def put(self, oid: str, content: dict[str, Any] | None) -> None:
        """Somebody changes the directory by another way; None takes the record away."""
        if content is None:
            self.store.remove("staging", oid)
        else:
            self.store.put("staging", oid, content)

    def news(self, oid: str) -> int:
        return sum(1 for effect in self.store.effects() if (effect.event, effect.oid) == ("New", oid))

    def pass_time(self, seconds: float) -> None:
        """Move every time of every submission, and what the directory still works on, into the past."""
        delta = datetime.timedelta(seconds=seconds)
        for name in TIMES:
            Submission.objects.exclude(**{name: None}).update(**{name: F(name) - delta})
        late, self._late = self._late, []
        for left, message in late:
            if left <= seconds:
                self._directory.answer(message, "staging", Behaviour.ANSWERS)
            else:
                self._late.append((left - seconds, message))

    def open_gate(self) -> None:
        """What answers do to the environment is not what this is about."""
        EnvironmentGate.objects.update(stopped_at=None, hold_until=None, failures=0, probing=False)

    def exchange(self, redox: RedoxEnvironment, message: bytes, token: str, turn: Turn) -> Exchange:
        """Stands for `gateway.exchange`."""
        if self.way is Way.REFUSED:
            return self._exchange(message, sent=False, fault=Fault.REFUSED, fault_text="refused")
        self._arrive(message)
        if self.way is Way.LATE:
            self._late.append((REDOX_WORKS_FOR, message))
        if self.way in (Way.LATE, Way.LOST):
            return self._exchange(message, fault=Fault.DEADLINE, fault_text="no whole answer")
        if self.way is Way.NOT_SIGNED_IN:
            return self._exchange(message, status=401, body=b'{"errorDetail": "over"}')
        reply = too_many() if self.way is Way.TOO_MANY else self._answer(message, BEHAVIOUR[self.way])
        return self._replied(message, reply)

    def ask(self, redox: RedoxEnvironment, query: bytes) -> tuple[TokenAnswer, Exchange | None]:
        """Stands for `gateway.ask`."""
        if not self.answers_queries:
            return TokenAnswer(token="token"), self._exchange(query, status=502, body=b"Bad Gateway")
        return TokenAnswer(token="token"), self._replied(query, self._answer(query, Behaviour.ANSWERS))

    @contextmanager
    def in_place_of_redox(self) -> Iterator[None]:
        with (
            mock.patch.object(gateway, "exchange", self.exchange),
            mock.patch.object(gateway, "ask", self.ask),
            # Waits of random length would be over in one run of an example and not in the next.
            mock.patch("random.uniform", lambda least, most: most),
        ):
            yield

    def _arrive(self, message: bytes) -> None:
        """A New of a record that our own New has put there, or will: the worst that can happen."""
        read = json.loads(message)
        oid = oid_of(read["Organizations"][0])
        ours = hashlib.sha256(message).hexdigest() in {effect.body_sha256 for effect in self.store.effects()}
        there = self.record(oid) is not None
        if read["Meta"]["EventType"] == "New" and ((ours and there) or message in [late for _, late in self._late]):
            self.doubled.append(oid)
        self.arrived.append(message)

    def _answer(self, message: bytes, behaviour: Behaviour) -> Reply | NoReply:
        return self._directory.answer(message, "staging", behaviour)

    def _replied(self, message: bytes, reply: Reply | NoReply) -> Exchange:
        if isinstance(reply, NoReply):
            return self._exchange(message, fault=Fault.BROKEN, fault_text="broken off")
        headers = {"content-type": reply.content_type}
        return self._exchange(message, status=reply.status, headers=headers, body=reply.body)

    def _exchange(self, message: bytes, *, sent: bool = True, **values: Any) -> Exchange:
        return Exchange(request_sha256=hashlib.sha256(message).hexdigest(), sent=sent, duration_ms=5, **values)
