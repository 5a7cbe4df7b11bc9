"""Another spelling of an organization, as another system would write it.

This shares no code with the portal's comparison: it writes values that a reader in the United States would call the
same. An address in another country is not changed.
"""

import re
from typing import Any

_COUNTRIES = {"USA": "US", "US": "USA"}
_ZIP = re.compile(r"[0-9]{5}", re.ASCII)
_ZIP_PLUS_4 = re.compile(r"([0-9]{5})-[0-9]{4}", re.ASCII)
_AMERICAN_PHONE = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})", re.ASCII)
_LISTS = ("Aliases", "Contacts", "Identifiers")


def spelled_differently(organization: dict[str, Any]) -> dict[str, Any]:
    """The organization with its address and phones in another spelling, and its lists in reverse order."""
    spelled = dict(organization)
    for key in _LISTS:
        if isinstance(spelled.get(key), list):
            spelled[key] = spelled[key][::-1]
    if "Contacts" in spelled:
        spelled["Contacts"] = [_contact(contact) for contact in spelled["Contacts"]]
    if "Address" in spelled:
        spelled["Address"] = _address(spelled["Address"])
    return spelled


def _contact(contact: dict[str, Any]) -> dict[str, Any]:
    if "PhoneNumber" not in contact:
        return contact
    phones = {key: _AMERICAN_PHONE.sub(r"+1 (\1) \2-\3", number) for key, number in contact["PhoneNumber"].items()}
    return {**contact, "PhoneNumber": phones}


def _address(address: dict[str, str]) -> dict[str, str]:
    if address.get("Country", "USA") not in _COUNTRIES:
        return address
    spelled = dict(address)
    if "Country" in spelled:
        spelled["Country"] = _COUNTRIES[spelled["Country"]]
    if "State" in spelled:
        spelled["State"] = spelled["State"].lower()
    if "ZIP" in spelled:
        spelled["ZIP"] = _zip(spelled["ZIP"])
    return spelled


def _zip(code: str) -> str:
    """A ZIP code of five digits with four more, and one of nine digits without the last four."""
    if _ZIP.fullmatch(code):
        return f"{code}-0001"
    return _ZIP_PLUS_4.sub(r"\1", code)
