"""Which records that a take-over added could be linked with a record of the other environment."""

from typing import Any

import pytest
from django.test import override_settings

from organizations.models import Environment, Organization, TakeOver, User, clock
from organizations.records import IdentifierRecord, OrganizationRecord
from organizations.services.directory import run_take_over, take_over
from organizations.services.directory.unlinked_pairs import UnlinkedPair, unlinked_pairs
from organizations.services.records import counterparts
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor

pytestmark = pytest.mark.django_db

ONE, TWO, THREE = (f"{BASE}.{number}" for number in (1, 2, 3))
NPI, FACID = (IdentifierRecord(kind=kind, value="123") for kind in ("NPI", "FACID"))


def added(user: User, *records: OrganizationRecord, environment: str = "staging", base_oid: str = BASE) -> TakeOver:
    """A take-over that added these records."""
    seen = {record.oid: record for record in records}
    run = factories.take_over(user=user, environment=environment, seen=seen, base_oids=[base_oid])
    take_over.take(run.pk, [record.oid for record in records], actor=as_actor(user))
    assert run_take_over.add_next(environment)
    run.refresh_from_db()
    return run


def elsewhere(user: User, oid: str, environment: str = "production", **values: Any) -> Organization:
    return factories.organization(oid, user=user, environment=environment, **values)


def record_of(oid: str, environment: str = "staging") -> Organization:
    return Organization.objects.get(environment=environment, oid=oid)


@pytest.mark.parametrize("environment", Environment.values)
def test_the_same_oid_or_own_identifier_makes_a_pair(editor: User, environment: str) -> None:
    records = [
        factories.record(THREE),
        factories.record(ONE),
        factories.record(TWO, identifiers=(NPI,)),
        factories.record(f"{BASE}.4", identifiers=(FACID,)),
    ]
    run = added(editor, *records, environment=environment)
    other = Environment(environment).other
    same_oid = elsewhere(editor, ONE, other)
    same_identifier = elsewhere(editor, f"{BASE}.7", other, identifiers=(NPI,))
    elsewhere(editor, f"{BASE}.8", other, identifiers=(IdentifierRecord(kind="NPI", value="1234"),))
    assert unlinked_pairs(run) == [
        UnlinkedPair(record_of(ONE, environment).pk, same_oid.pk, ("the same OID",)),
        UnlinkedPair(record_of(TWO, environment).pk, same_identifier.pk, ("NPI 123",)),
    ]


@pytest.mark.parametrize("environment", Environment.values)
def test_oids_that_differ_only_in_the_base_oid_of_their_environments_make_a_pair(
    editor: User, environment: str
) -> None:
    bases = {"staging": BASE, "production": "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"}
    variables = {f"REDOX_{name.upper()}_BASE_OIDS": base for name, base in bases.items()}
    other = Environment(environment).other
    with override_settings(REDOX=redox("http://127.0.0.1:9", **variables)):
        oids = [f"{bases[environment]}.{number}" for number in (1, 2)]
        run = added(editor, *map(factories.record, oids), environment=environment, base_oid=bases[environment])
        pair = elsewhere(editor, f"{bases[other]}.2", other)
        elsewhere(editor, f"{bases[other]}.3", other)
        assert unlinked_pairs(run) == [
            UnlinkedPair(record_of(oids[1], environment).pk, pair.pk, ("the OID below the base OID",))
        ]
    assert unlinked_pairs(run) == []


def test_a_pair_names_everything_that_both_have_once(editor: User) -> None:
    run = added(editor, factories.record(ONE, identifiers=(NPI, NPI, FACID)))
    elsewhere(editor, ONE, identifiers=(FACID, NPI))
    (pair,) = unlinked_pairs(run)
    assert pair.shared[0] == "the same OID"
    assert sorted(pair.shared[1:]) == ["FACID 123", "NPI 123"]


@pytest.mark.one_database
def test_a_record_that_several_match_is_in_no_pair(editor: User) -> None:
    run = added(editor, factories.record(ONE, identifiers=(NPI,)), factories.record(TWO, identifiers=(FACID,)))
    elsewhere(editor, ONE)
    elsewhere(editor, THREE, identifiers=(NPI,))
    assert unlinked_pairs(run) == []
    elsewhere(editor, f"{BASE}.5", identifiers=(FACID,))
    assert [pair.added for pair in unlinked_pairs(run)] == [record_of(TWO).pk]
    elsewhere(editor, f"{BASE}.6", identifiers=(FACID,))
    assert unlinked_pairs(run) == []


@pytest.mark.one_database
def test_two_added_records_that_match_the_same_one_are_in_no_pair(editor: User) -> None:
    run = added(editor, factories.record(ONE), factories.record(TWO, identifiers=(NPI,)))
    elsewhere(editor, ONE, identifiers=(NPI,))
    assert unlinked_pairs(run) == []


@pytest.mark.one_database
def test_only_records_that_were_added_and_are_not_linked_are_in_a_pair(editor: User) -> None:
    here = factories.organization(TWO, user=editor)
    run = factories.take_over(user=editor, seen={oid: factories.record(oid) for oid in (ONE, TWO)})
    take_over.take(run.pk, [ONE], actor=as_actor(editor))
    assert run_take_over.add_next("staging")
    others = [elsewhere(editor, oid) for oid in (ONE, TWO)]
    assert run.candidates.get(oid=TWO).organization == here
    assert [pair.other for pair in unlinked_pairs(run)] == [others[0].pk]
    counterparts.link(record_of(ONE), others[0], actor=as_actor(editor))
    assert unlinked_pairs(run) == []


@pytest.mark.one_database
@pytest.mark.parametrize("environment", Environment.values)
def test_a_record_that_is_linked_already_is_in_no_pair(editor: User, environment: str) -> None:
    run = added(editor, factories.record(ONE), environment=environment)
    other = Environment(environment).other
    linked, third = elsewhere(editor, ONE, other), elsewhere(editor, THREE, environment)
    pair = (linked, third) if other == Environment.STAGING else (third, linked)
    counterparts.link(*pair, actor=as_actor(editor))
    assert unlinked_pairs(run) == []


@pytest.mark.one_database
@pytest.mark.parametrize("environment", Environment.values)
def test_a_record_whose_oid_belongs_to_another_organization_is_in_no_pair(editor: User, environment: str) -> None:
    run = added(editor, factories.record(ONE))
    elsewhere(editor, ONE)
    assert len(unlinked_pairs(run)) == 1
    Organization.objects.filter(environment=environment).update(foreign_since=clock.now())
    assert unlinked_pairs(run) == []
