"""Asks the directory for one page of a search. Nothing is stored."""

import datetime
from dataclasses import dataclass, replace
from http import HTTPStatus

from organizations.models import clock
from organizations.redox import directory_query, messages
from organizations.redox.client import Exchange, NotDecodable, decoded_body
from organizations.redox.directory_query import Listing, SearchFilters
from organizations.redox.environment import RedoxEnvironment
from organizations.redox.outcome import Kind, Outcome, classify, read_answer_body
from organizations.redox.paging import Position
from organizations.redox.strict_json import AnswerNotUnderstood
from organizations.services.connection import redox_requests
from organizations.services.connection.lookup import token_refusal_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """The answer to the Query for one page: a listing, an answer that is too large to be read, or neither.

    `cause`: why it is neither. `asked_at`: the database's time before the Query. `exchange`: None if nothing was sent.
    `refused`: an earlier exchange in which Redox refused the access token. `outcome`: that of the exchange or of the
    token request; None if neither says anything about Redox. `is_unreadable`: Redox answered with a success, but not
    in the form of a listing.
    """

    asked_at: datetime.datetime
    listing: Listing | None = None
    is_too_large: bool = False
    is_unreadable: bool = False
    cause: str = ""
    exchange: Exchange | None = None
    refused: Exchange | None = None
    outcome: Outcome | None = None


def ask_for_page(redox: RedoxEnvironment, filters: SearchFilters, position: Position) -> PageAnswer:
    """Ask for the page at this position. Must not be called inside a transaction."""
    asked_at = clock.now()
    query = directory_query.build_search(filters, redox, index=position.index, limit=position.limit)
    try:
        token, exchange, refused, blocked = redox_requests.send_query(redox, query)
    except redox_requests.SendingBlocked as error:
        return PageAnswer(asked_at=asked_at, cause=str(error))
    if blocked:
        return PageAnswer(asked_at=asked_at, cause=blocked, exchange=exchange, refused=refused)
    if exchange is None or token.outcome is not None:
        cause = f"There is no access token: {token_refusal_reason(token)}"
        return PageAnswer(asked_at=asked_at, cause=cause, exchange=exchange, refused=refused, outcome=token.outcome)
    return replace(_read_answer(asked_at, exchange), refused=refused)


def _read_answer(asked_at: datetime.datetime, exchange: Exchange) -> PageAnswer:
    answered = Outcome(kind=Kind.ACCEPTED, status=exchange.status)
    is_success = exchange.status is not None and exchange.status // 100 == HTTPStatus.OK // 100
    if is_success and exchange.body_cut:
        return PageAnswer(asked_at=asked_at, is_too_large=True, exchange=exchange, outcome=answered)
    sentence = ""
    if is_success and exchange.fault is None:
        try:
            listing = directory_query.read_listing(decoded_body(exchange))
            return PageAnswer(asked_at=asked_at, listing=listing, exchange=exchange, outcome=answered)
        except NotDecodable as error:
            sentence = AnswerNotUnderstood(str(error)).sentence
        except AnswerNotUnderstood as error:
            # If Redox reports errors, its own words are the cause.
            sentence = "" if read_answer_body(exchange).errors else error.sentence
    outcome = classify(exchange, event=messages.QUERY, oid="")
    cause = sentence or outcome.detail or f"HTTP {exchange.status}"
    is_unreadable = bool(sentence)
    return PageAnswer(asked_at=asked_at, is_unreadable=is_unreadable, cause=cause, exchange=exchange, outcome=outcome)
