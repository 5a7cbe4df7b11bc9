"""Converts records to messages for Redox and answers to records. No I/O, no clock: equal records give equal bytes.

Keys and their order are those of the how-to's examples. Empty values are not sent, except a null DestinationID.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from organizations.fields import oid_or_text
from organizations.oid import Oid, OidError
from organizations.records import (
    ADDRESS_LABELS,
    CONTACT_LABELS,
    ENDPOINTS,
    SENT_BACK,
    AddressRecord,
    ContactRecord,
    IdentifierRecord,
    OrganizationRecord,
)
from organizations.redox import numbers
from organizations.redox.environment import DIRECTORY, RedoxEnvironment, routing_name
from organizations.redox.strict_json import (
    AnswerNotUnderstood,
    JsonObject,
    UnexpectedOrganizations,
    UnreadableOrganization,
    WrongValue,
    read_json,
    without_empty,
)

NEW = "New"
UPDATE = "Update"
QUERY = "Query"

_ACTIONS = {NEW: "Create", UPDATE: "Update"}
_PHONE_KEYS = {"Work": "work_phone", "Mobile": "mobile_phone", "Home": "home_phone"}
_ADDRESS_KEYS = {
    "StreetAddress": "street",
    "City": "city",
    "State": "state",
    "ZIP": "zip_code",
    "County": "county",
    "Country": "country",
}

_ORGANIZATION = "Organizations.*"
_CONTACT = f"{_ORGANIZATION}.Contacts.*"
_SOURCES = {
    "Meta.DataModel": ("always", "", ""),
    "Meta.EventType": ("New or Update", "New for the first registration of an OID, Update after that.", ""),
    "Meta.Source.ID": ("source ID", "Needed when the Redox environment has more than one source.", ""),
    "Meta.Destinations.*.ID": ("routing ID", "", ""),
    "Directory": ("always", "Redox supports only Carequality.", ""),
    "Action": ("as EventType", "Create with New, Update with Update.", ""),
    f"{_ORGANIZATION}.Name": ("Name", "", "name"),
    f"{_ORGANIZATION}.DestinationID": ("Destination ID", "Your inbound traffic; null while testing.", "destination_id"),
    f"{_ORGANIZATION}.Aliases": ("Aliases", "", "aliases"),
    f"{_ORGANIZATION}.Aliases.*": ("", "", "aliases"),
    f"{_ORGANIZATION}.Active": ("Active", "false takes the record out of use; there is no delete.", "active"),
    "Organizations.0.Identifiers.0.ID": ("OID", "The only identifier that is required.", "oid"),
    "Organizations.0.Identifiers.0.IDType": ("always", "", ""),
    f"{_ORGANIZATION}.Identifiers.*.ID": ("Own identifiers", "", "identifiers"),
    f"{_ORGANIZATION}.Identifiers.*.IDType": ("Its kind", "", "identifiers"),
    f"{_ORGANIZATION}.PartOf.Identifier.Value": (
        "PartOf",
        "The OID of the parent: the gateway or another organization.",
        "part_of_oid",
    ),
    _CONTACT: ("Contact {}", "", "contacts.{}"),
    f"{_CONTACT}.Purpose": ("Purpose", "Redox documents only 'Technical'.", "contacts.{}.purpose"),
    f"{_CONTACT}.Name": ("Contact name", "", "contacts.{}.name"),
    f"{_CONTACT}.EmailAddresses": ("E-mail addresses", "", "contacts.{}.email_addresses"),
    f"{_CONTACT}.EmailAddresses.*": ("", "", "contacts.{}.email_addresses"),
    **{
        f"{_CONTACT}.PhoneNumber.{key}": (CONTACT_LABELS[name], "", f"contacts.{{}}.{name}")
        for key, name in _PHONE_KEYS.items()
    },
    **{
        f"{_ORGANIZATION}.Address.{key}": (ADDRESS_LABELS[name], "", f"address.{name}")
        for key, name in _ADDRESS_KEYS.items()
    },
    f"{_ORGANIZATION}.Type": ("Type", "Read from the directory, sent back unchanged.", "carried.Type"),
    f"{_ORGANIZATION}.{ENDPOINTS}": (
        ENDPOINTS,
        "From an old message, sent back except for secrets. A Query does not show them.",
        f"carried.{ENDPOINTS}",
    ),
}
"""The source of each line of a message, by path: label, Redox's rule, key of the field. * is any index of a list."""


def build_message(record: OrganizationRecord, event: str, environment: RedoxEnvironment) -> bytes:
    """The bytes of a New or an Update with the whole record.

    Raises ValueError if the destination ID is unknown: an Update replaces the whole record and would erase it.
    """
    if not record.destination_known:
        raise ValueError("a record whose destination ID is not known cannot be sent")
    return json_bytes(
        {
            "Meta": message_meta(event, environment),
            "Directory": DIRECTORY,
            "Action": _ACTIONS[event],
            "Organizations": [_organization(record)],
        }
    )


def build_query(oid: str, environment: RedoxEnvironment, *, active: bool | None = None) -> bytes:
    """The bytes of a Query for one OID. `active` limits it to active or to deactivated records.

    Redox does not document whether a Query without Active leaves out deactivated records.
    """
    return json_bytes(
        {
            "Meta": message_meta(QUERY, environment),
            "Directory": DIRECTORY,
            "Identifier": {"ID": oid, "IDType": "OID"},
            **({} if active is None else {"Active": active}),
        }
    )


OTHER_OIDS = "Identifiers.OID"
"""The key in `carried` for the other OIDs of a record from the directory."""


class MessageLine(NamedTuple):
    """One line of a message, numbered from 1, with the label and key of its field and Redox's rule for the field."""

    number: int
    text: str
    field_label: str
    rule: str
    field: str


def annotated_lines(content: bytes) -> tuple[MessageLine, ...]:
    """The lines of a message of ours, each with the field that it comes from. Brackets have no field."""
    texts = content.decode().split("\n")
    return tuple(
        _line(number, text, path)
        for number, (text, path) in enumerate(
            zip(texts, _paths(numbers.parse_json(content.decode())), strict=True), start=1
        )
    )


def sha256(content: bytes) -> str:
    """The SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def record_from_message(content: bytes) -> OrganizationRecord:
    """The record in a New or an Update of ours. Raises AnswerNotUnderstood for anything else."""
    organizations = _organizations(JsonObject(read_json(content), ""))
    if len(organizations) != 1:
        raise AnswerNotUnderstood(f"the message contains {len(organizations)} organizations instead of 1")
    (organization,) = organizations
    oid, identifiers = _first_oid(identifiers_of(organization))
    return _record(organization, oid, identifiers, destination_known=True)


def read_query_answer(body: bytes, oid: str) -> OrganizationRecord | None:
    """The one organization with this OID in a QueryResponse; None for an empty list.

    The record's `oid` is this OID. The organization's other OIDs are in `carried`, under `OTHER_OIDS`.

    The rules are strict, because after an empty list a New may be sent again.
    Raises AnswerNotUnderstood if the body is not clearly a QueryResponse without errors. Raises UnexpectedOrganizations
    if the OID is not in the list or is in it twice. Raises UnreadableOrganization if its organization has no name, or a
    value of a wrong type.
    """
    answer = JsonObject(read_json(body), "")
    check_is_query_response(answer)
    organizations = [(organization, identifiers_of(organization)) for organization in _organizations(answer)]
    if not organizations:
        _check_empty(answer)
        return None
    ours = [
        (organization, identifiers) for organization, identifiers in organizations if oid in map(oid_of, identifiers)
    ]
    if len(ours) != 1:
        raise UnexpectedOrganizations(_unexpected(len(organizations), len(ours)))
    ((organization, identifiers),) = ours
    try:
        record = shown_record(organization, identifiers, oid)
    except WrongValue as error:
        raise UnreadableOrganization(f"The directory shows this OID, but its {error.field} cannot be read.") from error
    if not record.name.strip():
        raise UnreadableOrganization("The directory answered with this OID, but without a name.")
    return record


def check_is_query_response(answer: JsonObject) -> None:
    """Raises AnswerNotUnderstood unless the body is a QueryResponse without errors."""
    meta = answer.part("Meta")
    if (meta.text("DataModel"), meta.text("EventType")) != ("Organization", "QueryResponse"):
        raise AnswerNotUnderstood("it is not an Organization.QueryResponse")
    if meta.unread.get("Errors"):
        raise AnswerNotUnderstood("it holds errors")


def shown_record(organization: JsonObject, identifiers: list[IdentifierRecord], oid: str) -> OrganizationRecord:
    """The record of an organization in a QueryResponse, under one of its OIDs.

    Its other OIDs are in `carried`, under `OTHER_OIDS`. Raises AnswerNotUnderstood for a value of a wrong type.
    """
    own = tuple(identifier for identifier in identifiers if not is_oid(identifier))
    record = _record(organization, oid, own, destination_known=False)
    other_oids = [identifier.value for identifier in identifiers if is_oid(identifier) and oid_of(identifier) != oid]
    if other_oids:
        # Nobody edits these in the portal, and no message of ours contains them.
        record = replace(
            record, carried=tuple(sorted((*record.carried, (OTHER_OIDS, numbers.compact_json(other_oids)))))
        )
    return record


def json_bytes(value: dict[str, Any]) -> bytes:
    """The bytes of a message, indented by two."""
    return numbers.indented_json(value).encode()


def message_meta(event: str, environment: RedoxEnvironment) -> dict[str, Any]:
    """The Meta of a message: its event, source and destination."""
    source = {"Source": {"ID": environment.source_id}} if environment.source_id else {}
    destinations = {"Destinations": [{"ID": environment.routing_id}]}
    return {"DataModel": "Organization", "EventType": event, **source, **destinations}


def _organization(record: OrganizationRecord) -> dict[str, Any]:
    own = [{"ID": identifier.value, "IDType": identifier.kind} for identifier in record.identifiers]
    carried = dict(record.carried)
    optional = {
        "Aliases": list(record.aliases),
        "Active": record.active,
        "Identifiers": [{"ID": record.oid, "IDType": "OID"}, *own],
        "PartOf": {"Identifier": {"Value": record.part_of_oid}},
        "Contacts": [_contact(contact) for contact in record.contacts],
        "Address": {key: getattr(record.address, name) for key, name in _ADDRESS_KEYS.items()},
        **{key: numbers.parse_json(carried[key]) for key in SENT_BACK if key in carried},
    }
    return {"Name": record.name, "DestinationID": record.destination_id or None, **without_empty(optional)}


def _contact(contact: ContactRecord) -> dict[str, Any]:
    return {
        "Purpose": contact.purpose,
        "Name": contact.name,
        "EmailAddresses": list(contact.email_addresses),
        "PhoneNumber": {key: getattr(contact, name) for key, name in _PHONE_KEYS.items()},
    }


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """For each line of the indented JSON the path of the value that begins there; () for a closing bracket."""
    yield path
    parts = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for key, part in parts:
        yield from _paths(part, (*path, key))
    if parts:
        yield ()


def _line(number: int, text: str, path: tuple[str | int, ...]) -> MessageLine:
    exact = ".".join(map(str, path))
    general = ".".join("*" if isinstance(part, int) else part for part in path)
    label, rule, field = _SOURCES.get(exact) or _SOURCES.get(general) or ("", "", "")
    place = int(path[3]) if len(path) > 3 and general.startswith(_CONTACT) else 0
    if label == "routing ID":
        rule = routing_name(text.split('"')[3]) or "Not in Redox's table."
    return MessageLine(number, text, label.format(place + 1), rule, field.format(place))


def _organizations(body: JsonObject) -> list[JsonObject]:
    values = body.unread.get("Organizations")
    if not isinstance(values, list):
        raise AnswerNotUnderstood("Organizations is not a list")
    return [JsonObject(value, "") for value in values]


def _check_empty(answer: JsonObject) -> None:
    """Raises AnswerNotUnderstood if an answer with an empty list holds anything else.

    Only the documented keys may be there, with the values that say that there is no organization.
    """
    paging = answer.part("Paging")
    places = {paging.text("Count"), paging.text("Index")}
    answer.text("Directory")
    if not places <= {"", "0"} or without_empty(answer.unread) or without_empty(paging.unread):
        raise AnswerNotUnderstood("Organizations is empty, but the answer holds something else")


def _unexpected(listed: int, ours: int) -> str:
    if ours:
        return f"The directory answered with {ours} organizations that have this OID."
    others = "another organization" if listed == 1 else f"{listed} other organizations"
    return f"The directory answered with {others} and not with this OID."


def _record(
    organization: JsonObject, oid: str, identifiers: tuple[IdentifierRecord, ...], *, destination_known: bool
) -> OrganizationRecord:
    active = organization.unread.pop("Active", None)
    if not isinstance(active, bool):
        raise WrongValue("Active", "is neither true nor false")
    address = organization.part("Address")
    record = OrganizationRecord(
        oid=oid,
        name=organization.text("Name"),
        active=active,
        destination_id=organization.text("DestinationID") if destination_known else "",
        destination_known=destination_known,
        part_of_oid=oid_or_text(organization.part("PartOf").part("Identifier").text("Value")),
        aliases=organization.texts("Aliases"),
        identifiers=identifiers,
        contacts=tuple(map(_contact_record, organization.parts("Contacts"))),
        address=AddressRecord(**{name: address.text(key) for key, name in _ADDRESS_KEYS.items()}),
    )
    return replace(record, carried=tuple(sorted(organization.carried())))


def identifiers_of(organization: JsonObject) -> list[IdentifierRecord]:
    """All identifiers of an organization, its OIDs among them."""
    parts = organization.parts("Identifiers")
    return [IdentifierRecord(value=part.text("ID"), kind=part.text("IDType")) for part in parts]


def _first_oid(identifiers: list[IdentifierRecord]) -> tuple[str, tuple[IdentifierRecord, ...]]:
    """The OID of a message of ours, which comes first, and the own identifiers after it."""
    first = next((identifier for identifier in identifiers if is_oid(identifier)), None)
    if first is None:
        raise AnswerNotUnderstood("an organization has no OID")
    try:
        oid = Oid(oid_or_text(first.value)).text
    except OidError as error:
        raise AnswerNotUnderstood(f"an organization's OID is not valid: {error}") from error
    identifiers.remove(first)
    return oid, tuple(identifiers)


def oid_of(identifier: IdentifierRecord) -> str:
    """The bare OID of an identifier of kind OID; "" for another kind."""
    return oid_or_text(identifier.value) if is_oid(identifier) else ""


def is_oid(identifier: IdentifierRecord) -> bool:
    """Whether the identifier says that it is an OID."""
    return identifier.kind.strip().upper() == "OID"


def _contact_record(part: JsonObject) -> ContactRecord:
    phones = part.part("PhoneNumber")
    return ContactRecord(
        purpose=part.text("Purpose"),
        name=part.text("Name"),
        email_addresses=part.texts("EmailAddresses"),
        **{name: phones.text(key) for key, name in _PHONE_KEYS.items()},
    )
