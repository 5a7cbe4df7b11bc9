"""Answers as Redox documents them."""

import json
from dataclasses import replace
from typing import Any

from organizations.records import OrganizationRecord
from organizations.redox import messages
from organizations.redox.client import Exchange, Fault, Limits, RedoxClient
from organizations.redox.environment import GATEWAY_OID, ORGANIZATION_ROUTING, STAGING, RedoxEnvironment
from organizations.redox.outcome import Outcome, classify

from . import servers

OID = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"
OTHER = "2.16.840.1.113883.3.6147.5"
ENVIRONMENT = RedoxEnvironment(name=STAGING, routing_id=ORGANIZATION_ROUTING[STAGING])
RECORD = OrganizationRecord(oid=OID, name="Lakeside Clinics", part_of_oid=GATEWAY_OID)
NEW_SENTENCE = "New organization was added successfully."
UPDATE_SENTENCE = f"Organization with id:{OID} has been updated successfully."
NO_SUBSCRIPTIONS = "No subscriptions. Meta.Destinations needs to contain a destination from existing subscription"


def success(sentence: object = NEW_SENTENCE, event: str = "New", **meta: Any) -> dict[str, Any]:
    detail = {"ResponseDetail": {"string": sentence}}
    return {"Meta": {"DataModel": "Organization", "EventType": event, "Extensions": detail, **meta}}


def failure(*texts: str) -> dict[str, Any]:
    errors = [{"ID": 19511136, "Text": text, "Type": "message", "Module": "Integration"} for text in texts]
    return {"Meta": {"EventType": "New", "Logs": [{"ID": "d9f5d293", "AttemptID": "925d1617"}], "Errors": errors}}


def ask(behave: servers.Behaviour, limits: Limits, event: str = "New", **how: Any) -> Outcome:
    """Send a message of this event to a server with this behaviour, and classify the result."""
    message = (
        messages.build_query(OID, ENVIRONMENT)
        if event == "Query"
        else messages.build_message(RECORD, event, ENVIRONMENT)
    )
    with servers.serving(behave) as server:
        exchange = RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits).post(message, "token")
    assert exchange.sent
    return classify(exchange, event=event, oid=OID, **how)


def kept(status: int | None, body: object = b"", fault: Fault | None = None, **headers: str) -> Exchange:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(request_sha256="", sent=True, status=status, body=content, fault=fault, headers=headers)


def found_records(**meta: Any) -> dict[str, Any]:
    record = {"Active": True, "Name": "Lakeside Clinics", "Identifiers": [{"ID": OID, "IDType": "OID"}]}
    return {
        "Meta": {"DataModel": "Organization", "EventType": "QueryResponse", **meta},
        "Directory": "Carequality",
        "Organizations": [record],
    }
