"""A client of the practice directory: the messages of Redox's documentation, and a way to send them."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from organizations.practice import PracticeDirectory

ROUTING_IDS = {
    "staging": "a07afe3b-d247-4415-827f-6837707e1b8b",
    "production": "5d0fd248-6c52-4ad9-b907-ae10bf2dcc39",
}
OID = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"

ORGANIZATION: dict[str, Any] = {
    "Name": "Lakeside Clinics",
    "DestinationID": None,
    "Aliases": ["Lakeside Clinics, LLC"],
    "Active": True,
    "Identifiers": [{"ID": OID, "IDType": "OID"}],
    "PartOf": {"Identifier": {"Value": "2.16.840.1.113883.3.6147.458.2"}},
    "Contacts": [
        {
            "Purpose": "Technical",
            "Name": "Integration desk",
            "EmailAddresses": ["it@lakeside.example"],
            "PhoneNumber": {"Work": "+16085550100", "Mobile": "+16085550101"},
        }
    ],
    "Address": {
        "StreetAddress": "1 Shore Rd",
        "City": "Madison",
        "State": "WI",
        "ZIP": "53704",
        "County": "Dane",
        "Country": "USA",
    },
}


def organization(oid: str = OID, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ORGANIZATION), "Identifiers": [{"ID": oid, "IDType": "OID"}], **changes}


def head(event: str, environment: str = "staging") -> dict[str, Any]:
    return {"DataModel": "Organization", "EventType": event, "Destinations": [{"ID": ROUTING_IDS[environment]}]}


def write(event: str = "New", environment: str = "staging", **changes: Any) -> dict[str, Any]:
    return {
        "Meta": head(event, environment),
        "Directory": "Carequality",
        "Action": "Create" if event == "New" else "Update",
        "Organizations": [organization(**changes)],
    }


def query(environment: str = "staging", **filters: Any) -> dict[str, Any]:
    return {"Meta": head("Query", environment), "Directory": "Carequality", **filters}


def by_oid(oid: str = OID) -> dict[str, Any]:
    return query(Identifier={"ID": oid, "IDType": "OID"})


def errors(answer: httpx.Response) -> list[str]:
    """The texts of Meta.Errors."""
    return [error["Text"] for error in answer.json()["Meta"]["Errors"]]


def success(answer: httpx.Response) -> str:
    """The sentence of a documented success."""
    assert answer.status_code == 200, answer.text
    assert "Errors" not in answer.json()["Meta"]
    text: str = answer.json()["Meta"]["Extensions"]["ResponseDetail"]["string"]
    return text


@dataclass
class Portal:
    """Sends requests as a person with curl would."""

    practice: PracticeDirectory
    http: httpx.Client
    tokens: dict[str, str] = field(
        default_factory=lambda: {"staging": "staging-token", "production": "production-token"}
    )

    def post(self, message: object, environment: str = "staging") -> httpx.Response:
        return self.send(json.dumps(message).encode(), environment)

    def send(self, body: bytes, environment: str = "staging") -> httpx.Response:
        return self.http.post(
            f"{self.practice.url}/endpoint",
            content=body,
            headers={"Authorization": f"Bearer {self.tokens[environment]}", "Content-Type": "application/json"},
        )
