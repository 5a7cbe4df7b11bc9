"""Old messages as people keep them: the how-to's two examples, and the forms in which people sent them."""

import json
from typing import Any

OID = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"
PARENT = "2.16.840.1.113883.3.6147.458.2"

HOW_TO_NEW = """\
curl \\
-X POST https://api.redoxengine.com/endpoint \\
-H "Content-Type: application/json" \\
-H "Authorization: Bearer [access token]" \\
-d '{
"Meta": {
"DataModel": "Organization",
"EventType": "New",
"Destinations": [
{
"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"
}
]
},
"Directory": "Carequality", # Currently, only Carequality is supported
"Action": "Create",
"Organizations": [
{
"Name": "My Company",
# The destination ID should be your Redox destination UUID where you
# will receive inbound traffic (you can use null for testing)
"DestinationID": "5e3dc12b-3a04-438e-880d-a690639e629e",
"Aliases": ["My Company, LLC", "MY"],
"Active": true,
# OID is the only required identifier, but you can include your own identifiers as needed
"Identifiers": [
{
"ID": "[Your OID here]",
"IDType": "OID"
}
],
# This references Redox for your top-level, and your other Organizations for levels below
"PartOf": {
"Identifier": {
# Your "PartOf" or parent should be Redox: 2.16.840.1.113883.3.6147.458.2
"Value": "[Your base OID here]"
}
},
# This section should be replaced with your contact information
"Contacts": [
{
"Purpose": "Technical",
"Name": "Redox Carequality Support - Test",
"EmailAddresses": ["support@redoxengine.com"],
"PhoneNumber": {
"Work": "+16085359501",
"Mobile": "+16085359501"
}
}
],
# This section should be replaced with your address information
"Address": {
"StreetAddress": "2020 Eastwood Dr",
"City": "Madison",
"State": "WI",
"ZIP": "53704",
"County": "Dane",
"Country": "USA"
}
}
]
}'"""

HOW_TO_UPDATE = """\
curl \\
-X POST https://api.redoxengine.com/endpoint \\
-H "Content-Type: application/json" \\
-H "Authorization: Bearer [access token]" \\
-d '{
"Meta": {
"DataModel": "Organization",
# Everything can stay the same as New except here and the "Action" field below
"EventType": "Update",
"Destinations": [
{
"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"
}
]
},
"Directory": "Carequality",
# This must also change to "Update"
"Action": "Update",
"Organizations": [
{
"Name": "My Company Facility 1 Update",
"DestinationID": "5e3dc12b-3a04-438e-880d-a690639e629e",
# This will effectively "delete" the organization
"Active": false,
"Identifiers": [
{
"ID": "[Your OID here].1",
"IDType": "OID"
}
],
# This references the top-level Redox organization
"PartOf": {
"Identifier": {
"Value": "[Your base OID here]"
}
},
"Contacts": [
{
"Purpose": "Technical",
"Name": "Redox Carequality Support - Test",
"EmailAddresses": ["support@redoxengine.com"],
"PhoneNumber": {
"Work": "+16085359501",
"Mobile": "+16085359501"
}
}
],
"Address": {
"StreetAddress": "2020 Eastwood Dr",
"City": "Madison",
"State": "WI",
"ZIP": "53704",
"County": "Dane",
"Country": "USA"
}
}
]
}'"""

HOW_TO_ANSWER = """\
{
"Meta": {
"DataModel": "Organization",
"EventType": "New",
"Message": {
"ID": 4606153124
},
"Source": {
"ID": "7f296bb4-83fd-498d-92f3-a76960648788",
},
"Destinations": [
{
"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"
}
],
"Extensions": {
"ResponseDetail": {
"string": "New organization was added successfully."
}
}
}
}"""


def filled(text: str) -> str:
    """The how-to's example with OIDs for its placeholders."""
    return text.replace("[Your OID here]", OID).replace("[Your base OID here]", PARENT)


def numbered(text: str) -> str:
    """The text as a browser copies it, with the number of each line above it."""
    return "\n".join(f"{number}\n{line}" for number, line in enumerate(text.split("\n"), start=1))


def message(oid: str = OID, *, meta: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A New of one organization. `changes` replace keys of the organization; None removes a key of Meta."""
    organization = {
        "Name": "Lakeside Clinics",
        "DestinationID": "fcda220c-f449-534e-9ae4-3fd21f7b0fed",
        "Active": True,
        "Identifiers": [{"ID": oid, "IDType": "OID"}],
        "PartOf": {"Identifier": {"Value": PARENT}},
    } | changes
    head = {
        "DataModel": "Organization",
        "EventType": "New",
        "Destinations": [{"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"}],
    } | (meta or {})
    return {
        "Meta": {key: value for key, value in head.items() if value is not None},
        "Directory": "Carequality",
        "Organizations": [organization],
    }


def body(oid: str = OID, **changes: Any) -> str:
    """The JSON of `message`."""
    return json.dumps(message(oid, **changes), indent=1)


def collection(*items: dict[str, Any], **changes: Any) -> str:
    """A Postman collection of version 2.1."""
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    return json.dumps({"info": {"name": "Carequality", "schema": schema}, "item": items} | changes, indent=1)


def request(name: str, raw: str, **changes: Any) -> dict[str, Any]:
    """A request of a Postman collection."""
    return {"name": name, "request": {"method": "POST", "header": [], "body": {"mode": "raw", "raw": raw}} | changes}
