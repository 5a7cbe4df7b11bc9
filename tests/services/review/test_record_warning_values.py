"""Warnings about the values of one record: what a tick covers, how it is stored, and their order."""

from dataclasses import replace

import pytest

from organizations.records import IdentifierRecord, OrganizationRecord
from organizations.redox.environment import EXAMPLE_VALUES
from organizations.services.review import record_warnings
from organizations.services.review.record_warnings import value_warnings
from tests.services.review.test_record_warnings import DESK, LONG, NOBODY, named, with_address, with_contact


@pytest.mark.parametrize(
    "means",
    [
        {"email_addresses": ("desk@lakeside.example",)},
        {"work_phone": "+16082719000"},
        {"mobile_phone": "+16082719000"},
        {"home_phone": "+16082719000"},
    ],
    ids=lambda means: next(iter(means)),
)
def test_one_way_to_reach_a_contact_is_enough(means: dict[str, object]) -> None:
    assert list(value_warnings(named(contacts=(replace(NOBODY, **means),)))) == []  # type: ignore[arg-type]


def test_two_values_of_one_rule_need_two_ticks() -> None:
    warnings = value_warnings(named(name="TBD", aliases=("none",)))
    assert [warning.value for warning in warnings] == ["Name 7337ee39ca56", "Alias 1 5acef923ee71"]


@pytest.mark.parametrize(
    ("key", "value", "record"),
    [
        ("example", EXAMPLE_VALUES[3], with_address(street=EXAMPLE_VALUES[3])),
        ("alias", "1 93e69c17e052", named(aliases=("LAKESIDE 1",))),
        ("contact", "none", named(contacts=())),
        ("contact", "b6ea14774157", named(contacts=(NOBODY,))),
        (
            "twice",
            "Own identifiers 1 2 969fe435ab23",
            named(identifiers=(IdentifierRecord(kind="FACID", value="7"),) * 2),
        ),
        ("phone", "+18245550100", with_contact(work_phone="+18245550100")),
        ("address", "street city", with_address(street="", city="")),
        ("country", "2d49e132d21f", with_address(country="United Sates", state="Wisconsin", zip_code="5370")),
        ("zip", "60601 WI", with_address(zip_code="60601")),
        ("military", "WI af52a67f961f", with_address(city="APO")),
        ("kept", "name 46fac0efcd2b", named(name=LONG)),
        ("kept", "aliases 46fac0efcd2b", named(aliases=(LONG,))),
        ("kept", "contacts.1.name 46fac0efcd2b", named(contacts=(DESK, replace(DESK, name=LONG)))),
        ("kept", "contacts.0.email_addresses f6b9cc261e00", with_contact(email_addresses=("desk",))),
        ("kept", "contacts.0.work_phone 7d7c9c90505d", with_contact(work_phone="608-271-9000 ext. 11")),
        ("kept", "address.street 46fac0efcd2b", with_address(street=LONG)),
        ("kept", "address.city 46fac0efcd2b", with_address(city=LONG)),
        ("kept", "address.county 46fac0efcd2b", with_address(county=LONG)),
        ("kept", "address.state 777e4baf48a9", with_address(state="Wisconsn")),
        ("kept", "address.zip_code 32548cb3e007", with_address(zip_code="5370")),
        ("character", "aliases & e2b50ba7d698", named(aliases=("A & B", "C"))),
    ],
)
def test_the_stored_format_of_a_tick_does_not_change(key: str, value: str, record: OrganizationRecord) -> None:
    assert [warning.value for warning in value_warnings(record) if warning.key == key] == [value]


def test_the_rules_are_in_the_order_of_the_form() -> None:
    assert [rule.__name__ for rule in record_warnings._RULES] == [
        "_examples",
        "_placeholders",
        "_aliases",
        "_contacts",
        "_equal_contacts_or_identifiers",
        "_unassigned_phones",
        "_address",
        "_country",
        "_zip_code",
        "_military",
        "_refused",
        "_characters",
    ]
