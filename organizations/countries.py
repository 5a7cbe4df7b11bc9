"""Countries (ISO 3166-1) and the reader of them."""

import difflib
import unicodedata

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
WS WSM Samoa; YE YEM Yemen; YT MYT Mayotte; ZA ZAF South Africa; ZM ZMB Zambia; ZW ZWE Zimbabwe
"""
"""Both codes and the short name of each; names as people write them where the standard's own are longer."""

_AMERICAN_SPELLINGS = (
    "US",
    "USA",
    "United States",
    "United States of America",
    "The United States of America",
    "The United States",
    "United States America",
    "America",
    "US of A",
    "Estados Unidos",
)
_OTHER_NAMES = {
    "GB": "UK, Great Britain, England, Scotland, Wales, Northern Ireland",
    "NL": "Holland, The Netherlands",
    "CZ": "Czech Republic",
    "KR": "Korea, Republic of Korea",
    "RU": "Russian Federation",
    "TR": "Türkiye",
    "AE": "UAE",
    "CI": "Ivory Coast",
    "CV": "Cape Verde",
    "SZ": "Swaziland",
    "MM": "Burma",
    "MK": "Macedonia",
    "VA": "Vatican, Vatican City, Holy See",
    "TL": "East Timor",
    "BN": "Brunei",
    "MO": "Macau",
    "FM": "Federated States of Micronesia",
    "CD": "DR Congo",
    "FK": "Falkland Islands",
    "VI": "US Virgin Islands",
    "MX": "México",
    "BS": "The Bahamas",
    "VN": "Viet Nam",
}


def read_country(value: str) -> Read:
    """USA for every American spelling, as in Redox's example; other countries, and what is none, stay as typed."""
    found = read_text("Country", value, _LONGEST)
    if not is_american(found.value) or found.value in ("", AMERICAN):
        return found
    changed = f"Country {quoted(found.value)} to {AMERICAN}"
    return Read(AMERICAN, "; ".join(filter(None, (found.changed, changed))))


def is_american(country: str) -> bool:
    """Whether the rules for American states and ZIP codes hold; also where no country is given."""
    return not country.strip() or _folded(country) in _AMERICAN


def name_of_country(country: str) -> str:
    """The English short name of a country given by code or name; "" if there is no such country."""
    return _NAMES.get(_folded(country), "")


def nearest_country(typed: str) -> str:
    """The country that was probably meant, as the form writes it; "" if no name is near."""
    folded = _folded(typed)
    near = difflib.get_close_matches(folded, [name for name in _NAMES if len(name) > 3], n=1, cutoff=0.75)
    if not near:
        near = difflib.get_close_matches(folded, ["usa"], n=1, cutoff=0.65)
    if not near:
        return ""
    return AMERICAN if near[0] in _AMERICAN else _NAMES[near[0]]


def _folded(name: str) -> str:
    """Letters only, without accents and case; "&" is "and"."""
    decomposed = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _all_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for entry in _NAMES_AND_CODES.split(";"):
        two, three, name = entry.split(maxsplit=2)
        others = _OTHER_NAMES.get(two, "").split(", ")
        names |= {_folded(each): name.strip() for each in (two, three, name, *others) if each}
    return names | dict.fromkeys(_AMERICAN, "United States")


_AMERICAN = frozenset(map(_folded, _AMERICAN_SPELLINGS))
_NAMES = _all_names()
