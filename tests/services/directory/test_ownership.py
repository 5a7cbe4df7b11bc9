"""Whether an organization in the directory is ours: by its OID and its PartOf, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services.directory.ownership import Ownership, ownership_of
from tests.strategies import oid_texts

pytestmark = pytest.mark.one_database

BASE = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"
OTHER_BASE = "2.16.840.1.113883.3.6147.458.88888.1.1.1.1"
OURS = "2.999.7"
GATEWAYS = (GATEWAY_OID, GATEWAY_SELF_OID)


def owner(oid, part_of="", **facts):
    defaults = {"base_oids": (BASE,), "our_oids": {OURS}, "gateway_oids": GATEWAYS, "parents": {}}
    return ownership_of(oid, part_of, **(defaults | facts))


@pytest.mark.parametrize("oid", [BASE, f"{BASE}.1", f"{BASE}.5.14"])
@pytest.mark.parametrize("part_of", ["", GATEWAY_OID, OTHER_BASE])
def test_an_oid_below_a_base_oid_is_ours_whatever_it_is_part_of(oid, part_of):
    assert owner(oid, part_of) is Ownership.BELOW_BASE


@pytest.mark.parametrize("part_of", [BASE, f"{BASE}.1", OURS])
def test_an_organization_that_is_part_of_ours_is_ours(part_of):
    assert owner("2.999.1", part_of) is Ownership.PART_OF_OURS


def test_a_record_of_ours_is_ours():
    assert owner(OURS, GATEWAY_OID) is Ownership.PART_OF_OURS


def test_an_organization_is_ours_if_any_of_its_ancestors_is():
    parents = {"2.999.2": "2.999.3", "2.999.3": OURS}
    assert owner("2.999.1", "2.999.2", parents=parents) is Ownership.PART_OF_OURS
    assert owner("2.999.1", "2.999.2", parents={"2.999.2": "2.999.3"}) is Ownership.NOT_OURS


@pytest.mark.parametrize(
    ("oid", "part_of"),
    [
        (f"{BASE}1", GATEWAY_OID),
        (f"{BASE}1.1", GATEWAY_OID),
        (BASE.rpartition(".")[0], GATEWAY_OID),
        (OTHER_BASE, GATEWAY_OID),
        (OTHER_BASE, ""),
        (f"{BASE}.01", ""),
        (f"{BASE}.", ""),
        (f"{BASE}.x", ""),
        ("", ""),
        ("2.999.1", f"{BASE}.x"),
        ("2.999.1", "2.999.1"),
    ],
)
def test_an_organization_without_such_a_relation_is_not_ours(oid, part_of):
    assert owner(oid, part_of) is Ownership.NOT_OURS


@pytest.mark.parametrize(
    "facts", [{"our_oids": {GATEWAY_OID, OURS}}, {"base_oids": (GATEWAY_OID,)}], ids=["ours", "base"]
)
def test_the_gateway_is_never_ours_and_makes_nothing_below_it_ours(facts):
    assert owner(GATEWAY_OID, **facts) is Ownership.NOT_OURS
    assert owner(OTHER_BASE, GATEWAY_OID, **facts) is Ownership.NOT_OURS
    assert owner(OTHER_BASE, "2.999.1", parents={"2.999.1": GATEWAY_OID}, **facts) is Ownership.NOT_OURS


@pytest.mark.parametrize("part_of", [OURS, f"{BASE}.1", ""])
def test_the_gateway_is_not_ours_even_if_it_is_part_of_ours(part_of):
    assert owner(GATEWAY_OID, part_of) is Ownership.NOT_OURS


def test_a_base_oid_above_the_gateway_is_ignored():
    assert owner(OTHER_BASE, GATEWAY_OID, base_oids=("2.16.840.1.113883.3.6147.458",)) is Ownership.NOT_OURS
    assert owner(BASE, GATEWAY_OID, base_oids=("2.16.840", BASE)) is Ownership.BELOW_BASE


def test_an_oid_that_people_decided_is_foreign_is_not_ours_and_makes_nothing_ours():
    foreign = {f"{BASE}.9"}
    assert owner(f"{BASE}.9", BASE, foreign_oids=foreign) is Ownership.NOT_OURS
    assert owner("2.999.1", f"{BASE}.9", foreign_oids=foreign) is Ownership.NOT_OURS
    assert owner(OURS, foreign_oids={OURS}) is Ownership.NOT_OURS
    assert owner("2.999.1", OURS, foreign_oids={OURS}) is Ownership.NOT_OURS


def test_a_circle_of_parents_is_not_followed_forever():
    parents = {"2.999.1": "2.999.2", "2.999.2": "2.999.3", "2.999.3": "2.999.2"}
    assert owner("2.999.1", "2.999.2", parents=parents) is Ownership.NOT_OURS


few_oids = st.sampled_from([f"2.999.{number}" for number in range(8)])
some = st.frozensets(few_oids, max_size=3)


@given(few_oids, few_oids, st.dictionaries(few_oids, few_oids), some, some, some, some)
def test_the_chain_ends_in_any_circle_and_agrees_with_a_plain_search(
    oid, part_of, parents, bases, ours, gateways, foreign
):
    found = ownership_of(
        oid, part_of, base_oids=bases, our_oids=ours, gateway_oids=gateways, parents=parents, foreign_oids=foreign
    )
    line = [oid, part_of]
    for _ in range(10):  # longer than any chain without a circle
        line.append(parents.get(line[-1], ""))
    barred = gateways | foreign
    allowed = line[: next((place for place, each in enumerate(line) if each in barred), len(line))]
    assert found.is_ours == any(each in ours | (bases - gateways) for each in allowed)
    assert (found is Ownership.BELOW_BASE) == (oid in bases - gateways - foreign)


@given(oid_texts(), st.dictionaries(oid_texts(), st.just(GATEWAY_OID)))
def test_sharing_the_gateway_makes_nothing_ours(oid, parents):
    others = {**parents, oid: GATEWAY_OID}
    found = ownership_of(
        oid, GATEWAY_OID, base_oids=(f"{BASE}.1",), our_oids={OURS}, gateway_oids=GATEWAYS, parents=others
    )
    assert not found.is_ours or oid == OURS


@given(oid_texts(), st.lists(oid_texts(), min_size=1, max_size=4))
def test_an_oid_is_below_another_only_by_whole_arcs(oid, bases):
    found = ownership_of(oid, "", base_oids=bases, our_oids=(), gateway_oids=(), parents={})
    arcs = oid.split(".")
    assert found.is_ours == any(arcs[: len(base.split("."))] == base.split(".") for base in bases)
