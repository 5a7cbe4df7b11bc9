"""A stored text that the form would refuse today is kept, sent unchanged and marked, and blocks no edit."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from organizations.forms.record import RecordForm
from organizations.forms.typed import OTHER, Typed
from organizations.records import ContactRecord, IdentifierRecord, OrganizationRecord
from organizations.redox.environment import GATEWAY_OID
from tests import strategies
from tests.factories import BASE, record

from .test_record_form import form_context

LAKESIDE = record(f"{BASE}.5")
DESK = LAKESIDE.contacts[0]


def form_of(
    stored: OrganizationRecord, typed_record: OrganizationRecord | None = None, *, checked: bool = True
) -> RecordForm:
    """The form of a stored record with the texts that are typed now."""
    shown_texts = Typed.from_record(stored, stands_for="", parent_kind=OTHER)
    typed = Typed.from_record(typed_record or stored, stands_for="", parent_kind=OTHER)
    return RecordForm(typed, form_context(stored=shown_texts, fixed_oid=stored.oid), checked=checked)


def field(form: RecordForm, part: str, name: str) -> Any:
    return (form.main if part == "main" else getattr(form, part).forms[0])[name]


def with_address(**values: str) -> OrganizationRecord:
    return replace(LAKESIDE, address=replace(LAKESIDE.address, **values))


def with_contact(**values: object) -> OrganizationRecord:
    return replace(LAKESIDE, contacts=(replace(DESK, **values),))  # type: ignore[arg-type]


REFUSED = {
    "name that is empty": (replace(LAKESIDE, name=""), "main", "name"),
    "name that nobody sees": (replace(LAKESIDE, name="\u200b"), "main", "name"),
    "country that nobody sees": (with_address(country="\u200b"), "main", "country"),
    "alias": (replace(LAKESIDE, aliases=("x" * 201,)), "main", "aliases"),
    "destination": (replace(LAKESIDE, destination_id="not a UUID"), "main", "destination_id"),
    "state": (with_address(state="Wisconsn"), "main", "state"),
    "zip": (with_address(zip_code="5370"), "main", "zip_code"),
    "country": (with_address(country=""), "main", "country"),
    "phone": (with_contact(work_phone="608-271-9000 ext. 11"), "contacts", "work_phone"),
    "e-mail": (with_contact(email_addresses=("desk", "desk@lakeside.example")), "contacts", "email_addresses"),
    "purpose": (with_contact(purpose=""), "contacts", "purpose"),
    "contact of a purpose": (replace(LAKESIDE, contacts=(ContactRecord(purpose="Technical"),)), "contacts", "name"),
    "identifier": (replace(LAKESIDE, identifiers=(IdentifierRecord(value="7", kind=""),)), "identifiers", "kind"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_stored_text_that_would_be_refused_is_kept_and_marked(case: str) -> None:
    stored, part, name = REFUSED[case]
    edited_record = replace(stored, address=replace(stored.address, street="2 Shore Rd"))
    form = form_of(stored, edited_record)
    assert form.is_valid()
    assert (form.record(), form.changes_sentence) == (edited_record, "")
    for shown in (form, form_of(stored, checked=False)):
        bound_field = field(shown, part, name)
        assert bound_field.kept.startswith("The stored text is kept and sent unchanged.")
        assert f"{bound_field.auto_id}_kept" in bound_field.aria_describedby


@pytest.mark.parametrize("case", REFUSED)
def test_the_same_text_is_refused_if_it_is_not_stored(case: str) -> None:
    wanted, part, name = REFUSED[case]
    form = form_of(replace(LAKESIDE, contacts=(), identifiers=()), wanted)
    assert not form.is_valid()
    subform = form.main if part == "main" else getattr(form, part).forms[0]
    assert name in subform.errors


def test_a_stored_contact_without_a_name_does_not_allow_another() -> None:
    stored = replace(LAKESIDE, contacts=(replace(DESK, name=""),))
    form = form_of(stored, replace(stored, contacts=(*stored.contacts, ContactRecord(purpose="Technical"))))
    assert not form.is_valid()


def test_a_stored_contact_of_blanks_does_not_block_an_edit() -> None:
    stored = replace(LAKESIDE, contacts=(ContactRecord(purpose=" "),))
    edited = form_of(stored, replace(stored, address=replace(stored.address, street="3 Shore Rd")))
    assert form_of(stored).is_valid()
    assert edited.is_valid()
    assert not form_of(LAKESIDE, stored).is_valid()


@given(strategies.records, st.sampled_from(["2 Shore Rd", "3 Shore Rd"]))
def test_no_stored_text_blocks_an_edit(stored: OrganizationRecord, street: str) -> None:
    stored = replace(stored, part_of_oid=stored.part_of_oid or GATEWAY_OID, destination_known=True)
    assume(stored.part_of_oid != stored.oid)
    unchanged, edited = (
        form_of(stored),
        form_of(stored, replace(stored, address=replace(stored.address, street=street))),
    )
    assert unchanged.is_valid()
    assert edited.is_valid()
    before = unchanged.record()
    assert edited.record() == replace(before, address=replace(before.address, street=street))


@pytest.mark.parametrize("name", ["name", "oid", "street", "city", "state", "zip_code"])
def test_typing_a_stored_text_twice_is_not_a_stored_text(name: str) -> None:
    shown_texts = Typed.from_record(LAKESIDE, stands_for="", parent_kind=OTHER)
    twice = "\n".join([shown_texts.fields[name]] * 60)
    form = RecordForm(shown_texts.having(**{name: twice}), form_context(stored=shown_texts), checked=True)
    assert (form.is_valid(), list(form.main.errors)) == (False, [name])


def test_a_stored_alias_allows_only_one_such_alias() -> None:
    long = "x" * 201
    stored = replace(LAKESIDE, aliases=(long,))
    assert not form_of(stored, replace(stored, aliases=(long, long))).is_valid()
    assert not form_of(stored, replace(stored, aliases=("North",) * 5000)).is_valid()


def test_a_repeated_stored_email_address_stays_repeated() -> None:
    stored = with_contact(email_addresses=("desk@example.org", "Desk@example.org"))
    form = form_of(stored)
    assert form.is_valid()
    assert (form.record(), form.changes_sentence) == (stored, "")


def test_state_and_zip_are_kept_only_with_their_country() -> None:
    stored = with_address(state="ON", zip_code="K1A 0B1", country="Canada")
    assert form_of(stored).is_valid()
    american = replace(stored, address=replace(stored.address, country="USA"))
    assert sorted(form_of(stored, american).main.errors) == ["state", "zip_code"]


def test_a_stored_row_allows_no_other_row() -> None:
    number = IdentifierRecord(kind="FACID", value="2.999.7")
    stored = replace(LAKESIDE, identifiers=(number,), contacts=(replace(DESK, purpose=""),))
    for wanted in (
        replace(stored, identifiers=(replace(number, kind="OID"),)),
        replace(stored, contacts=(*stored.contacts, ContactRecord())),
        replace(stored, contacts=(*stored.contacts, ContactRecord(name="New"))),
    ):
        assert not form_of(stored, wanted).is_valid()
    phone = replace(stored, contacts=(replace(stored.contacts[0], work_phone="+16085550199"),))
    assert form_of(stored, phone).is_valid()


def test_more_stored_lines_than_allowed_are_kept_and_none_is_added() -> None:
    many = tuple(IdentifierRecord(kind="FACID", value=f"LSC-{number}") for number in range(21))
    stored = replace(LAKESIDE, identifiers=many)
    assert form_of(stored).is_valid()
    more = replace(stored, identifiers=(*many, IdentifierRecord(kind="FACID", value="LSC-21")))
    assert not form_of(stored, more).is_valid()
