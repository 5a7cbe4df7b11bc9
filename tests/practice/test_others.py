"""The made-up organizations of other companies."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from redox.organization.queryresponse import QueryResponse

from organizations.oid import Oid
from organizations.practice.others import MOST, Other, others
from tests.practice.helpers import Portal, organization, query

REDOX = "2.16.840.1.113883.3.6147.458"
GATEWAY = f"{REDOX}.2"


@pytest.fixture(scope="module")
def some() -> list[Other]:
    return list(others(3_000))


def parent_of(other: Other) -> str:
    identifier = other.content.get("PartOf", {}).get("Identifier", {})
    return str(identifier.get("Value", ""))


def test_the_same_seed_makes_the_same_organizations_and_a_shorter_list_is_its_start(some: list[Other]) -> None:
    assert list(others(3_000, seed=1)) == some
    assert list(others(100)) == some[:100]
    assert list(others(100, seed=2)) != some[:100]


def test_each_has_its_own_valid_oid_and_a_few_hundred_bytes(some: list[Other]) -> None:
    assert len({Oid(other.oid) for other in some}) == len(some)
    sizes = [len(json.dumps(other.content)) for other in some]
    assert 200 < min(sizes) <= max(sizes) < 800


def test_some_are_below_the_gateway_of_redox_and_most_are_below_others(some: list[Other]) -> None:
    of_redox = [other for other in some if other.content["ManagingOrg"] == "Redox"]
    assert len(some) / 20 < len(of_redox) < len(some) / 4
    assert any(parent_of(other) == GATEWAY for other in of_redox)
    assert all(other.oid.startswith(f"{REDOX}.9") for other in of_redox)
    assert len({other.content["ManagingOrg"] for other in some}) > 20


def test_each_chain_of_parents_ends_at_a_gateway_of_its_managing_organization(some: list[Other]) -> None:
    by_oid = {other.oid: other for other in some}

    def chain(other: Other) -> Iterator[Other]:
        while parent_of(other) not in ("", GATEWAY):
            yield other
            other = by_oid[parent_of(other)]
        yield other

    for other in some:
        links = list(chain(other))
        assert all(child.content["ManagingOrg"] == parent.content["ManagingOrg"] for child, parent in pairwise(links))
        assert (parent_of(links[-1]) == GATEWAY) == (other.content["ManagingOrg"] == "Redox")
    assert {len(list(chain(other))) for other in some} == {1, 2, 3, 4}


def test_their_oids_sort_before_and_after_ours_and_some_are_deactivated(some: list[Other]) -> None:
    keys, ours = sorted(Oid(other.oid).key for other in some), Oid(f"{REDOX}.99999.1.1.1.1").key
    assert keys[0] < ours < keys[-1]
    assert {other.content["Active"] for other in some} == {True, False}
    assert len({other.content["Address"]["State"] for other in some}) > 5


def test_there_are_at_most_a_hundred_thousand() -> None:
    others(MOST)
    with pytest.raises(ValueError, match="0 to 100000"):
        others(MOST + 1)


def test_a_query_shows_them_and_registering_them_again_changes_nothing(portal: Portal, some: list[Other]) -> None:
    changed = organization(some[0].oid, Name="Changed by somebody")
    portal.practice.register_others("staging", 50)
    portal.practice.register("staging", changed)
    portal.practice.register_others("staging", 60)
    content = portal.post(query(Limit="1000")).json()
    QueryResponse.model_validate(content)  # the schema that Redox publishes
    assert content["Paging"]["Count"] == 60
    assert "Changed by somebody" in {shown["Name"] for shown in content["Organizations"]}
    assert len({shown["ManagingOrg"] for shown in content["Organizations"]}) > 3
    assert portal.practice.organizations("production") == {}
