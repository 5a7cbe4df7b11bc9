"""The readers of states and ZIP codes, and what is known about them."""

import re

from organizations.fields import FieldError, Read, quoted, read_text, reshaped, typed_code

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
_ZIP = re.compile(r"([0-9]{5})(?:[\s\u2010-\u2015-]*([0-9]{4}))?")
_MAX_FOREIGN_LENGTH = 50
_MAX_FOREIGN_ZIP_LENGTH = 20


def read_state(value: str, country: str = "USA") -> Read:
    """The two-letter code of an American state, given as code or name; other countries' states stay as typed."""
    if not is_american(country):
        return read_text("State", value, _MAX_FOREIGN_LENGTH)
    typed = typed_code("State", value)
    if not typed:
        return reshaped("State", value, "", "")
    name = typed.upper().replace(".", "")
    code = name if name in STATES else _STATE_CODES.get(name)
    if not code:
        raise FieldError(f"{quoted(typed)} is not a state. Choose from the list.")
    return reshaped("State", value, typed, code)


def read_zip(value: str, country: str = "USA") -> Read:
    """An American ZIP code as 5 digits, or 5 and 4 with a hyphen; other countries' postal codes stay as typed."""
    if not is_american(country):
        return read_text("ZIP", value, _MAX_FOREIGN_ZIP_LENGTH)
    typed = typed_code("ZIP", value)
    if not typed:
        return reshaped("ZIP", value, "", "")
    found = _ZIP.fullmatch(typed)
    if not found:
        raise FieldError(
            f"{quoted(typed)} is not a ZIP code. Give 5 digits, or 5 and 4 with a hyphen; keep a leading 0."
        )
    return reshaped("ZIP", value, typed, "-".join(filter(None, found.groups())))


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
