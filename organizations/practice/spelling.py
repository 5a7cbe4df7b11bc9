"""Another spelling of what a directory shows: the same organization, as another system would write it down.

Nothing here knows what the portal takes for equivalent: it writes what a reader in the United States would read as the
same. An address in another country is left as it is.
"""

import re
from typing import Any

_COUNTRIES = {"USA": "US", "US": "USA"}
_ZIP = re.compile(r"[0-9]{5}", re.ASCII)
_ZIP_PLUS_4 = re.compile(r"([0-9]{5})-[0-9]{4}", re.ASCII)
_AMERICAN_PHONE = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})", re.ASCII)
_LISTS = ("Aliases", "Contacts", "Identifiers")


def spelled_differently(organization: dict[str, Any]) -> dict[str, Any]:
    """The organization with other spellings of its address and phones, and with its lists the other way round."""
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
    """With four more digits where there are five, and without them where there are nine."""
    if _ZIP.fullmatch(code):
        return f"{code}-0001"
    return _ZIP_PLUS_4.sub(r"\1", code)
