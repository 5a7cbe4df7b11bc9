"""The possible duplicates that are listed when Redox reports one."""

import pytest

from organizations.models import User
from organizations.records import AddressRecord
from organizations.services.outbox import answers
from tests import factories
from tests.factories import BASE

HERE = AddressRecord(street="1 Calle Peñón", city="Madison", state="WI", zip_code="53704", country="USA")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "street", "zip_code", "is_one"),
    [
        ("CLINICA ST MARYS", "", "", True),
        ("Harbor", "1 CALLE PENON", "53704-1234", True),
        ("Harbor", "1 Calle Peñón", "53705", False),
        ("Clínica St. Mary’s North", "2 Calle Peñón", "53704", False),
    ],
)
def test_another_spelling_of_name_or_street_is_a_possible_duplicate(
    editor: User, name: str, street: str, zip_code: str, is_one: bool
) -> None:
    other = factories.organization(
        f"{BASE}.1", user=editor, name=name, address=AddressRecord(street=street, zip_code=zip_code)
    )
    refused = factories.submission(
        factories.organization(user=editor, name="Clínica St. Mary’s", address=HERE), user=editor
    )
    refused.known_answer = "duplicate_business"
    duplicates = answers.possible_duplicates(refused, answers.message_record(refused))
    assert duplicates == ([other] if is_one else [])


@pytest.mark.django_db
def test_the_first_duplicates_by_name_are_listed(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_DUPLICATES", 2)
    names = ("Oak", "Elm", "Fir", "Ash")
    others = {
        name: factories.organization(f"{BASE}.{number}", user=editor, name=name, address=HERE)
        for number, name in enumerate(names, 1)
    }
    refused = factories.submission(factories.organization(user=editor, name="Oak", address=HERE), user=editor)
    refused.known_answer = "duplicate_business"
    assert answers.possible_duplicates(refused, answers.message_record(refused)) == [others["Ash"], others["Elm"]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zip_code", "of_other"), [("K1A 0B1", "K1A 0Z9"), ("K1A 0B1", "k1a 0b1"), ("1010", "1010 AB")]
)
def test_a_zip_code_with_letters_is_compared_by_its_first_five_characters(
    editor: User, zip_code: str, of_other: str
) -> None:
    here, there = (AddressRecord(street="1 Lake St", zip_code=each, country="CAN") for each in (zip_code, of_other))
    other = factories.organization(f"{BASE}.1", user=editor, name="Oak", address=there)
    refused = factories.submission(factories.organization(user=editor, name="Elm", address=here), user=editor)
    refused.known_answer = "duplicate_business"
    expected = [other] if of_other.startswith(zip_code[:5]) else []
    assert answers.possible_duplicates(refused, answers.message_record(refused)) == expected
