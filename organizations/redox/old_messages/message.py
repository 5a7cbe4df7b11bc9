"""Reads one old message: a New or an Update of one organization, or the reason why it cannot be taken over."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from organizations.fields import FieldError, oid_or_text, quoted, read_oid, read_uuid
from organizations.oid import Oid, OidError
from organizations.records import ENDPOINTS, ENDPOINTS_LEFT_OUT, OrganizationRecord
from organizations.redox import numbers
from organizations.redox.environment import DIRECTORY, ROUTING_NAMES, Purpose, routing_name, routing_use
from organizations.redox.messages import NEW, QUERY, UPDATE, record_from_message
from organizations.redox.old_messages.results import UNKNOWN, ProblemKind, Refused
from organizations.redox.old_messages.secret_names import without_secrets
from organizations.redox.strict_json import AnswerNotUnderstood

_VARIABLE = re.compile(r"\{\{[^{}]{1,200}\}\}")
_IN_CODE = re.compile(r"\{\{|\[.*[A-Za-z]|<.*[A-Za-z]|\$\{?[A-Za-z_]|%[A-Za-z_]+%|\byour\b|\byour_", re.IGNORECASE)
_IN_NAME = re.compile(r"\{\{[^{}]{1,200}\}\}|\s*[\[<][^\[\]<>]*[\]>]\s*\Z|\$\{[A-Za-z_]")
_ACTIONS = {NEW: "Create", UPDATE: "Update"}
_TOKEN_KEYS = ({"grant_type"}, {"client_assertion"}, {"apikey", "secret"}, {"apikey", "refreshtoken"})
"""The keys of each kind of request for an access token. A secret alone can be in any JSON."""


class OldMessage(NamedTuple):
    """The content of one message. `warnings` are sentences."""

    event: str
    environment: str
    record: OrganizationRecord
    warnings: tuple[str, ...]


def read_message(value: Any, environment: str, routing_ids: Mapping[str, str]) -> OldMessage:
    """The New or Update in this JSON value. Raises Refused for anything else.

    `routing_ids`: routing IDs that are not in Redox's table, each with the name of its environment.
    """
    message, secrets = without_secrets(value)
    meta = _meta(message, value)
    event = _event(meta, message)
    organization = _organization(message)
    message_environment = _environment(meta, routing_ids)
    if message_environment not in (environment, UNKNOWN):
        raise Refused(
            ProblemKind.OTHER_ENVIRONMENT,
            f"This message is for {message_environment.upper()}. You are taking over records of {environment.upper()}.",
        )
    if message.get("Directory") not in (None, "", DIRECTORY):
        raise Refused(ProblemKind.OTHER_DIRECTORY, f"Its Directory is not {DIRECTORY}.")
    _refuse_placeholders(organization)
    changed_oid = _read_oid(organization)
    record = _record(message, organization)
    if left_out := _left_out_of_endpoints(value):
        named = (ENDPOINTS_LEFT_OUT, numbers.compact_json(list(left_out)))
        record = replace(record, carried=tuple(sorted((*record.carried, named))))
    warnings = [
        *(f"The value of {quoted(name)} in the message was left out." for name in secrets),
        *([changed_oid] if changed_oid else []),
        *_warnings(message, organization, event, message_environment),
    ]
    return OldMessage(event, message_environment, record, tuple(warnings))


def is_token_request(value: Any) -> bool:
    """Whether a JSON value is the body of a request for an access token."""
    if not isinstance(value, dict) or "Meta" in value:
        return False
    names = set(map(str.lower, value))
    return any(keys <= names for keys in _TOKEN_KEYS)


def _meta(message: Any, value: Any) -> dict[str, Any]:
    if is_token_request(value):
        raise Refused(ProblemKind.TOKEN_REQUEST, "This is a request for an access token. It was skipped.")
    meta = message.get("Meta") if isinstance(message, dict) else None
    if not isinstance(meta, dict):
        raise Refused(ProblemKind.NOT_A_MESSAGE, "This is not a message to Redox: it has no Meta.")
    model = meta.get("DataModel")
    _refuse_placeholder("DataModel", model)
    if model != "Organization":
        name = quoted(model) if isinstance(model, str) else "none"
        raise Refused(ProblemKind.OTHER_MODEL, name)
    return meta


def _event(meta: dict[str, Any], message: dict[str, Any]) -> str:
    event = meta.get("EventType")
    _refuse_placeholder("EventType", event)
    if event == QUERY:
        raise Refused(ProblemKind.QUERY, "This is a Query, which registers nothing. It was skipped.")
    has_answer = {"Message", "Errors"} & meta.keys() and not message.get("Organizations")
    if has_answer or event == "QueryResponse":
        raise Refused(ProblemKind.ANSWER, "This is an answer of Redox, not a message to it. It was skipped.")
    if event not in _ACTIONS:
        name = quoted(event) if isinstance(event, str) else "missing"
        raise Refused(ProblemKind.OTHER_EVENT, f"Its EventType is {name}, neither New nor Update.")
    return str(event)


def _organization(message: dict[str, Any]) -> dict[str, Any]:
    organizations = message.get("Organizations")
    _refuse_placeholder("Organizations", organizations)
    listed = [one for one in organizations if one is not None] if isinstance(organizations, list) else []
    if not listed:
        raise Refused(ProblemKind.NO_ORGANIZATION, "The message contains no organization.")
    if len(listed) > 1:
        raise Refused(
            ProblemKind.SEVERAL_ORGANIZATIONS,
            f"The message contains {len(listed)} organizations. Redox accepts one per message. Split it.",
        )
    _refuse_placeholder("Organizations", listed[0])
    if not isinstance(listed[0], dict):
        raise Refused(ProblemKind.NOT_READABLE, "It cannot be read: the organization is not an object.")
    return listed[0]


def _environment(meta: dict[str, Any], routing_ids: Mapping[str, str]) -> str:
    """The environment of the message by its routing ID; UNKNOWN if it names none."""
    parts = meta.get("Destinations")
    _refuse_placeholder("Destinations", parts)
    listed = parts if isinstance(parts, list) else []
    ids = {part.get("ID") if isinstance(part, dict) else part for part in listed if not isinstance(part, list)}
    names = [str(one).strip() for one in ids if one not in (None, "")]
    if not names:
        return UNKNOWN
    for name in names:
        _refuse_placeholder("routing ID (Meta.Destinations)", name)
    if len(names) > 1:
        raise Refused(ProblemKind.UNKNOWN_DESTINATION, f"The message has {len(names)} destinations. A message has one.")
    return _environment_of(names[0], routing_ids)


def _environment_of(routing_id: str, routing_ids: Mapping[str, str]) -> str:
    own = routing_ids.get(routing_id.lower())
    use = routing_use(routing_id)
    if own:
        return own
    if use is None:
        raise Refused(
            ProblemKind.UNKNOWN_DESTINATION,
            f"Its destination {quoted(routing_id)} is not a routing ID for organizations.",
        )
    if use[0] != Purpose.ORGANIZATION:
        raise Refused(
            ProblemKind.OTHER_PURPOSE,
            f"Its destination has another purpose in Redox's table: {routing_name(routing_id)}.",
        )
    return use[1]


def _refuse_placeholder(name: str, value: Any) -> None:
    if isinstance(value, str) and _IN_CODE.search(value[:1000]):
        raise Refused(ProblemKind.PLACEHOLDER, _placeholder_sentence([(name, value)]))


def _refuse_placeholders(organization: dict[str, Any]) -> None:
    """Raise Refused if a required value is still a placeholder. The sentence names all of these values."""
    places = [
        (name, value)
        for name, value in _needed(organization)
        if isinstance(value, str) and (_IN_NAME if name == "Name" else _IN_CODE).search(value[:1000])
    ]
    if places:
        raise Refused(ProblemKind.PLACEHOLDER, _placeholder_sentence(places))


def _placeholder_sentence(places: list[tuple[str, str]]) -> str:
    named = ", ".join(f"{name} {quoted(value)}" for name, value in places)
    return f"A placeholder was never filled in: {named}. Replace it with the value."


def _needed(organization: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    identifiers = organization.get("Identifiers")
    yield "Identifiers", identifiers
    for identifier in identifiers if isinstance(identifiers, list) else ():
        if _is_oid(identifier):
            yield "OID", identifier.get("ID")
    part_of = organization.get("PartOf")
    yield "PartOf", part_of
    identifier = part_of.get("Identifier") if isinstance(part_of, dict) else None
    yield "PartOf", identifier.get("Value") if isinstance(identifier, dict) else identifier
    yield "DestinationID", organization.get("DestinationID")
    yield "Active", organization.get("Active")
    yield "Name", organization.get("Name")


def _is_oid(identifier: Any) -> bool:
    return isinstance(identifier, dict) and str(identifier.get("IDType")).strip().upper() == "OID"


def _left_out_of_endpoints(value: dict[str, Any]) -> tuple[str, ...]:
    """The names of the secrets in the endpoints of the message's only organization."""
    organization = next(one for one in value["Organizations"] if isinstance(one, dict))
    return without_secrets({ENDPOINTS: organization.get(ENDPOINTS)})[1]


def _oids(organization: dict[str, Any]) -> list[dict[str, Any]]:
    identifiers = organization.get("Identifiers")
    return [one for one in identifiers if _is_oid(one)] if isinstance(identifiers, list) else []


def _read_oid(organization: dict[str, Any]) -> str:
    """Reduce the OID to its bare form. Returns what was changed as a sentence, or "". Raises Refused."""
    oids = _oids(organization)
    typed = oids[0].get("ID") if oids else None
    if typed in (None, ""):
        raise Refused(ProblemKind.NO_OID, "The organization has no OID: no identifier with the IDType OID.")
    if not isinstance(typed, str) or isinstance(typed, numbers.Number):
        raise Refused(ProblemKind.BAD_OID, "The OID is not a text in quotation marks.")
    try:
        read = read_oid(typed)
    except FieldError as error:
        raise Refused(ProblemKind.BAD_OID, f"The OID cannot be read. {error}") from None
    oids[0]["ID"] = read.value
    return f"{read.changed}." if read.changed and oid_or_text(typed) != read.value else ""


def _record(message: dict[str, Any], organization: dict[str, Any]) -> OrganizationRecord:
    if organization.get("Active") is None:
        raise Refused(
            ProblemKind.NOT_READABLE,
            'It does not say whether the organization is active. Add "Active": true or "Active": false.',
        )
    try:
        content = numbers.indented_json({**message, "Organizations": [organization]}).encode()
        record = record_from_message(content)
    except UnicodeEncodeError:
        raise Refused(ProblemKind.NOT_READABLE, "It contains a character that cannot be stored.") from None
    except AnswerNotUnderstood as error:
        raise Refused(ProblemKind.NOT_READABLE, f"It cannot be read: {error}.") from None
    if not record.name.strip():
        raise Refused(ProblemKind.NOT_READABLE, "The organization has no name.")
    if "DestinationID" not in organization:
        record = replace(record, destination_known=False)
    return record


def _warnings(message: dict[str, Any], organization: dict[str, Any], event: str, environment: str) -> Iterator[str]:
    if environment == UNKNOWN:
        yield "The message names no destination, so its environment is not known."
    action = message.get("Action")
    if action not in (None, "", _ACTIONS[event]):
        yield f"Its EventType is {event}, but its Action is {quoted(str(action))}. The EventType counts."
    if len(_oids(organization)) > 1:
        yield "The organization has several OIDs. The first one is its OID; the others are kept as own identifiers."
    yield from _destination_warnings(organization)
    part_of = next((value for name, value in _needed(organization) if name == "PartOf" and isinstance(value, str)), "")
    if not part_of.strip():
        yield "The organization names no parent (PartOf)."
    elif not _is_an_oid(oid_or_text(part_of)):
        yield f"PartOf {quoted(part_of)} is not an OID."
    for path, text in _texts("", organization):
        variable = _VARIABLE.search(text)
        if variable:
            yield f"{path} still contains the variable {quoted(variable[0])}."


def _destination_warnings(organization: dict[str, Any]) -> Iterator[str]:
    if "DestinationID" not in organization:
        yield "The message contains no DestinationID, so the destination ID is not known."
    destination = organization.get("DestinationID")
    if isinstance(destination, str) and destination:
        try:
            read_uuid(destination, ROUTING_NAMES, {})
        except FieldError as error:
            yield f"DestinationID {quoted(destination)}: {error}"


def _is_an_oid(text: str) -> bool:
    try:
        Oid(text)
    except OidError:
        return False
    return True


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Each text in the value with its path, such as Contacts.1.Name."""
    parts = value.items() if isinstance(value, dict) else enumerate(value, 1) if isinstance(value, list) else ()
    if isinstance(value, str):
        yield path, value
    for key, part in parts:
        yield from _texts(f"{path}.{key}" if path else str(key), part)
