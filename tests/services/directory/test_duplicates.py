"""Possible duplicates: organizations in the directory with the name or the address of a record that is not there."""

import json
from dataclasses import replace
from typing import Any

import pytest

from organizations.models import Action, AuditEntry, User
from organizations.practice import PracticeDirectory
from organizations.records import AddressRecord, OrganizationRecord
from organizations.redox import messages
from organizations.services.connection import redox_settings
from organizations.services.directory import duplicates
from tests import factories
from tests.factories import as_actor

OTHER = "2.16.840.1.113883.3.6147.458.88888.1.1.1"
HERE = factories.record().address
ELSEWHERE = AddressRecord(street="9 Hill St", city="Boston", state="MA", zip_code="02108", county="", country="USA")


def register(practice: PracticeDirectory, number: int, **values: object) -> OrganizationRecord:
    record = replace(factories.record(f"{OTHER}.{number}"), **values)  # type: ignore[arg-type]
    message = messages.build_message(record, messages.NEW, redox_settings.environment("staging"))
    practice.register("staging", json.loads(message)["Organizations"][0])
    return record


def look(user: User, **values: Any) -> duplicates.Duplicates:
    organization = factories.organization(user=user, **{"name": "Lakeside North"} | values)
    return duplicates.look_for_duplicates(organization, actor=as_actor(user))


def test_the_same_name_or_address_is_found_in_any_spelling(practice: PracticeDirectory, editor: User) -> None:
    register(practice, 1, name="Lakeside North", address=ELSEWHERE)
    register(practice, 2, name="Another clinic", address=replace(HERE, street="1  SHORE rd"))
    register(practice, 3, name="Lakeside North", address=HERE, active=False)
    register(practice, 4, name="Lakeside Northern", address=ELSEWHERE)
    result = look(editor)
    found = {each.record.oid.rpartition(".")[2]: (each.has_name, each.has_address) for each in result.found}
    assert found == {"1": (True, False), "2": (False, True), "3": (True, True)}
    assert (result.causes, practice.effects, result.asked_zip) == ((), [], True)
    assert AuditEntry.objects.filter(action=Action.DIRECTORY_SEARCHED).count() == 2


def test_an_address_without_a_street_is_not_compared(practice: PracticeDirectory, editor: User) -> None:
    empty = replace(HERE, street="")
    register(practice, 1, name="Another clinic", address=empty)
    assert look(editor, address=empty).found == ()


@pytest.mark.parametrize("address", [replace(HERE, zip_code=""), replace(HERE, country="Canada", zip_code="K1A 0B1")])
def test_without_an_american_zip_only_the_name_is_searched(
    practice: PracticeDirectory, editor: User, address: AddressRecord
) -> None:
    register(practice, 1, name="Lakeside North", address=ELSEWHERE)
    result = look(editor, address=address)
    assert (len(result.found), result.asked_zip) == (1, False)
    assert AuditEntry.objects.filter(action=Action.DIRECTORY_SEARCHED).count() == 1


def test_without_an_answer_the_portal_does_not_say_that_there_are_no_duplicates(
    practice: PracticeDirectory, editor: User
) -> None:
    practice.behaviour = "refuses-sign-in"
    result = look(editor)
    assert (result.found, result.is_whole, bool(result.causes)) == ((), False, True)
