"""Countries (ISO 3166-1, and Kosovo) and their reader."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from organizations.fields import Read, quoted, read_text

AMERICAN = "USA"
_LONGEST = 60
_NAMES_AND_CODES = """
AD AND Andorra; AE ARE United Arab Emirates; AF AFG Afghanistan; AG ATG Antigua and Barbuda; AI AIA Anguilla;
AL ALB Albania; AM ARM Armenia; AO AGO Angola; AQ ATA Antarctica; AR ARG Argentina; AS ASM American Samoa;
AT AUT Austria; AU AUS Australia; AW ABW Aruba; AX ALA Åland Islands; AZ AZE Azerbaijan; BA BIH Bosnia and Herzegovina;
BB BRB Barbados; BD BGD Bangladesh; BE BEL Belgium; BF BFA Burkina Faso; BG BGR Bulgaria; BH BHR Bahrain;
BI BDI Burundi; BJ BEN Benin; BL BLM Saint Barthélemy; BM BMU Bermuda; BN BRN Brunei Darussalam; BO BOL Bolivia;
BQ BES Bonaire, Sint Eustatius and Saba; BR BRA Brazil; BS BHS Bahamas; BT BTN Bhutan; BV BVT Bouvet Island;
BW BWA Botswana; BY BLR Belarus; BZ BLZ Belize; CA CAN Canada; CC CCK Cocos (Keeling) Islands;
CD COD Democratic Republic of the Congo; CF CAF Central African Republic; CG COG Congo; CH CHE Switzerland;
CI CIV Côte d'Ivoire; CK COK Cook Islands; CL CHL Chile; CM CMR Cameroon; CN CHN China; CO COL Colombia;
CR CRI Costa Rica; CU CUB Cuba; CV CPV Cabo Verde; CW CUW Curaçao; CX CXR Christmas Island; CY CYP Cyprus;
CZ CZE Czechia; DE DEU Germany; DJ DJI Djibouti; DK DNK Denmark; DM DMA Dominica; DO DOM Dominican Republic;
DZ DZA Algeria; EC ECU Ecuador; EE EST Estonia; EG EGY Egypt; EH ESH Western Sahara; ER ERI Eritrea; ES ESP Spain;
ET ETH Ethiopia; FI FIN Finland; FJ FJI Fiji; FK FLK Falkland Islands (Malvinas); FM FSM Micronesia;
FO FRO Faroe Islands; FR FRA France; GA GAB Gabon; GB GBR United Kingdom; GD GRD Grenada; GE GEO Georgia;
GF GUF French Guiana; GG GGY Guernsey; GH GHA Ghana; GI GIB Gibraltar; GL GRL Greenland; GM GMB Gambia; GN GIN Guinea;
GP GLP Guadeloupe; GQ GNQ Equatorial Guinea; GR GRC Greece; GS SGS South Georgia and the South Sandwich Islands;
GT GTM Guatemala; GU GUM Guam; GW GNB Guinea-Bissau; GY GUY Guyana; HK HKG Hong Kong;
HM HMD Heard Island and McDonald Islands; HN HND Honduras; HR HRV Croatia; HT HTI Haiti; HU HUN Hungary;
ID IDN Indonesia; IE IRL Ireland; IL ISR Israel; IM IMN Isle of Man; IN IND India;
IO IOT British Indian Ocean Territory; IQ IRQ Iraq; IR IRN Iran; IS ISL Iceland; IT ITA Italy; JE JEY Jersey;
JM JAM Jamaica; JO JOR Jordan; JP JPN Japan; KE KEN Kenya; KG KGZ Kyrgyzstan; KH KHM Cambodia; KI KIR Kiribati;
KM COM Comoros; KN KNA Saint Kitts and Nevis; KP PRK North Korea; KR KOR South Korea; KW KWT Kuwait;
KY CYM Cayman Islands; KZ KAZ Kazakhstan; LA LAO Laos; LB LBN Lebanon; LC LCA Saint Lucia; LI LIE Liechtenstein;
LK LKA Sri Lanka; LR LBR Liberia; LS LSO Lesotho; LT LTU Lithuania; LU LUX Luxembourg; LV LVA Latvia; LY LBY Libya;
MA MAR Morocco; MC MCO Monaco; MD MDA Moldova; ME MNE Montenegro; MF MAF Saint Martin (French part); MG MDG Madagascar;
MH MHL Marshall Islands; MK MKD North Macedonia; ML MLI Mali; MM MMR Myanmar; MN MNG Mongolia; MO MAC Macao;
MP MNP Northern Mariana Islands; MQ MTQ Martinique; MR MRT Mauritania; MS MSR Montserrat; MT MLT Malta;
MU MUS Mauritius; MV MDV Maldives; MW MWI Malawi; MX MEX Mexico; MY MYS Malaysia; MZ MOZ Mozambique; NA NAM Namibia;
NC NCL New Caledonia; NE NER Niger; NF NFK Norfolk Island; NG NGA Nigeria; NI NIC Nicaragua; NL NLD Netherlands;
NO NOR Norway; NP NPL Nepal; NR NRU Nauru; NU NIU Niue; NZ NZL New Zealand; OM OMN Oman; PA PAN Panama; PE PER Peru;
PF PYF French Polynesia; PG PNG Papua New Guinea; PH PHL Philippines; PK PAK Pakistan; PL POL Poland;
PM SPM Saint Pierre and Miquelon; PN PCN Pitcairn; PR PRI Puerto Rico; PS PSE Palestine; PT PRT Portugal; PW PLW Palau;
PY PRY Paraguay; QA QAT Qatar; RE REU Réunion; RO ROU Romania; RS SRB Serbia; RU RUS Russia; RW RWA Rwanda;
SA SAU Saudi Arabia; SB SLB Solomon Islands; SC SYC Seychelles; SD SDN Sudan; SE SWE Sweden; SG SGP Singapore;
SH SHN Saint Helena, Ascension and Tristan da Cunha; SI SVN Slovenia; SJ SJM Svalbard and Jan Mayen; SK SVK Slovakia;
SL SLE Sierra Leone; SM SMR San Marino; SN SEN Senegal; SO SOM Somalia; SR SUR Suriname; SS SSD South Sudan;
ST STP Sao Tome and Principe; SV SLV El Salvador; SX SXM Sint Maarten (Dutch part); SY SYR Syria; SZ SWZ Eswatini;
TC TCA Turks and Caicos Islands; TD TCD Chad; TF ATF French Southern Territories; TG TGO Togo; TH THA Thailand;
TJ TJK Tajikistan; TK TKL Tokelau; TL TLS Timor-Leste; TM TKM Turkmenistan; TN TUN Tunisia; TO TON Tonga;
TR TUR Turkey; TT TTO Trinidad and Tobago; TV TUV Tuvalu; TW TWN Taiwan; TZ TZA Tanzania; UA UKR Ukraine;
UG UGA Uganda; UM UMI United States Minor Outlying Islands; US USA United States; UY URY Uruguay; UZ UZB Uzbekistan;
VA VAT Holy See (Vatican City State); VC VCT Saint Vincent and the Grenadines; VE VEN Venezuela;
VG VGB British Virgin Islands; VI VIR U.S. Virgin Islands; VN VNM Vietnam; VU VUT Vanuatu; WF WLF Wallis and Futuna;
WS WSM Samoa; XK XKX Kosovo; YE YEM Yemen; YT MYT Mayotte; ZA ZAF South Africa; ZM ZMB Zambia; ZW ZWE Zimbabwe
"""
"""Both codes and the short name of each country. Where the standard's name is longer, the name that people write."""

_AMERICAN_SPELLINGS = (
    "US",
    "USA",
    "The US",
    "The USA",
    "US America",
    "United States",
    "United States of America",
    "The United States of America",
    "The United States",
    "United States America",
    "United States (US)",
    "United States (USA)",
    "United States of America (US)",
    "United States of America (USA)",
    "US (United States)",
    "USA (United States)",
    "US (United States of America)",
    "USA (United States of America)",
    "America",
    "US of A",
    "Estados Unidos",
    "Estados Unidos de América",
    "EE.UU.",
    "EE.UU.A.",
    "EUA",
    "840",
)
# Other names: ISO's formal ones, older ones, and those that people use. The order of their words does not matter.
_OTHER_NAMES = {
    "AE": "UAE; Emirates",
    "BA": "Bosnia",
    "BN": "Brunei",
    "BO": "Plurinational State of Bolivia",
    "BQ": "Bonaire; Caribbean Netherlands",
    "CC": "Cocos Islands; Keeling Islands",
    "CD": "DR Congo; DRC; Congo Kinshasa",
    "CG": "Congo Brazzaville",
    "CH": "Swiss Confederation",
    "CI": "Ivory Coast",
    "CN": "People's Republic of China; PRC",
    "CV": "Cape Verde",
    "CZ": "Czech Republic",
    "DE": "Deutschland",
    "EG": "Arab Republic of Egypt",
    "ES": "España",
    "FK": "Falkland Islands; Malvinas",
    "FM": "Federated States of Micronesia",
    "FO": "Faeroe Islands",
    "FR": "French Republic",
    "GB": "UK; Great Britain; England; Scotland; Wales; Northern Ireland; Britain;"
    " United Kingdom of Great Britain and Northern Ireland",
    "GR": "Hellenic Republic",
    "HK": "Hong Kong China; Hong Kong SAR; Hong Kong Special Administrative Region of China; Hong Kong SAR China",
    "IE": "Eire",
    "IL": "State of Israel",
    "KG": "Kyrgyz Republic",
    "KP": "Democratic People's Republic of Korea; DPRK",
    "KR": "Korea; ROK",
    "LA": "Lao People's Democratic Republic; Lao PDR; Lao",
    "LY": "State of Libya; Libyan Arab Jamahiriya",
    "MF": "Saint Martin",
    "MK": "Macedonia; The former Yugoslav Republic of Macedonia",
    "MM": "Burma; Republic of the Union of Myanmar",
    "MO": "Macau; Macao China; Macau China; Macao SAR; Macau SAR; Macao Special Administrative Region of China",
    "MX": "México; United Mexican States",
    "NL": "Holland",
    "NZ": "Aotearoa",
    "PN": "Pitcairn Islands",
    "PS": "State of Palestine; Palestinian Territory; Occupied Palestinian Territory",
    "RU": "Russian Federation",
    "SA": "KSA",
    "SH": "Saint Helena",
    "SK": "Slovak Republic",
    "SX": "Sint Maarten",
    "SY": "Syrian Arab Republic",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Türkiye",
    "TW": "Province of China Taiwan; Republic of China",
    "TZ": "United Republic of Tanzania",
    "VA": "Vatican; Vatican City; Vatican City State; Holy See",
    "VC": "Saint Vincent",
    "VE": "Bolivarian Republic of Venezuela",
    "VG": "Virgin Islands (British)",
    "VI": "Virgin Islands (U.S.); United States Virgin Islands; Virgin Islands of the United States",
    "VN": "Viet Nam",
    "ZA": "RSA",
}
_PLACEHOLDER = "na"  # Namibia's code, but people type it for "not available"
_IGNORED_WORDS = frozenset({"the", "of", "and"})
# Words for the form of government, except where they tell two countries apart, as in the names above.
_FORMS_OF_STATE = {"republic", "kingdom", "commonwealth", "principality", "sultanate", "grand", "duchy", "federal"}
_FORMS_OF_STATE |= {"federative", "islamic", "socialist", "bolivarian", "hashemite", "oriental"}
_MOST_CHANGES = 2


def names_of_countries() -> Iterator[str]:
    """Every country as the form writes it, USA first."""
    yield AMERICAN
    yield from sorted((name for two, _, name in _entries() if two != "US"), key=_letters)


def read_country(value: str) -> Read:
    """USA for every spelling of the United States, as in Redox's example. Other texts stay as typed."""
    text = read_text("Country", value, _LONGEST)
    if not is_american(text.value) or text.value in ("", AMERICAN):
        return text
    changed = f"Country {quoted(text.value)} to {AMERICAN}"
    return Read(AMERICAN, "; ".join(filter(None, (text.changed, changed))))


@lru_cache(maxsize=1000)
def is_american(country: str) -> bool:
    """Whether the rules for American states and ZIP codes apply: for the United States, and if no country is given."""
    return not country.strip() or _letters(country) in _AMERICAN


def name_of_country(country: str) -> str:
    """The English short name of a country given by code or name; "" if there is no such country.

    A code with other characters between its letters does not count, unless it is American: "N/A" is not Namibia.
    """
    if _letters(country) in _AMERICAN:
        return "United States"
    code = unicodedata.normalize("NFKC", country).strip().casefold()
    name = _CODES.get(code, "") or _NAMES.get(_letters(country), "")
    words = _words(country)
    short = tuple(word for word in words if word not in _FORMS_OF_STATE)
    return name or _NAMES_BY_WORDS.get(words, "") or _NAMES_BY_WORDS.get(short, "")


def nearest_country(typed: str) -> str:
    """The country that was probably meant, as the form writes it; "" if no name is similar.

    A similar name has the same first letter, and at most two letters differ.
    """
    letters = _letters(typed)
    names = [name for name in _NAMES if name[:1] == letters[:1] and len(name) > len(AMERICAN)]
    matches = difflib.get_close_matches(letters, names, n=1, cutoff=0.75)
    if not matches or _changes(letters, matches[0]) > _MOST_CHANGES:
        matches = difflib.get_close_matches(letters, [AMERICAN.casefold()] if letters[:1] == "u" else [], cutoff=0.65)
    if not matches:
        return ""
    return AMERICAN if matches[0] in _AMERICAN else _NAMES[matches[0]]


def _changes(one: str, other: str) -> int:
    """How many letters differ between two texts."""
    parts = difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return sum(max(end - start, to - begin) for what, start, end, begin, to in parts if what != "equal")


def _letters(name: str) -> str:
    """The letters and digits of a name, without accents and case; "&" is "and"."""
    decomposed = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _words(name: str) -> tuple[str, ...]:
    """The words in alphabetical order: "Korea (the Republic of)" equals "Republic of Korea". "St." is "saint"."""
    words = map(_letters, re.split(r"[\s,()/&-]+", name))
    return tuple(sorted("saint" if word == "st" else word for word in words if word and word not in _IGNORED_WORDS))


def _entries() -> Iterator[tuple[str, str, str]]:
    for entry in _NAMES_AND_CODES.split(";"):
        two, three, name = entry.split(maxsplit=2)
        yield two, three, name.strip()


def _names_by[Key](key: Callable[[str], Key]) -> dict[Key, str]:
    names: dict[Key, str] = {}
    for two, _, name in _entries():
        others = filter(None, _OTHER_NAMES.get(two, "").split("; "))
        names |= {key(each): name for each in (name, *others)}
    return names


_AMERICAN = frozenset(map(_letters, _AMERICAN_SPELLINGS))
_CODES = {code.casefold(): name for two, three, name in _entries() for code in (two, three)}
del _CODES[_PLACEHOLDER]
_NAMES = _names_by(_letters) | dict.fromkeys(_AMERICAN, "United States")
_NAMES_BY_WORDS = _names_by(_words)
