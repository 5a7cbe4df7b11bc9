"""Undocumented ways in which an answer to a Query may list organizations."""

from collections.abc import Callable
from typing import Any

from organizations.practice.behaviour import Behaviour
from organizations.practice.spelling import spelled_differently

type Organization = dict[str, Any]

USUAL_PAGE = 100
LARGE_PAGE = 3 * 1024 * 1024 // 2  # bytes of a usual page
_LARGE_RECORD = LARGE_PAGE // USUAL_PAGE

ANOTHER_OID = "2.16.840.1.113883.3.6147.458.88888.1.1.1.1"
ANOTHER: Organization = {
    "Name": "Another Organization",
    "Active": True,
    "Identifiers": [{"ID": ANOTHER_OID, "IDType": "OID"}],
    "PartOf": {"Identifier": {"Value": "2.16.840.1.113883.3.6147.458.2"}},
    "Address": {"City": "Milwaukee", "State": "WI", "Country": "USA"},
}


def listed(organizations: list[Organization], behaviour: Behaviour) -> list[Organization]:
    """The organizations as a directory with this behaviour lists them."""
    return _LISTINGS[behaviour](organizations) if behaviour in _LISTINGS else organizations


def first_of_page(index: int, limit: int, behaviour: Behaviour) -> int:
    """The index of the first organization on the page that answers a Query with this Index and Limit."""
    pages_before = index // max(limit, 1)
    if behaviour is Behaviour.SHOWS_LAST_AGAIN:
        return index - pages_before
    if behaviour is Behaviour.SHOWS_GAPS:
        return index + pages_before
    return index


def _with_another_oid(organization: Organization) -> Organization:
    return organization | {"Identifiers": [{"ID": ANOTHER_OID, "IDType": "OID"}, *organization["Identifiers"]]}


def _without_name(organization: Organization) -> Organization:
    return {key: value for key, value in organization.items() if key != "Name"}


def _enlarged(organization: Organization) -> Organization:
    return organization | {"Extensions": {"Remark": {"string": "x" * _LARGE_RECORD}}}


_LISTINGS: dict[Behaviour, Callable[[list[Organization]], list[Organization]]] = {
    Behaviour.SPELLS_DIFFERENTLY: lambda organizations: [spelled_differently(each) for each in organizations],
    Behaviour.SHOWS_ANOTHER: lambda organizations: [ANOTHER],
    Behaviour.SHOWS_TWO_OIDS: lambda organizations: [_with_another_oid(each) for each in organizations],
    Behaviour.SHOWS_TWICE: lambda organizations: [each for each in organizations for _ in range(2)],
    Behaviour.SHOWS_NO_NAME: lambda organizations: [_without_name(each) for each in organizations],
    Behaviour.SHOWS_LARGE: lambda organizations: [_enlarged(each) for each in organizations],
}
