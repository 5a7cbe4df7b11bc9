"""Read American states and ZIP codes, and find the states of a ZIP code."""

import re
import unicodedata

from organizations.countries import is_american
from organizations.fields import FieldError, Read, lookalike_hint, quoted, read_text, reshaped, typed_code, with_hyphens

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
"""Everything with a two-letter code of the Postal Service: states, the District of Columbia, territories and others."""

MILITARY = frozenset({"AA", "AE", "AP"})
_MILITARY_CITY = re.compile(
    r"(?:APO|FPO|DPO)\b.*|.*\b(?:APO|FPO|DPO)|(?:A ?P ?O|F ?P ?O|D ?P ?O)|(?:ARMY|FLEET) POST OFFICE.*"
)
_OTHER_NAMES = {
    "AA": "Armed Forces the Americas",
    "AE": "Armed Forces Middle East, Armed Forces Africa, Armed Forces Canada",
    "AL": "Ala",
    "AS": "Am Samoa",
    "AZ": "Ariz",
    "AR": "Ark",
    "CA": "Calif",
    "CO": "Colo",
    "CT": "Conn",
    "DC": "Washington DC, Wash DC, Washington District of Columbia, Dist of Columbia",
    "DE": "Del",
    "FL": "Fla",
    "FM": "Federated States of Micronesia",
    "IL": "Ill",
    "IN": "Ind",
    "KS": "Kans",
    "KY": "Commonwealth of Kentucky",
    "MA": "Mass, Commonwealth of Massachusetts",
    "MH": "Republic of the Marshall Islands",
    "MI": "Mich",
    "MN": "Minn",
    "MP": "Northern Marianas, N Mariana Islands, CNMI, Commonwealth of the Northern Mariana Islands",
    "MS": "Miss",
    "MT": "Mont",
    "NC": "N Carolina, No Carolina",
    "ND": "N Dakota, N Dak, No Dakota",
    "NE": "Nebr, Neb",
    "NH": "N Hampshire",
    "NJ": "N Jersey",
    "NM": "N Mexico, N Mex",
    "NV": "Nev",
    "NY": "N York, New York State",
    "OK": "Okla",
    "OR": "Oreg, Ore",
    "PA": "Penn, Penna, Commonwealth of Pennsylvania",
    "PR": "Commonwealth of Puerto Rico",
    "PW": "Republic of Palau",
    "SC": "S Carolina, So Carolina",
    "SD": "S Dakota, S Dak, So Dakota",
    "TN": "Tenn",
    "TX": "Tex",
    "VA": "Commonwealth of Virginia",
    "VI": "Virgin Islands, US Virgin Islands, United States Virgin Islands, USVI, Virgin Islands US",
    "WA": "Wash, Washington State",
    "WI": "Wis, Wisc",
    "WV": "W Virginia, W Va",
    "WY": "Wyo",
}
"""Other names that people write for a state. Each means one state only."""

_DROPPED = re.compile(r"[\s.,'`()\u0300-\u036f\u02bb\u02bc\u2018\u2019\u2032-]")
_AROUND = re.compile(r"STATEOF(.+)|(.{4,}?)(?:USA?|UNITEDSTATES)")
_ZIP_PREFIXES = """
005 NY, 006-007 PR, 008 VI, 009 PR, 010-027 MA, 028-029 RI, 030-038 NH, 039-049 ME, 050-054 VT, 055 MA, 056-059 VT,
060-069 CT, 070-089 NJ, 090-098 AE, 100-149 NY, 150-196 PA, 197-199 DE, 200 DC, 201 VA, 202-205 DC, 206-219 MD,
220-246 VA, 247-268 WV, 270-289 NC, 290-299 SC, 300-319 GA, 320-339 FL, 340 AA, 341-349 FL, 350-369 AL, 370-385 TN,
386-397 MS, 398-399 GA, 400-427 KY, 430-459 OH, 460-479 IN, 480-499 MI, 500-528 IA, 530-549 WI, 550-567 MN, 569 DC,
570-577 SD, 580-588 ND, 590-599 MT, 600-629 IL, 630-658 MO, 660-679 KS, 680-693 NE, 700-714 LA, 716-729 AR, 730-732
OK, 733 TX, 734-749 OK, 750-799 TX, 800-816 CO, 820-831 WY, 832-838 ID, 840-847 UT, 850-865 AZ, 870-884 NM, 885 TX,
889-898 NV, 900-961 CA, 962-966 AP, 967-968 HI, 970-979 OR, 980-994 WA, 995-999 AK
"""
_UNUSED_PREFIXES = """
213 343 345 348 353 419 517 518 519 533 536 552 621 632 642 643 663 682 702 709 732 742 771 854 858 861 862 872 892 896
909 929 987
"""
"""Prefixes inside the ranges above that no ZIP code has."""
_PREFIXES_OF_SEVERAL_STATES = frozenset({"099", "888", "969"})
_ZIPS_ACROSS_A_BORDER = {"06390": "CT NY", "42223": "KY TN", "72643": "AR MO", "73949": "OK TX", "83414": "ID WY"}
_PACIFIC_ZIPS = (
    (96799, 96799, "AS"),
    (96910, 96932, "GU"),
    (96939, 96940, "PW"),
    (96941, 96944, "FM"),
    (96950, 96952, "MP"),
    (96960, 96960, "MH"),
    (96970, 96970, "MH"),
)
_ZIP = re.compile(r"([0-9]{5})(?:[\s-]*([0-9]{4}))?")
_MAX_FOREIGN_LENGTH = 50
_MAX_FOREIGN_ZIP_LENGTH = 20


def read_state(value: str, country: str = "USA") -> Read:
    """The two-letter code of an American state, from its code or name. States of other countries stay as typed."""
    if not is_american(country):
        return read_text("State", value, _MAX_FOREIGN_LENGTH)
    typed = typed_code("State", value)
    if not typed:
        return reshaped("State", value, "", "")
    code = _code(typed)
    if not code:
        raise FieldError(f"{quoted(typed)} is not a state.{lookalike_hint(typed)} Choose from the list.")
    return reshaped("State", value, typed, code)


def read_zip(value: str, country: str = "USA") -> Read:
    """An American ZIP code as 5 digits, or 5 and 4 with a hyphen. Postal codes of other countries stay as typed."""
    if not is_american(country):
        return read_text("ZIP", value, _MAX_FOREIGN_ZIP_LENGTH)
    typed = typed_code("ZIP", value)
    if not typed:
        return reshaped("ZIP", value, "", "")
    match = _ZIP.fullmatch(with_hyphens(typed))
    if not match:
        raise FieldError(
            f"{quoted(typed)} is not a ZIP code.{lookalike_hint(typed)} Give 5 digits, or 5 and 4 with a hyphen; keep a"
            " leading 0."
        )
    return reshaped("ZIP", value, typed, "-".join(filter(None, match.groups())))


def is_state(name: str) -> bool:
    """Whether the text is the code or the name of an American state."""
    return bool(_code(name))


def states_of_zip(zip_code: str) -> tuple[str, ...]:
    """The codes of the states of an American ZIP code. Nearly always one; empty if the code does not show them."""
    if not _ZIP.fullmatch(zip_code):
        return ()
    if across := _ZIPS_ACROSS_A_BORDER.get(zip_code[:5]):
        return tuple(across.split())
    number = int(zip_code[:5])
    pacific = next((state for first, last, state in _PACIFIC_ZIPS if first <= number <= last), "")
    state = pacific or _STATE_OF_PREFIX.get(zip_code[:3], "")
    return (state,) if state else ()


def is_unused_zip(zip_code: str) -> bool:
    """Whether no ZIP code of the Postal Service begins with these first three digits."""
    prefix = zip_code[:3]
    is_known = prefix in _STATE_OF_PREFIX or prefix in _PREFIXES_OF_SEVERAL_STATES
    return bool(_ZIP.fullmatch(zip_code)) and not is_known


def is_military_city(city: str) -> bool:
    """Whether the city is a military or diplomatic post office, such as APO."""
    name = " ".join(unicodedata.normalize("NFKC", city).upper().replace(".", "").split())
    return bool(_MILITARY_CITY.fullmatch(name))


def _code(name: str) -> str:
    folded = _folded(name)
    around = _AROUND.fullmatch(folded)
    return _STATE_CODES.get(folded) or _STATE_CODES.get((around[1] or around[2]) if around else "", "")


def _folded(name: str) -> str:
    """The name in capitals, without accents, blanks and the signs of abbreviations."""
    return "".join(each for each in unicodedata.normalize("NFKD", name).upper() if not _DROPPED.match(each))


def _state_codes() -> dict[str, str]:
    codes = {}
    for code, name in STATES.items():
        for each in (code, name, *filter(None, _OTHER_NAMES.get(code, "").split(", "))):
            codes[_folded(each)] = code
    return codes


def _states_of_prefixes() -> dict[str, str]:
    states: dict[str, str] = {}
    for entry in _ZIP_PREFIXES.split(","):
        prefixes, state = entry.split()
        first, _, last = prefixes.partition("-")
        states |= {f"{number:03}": state for number in range(int(first), int(last or first) + 1)}
    return {prefix: state for prefix, state in states.items() if prefix not in _UNUSED_PREFIXES.split()}


_STATE_CODES = _state_codes()
_STATE_OF_PREFIX = _states_of_prefixes()
