"""The made-up company: its records and their states. Everything about a record follows from its number."""

from dataclasses import dataclass, replace

from organizations.models import Basis, Environment, Intent, Presence, State
from organizations.records import AddressRecord, ContactRecord, IdentifierRecord, OrganizationRecord
from organizations.redox.environment import GATEWAY_OID

# A region with 1,000 locations, then the next one; the company is the parent of all.
BLOCK = 1001
BASES = {
    Environment.STAGING: "2.16.840.1.113883.3.6147.458.99999.1",
    Environment.PRODUCTION: "2.16.840.1.113883.3.6147.458.99999.2",
}

_FIRST = ("Lakeside", "Cedar", "Northgate", "Prairie", "Harbor", "Maple", "Summit", "Riverside", "Granite", "Willow")
_LAST = ("Clinic", "Family Practice", "Imaging", "Urgent Care", "Pediatrics", "Pharmacy", "Hospital", "Laboratory")
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
}
_COMMON = (_SEEN, _SEEN, _EDITED, _ACTIVE, _DEACTIVATED, _SEEN, _SEEN, _SEEN, _SEEN, _NEVER)


def oid_of(number: int, environment: Environment = Environment.STAGING) -> str:
    base = BASES[environment]
    if number == 0:
        return base
    region, location = divmod(number - 1, BLOCK)
    return f"{base}.{region + 1}.{location}" if location else f"{base}.{region + 1}"


def record_of(number: int, environment: Environment = Environment.STAGING) -> OrganizationRecord:
    """The record with this number, as it is first saved."""
    city, state, zip_start, county = _PLACES[number % len(_PLACES)]
    oid = oid_of(number, environment)
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
        work_phone=f"+1608555{number % 10_000:04}",
    )
    return OrganizationRecord(
        oid=oid,
        name=f"{_FIRST[number % 10]} {_LAST[number // 10 % 8]} {number}",
        destination_id=_DESTINATIONS[number % 3],
        part_of_oid=oid.rpartition(".")[0] if number else GATEWAY_OID,
        aliases=(f"Site {number}",),
        identifiers=(IdentifierRecord(kind="FACID", value=f"LSC-{number:06}"),),
        contacts=(desk, own),
        address=AddressRecord(
            street=f"{number} Shore Rd",
            city=city,
            state=state,
            zip_code=f"{zip_start}{number % 1000:03}",
            county=county,
            country="USA",
        ),
    )


def kind_of(number: int) -> Kind:
    if number == 0 or (number - 1) % BLOCK == 0:
        return _ACTIVE
    return _RARE.get(number % 1000, _COMMON[number % 10])
