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
