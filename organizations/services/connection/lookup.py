"""Looks up one OID in the directory by up to three Queries. Nothing is stored.

A `Lookup` has the next Query, and `advance` judges its reply. So the caller can wait for each reply (`look_up_oid`), or
do other work until it arrives (`delivery/lane_queries.py`).
"""

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import NamedTuple

from organizations.models import Organization, clock
from organizations.records import OrganizationRecord
from organizations.redox import messages
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, NotDecodable, decoded_body
from organizations.redox.environment import RedoxEnvironment
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.redox.strict_json import AnswerNotUnderstood, UnreadableOrganization
from organizations.services.connection import redox_requests, redox_settings
from organizations.services.connection.redox_requests import QueryReply
from organizations.services.timing import clock_time

ACTIVE_FILTERS = (None, True, False)
"""The `Active` filter of each Query. An OID counts as absent only after an empty list to all three.

Redox does not document whether a Query without `Active` leaves out deactivated records.
"""
RENEWED_AND_REPEATED = "Redox refused the access token, and the Query was sent again with a new one."


class EarlierQuery(NamedTuple):
    """An exchange before the deciding one: an empty list, or a failure if `cause` is set. `active` is its filter."""

    exchange: Exchange
    active: bool | None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryAnswer:
    """The directory's answer about one OID. `cause` says why there is no answer; then the record is not known.

    `is_unreadable`: the directory shows the OID, but its values cannot be read; `cause` names what cannot.
    `record` is None if the OID is absent. `asked_at` is the database's time before the first Query.
    `exchange` is the deciding one, or None if the last Query was not sent; `earlier` are those before it.
    `outcome` is that of the last exchange or token request, or None if nothing was sent.
    `wait_until` is the end of the pause in words, if that outcome pauses the environment.
    """

    asked_at: datetime.datetime
    cause: str = ""
    record: OrganizationRecord | None = None
    exchange: Exchange | None = None
    earlier: tuple[EarlierQuery, ...] = ()
    outcome: Outcome | None = None
    token: TokenAnswer = field(default_factory=TokenAnswer)
    wait_until: str = ""
    is_unreadable: bool = False

    @property
    def is_answered(self) -> bool:
        return not self.cause


@dataclass(frozen=True, slots=True)
class Question:
    """An OID to look up, and the function that stores the answer.

    A probe is one Query. Any other question is up to one Query for each of `ACTIVE_FILTERS`.
    """

    oid: str
    store: Callable[[DirectoryAnswer], None]
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup whose next Query has the first of `filters`. `earlier` are the exchanges before it."""

    redox: RedoxEnvironment
    oid: str
    asked_at: datetime.datetime
    filters: tuple[bool | None, ...] = ACTIVE_FILTERS
    earlier: tuple[EarlierQuery, ...] = ()

    @property
    def message(self) -> bytes:
        """The next Query."""
        return messages.build_query(self.oid, self.redox, active=self.filters[0])


def look_up_oid(redox: RedoxEnvironment, oid: str, *, pace: float = 0.0) -> DirectoryAnswer:
    """Query the directory for one OID. Must not be called inside a transaction.

    `pace`: how many seconds to wait between an answer and the next Query.
    """
    step: Lookup | DirectoryAnswer = Lookup(redox, oid, clock.now())
    while isinstance(step, Lookup):
        try:
            reply = redox_requests.send_query(redox, step.message)
        except redox_requests.SendingBlocked as blocked:
            reply = QueryReply(TokenAnswer(), blocked=str(blocked))
        step = advance(step, reply)
        if isinstance(step, Lookup):
            time.sleep(pace)
    return step


def advance(lookup: Lookup, reply: QueryReply) -> Lookup | DirectoryAnswer:
    """The step after the reply to the next Query of a lookup: another Query, or the answer.

    The OID is absent after an empty list to each Query. The first other reply ends the lookup.
    """
    answer = _judge(lookup, reply)
    if answer.cause or answer.record or answer.exchange is None or len(lookup.filters) == 1:
        return answer
    active, *left = lookup.filters
    return replace(lookup, filters=tuple(left), earlier=(*answer.earlier, EarlierQuery(answer.exchange, active)))


def token_refusal_reason(answer: TokenAnswer) -> str:
    """Why there is no token, in Redox's words if it gave any."""
    detail = answer.outcome.detail if answer.outcome else ""
    return answer.error_description or answer.error or detail or "Redox gives no reason."


def _judge(lookup: Lookup, reply: QueryReply) -> DirectoryAnswer:
    """The answer if this reply is the last one."""
    asked_at, earlier = lookup.asked_at, lookup.earlier
    token, exchange, refused, blocked = reply
    if blocked:
        return DirectoryAnswer(asked_at, cause=blocked, exchange=exchange, earlier=earlier)
    if refused is not None:
        earlier += (EarlierQuery(refused, lookup.filters[0], RENEWED_AND_REPEATED),)
    if exchange is None or token.outcome is not None:
        return _with_end_of_wait(
            DirectoryAnswer(
                asked_at,
                cause=token_refusal_reason(token),
                exchange=exchange,
                earlier=earlier,
                outcome=token.outcome,
                token=token,
            )
        )
    outcome = classify(exchange, event=messages.QUERY, oid=lookup.oid)
    if outcome.kind != Kind.ACCEPTED:
        cause = outcome.detail or f"HTTP {exchange.status}"
        return _with_end_of_wait(
            DirectoryAnswer(
                asked_at,
                cause=cause,
                exchange=exchange,
                earlier=earlier,
                outcome=outcome,
                token=token,
                is_unreadable=_is_unreadable(exchange, lookup.oid),
            )
        )
    record = messages.read_query_answer(decoded_body(exchange), lookup.oid)
    return DirectoryAnswer(asked_at, record=record, exchange=exchange, earlier=earlier, outcome=outcome, token=token)


def _is_unreadable(exchange: Exchange, oid: str) -> bool:
    """Whether the answer shows one organization with this OID whose values cannot be read."""
    if exchange.status is None or exchange.status // 100 != HTTPStatus.OK // 100 or exchange.body_cut:
        return False
    try:
        messages.read_query_answer(decoded_body(exchange), oid)
    except UnreadableOrganization:
        return True
    except (AnswerNotUnderstood, NotDecodable):
        return False
    return False


def _with_end_of_wait(answer: DirectoryAnswer) -> DirectoryAnswer:
    """The answer with the end of the wait in its cause, if Redox asked to wait."""
    cause, until = cause_with_wait(answer.cause, answer.outcome)
    return replace(answer, cause=cause, wait_until=until)


def cause_with_wait(cause: str, outcome: Outcome | None) -> tuple[str, str]:
    """The cause with the end of the wait, and that time, if Redox asked to wait; else the cause and ""."""
    if outcome is None or outcome.hold_seconds is None:
        return cause, ""
    until = clock_time(clock.now() + datetime.timedelta(seconds=outcome.hold_seconds))
    who = (
        "Redox asked the portal to wait" if outcome.names_wait else "Redox does not say for how long; the portal waits"
    )
    return f"{cause.rstrip('.')}. {who} until {until}.", until


def oid_to_check(environment: str) -> str:
    """The OID that a connection check queries: our base OID, else our first record, else the gateway."""
    redox = redox_settings.environment(environment)
    if redox.base_oids:
        return redox.base_oids[0]
    first = Organization.objects.in_environment(environment).order_by("oid_key").values_list("oid", flat=True).first()
    return first or redox.gateway_oid
