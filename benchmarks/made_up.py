"""The made-up company: its records and their states. Everything about a record follows from its number."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from organizations.models import Basis, Environment, Intent, Presence, State
from organizations.records import AddressRecord, ContactRecord, IdentifierRecord, OrganizationRecord
from organizations.redox.environment import GATEWAY_OID

REGIONS = (1_000, 10, 50, 200, 5_000)
"""The locations below each region of a company. After its last location the next company begins."""
COMPANY = 1 + sum(1 + locations for locations in REGIONS)
PERIOD = 15
"""Two numbers with this difference have the same city, destination and editor."""
BASES = {
    Environment.STAGING: "2.16.840.1.113883.3.6147.458.99999.1",
    Environment.PRODUCTION: "2.16.840.1.113883.3.6147.458.99999.2",
}

_FIRST = ("Lakeside", "Cedar", "Northgate", "Prairie", "Harbor", "Maple", "Summit", "Riverside", "Granite", "Willow")
_LAST = (
    *("Clinic", "Family Practice", "Imaging", "Urgent Care", "Pediatrics", "Pharmacy", "Hospital", "Laboratory"),
    *("Dental Care", "Eye Care"),
)
_PLACES = (("Madison", "WI", 53, "Dane"), ("Duluth", "MN", 55, "St. Louis"), ("Ames", "IA", 50, "Story"))
_DESTINATIONS = (
    "0b9b4c4e-0000-4000-8000-000000000001",
    "0b9b4c4e-0000-4000-8000-000000000002",
    "0b9b4c4e-0000-4000-8000-000000000003",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of record: its presence, and the state of its one submission."""

    presence: Presence
    basis: Basis = Basis.NONE
    state: State | None = None
    intent: Intent = Intent.CREATE
    edited_since: bool = False

    @property
    def is_confirmed(self) -> bool:
        return self.state == State.ACCEPTED


WAITING = Kind(Presence.NEVER, state=State.QUEUED)
_NEVER = Kind(Presence.NEVER)
_SEEN = Kind(Presence.PRESENT, Basis.SEEN)
_ACTIVE = Kind(Presence.PRESENT, Basis.ACCEPTED, State.ACCEPTED)
_DEACTIVATED = replace(_ACTIVE, intent=Intent.DEACTIVATE)
_EDITED = replace(_ACTIVE, edited_since=True)
# Of each 1,000 records a few have one of these states. The kinds of the others repeat every ten records.
_RARE = {
    3: Kind(Presence.NEVER, state=State.NEEDS_PERSON),
    4: Kind(Presence.UNKNOWN, state=State.UNKNOWN),
    5: WAITING,
    6: Kind(Presence.NEVER, state=State.REJECTED),
    7: Kind(Presence.PRESENT, Basis.STATED),
    13: Kind(Presence.NEVER, state=State.AWAITING),
    14: Kind(Presence.NEVER, state=State.SENDING),
    15: Kind(Presence.NEVER, state=State.CANCELLED),
}
_COMMON = (_SEEN, _SEEN, _EDITED, _ACTIVE, _DEACTIVATED, _SEEN, _SEEN, _SEEN, _SEEN, _NEVER)


class Place(NamedTuple):
    """The place of a record in the tree. Level 1 is a company, 2 a region, 3 a location."""

    level: int
    oid: str
    part_of_oid: str


def place_of(number: int, environment: Environment = Environment.STAGING) -> Place:
    company, rest = divmod(number, COMPANY)
    oid = f"{BASES[environment]}.{company + 1}"
    if rest == 0:
        return Place(1, oid, GATEWAY_OID)
    rest -= 1
    for region, locations in enumerate(REGIONS, start=1):
        if rest == 0:
            return Place(2, f"{oid}.{region}", oid)
        if rest <= locations:
            return Place(3, f"{oid}.{region}.{rest}", f"{oid}.{region}")
        rest -= 1 + locations
    raise AssertionError("a company has no more regions")


def oid_of(number: int, environment: Environment = Environment.STAGING) -> str:
    return place_of(number, environment).oid


def has_counterpart(number: int) -> bool:
    """Whether PRODUCTION has the record too: the first of each ten companies, with all below it."""
    return number // COMPANY % 10 == 0


def name_of(number: int) -> str:
    return f"{_FIRST[number % 10]} {_LAST[number // 10 % 10]} {number}"


def zip_code_of(number: int) -> str:
    return f"{_PLACES[number % len(_PLACES)][2]}{number % 1000:03}"


def phone_of(number: int) -> str:
    return f"+1608555{number % 10_000:04}"


def record_of(number: int, environment: Environment = Environment.STAGING) -> OrganizationRecord:
    """The record with this number, as it is first saved."""
    return record_at(place_of(number, environment), number)


def record_at(place: Place, number: int) -> OrganizationRecord:
    """The record with this number, at any place."""
    city, state, _, county = _PLACES[number % len(_PLACES)]
    desk = ContactRecord(
        purpose="Technical",
        name="Integration desk",
        email_addresses=("desk@lakeside.example",),
        work_phone="+16085550100",
    )
    own = ContactRecord(
        purpose="Administrative",
        name=f"Office {number}",
        email_addresses=(f"office{number}@lakeside.example",),
        work_phone=phone_of(number),
    )
    return OrganizationRecord(
        oid=place.oid,
        name=name_of(number),
        destination_id=_DESTINATIONS[number % 3],
        part_of_oid=place.part_of_oid,
        aliases=(f"Site {number}",),
        identifiers=(IdentifierRecord(kind="FACID", value=f"LSC-{number}"),),
        contacts=(desk, own),
        address=AddressRecord(
            street=f"{number} Shore Rd",
            city=city,
            state=state,
            zip_code=zip_code_of(number),
            county=county,
            country="USA",
        ),
    )


def kind_of(number: int, level: int) -> Kind:
    return _RARE.get(number % 1000, _COMMON[number % 10]) if level == 3 else _ACTIVE
