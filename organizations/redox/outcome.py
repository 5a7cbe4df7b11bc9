"""What an answer means: the rules that turn an exchange into an outcome.

A New or an Update succeeds only with one of the two sentences in the how-to, a Query with a QueryResponse. The error
texts are those of Redox's page on Carequality errors. Without such a text most 4xx are rejections. A message
answered by 401, 425, 429 or a redirect was not executed. Any other answer, such as a 504, is unknown: the message may
have taken effect, and the directory is queried.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, NamedTuple

from organizations.redox.client import Exchange, Fault, NotDecodable, decoded_body, plain_text

from .messages import QUERY, read_query_answer
from .strict_json import AnswerNotUnderstood, read_json

OTHER_OID = "other OID in the answer"
OTHER_SUCCESS = "new success text"
"""The warning for a 2xx without errors in undocumented words. Its value is stored."""
ABSENT = "absent"

STOP_CREDENTIAL = "Redox does not accept the credential"
STOP_CERTIFICATE = "the server's certificate is not valid for Redox's address"
STOP_ADDRESS = "the address of Redox cannot be used"
STOP_REDIRECT = "Redox's address answered with a redirect"
STOP_SUBSCRIPTION = "Redox does not let this credential write to this directory"

HOLD_SECONDS = 300.0
"""How long an environment pauses after too many requests if the answer names no time. Redox counts over 5 minutes."""

MAX_ID = 64
_MESSAGE_ID: tuple[str | int, ...] = ("Meta", "Message", "ID")
_LOG_ID: tuple[str | int, ...] = ("Meta", "Logs", 0, "ID")

_OID = r"\[?(?:urn:oid:)?[0-9][0-9.]*\]?"
_ID = r"\[?[A-Za-z0-9.:-]+\]?"


class Kind(StrEnum):
    """The kind of an outcome.

    ACCEPTED, REJECTED: by Redox's answer. NOT_SENT, NOT_EXECUTED: the message can be sent again safely. UNKNOWN: it may
    have taken effect. NEEDS_PERSON: a person must decide.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    NOT_EXECUTED = "not_executed"
    UNKNOWN = "unknown"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The meaning of one exchange, and its consequences for the environment.

    `known` is the key of the documented error text; `detail` is Redox's text or the fault, as plain text.
    `stops` is the reason to stop the environment. `renew_token`: send the message once more with a new token; `stops`
    applies only if that is impossible or fails too. `hold_seconds` is how long the environment pauses;
    `names_wait` says whether the answer asks for that time. `presence` is "absent" if the answer proves it.
    If the kind is UNKNOWN and `known` is "already_exists", the directory can be queried at once.
    """

    kind: Kind
    known: str = ""
    detail: str = ""
    message_id: str = ""
    log_id: str = ""
    stops: str = ""
    hold_seconds: float | None = None
    names_wait: bool = False
    presence: str = ""
    warning: str = ""
    answered_oid: str = ""
    renew_token: bool = False
    status: int | None = None
    fault: Fault | None = None


class AnswerBody(NamedTuple):
    """The parts of an answer's body that the rules read. `data` is None if the body is not a JSON object.

    `is_decoded` is false if the content encoding could not be undone.
    """

    data: dict[str, Any] | None = None
    text: str = ""
    sentence: str = ""
    errors: tuple[str, ...] = ()
    is_decoded: bool = True


class _Case(NamedTuple):
    exchange: Exchange
    answer: AnswerBody
    event: str
    oid: str
    after_unknown: bool

    @property
    def status(self) -> int:
        return self.exchange.status or 0

    @property
    def is_success(self) -> bool:
        return 200 <= self.status <= 299


class _Documented(NamedTuple):
    key: str
    pattern: re.Pattern[str]
    stops: str = ""


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL)


DOCUMENTED = (
    _Documented("already_exists", _pattern(rf"{_OID} already exists\s*\.?")),
    _Documented("is_not_valid", _pattern(rf"id\s*:\s*{_ID} is not valid\s*\.?")),
    _Documented("parse_failed", _pattern(r"Failed to parse request body as XML resource\s*\.?")),
    _Documented("xml_error", _pattern(r"Parsing XML request error\s*!?")),
    _Documented("duplicate_business", _pattern(r"Your Organization Source contains a duplicate business\s*!?")),
    _Documented(
        "no_subscriptions",
        _pattern(
            r"No subscriptions\s*\. Meta\.Destinations needs to contain a destination from existing subscriptions?\b.*"
        ),
        STOP_SUBSCRIPTION,
    ),
    _Documented(
        "several_destinations",
        _pattern(r"Invalid synchronous destination\s*: more than one synchronous destination was specified\s*\.?"),
    ),
    _Documented("repository_required", _pattern(r"Repository URL and certificate are required\b.*")),
)
"""The documented error texts. A whole text must match; case, blanks, OIDs, IDs and a final address may vary."""

_SUCCESS = {
    "New": re.compile(r"New organization was added successfully\."),
    "Update": re.compile(r"Organization with id:(?P<oid>[0-9.]+) has been updated successfully\."),
}


def classify(exchange: Exchange, *, event: str, oid: str, after_unknown: bool = False) -> Outcome:
    """The outcome of an exchange for a message of this event (New, Update, Query) about this OID. Never raises.

    `after_unknown`: an earlier attempt of the same submission ended unknown.
    """
    answer = read_answer_body(exchange)
    case = _Case(exchange, answer, event, oid, after_unknown)
    outcome = next((result for rule in RULES if (result := rule(case))), Outcome(kind=Kind.UNKNOWN))
    return replace(
        outcome,
        detail=outcome.detail or exchange.fault_text or _text_of_body(answer),
        message_id=plain_text(_text(value_at(answer.data, *_MESSAGE_ID))),
        log_id=plain_text(_text(value_at(answer.data, *_LOG_ID))),
        status=exchange.status,
        fault=exchange.fault,
    )


def _not_sent(case: _Case) -> Outcome | None:
    if case.exchange.sent:
        return None
    if case.exchange.fault is Fault.SETTINGS:
        return Outcome(kind=Kind.NEEDS_PERSON)
    stops: dict[Fault | None, str] = {Fault.CERTIFICATE: STOP_CERTIFICATE, Fault.ADDRESS: STOP_ADDRESS}
    return Outcome(kind=Kind.NOT_SENT, stops=stops.get(case.exchange.fault, ""))


def _interrupted(case: _Case) -> Outcome | None:
    return Outcome(kind=Kind.UNKNOWN) if case.exchange.fault or case.exchange.body_cut else None


def _unauthorized(case: _Case) -> Outcome | None:
    """A 401 is about the connection, never about the record: every message has the same Meta."""
    return Outcome(kind=Kind.NOT_EXECUTED, stops=STOP_CREDENTIAL, renew_token=True) if case.status == 401 else None


def _too_many_requests(case: _Case) -> Outcome | None:
    if case.status not in {425, 429}:
        return None
    headers = case.exchange.headers
    names_wait = asked_to_wait(headers) is not None
    return Outcome(kind=Kind.NOT_EXECUTED, hold_seconds=hold_seconds(headers), names_wait=names_wait)


def _redirected(case: _Case) -> Outcome | None:
    if not 300 <= case.status <= 399:
        return None
    host = case.exchange.headers.get("location") or "another address"
    return Outcome(kind=Kind.NOT_EXECUTED, detail=host, stops=STOP_REDIRECT)


def _documented(case: _Case) -> Outcome | None:
    texts = case.answer.errors
    if not case.is_success:
        texts += (case.answer.sentence,) if case.answer.data else (case.answer.text,)
    error = next((row for text in texts for row in DOCUMENTED if row.pattern.fullmatch(text.strip())), None)
    if error is None:
        return None
    if (error.key, case.event) == ("already_exists", "New"):
        return Outcome(kind=Kind.UNKNOWN if case.after_unknown else Kind.NEEDS_PERSON, known=error.key)
    is_absent = (error.key, case.event) == ("is_not_valid", "Update")
    return Outcome(kind=Kind.REJECTED, known=error.key, stops=error.stops, presence=ABSENT if is_absent else "")


def _maybe_executed(case: _Case) -> Outcome | None:
    """A message answered by 408 or 409 may have taken effect."""
    return Outcome(kind=Kind.UNKNOWN) if case.status in {408, 409} else None


def _accepted(case: _Case) -> Outcome | None:
    if not _is_clean_success(case) or case.event not in _SUCCESS:
        return None
    match = _SUCCESS[case.event].fullmatch(case.answer.sentence)
    if match is None or value_at(case.answer.data, "Meta", "EventType") not in (None, case.event):
        return None
    oid = match.groupdict().get("oid") or ""
    return Outcome(kind=Kind.ACCEPTED, answered_oid=oid, warning=OTHER_OID if oid not in {"", case.oid} else "")


def _query_answered(case: _Case) -> Outcome | None:
    """Accept a QueryResponse with our one organization or an empty list. Any other answer to a Query is unknown."""
    if not case.is_success or case.answer.errors or case.event != QUERY:
        return None
    try:
        read_query_answer(decoded_body(case.exchange), case.oid)
    except AnswerNotUnderstood as fault:
        return Outcome(kind=Kind.UNKNOWN, detail=plain_text(fault.sentence))
    except NotDecodable as fault:
        return Outcome(kind=Kind.UNKNOWN, detail=f"The directory's answer was not understood: {fault}.")
    return Outcome(kind=Kind.ACCEPTED) if _is_clean_success(case) else None


def _other_success(case: _Case) -> Outcome | None:
    if not case.is_success:
        return None
    about_ours = value_at(case.answer.data, "Meta", "EventType") in (None, case.event)
    return Outcome(kind=Kind.UNKNOWN, warning=OTHER_SUCCESS if _is_clean_success(case) and about_ours else "")


def _rejected(case: _Case) -> Outcome | None:
    """A 4xx is a rejection, unless its body could not be read: it may have said something else."""
    return Outcome(kind=Kind.REJECTED) if 400 <= case.status <= 499 and case.answer.is_decoded else None


def _is_clean_success(case: _Case) -> bool:
    return case.is_success and case.answer.data is not None and not case.answer.errors


RULES: tuple[Callable[[_Case], Outcome | None], ...] = (
    _not_sent,
    _interrupted,
    _unauthorized,
    _too_many_requests,
    _redirected,
    _documented,
    _maybe_executed,
    _accepted,
    _query_answered,
    _other_success,
    _rejected,
)
"""The rules in order; the first that returns an outcome decides. The body cannot change a 401, 425, 429 or redirect."""


def hold_seconds(headers: dict[str, str]) -> float:
    """Seconds for which the environment pauses after too many requests: as the answer asks, else `HOLD_SECONDS`."""
    seconds = asked_to_wait(headers)
    return HOLD_SECONDS if seconds is None else seconds


def asked_to_wait(headers: dict[str, str]) -> float | None:
    """Retry-After (seconds or a date) in seconds, between 1 s and 1 h; None if it is missing or unreadable."""
    retry_after = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+", retry_after):
        seconds = float(retry_after)
    elif (until := read_http_date(retry_after)) is not None:
        seconds = until - (read_http_date(headers.get("date", "")) or time.time())
    else:
        return None
    return min(max(seconds, 1.0), 3600.0)


def read_http_date(text: str) -> float | None:
    """A header's date in seconds since 1970, or None if it is not a date."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def read_answer_body(exchange: Exchange) -> AnswerBody:
    """The parts of the body that the rules read. Never raises: a body that is not understood becomes text only."""
    try:
        body = decoded_body(exchange)
    except NotDecodable:
        return AnswerBody(is_decoded=False)
    text, data = plain_text(body.decode(errors="replace")), json_object(body)
    if data is None:
        return AnswerBody(text=text)
    if len(_text(value_at(data, *_MESSAGE_ID))) > MAX_ID or len(_text(value_at(data, *_LOG_ID))) > MAX_ID:
        return AnswerBody(text=text)
    detail = value_at(data, "Meta", "Extensions", "ResponseDetail")
    sentence = _text(detail) or _text(value_at(detail, "string"))
    return AnswerBody(data, text, sentence, _errors(data))


def json_object(body: bytes) -> dict[str, Any] | None:
    """The body as a JSON object with numbers as text; None if it is not one or could be read in two ways."""
    try:
        data = read_json(body)
    except AnswerNotUnderstood:
        return None
    return data if isinstance(data, dict) else None


def value_at(data: object, *path: str | int) -> Any:
    """The value at a path of keys and list positions, or None."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _errors(data: dict[str, Any]) -> tuple[str, ...]:
    """The error texts in every documented form of body; "" for an error without a readable text."""
    value = value_at(data, "Meta", "Errors")
    errors = value if isinstance(value, list) else [] if value is None else [value]
    texts = [error if isinstance(error, str) else value_at(error, "Text") for error in errors]
    old = data.get("ErrorMessages")
    texts += old if isinstance(old, list) else []
    texts += [data["errorDetail"]] if data.get("errorDetail") else []
    return tuple(_text(text) for text in texts)


def _text_of_body(answer: AnswerBody) -> str:
    return plain_text("\n".join(answer.errors)) or plain_text(answer.sentence) or answer.text


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
