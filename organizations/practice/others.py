"""Made-up organizations of others, which fill the directory around our own.

Most are below other gateways, the rest are below Redox's gateway. All names are placeholders. The OIDs are below the
arcs that are reserved for examples, or below Redox's with customer numbers that Redox does not use.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any, NamedTuple

MOST = 100_000

_REDOX = "2.16.840.1.113883.3.6147.458"
_REDOX_GATEWAY = f"{_REDOX}.2"
_FIRST_CUSTOMER = 900_000
_GATEWAYS = 37
_EVERY_NTH_CUSTOMER_OF_REDOX = 8
_SITES = 9
# They sort before and after the OIDs of Redox.
_EXAMPLE_ARCS = ("1.3.6.1.4.1.32473", "2.999")
_KINDS = ("Clinic", "Hospital", "Laboratory", "Practice")
_ZIP_CODES = {
    "CA": (90000, 96199),
    "FL": (32000, 34999),
    "IL": (60000, 62999),
    "MI": (48000, 49999),
    "MN": (55000, 56799),
    "NY": (10000, 14999),
    "TX": (75000, 79999),
    "WI": (53000, 54999),
}
_FIRST_WRITE = datetime(2021, 1, 1, tzinfo=UTC)
_DAYS_OF_WRITES = 5 * 365


class Other(NamedTuple):
    """An organization as it is stored, and when it was written, in seconds since 1970."""

    oid: str
    content: dict[str, Any]
    changed_at: float


def others(number: int, *, seed: int = 1) -> Iterator[Other]:
    """This many organizations from the start of an endless list. The same seed gives the same list.

    Raises ValueError for more than `MOST`.
    """
    if not 0 <= number <= MOST:
        raise ValueError(f"the directory holds 0 to {MOST} organizations of others, not {number}")
    return islice(_endless(random.Random(seed)), number)  # noqa: S311 - no secret


def _endless(draw: random.Random) -> Iterator[Other]:
    gateways: set[str] = set()
    for number in count():
        of_redox = number % _EVERY_NTH_CUSTOMER_OF_REDOX == 0
        gateway = number % _GATEWAYS
        gateway_oid = _REDOX_GATEWAY if of_redox else f"{_EXAMPLE_ARCS[gateway % 2]}.{1000 + gateway}"
        managing = "Redox" if of_redox else f"Example Gateway {gateway}"
        if not of_redox and gateway_oid not in gateways:
            gateways.add(gateway_oid)
            yield _other(draw, gateway_oid, name=managing, managing=managing, part_of="")
        customer = _FIRST_CUSTOMER + number
        oid = f"{_REDOX}.{customer}.1.1.1.1" if of_redox else f"{gateway_oid}.{customer}"
        kind = draw.choice(_KINDS)
        yield _other(draw, oid, name=f"Example {kind} {number}", managing=managing, part_of=gateway_oid)
        for site in range(1, _SITES + 1):
            # The last site is part of the one before it.
            parent = oid if site < _SITES else f"{oid}.{site - 1}"
            name = f"Example {kind} {number} Site {site}"
            yield _other(draw, f"{parent}.{site}", name=name, managing=managing, part_of=parent)


def _other(draw: random.Random, oid: str, *, name: str, managing: str, part_of: str) -> Other:
    state = draw.choice(tuple(_ZIP_CODES))
    place = draw.randrange(1000)
    content = {
        "Name": name,
        "Active": draw.random() < 0.9,
        "Identifiers": [{"ID": oid, "IDType": "OID"}],
        "Type": {
            "System": "http://hl7.org/fhir/organization-type",
            "Value": "Connection" if part_of else "Implementer",
        },
        "Address": {
            "StreetAddress": f"{place} Example St",
            "City": f"Example City {place}",
            "State": state,
            "ZIP": str(draw.randint(*_ZIP_CODES[state])),
            "Country": "USA",
        },
        "ManagingOrg": managing,
    }
    if part_of:
        content["PartOf"] = {"Identifier": {"Value": part_of}}
    if draw.random() < 0.3:
        content["Contacts"] = [{"Purpose": "Technical", "Name": "Help desk", "EmailAddresses": ["help@desk.example"]}]
    changed_at = _FIRST_WRITE + timedelta(seconds=draw.randrange(_DAYS_OF_WRITES * 24 * 60 * 60))
    return Other(oid, content, changed_at.timestamp())
