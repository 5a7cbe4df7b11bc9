"""Applies and answers a New, Update or Query, in the words that Redox documents."""

import hashlib
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from organizations.practice import shape
from organizations.practice.behaviour import Behaviour
from organizations.practice.credentials import ROUTING_IDS
from organizations.practice.filters import Filters
from organizations.practice.listing import USUAL_PAGE, first_of_page, listed
from organizations.practice.replies import NoReply, Reply, gateway_reply, json_reply, logs, meta, refusal
from organizations.practice.store import Store

FIRST_MESSAGE_ID = 4_606_153_124  # as in the how-to; larger than a 32-bit integer
MOST_IN_ONE_ANSWER = 1_000

_EXISTS = "{oid} already exists."
_NOT_VALID = "id: {oid} is not valid."
_NO_SUBSCRIPTIONS = "No subscriptions. Meta.Destinations needs to contain a destination from existing subscription."
_SUCCESS = {
    "New": "New organization was added successfully.",
    "Update": "Organization with id:{oid} has been updated successfully.",
}

# The documented refusals of a well-formed message: HTTP status, text, and the module of Redox that refuses.
_REFUSALS: dict[Behaviour, tuple[int, str, str]] = {
    Behaviour.SAYS_NO_EXISTS: (403, _EXISTS, "Integration"),
    Behaviour.SAYS_NO_NOT_VALID: (403, _NOT_VALID, "Integration"),
    Behaviour.SAYS_NO_PARSE: (403, "Failed to parse request body as XML resource.", "Integration"),
    Behaviour.SAYS_NO_XML: (500, "Parsing XML request error!", "Integration"),
    Behaviour.SAYS_NO_DUPLICATE: (500, "Your Organization Source contains a duplicate business!", "Integration"),
    Behaviour.SAYS_NO_SUBSCRIPTIONS: (500, _NO_SUBSCRIPTIONS, "Subscriptions"),
    Behaviour.SAYS_NO_DESTINATIONS: (400, shape.MORE_THAN_ONE_DESTINATION, "DataModels"),
}


@dataclass(frozen=True, slots=True)
class Directory:
    """Both environments' directories. `slow_ends`: slow answers wait no longer. `stopping`: none is sent any more."""

    store: Store
    slow_seconds: float
    slow_ends: threading.Event
    stopping: threading.Event

    def answer(self, body: bytes, environment: str, behaviour: Behaviour) -> Reply | NoReply:
        """The reply to a message. `environment` is that of the sender's credential."""
        try:
            message = shape.read(body)
        except ValueError as error:
            return refusal(None, 400, [f"The body is not JSON: {error}"], "DataModels")
        if errors := shape.errors(message):
            return refusal(None, 400, errors, "DataModels")
        if message["Meta"]["Destinations"][0]["ID"] != ROUTING_IDS[environment]:
            return refusal(message, 500, [_NO_SUBSCRIPTIONS], "Subscriptions")
        if behaviour is Behaviour.SLOW and self.slow_ends.wait(self.slow_seconds) and self.stopping.is_set():
            return NoReply.BREAK_OFF
        if message["Meta"]["EventType"] == "Query":
            return self._query(message, environment, behaviour)
        return self._write(message, environment, hashlib.sha256(body).hexdigest(), behaviour)

    def _write(self, message: dict[str, Any], environment: str, sha256: str, behaviour: Behaviour) -> Reply | NoReply:
        if behaviour in _REFUSALS:
            status, text, module = _REFUSALS[behaviour]
            return refusal(message, status, [text.format(oid=shape.oid_of(message["Organizations"][0]))], module)
        reply = self._apply(message, environment, sha256, strange=behaviour is Behaviour.STRANGE_YES)
        if behaviour is Behaviour.APPLIES_THEN_BREAKS:
            return NoReply.BREAK_OFF
        if behaviour is Behaviour.APPLIES_THEN_504:
            return gateway_reply(504, "Gateway Time-out")
        return reply

    def _apply(self, message: dict[str, Any], environment: str, sha256: str, *, strange: bool) -> Reply:
        event, organization = message["Meta"]["EventType"], message["Organizations"][0]
        oid = shape.oid_of(organization)
        change, otherwise = {
            "New": (self.store.create, _EXISTS),
            "Update": (self.store.replace, _NOT_VALID),
        }[event]
        sequence = change(environment, oid, organization, sha256)
        if sequence is None:
            return refusal(message, 403, [otherwise.format(oid=oid)], "Integration")
        text = "Accepted for processing." if strange else _SUCCESS[event].format(oid=oid)
        head = {
            **meta(message),
            "Message": {"ID": FIRST_MESSAGE_ID + sequence},
            "Destinations": message["Meta"]["Destinations"],
            "Extensions": {"ResponseDetail": {"string": text}},
        }
        return json_reply(200, {"Meta": head})

    def _query(self, message: dict[str, Any], environment: str, behaviour: Behaviour) -> Reply | NoReply:
        index = int(message.get("Index", 0))
        if index and behaviour is Behaviour.SHOWS_FIRST_PAGE:
            return NoReply.BREAK_OFF
        limit = min(int(message.get("Limit", USUAL_PAGE)), MOST_IN_ONE_ANSWER)
        filters = self._filters(message, behaviour)
        first = first_of_page(index, limit, behaviour)
        matches = self.store.search(environment, filters, index=first, limit=limit)
        organizations = listed([_as_shown(organization) for organization in matches], behaviour)
        is_total = behaviour is Behaviour.SHOWS_TOTAL
        number = self.store.count(environment, filters) if is_total else len(organizations)
        answer = {
            "Meta": {**meta(message, "QueryResponse"), "Logs": logs()},
            "Directory": "Carequality",
            "Organizations": organizations,
            "Paging": {"Count": number, "Index": index},
        }
        if behaviour is Behaviour.SHOWS_ANOTHER_SHAPE:
            answer["Results"] = {"Organizations": answer.pop("Organizations")}
        return replace(json_reply(200, answer), is_cut=behaviour is Behaviour.SHOWS_HALF)

    def _filters(self, message: dict[str, Any], behaviour: Behaviour) -> Filters:
        """The filters of a Query."""
        near = message.get("RadiusSearch", {})
        since = message.get("LastUpdated")
        hides_after = {Behaviour.SHOWS_STALE: 0.0, Behaviour.SHOWS_LATE: time.time() - self.slow_seconds}
        return Filters(
            oid=message.get("Identifier", {}).get("ID"),
            name=message.get("NameSearch", {}).get("Value"),
            zip_code=near.get("ZipCode"),
            radius=int(near.get("Radius", 0)),
            state=message.get("State"),
            active=message.get("Active", True if behaviour is Behaviour.SHOWS_ACTIVE_ONLY else None),
            changed_since=shape.read_time(since).timestamp() if since else None,
            hides_after=hides_after.get(behaviour),
        )


def _as_shown(organization: dict[str, Any]) -> dict[str, Any]:
    """An organization as a Query shows it: without the destination ID and the endpoints, which Redox never returns,
    and with the values that the directory adds."""
    visible = {key: value for key, value in organization.items() if key not in ("DestinationID", "Endpoints")}
    parent = visible.get("PartOf", {}).get("Identifier")
    if parent:
        visible["PartOf"] = {"Identifier": {"Type": "HCID", "System": "http://www.hl7.org/oid/", **parent}}
    return {
        "Aliases": [],
        "Contacts": [],
        "Type": {"System": "http://hl7.org/fhir/organization-type", "Value": "Connection"},
        "ManagingOrg": "Redox",
        **visible,
    }
