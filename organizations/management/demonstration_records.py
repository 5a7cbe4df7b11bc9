"""The made-up records of the demonstration: one company, with six regions of nine locations, in both environments.

Five more records of this company are only in the directory.
"""

import uuid
from dataclasses import replace

from organizations.records import AddressRecord, ContactRecord, IdentifierRecord, OrganizationRecord

GATEWAY = "2.16.840.1.113883.3.6147.458.2"
BASES = {
    "staging": "2.16.840.1.113883.3.6147.458.99999.1.1.1.1",
    "production": "2.16.840.1.113883.3.6147.458.99999.2.1.1.1",
}
COMPANY = "Lakeside Clinics"

# Region: its places, each with ZIP code and county. All are in Wisconsin.
REGIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "North": (
        ("Wausau", "54401", "Marathon"),
        ("Rhinelander", "54501", "Oneida"),
        ("Antigo", "54409", "Langlade"),
        ("Merrill", "54452", "Lincoln"),
        ("Tomahawk", "54487", "Lincoln"),
        ("Minocqua", "54548", "Oneida"),
        ("Eagle River", "54521", "Vilas"),
        ("Medford", "54451", "Taylor"),
        ("Phillips", "54555", "Price"),
    ),
    "South": (
        ("Janesville", "53545", "Rock"),
        ("Beloit", "53511", "Rock"),
        ("Monroe", "53566", "Green"),
        ("Edgerton", "53534", "Rock"),
        ("Evansville", "53536", "Rock"),
        ("Milton", "53563", "Rock"),
        ("Brodhead", "53520", "Green"),
        ("Whitewater", "53190", "Walworth"),
        ("Delavan", "53115", "Walworth"),
    ),
    "East": (
        ("Green Bay", "54301", "Brown"),
        ("De Pere", "54115", "Brown"),
        ("Appleton", "54911", "Outagamie"),
        ("Neenah", "54956", "Winnebago"),
        ("Oshkosh", "54901", "Winnebago"),
        ("Manitowoc", "54220", "Manitowoc"),
        ("Sheboygan", "53081", "Sheboygan"),
        ("Plymouth", "53073", "Sheboygan"),
        ("Kewaunee", "54216", "Kewaunee"),
    ),
    "West": (
        ("Eau Claire", "54701", "Eau Claire"),
        ("Chippewa Falls", "54729", "Chippewa"),
        ("Menomonie", "54751", "Dunn"),
        ("Hudson", "54016", "St. Croix"),
        ("River Falls", "54022", "Pierce"),
        ("La Crosse", "54601", "La Crosse"),
        ("Onalaska", "54650", "La Crosse"),
        ("Sparta", "54656", "Monroe"),
        ("Tomah", "54660", "Monroe"),
    ),
    "Central": (
        ("Madison Shore", "53703", "Dane"),
        ("Madison Old Town", "53704", "Dane"),
        ("Middleton", "53562", "Dane"),
        ("Sun Prairie", "53590", "Dane"),
        ("Verona", "53593", "Dane"),
        ("Stoughton", "53589", "Dane"),
        ("Portage", "53901", "Columbia"),
        ("Baraboo", "53913", "Sauk"),
        ("Reedsburg", "53959", "Sauk"),
    ),
    "Valley": (
        ("Stevens Point", "54481", "Portage"),
        ("Wisconsin Rapids", "54494", "Wood"),
        ("Marshfield", "54449", "Wood"),
        ("Waupaca", "54981", "Waupaca"),
        ("New London", "54961", "Waupaca"),
        ("Shawano", "54166", "Shawano"),
        ("Clintonville", "54929", "Waupaca"),
        ("Wautoma", "54982", "Waushara"),
        ("Berlin", "54923", "Green Lake"),
    ),
}


# Records that are only in the directory: the last number of the OID, region, place, ZIP code, county. These numbers are
# higher than those that the portal suggests for the next record.
HARBOR = 71
OUTSIDE_THE_PORTAL = (
    (41, 1, "Crandon", "54520", "Forest"),
    (41, 2, "Elkhorn", "53121", "Walworth"),
    (41, 5, "Lodi", "53555", "Columbia"),
    (1, HARBOR, "Racine", "53403", "Racine"),
)
ORGANIZATION_TYPE = '{"System":"https://sequoiaproject.org/fhir/sphd/CodeSystem/OrganizationType","Value":"Connection"}'


def company(environment: str) -> OrganizationRecord:
    """The top-level record, part of the Redox gateway."""
    return OrganizationRecord(
        oid=BASES[environment],
        name=COMPANY,
        part_of_oid=GATEWAY,
        aliases=("Lakeside Clinics, LLC", "Lakeside"),
        destination_id=destination(environment, COMPANY),
        contacts=(_desk(), _office("Head office", 120)),
        address=_address("1 Shore Rd", "Madison", "53703", "Dane"),
    )


def region(environment: str, number: int) -> OrganizationRecord:
    """The region with this number, from 1."""
    name = list(REGIONS)[number - 1]
    place, zip_code, county = REGIONS[name][0]
    return OrganizationRecord(
        oid=f"{BASES[environment]}.{number}",
        name=f"Lakeside {name} Region",
        part_of_oid=BASES[environment],
        destination_id=destination(environment, COMPANY),
        contacts=(_desk(),),
        address=_address(f"{100 + number} Main St", _city(place), zip_code, county),
    )


def location(environment: str, region_number: int, number: int) -> OrganizationRecord:
    """The location with this number in a region. Both numbers begin at 1."""
    region_name = list(REGIONS)[region_number - 1]
    place, zip_code, county = REGIONS[region_name][number - 1]
    serial = 10 * region_number + number
    return OrganizationRecord(
        oid=f"{BASES[environment]}.{region_number}.{number}",
        name=f"Lakeside {place}",
        part_of_oid=f"{BASES[environment]}.{region_number}",
        destination_id=destination(environment, COMPANY),
        aliases=(f"Lakeside Clinic {place}",) if number % 3 == 0 else (),
        identifiers=(IdentifierRecord(kind="FACID", value=f"LSC-{serial:03}"),),
        contacts=(_desk(), _office("Front office", serial)) if number % 2 else (_desk(),),
        address=_address(f"{serial} Shore Rd", _city(place), zip_code, county),
    )


def outside_the_portal(environment: str) -> tuple[OrganizationRecord, ...]:
    """The records of the company that are in the directory but not in the portal, because it registered them with curl.

    One is deactivated, one is the parent of another, and one has its own identifier and a carried Type.
    """
    base = BASES[environment]
    crandon, elkhorn, lodi, racine = (
        OrganizationRecord(
            oid=f"{base}.{region_number}.{number}",
            name=f"Lakeside {place}",
            part_of_oid=f"{base}.{region_number}",
            destination_id=destination(environment, COMPANY),
            contacts=(_desk(),),
            address=_address(f"{number} Harbor Rd", place, zip_code, county),
        )
        for number, region_number, place, zip_code, county in OUTSIDE_THE_PORTAL
    )
    harbor = replace(racine, oid=f"{base}.{HARBOR}", name="Lakeside Harbor Region", part_of_oid=base)
    own = (IdentifierRecord(kind="FACID", value="LSC-241"),)
    return (
        replace(crandon, active=False),
        replace(elkhorn, identifiers=own, carried=(("Type", ORGANIZATION_TYPE),)),
        lodi,
        harbor,
        racine,
    )


def destination(environment: str, name: str) -> str:
    """A destination ID that is the same in every run, but differs between the environments."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.{environment}.lakeside.example"))


def _city(place: str) -> str:
    return "Madison" if place.startswith("Madison") else place


def _desk() -> ContactRecord:
    return ContactRecord(
        purpose="Technical",
        name="Integration desk",
        email_addresses=("integration@lakeside.example",),
        work_phone="+16085550100",
        mobile_phone="+16085550101",
    )


def _office(name: str, number: int) -> ContactRecord:
    return ContactRecord(purpose="Operations", name=name, work_phone=f"+160855501{number % 100:02}")


def _address(street: str, city: str, zip_code: str, county: str) -> AddressRecord:
    return AddressRecord(street=street, city=city, state="WI", zip_code=zip_code, county=county, country="USA")


def foreign_organization(record: OrganizationRecord) -> OrganizationRecord:
    """Another organization that others registered with the OID of this record."""
    address = AddressRecord(street="20 Harbor St", city="Boston", state="MA", zip_code="02110", country="USA")
    contact = ContactRecord(
        purpose="Technical", name="Help desk", email_addresses=("help@harbor.example",), work_phone="+16175550100"
    )
    return OrganizationRecord(
        oid=record.oid, name="Boston Harbor Hospital", part_of_oid=GATEWAY, contacts=(contact,), address=address
    )
