"""Many records at once, for tests of how many queries a page needs. Rows are written straight, without history."""

import datetime

from organizations.models import Contact, Organization
from organizations.oid import Oid
from organizations.records import difference, fingerprint
from organizations.redox.environment import GATEWAY_OID
from organizations.services import searching
from tests import factories

MOMENT = datetime.datetime(2027, 5, 3, 19, 3, tzinfo=datetime.UTC)


def records(count: int, *, environment: str = "staging", base: str = factories.BASE) -> list[Organization]:
    """`count` records: one at the top, regions below it, at most 30 locations below each; one contact each."""
    made = Organization.objects.bulk_create(
        row(oid, part_of_oid, environment) for oid, part_of_oid in _places(count, base)
    )
    Contact.objects.bulk_create(
        Contact(organization=row, position=0, purpose="Technical", name="Integration desk", work_phone="+16085550100")
        for row in made
    )
    return made


def _places(count: int, base: str) -> list[tuple[str, str]]:
    places = [(base, GATEWAY_OID)]
    for number in range(count - 1):
        region, location = divmod(number, 31)
        oid = f"{base}.{region + 1}"
        places.append((f"{oid}.{location}", oid) if location else (oid, base))
    return places


def row(oid: str, part_of_oid: str, environment: str) -> Organization:
    record = factories.record(oid, part_of_oid=part_of_oid)
    return Organization(
        environment=environment,
        oid=oid,
        oid_key=Oid(oid).key,
        name=record.name,
        part_of_oid=part_of_oid,
        state=record.address.state,
        wanted_hash=fingerprint(record),
        changes=len(difference(None, record)),
        search_text=searching.search_text(record),
        created_at=MOMENT,
        edited_at=MOMENT,
    )
