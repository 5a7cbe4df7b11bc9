"""Checks a message strictly: refuses each part that the how-to and Redox's schemas do not show, and names its place."""

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from organizations.oid import Oid

# A check takes a value and its path in the message, and yields the errors.
type Check = Callable[[Any, str], Iterator[str]]

MOST_NESTING = 32
MORE_THAN_ONE_DESTINATION = "Invalid synchronous destination: more than one synchronous destination was specified"

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?", re.ASCII)
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME_OF_DAY = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
_MOMENT = re.compile(f"{_DAY}(T{_TIME_OF_DAY})?", re.ASCII)
# The directory uses XML 1.0, which cannot write these characters.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(body: bytes) -> Any:
    """The JSON of a body. Raises ValueError for JSON that two readers could read differently."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unrepeated, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def errors(message: Any) -> list[str]:
    """All errors in the message's shape; empty if Redox's documents allow it."""
    sending_errors = list(_unsendable(message, "", 0))
    if not isinstance(message, dict):
        return [*sending_errors, "the message is not an object"]
    head = message.get("Meta")
    event = head.get("EventType") if isinstance(head, dict) else None
    if isinstance(event, str) and event in _MESSAGES:
        return [*sending_errors, *_MESSAGES[event](message, "")]
    return [*sending_errors, *_object({"Meta": _META})({"Meta": head} if "Meta" in message else {}, "")]


def oid_of(organization: dict[str, Any]) -> str:
    """The OID of an organization, or "" if it has none."""
    oids = (entry.get("ID", "") for entry in organization.get("Identifiers", ()) if entry.get("IDType") == "OID")
    return next(oids, "")


def read_time(text: str) -> datetime:
    """A time in ISO 8601. Without an offset it is in UTC. Raises ValueError for another form."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"{text!r} is not a time in ISO 8601")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("the same key twice in one object")
    return found


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _unsendable(value: Any, place: str, depth: int) -> Iterator[str]:
    """Errors for null (except as destination ID), empty texts, characters that XML cannot write, and deep nesting."""
    if depth > MOST_NESTING:
        yield f"{place}: nested deeper than {MOST_NESTING}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _unsendable(key, f"a key of {place or 'the message'}", depth)
            yield from _unsendable(inner, f"{place}.{key}" if place else key, depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unsendable(inner, f"{place}[{number}]", depth + 1)
    elif isinstance(value, str):
        if not value:
            yield f"{place} is empty"
        if _NOT_IN_XML.search(value):
            yield f"{place} holds a character that XML cannot carry"
    elif value is None:
        if place != "Organizations[0].DestinationID":
            yield f"{place} is null"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is not a finite number"


def _text(value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{place} is not a text"


def _flag(value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{place} is neither true nor false"


def _anything(value: Any, place: str) -> Iterator[str]:
    yield from ()


def _form(form: re.Pattern[str], meaning: str) -> Check:
    def check(value: Any, place: str) -> Iterator[str]:
        if not (isinstance(value, str) and form.fullmatch(value)):
            yield f"{place} is not {meaning}"

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, place: str) -> Iterator[str]:
        if value not in allowed:
            yield f"{place} is not {' or '.join(allowed)}"

    return check


def _oid(value: Any, place: str) -> Iterator[str]:
    try:
        Oid(value if isinstance(value, str) else "")
    except ValueError:
        yield f"{place} is not an OID"


def _time(value: Any, place: str) -> Iterator[str]:
    try:
        read_time(value if isinstance(value, str) else "")
    except ValueError:
        yield f"{place} is not a time such as 2026-01-31T00:00:00.000Z"


def _optional_uuid(value: Any, place: str) -> Iterator[str]:
    if value is not None:
        yield from _uuid(value, place)


def _list(check: Check) -> Check:
    def check_all(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{place} is not a list"
            return
        for number, entry in enumerate(value):
            yield from check(entry, f"{place}[{number}]")

    return check_all


def _exactly_one(check: Check, otherwise: str = "") -> Check:
    def check_one(value: Any, place: str) -> Iterator[str]:
        yield from _list(check)(value, place)
        if isinstance(value, list) and len(value) != 1:
            yield otherwise if otherwise and len(value) > 1 else f"{place} has {len(value)} entries instead of one"

    return check_one


def _object(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """An object with these keys and no others. Redox allows `Extensions` in every object."""
    known: dict[str, Check] = {"Extensions": _anything, **(optional or {}), **required}

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place} is not an object"
            return
        at = f"{place}." if place else ""
        yield from (f"{at}{key} is missing" for key in required if key not in value)
        for key, inner in value.items():
            if key in known:
                yield from known[key](inner, f"{at}{key}")
            else:
                yield f"{at}{key} is not known"

    return check


def _identifiers(value: Any, place: str) -> Iterator[str]:
    """Checks that exactly one identifier is an OID: "the only required identifier" (how-to)."""
    shape_errors = list(_list(_object({"ID": _text, "IDType": _text}))(value, place))
    yield from shape_errors
    if shape_errors:
        return
    oids = [entry["ID"] for entry in value if entry["IDType"] == "OID"]
    if len(oids) != 1:
        yield f"{place} has {len(oids)} OIDs instead of one"
    for oid in oids:
        yield from _oid(oid, f"{place}: the OID")


_uuid = _form(_UUID, "a UUID")
_phone = _form(_E164, "a phone number such as +16085550100")
_number = _form(_NUMBER, "a text of digits")
_zip = _form(_ZIP, "a ZIP code such as 53704")

_META = _object(
    {
        "DataModel": _one_of("Organization"),
        "EventType": _one_of("New", "Update", "Query"),
        "Destinations": _exactly_one(_object({"ID": _uuid}, {"Name": _text}), MORE_THAN_ONE_DESTINATION),
    },
    {
        "EventDateTime": _text,
        "Test": _flag,
        "Source": _object({"ID": _uuid}, {"Name": _text}),
        "FacilityCode": _text,
    },
)
_CONTACT = _object(
    {},
    {
        "Purpose": _text,
        "Name": _text,
        "EmailAddresses": _list(_text),
        "PhoneNumber": _object({}, {"Home": _phone, "Mobile": _phone, "Work": _phone}),
    },
)
_ADDRESS_KEYS = ("StreetAddress", "City", "State", "ZIP", "County", "Country")
_ORGANIZATION = _object(
    {
        "Name": _text,
        "DestinationID": _optional_uuid,
        "Active": _flag,
        "Identifiers": _identifiers,
        "PartOf": _object({"Identifier": _object({"Value": _oid}, {"Type": _text, "System": _text})}),
    },
    {
        "Aliases": _list(_text),
        "Contacts": _list(_CONTACT),
        "Address": _object({}, dict.fromkeys(_ADDRESS_KEYS, _text)),
        "Type": _object({}, {"System": _text, "Value": _text}),
        "Endpoints": _anything,
    },
)


def _write(action: str) -> Check:
    return _object(
        {
            "Meta": _META,
            "Directory": _one_of("Carequality"),
            "Action": _one_of(action),
            "Organizations": _exactly_one(_ORGANIZATION),
        }
    )


_MESSAGES: dict[str, Check] = {
    "New": _write("Create"),
    "Update": _write("Update"),
    "Query": _object(
        {"Meta": _META, "Directory": _one_of("Carequality")},
        {
            "Identifier": _object({"ID": _oid, "IDType": _one_of("OID")}),
            "NameSearch": _object({"Value": _text}, {"SearchType": _text}),
            "RadiusSearch": _object({"ZipCode": _zip, "Radius": _number}),
            "State": _text,
            "Active": _flag,
            "LastUpdated": _time,
            "Index": _number,
            "Limit": _number,
        },
    ),
}
