"""Readers of what people type: each takes any usual form, gives the form that is sent, and says what it changed.

An empty text stays empty, except for an OID: whether a field may be empty is for the form to say. What cannot be read
raises FieldError, whose message says what is wrong and what to do.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import phonenumbers

from organizations.oid import Oid, OidError

STATES = {
    "AL": "Alabama",
    "AK": "Alaska",
    "AZ": "Arizona",
    "AR": "Arkansas",
    "CA": "California",
    "CO": "Colorado",
    "CT": "Connecticut",
    "DE": "Delaware",
    "DC": "District of Columbia",
    "FL": "Florida",
    "GA": "Georgia",
    "HI": "Hawaii",
    "ID": "Idaho",
    "IL": "Illinois",
    "IN": "Indiana",
    "IA": "Iowa",
    "KS": "Kansas",
    "KY": "Kentucky",
    "LA": "Louisiana",
    "ME": "Maine",
    "MD": "Maryland",
    "MA": "Massachusetts",
    "MI": "Michigan",
    "MN": "Minnesota",
    "MS": "Mississippi",
    "MO": "Missouri",
    "MT": "Montana",
    "NE": "Nebraska",
    "NV": "Nevada",
    "NH": "New Hampshire",
    "NJ": "New Jersey",
    "NM": "New Mexico",
    "NY": "New York",
    "NC": "North Carolina",
    "ND": "North Dakota",
    "OH": "Ohio",
    "OK": "Oklahoma",
    "OR": "Oregon",
    "PA": "Pennsylvania",
    "RI": "Rhode Island",
    "SC": "South Carolina",
    "SD": "South Dakota",
    "TN": "Tennessee",
    "TX": "Texas",
    "UT": "Utah",
    "VT": "Vermont",
    "VA": "Virginia",
    "WA": "Washington",
    "WV": "West Virginia",
    "WI": "Wisconsin",
    "WY": "Wyoming",
    "AS": "American Samoa",
    "GU": "Guam",
    "MP": "Northern Mariana Islands",
    "PR": "Puerto Rico",
    "VI": "U.S. Virgin Islands",
    "AA": "Armed Forces Americas",
    "AE": "Armed Forces Europe",
    "AP": "Armed Forces Pacific",
    "FM": "Micronesia",
    "MH": "Marshall Islands",
    "PW": "Palau",
}
"""States, the District of Columbia, territories and what else the Postal Service gives a two-letter code."""

_STATE_CODES = {name.upper().replace(".", ""): code for code, name in STATES.items()}

_ZIP_PREFIXES = """
005 NY, 006-007 PR, 008 VI, 009 PR, 010-027 MA, 028-029 RI, 030-038 NH, 039-049 ME, 050-054 VT, 055 MA, 056-059 VT,
060-069 CT, 070-089 NJ, 090-098 AE, 100-149 NY, 150-196 PA, 197-199 DE, 200 DC, 201 VA, 202-204 DC, 206-219 MD,
220-246 VA, 247-268 WV, 270-289 NC, 290-299 SC, 300-319 GA, 320-339 FL, 340 AA, 341-349 FL, 350-369 AL, 370-385 TN,
386-397 MS, 398-399 GA, 400-427 KY, 430-459 OH, 460-479 IN, 480-499 MI, 500-528 IA, 530-549 WI, 550-567 MN, 570-577 SD,
580-588 ND, 590-599 MT, 600-629 IL, 630-658 MO, 660-679 KS, 680-693 NE, 700-714 LA, 716-729 AR, 730-732 OK, 733 TX,
734-749 OK, 750-799 TX, 800-816 CO, 820-831 WY, 832-838 ID, 840-847 UT, 850-865 AZ, 870-884 NM, 885 TX, 889-898 NV,
900-961 CA, 962-966 AP, 967-968 HI, 970-979 OR, 980-994 WA, 995-999 AK
"""
_ZIPS_ACROSS_A_BORDER = frozenset({"06390", "42223", "83414", "96799"})

_UNSENDABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff]"
)
_INVISIBLE = re.compile(r"[\u200b\u2060\ufeff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_PHONE = re.compile(r"[0-9+()./\s\u2010-\u2015-]+")
_ZIP = re.compile(r"([0-9]{5})(?:[\s\u2010-\u2015-]*([0-9]{4}))?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EMAIL_NAME = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_EMAIL_NAME}(\.{_EMAIL_NAME})*@({_EMAIL_LABEL}\.)+(?![0-9]+\Z){_EMAIL_LABEL}")
_MAX_EMAIL_LENGTH = 254
_MAX_FOREIGN_LENGTH = 50
_MAX_FOREIGN_ZIP_LENGTH = 20
_MAX_QUOTED = 60


class FieldError(ValueError):
    """What was typed cannot be sent; the message is for the person who typed it."""


class Read(NamedTuple):
    """The form that is sent, and what was changed to get there, in words; "" when nothing was."""

    value: str
    changed: str = ""


def read_text(label: str, value: str, max_length: int) -> Read:
    """One line of text without blanks at its ends or in a row.

    Refuses what JSON or the directory's XML cannot carry and what makes a text look like another: control characters,
    lone surrogates, non-characters, bidirectional overrides; and the replacement character, which stands where a text
    was broken on its way.
    """
    _refuse_unsendable(label, value)
    visible = _INVISIBLE.sub("", value)
    text = " ".join(visible.split())
    if len(text) > max_length:
        raise FieldError(f"{label} has {len(text)} characters; at most {max_length} can be kept.")
    removed = []
    if visible != value:
        removed.append("invisible characters")
    if text != visible.strip():
        removed.append("extra spaces")
    return Read(text, _removed(label, removed))


def read_street(value: str, max_length: int) -> Read:
    """The street and number; Redox has one line for it."""
    if _LINE_BREAK.search(value.strip()):
        raise FieldError("Put the street on one line.")
    return read_text("Street", value, max_length)


def read_oid(value: str, label: str = "OID") -> Read:
    """A bare OID; takes it with 'urn:oid:' in front, with a dot at the end, and with blanks anywhere."""
    visible = _INVISIBLE.sub("", value)
    text = "".join(visible.split())
    _refuse_unsendable(label, text)
    removed = []
    if visible != value:
        removed.append("invisible characters")
    if text != visible.strip():
        removed.append("spaces")
    if text.lower().startswith("urn:oid:"):
        text = text[len("urn:oid:") :]
        removed.append("'urn:oid:'")
    if text.endswith("."):
        text = text.rstrip(".")
        removed.append("the dot at the end")
    try:
        return Read(Oid(text).text, _removed(label, removed))
    except OidError as fault:
        raise FieldError(str(fault)) from None


def read_phone(label: str, value: str) -> Read:
    """A phone number in E.164 form (+16085550100); American without a country in front. Extensions cannot be sent."""
    typed = _typed(label, value)
    if not typed:
        return _reshaped(label, value, "", "")
    phone = _e164(typed)
    if not phone:
        raise FieldError(f"{_quoted(typed)} is not a phone number. Give ten digits or begin with + and the country.")
    return _reshaped(label, value, typed, phone)


def read_state(value: str, country: str = "USA") -> Read:
    """The two-letter code of an American state, given as code or name; other countries' states stay as typed."""
    if not is_american(country):
        return read_text("State", value, _MAX_FOREIGN_LENGTH)
    typed = _typed("State", value)
    if not typed:
        return _reshaped("State", value, "", "")
    name = typed.upper().replace(".", "")
    code = name if name in STATES else _STATE_CODES.get(name)
    if not code:
        raise FieldError(f"{_quoted(typed)} is not a state. Choose from the list.")
    return _reshaped("State", value, typed, code)


def read_zip(value: str, country: str = "USA") -> Read:
    """An American ZIP code as 5 digits, or 5 and 4 with a hyphen; other countries' postal codes stay as typed."""
    if not is_american(country):
        return read_text("ZIP", value, _MAX_FOREIGN_ZIP_LENGTH)
    typed = _typed("ZIP", value)
    if not typed:
        return _reshaped("ZIP", value, "", "")
    found = _ZIP.fullmatch(typed)
    if not found:
        raise FieldError(
            f"{_quoted(typed)} is not a ZIP code. Give 5 digits, or 5 and 4 with a hyphen; keep a leading 0."
        )
    return _reshaped("ZIP", value, typed, "-".join(filter(None, found.groups())))


def read_email(value: str) -> Read:
    """One e-mail address as browsers understand it (HTML standard), with a dot in its domain."""
    typed = _typed("E-mail address", value)
    if typed and (len(typed) > _MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(typed)):
        raise FieldError(f"{_quoted(typed)} is not an e-mail address. Example: desk@example.org.")
    return _reshaped("E-mail address", value, typed, typed)


def read_uuid(value: str, routing_names: Mapping[str, str], own_ids: Mapping[str, str]) -> Read:
    """A destination ID in small letters.

    `routing_names` are Redox's fixed routing IDs with purpose and environment, `own_ids` our source and client IDs with
    "source ID" or "client ID": UUIDs as well, and never a destination of ours.
    """
    typed = _typed("Destination ID", value)
    found = typed.lower()
    if found and not _UUID.fullmatch(found):
        raise FieldError("Enter a UUID (36 characters with four hyphens), or leave it empty.")
    if found in routing_names:
        raise FieldError(
            f"This is the routing ID '{routing_names[found]}' of Redox's table. It tells Redox which directory to "
            "write; the portal sets it. Enter your own destination ID, or leave it empty."
        )
    if found in own_ids:
        raise FieldError(f"This is our {own_ids[found]}, not a destination.")
    return _reshaped("Destination ID", value, typed, found)


def read_lines(value: str) -> tuple[str, ...]:
    """The lines of a field that takes one value a line; blank lines say nothing."""
    return tuple(line for line in _LINE_BREAK.split(value) if line.strip())


def is_american(country: str) -> bool:
    """Whether the rules for American states and ZIP codes hold; also where no country is given."""
    return country.strip().upper().replace(".", "") in ("", "US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA")


def state_of_zip(zip_code: str) -> str:
    """The code of the state that an American ZIP code lies in; "" where its first three digits do not tell for sure."""
    first_five = zip_code[:5]
    if first_five in _ZIPS_ACROSS_A_BORDER or not _ZIP.fullmatch(zip_code):
        return ""
    return _STATE_OF_PREFIX.get(int(first_five[:3]), "")


def _states_of_prefixes() -> dict[int, str]:
    states: dict[int, str] = {}
    for entry in _ZIP_PREFIXES.split(","):
        prefixes, state = entry.split()
        first, _, last = prefixes.partition("-")
        states |= dict.fromkeys(range(int(first), int(last or first) + 1), state)
    return states


_STATE_OF_PREFIX = _states_of_prefixes()


def _typed(label: str, value: str) -> str:
    _refuse_unsendable(label, value)
    return " ".join(_INVISIBLE.sub("", value).split())


def _refuse_unsendable(label: str, value: str) -> None:
    found = _UNSENDABLE.search(value)
    if found:
        name = label[0].lower() + label[1:] if label.split(maxsplit=1)[0][1:].islower() else label
        code = f"U+{ord(found.group()):04X}"
        raise FieldError(
            f"The {name} holds a character that cannot be sent ({code}, place {found.start() + 1}). Delete it."
        )


def _e164(typed: str) -> str:
    if not _PHONE.fullmatch(typed):
        return ""
    try:
        number = phonenumbers.parse(typed, "US")
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _reshaped(label: str, raw: str, typed: str, value: str) -> Read:
    """What became of `typed`, the visible text of `raw`. Blanks at the ends are not worth a word."""
    removed = _removed(label, ["invisible characters"] if _INVISIBLE.search(raw) else [])
    reshaped = "" if typed == value else f"{label} {_quoted(typed)} to {value}"
    return Read(value, "; ".join(filter(None, (removed, reshaped))))


def _removed(label: str, parts: list[str]) -> str:
    return f"{label}: {' and '.join(parts)} removed" if parts else ""


def _quoted(typed: str) -> str:
    return f"'{typed}'" if len(typed) <= _MAX_QUOTED else f"'{typed[:_MAX_QUOTED]}...'"
