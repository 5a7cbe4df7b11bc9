"""The form of a record, read without a database: each error text, and what the form changes."""

from dataclasses import replace
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given

from organizations.forms.organization import FormContext
from organizations.forms.record import SECTIONS, RecordForm
from organizations.forms.take_over import CONTRADICTION
from organizations.forms.typed import GATEWAY, OTHER, OURS, Typed
from organizations.pages.anchors import form_anchor
from organizations.records import ContactRecord, IdentifierRecord, fields_as_text
from organizations.redox.environment import GATEWAY_OID, ORGANIZATION_ROUTING, ROUTING_NAMES
from organizations.services.review.record_warnings import value_warnings
from tests import strategies
from tests.factories import BASE, record

CHOOSE_PARENT = "Choose what this record is part of."
SOURCE_ID = "11111111-2222-4333-8444-555555555555"
DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"


def form_context(**values):
    given_values: dict[str, Any] = {
        "environment_name": "STAGING",
        "gateway_oid": GATEWAY_OID,
        "gateways": frozenset({GATEWAY_OID}),
        "routing_names": ROUTING_NAMES,
        "own_ids": {SOURCE_ID: "source ID"},
        "oid_named": lambda typed: {"North Region": BASE, BASE: BASE}.get(typed, ""),
        "other_environment_sentence": lambda typed: "It is in PRODUCTION." if typed == "Pier" else "",
        "oid_error": lambda oid: "",
        "parent_error": lambda oid, part_of: "",
    }
    return FormContext(**(given_values | values))


@given(strategies.plain_records)
def test_every_field_of_a_record_is_in_the_form(one):
    typed = Typed.from_record(one, stands_for="location", parent_kind=OTHER)
    form = RecordForm(typed, form_context(), checked=False)
    ids = {bound.auto_id for part in (form.main, *form.contacts) for bound in part} | set(SECTIONS)
    assert {form_anchor(each.field, each.anchor) for each in fields_as_text(one)} <= ids


def texts(**fields):
    return Typed.from_record(record(f"{BASE}.5"), stands_for="location", parent_kind=GATEWAY).having(**fields)


def checked(typed=None, context=None, **fields):
    return RecordForm(typed or texts(**fields), context or form_context(), checked=True)


def errors(form, name):
    return list(form.main.errors.get(name, []))


def test_a_full_record_is_unchanged_by_the_form():
    form = checked()
    assert form.is_valid()
    assert form.record() == record(f"{BASE}.5")
    assert form.stands_for == "location"
    assert form.changes_sentence == ""


@given(strategies.records)
def test_the_form_of_any_record_posts_the_same_record(known):
    typed = Typed.from_record(known, stands_for="", parent_kind=OTHER)
    data = QueryDict(mutable=True)
    data.update(typed.as_post())
    assert Typed.from_post(data) == typed.having(parent="", destination_source="")


def test_an_unusual_value_is_warned_about_and_not_refused():
    typed = texts(zip_code="00000", state="")
    typed.contacts[0].update(work_phone="+18245550100")
    form = checked(typed)
    assert form.is_valid()
    assert {"zip-unused", "phone"} <= {warning.key for warning in value_warnings(form.record())}


def test_the_form_names_its_corrections():
    typed = texts(state="Wisconsin", oid=f"urn:oid:{BASE}.5")
    typed = typed.after_button("remove-contacts-0").after_button("add-contacts")
    typed.contacts[0].update(name="Desk", work_phone="(608) 555-0100")
    form = checked(typed)
    assert form.is_valid()
    assert form.changes_sentence == (
        "Changed for you: OID: 'urn:oid:' removed; State 'Wisconsin' to WI;"
        " Work phone '(608) 555-0100' to +16085550100."
    )
    assert form.record().contacts == (ContactRecord(purpose="Technical", name="Desk", work_phone="+16085550100"),)


def test_a_line_of_invisible_characters_is_left_out():
    typed = texts(aliases="\u200b\nNorth")
    typed.contacts[0].update(email_addresses="\u2060")
    form = checked(typed)
    assert form.is_valid()
    assert form.record().aliases == ("North",)
    assert form.record().contacts[0].email_addresses == ()
    assert form.changes_sentence == (
        "Changed for you: Alias 1: invisible characters removed; E-mail address: invisible characters removed."
    )


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("name", " ", "Enter the name of the organization."),
        ("name", "x" * 10_000, "Name has 10000 characters; at most 200 can be kept."),
        ("oid", "", "Enter the OID."),
        ("oid", GATEWAY_OID, "This is the Redox gateway, not your organization. Choose it under Place."),
        ("oid", SOURCE_ID, "This is a UUID, not an OID."),
        ("aliases", "\n".join(map(str, range(51))), "At most 50 aliases can be kept. You entered 51. Remove some."),
        ("aliases", "a\n" * 501, "At most 50 aliases can be kept. You entered 501. Remove some."),
        ("aliases", "x" * 201, "Alias 1 has 201 characters; at most 200 can be kept."),
        ("aliases", "x" * 10_000, "Aliases have 10000 characters; at most 2000 can be kept."),
        ("stands_for", "president", "Choose from the list."),
        ("place", "", CHOOSE_PARENT),
        ("place", "nowhere", CHOOSE_PARENT),
        ("destination_id", SOURCE_ID, "This is our source ID, not a destination."),
        ("country", "", "Choose a country."),
    ],
)
def test_each_error_has_its_text(name, typed, said):
    form = checked(**{name: typed})
    assert not form.is_valid()
    assert errors(form, name) == [said]
    assert form.has_errors


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("name", "Lakeside No\x07rth"),
        ("name", "a\u202eb"),
        ("name", "\x00"),
        ("oid", "1.2.x"),
        ("oid", "2.16.01"),
        ("oid", f"{BASE}.{'1' * 30}"),
        ("oid", f"{BASE}^1"),
        ("destination_id", "here"),
        ("destination_id", ORGANIZATION_ROUTING["staging"]),
        ("street", "1 Shore Rd\nSuite 2"),
        ("city", "\x1f"),
        ("state", "Wisconsinn"),
        ("zip_code", "537O3"),
    ],
)
def test_a_value_that_a_reader_refuses_is_one_error(name, typed):
    """The words are the reader's: `tests/test_readings.py`."""
    form = checked(**{name: typed})
    assert not form.is_valid()
    assert len(errors(form, name)) == 1


def test_an_alias_may_be_like_the_name_or_another_alias():
    form = checked(aliases="LAKESIDE 5\nOne\nONE")
    assert form.is_valid()
    assert form.record().aliases == ("LAKESIDE 5", "One", "ONE")


def test_a_repeated_email_address_is_left_out_with_a_note():
    typed = texts().after_button("remove-contacts-0").after_button("add-contacts")
    typed.contacts[0].update(email_addresses="desk@example.org\nother@example.org\nDesk@example.org")
    form = checked(typed)
    assert form.is_valid()
    assert form.record().contacts[0].email_addresses == ("desk@example.org", "other@example.org")
    assert form.changes_sentence == "Changed for you: Desk@example.org was given twice; the second one was left out."


def test_another_spelling_of_usa_is_sent_as_usa_and_follows_its_rules():
    form = checked(country="United States of America", state="Wisconsin", zip_code="5370")
    assert form.main.values["address"].country == "USA"
    assert (form.main.values["address"].state, list(form.main.errors)) == ("WI", ["zip_code"])


def test_fifty_aliases_can_be_kept():
    form = checked(aliases="\n".join(map(str, range(50))))
    assert form.is_valid()
    assert len(form.record().aliases) == 50


def test_a_foreign_postal_code_too_long_for_its_column_is_refused():
    form = checked(country="Canada", state="Ontario", zip_code="K" * 21)
    assert errors(form, "zip_code") == ["ZIP has 21 characters; at most 20 can be kept."]


@pytest.mark.parametrize(
    ("fields", "name", "said"),
    [
        ({"place": OURS, "parent": ""}, "parent", CHOOSE_PARENT),
        (
            {"place": OURS, "parent": "Nobody"},
            "parent",
            "'Nobody' does not name exactly one record of ours in STAGING. Choose from the list, or enter its OID.",
        ),
        (
            {"place": OURS, "parent": "Pier"},
            "parent",
            (
                "'Pier' does not name exactly one record of ours in STAGING. It is in PRODUCTION. "
                "Choose from the list, or enter its OID."
            ),
        ),
        ({"place": OTHER, "other_oid": f"{BASE}.5"}, "other_oid", "A record cannot be part of itself."),
        ({"place": OTHER, "other_oid": " "}, "other_oid", CHOOSE_PARENT),
    ],
)
def test_each_kind_of_parent_has_its_errors(fields, name, said):
    assert errors(checked(**fields), name) == [said]


def test_the_gateway_as_the_oid_is_one_error():
    form = checked(oid=GATEWAY_OID)
    assert not form.is_valid()
    assert set(form.main.errors) == {"oid"}


def test_a_parent_is_named_by_name_or_oid():
    for typed in ("North Region", BASE):
        form = checked(place=OURS, parent=typed)
        assert form.is_valid()
        assert form.record().part_of_oid == BASE


def test_an_error_of_the_database_is_at_its_field():
    context = form_context(oid_error=lambda oid: f"{oid} is taken.", parent_error=lambda oid, part_of: "A circle.")
    form = checked(context=context, place=OURS, parent=BASE)
    assert errors(form, "oid") == [f"{BASE}.5 is taken."]
    assert errors(form, "parent") == ["A circle."]


def test_an_oid_that_was_sent_ignores_the_posted_value():
    form = checked(context=form_context(fixed_oid=BASE), oid="9.9")
    assert form.is_valid()
    assert form.record().oid == BASE


def test_an_unknown_destination_may_stay_unknown_and_blocks_no_edit():
    context = form_context(destination_known=False)
    form = checked(context=context)
    assert form.is_valid()
    assert (form.record().destination_id, form.record().destination_known) == ("", False)
    none = checked(context=context, destination_source="none")
    assert none.is_valid()
    assert (none.record().destination_id, none.record().destination_known) == ("", True)
    assert none.destination_source == "none"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", "Choose how you know this destination ID."),
        ("none", CONTRADICTION),
        ("hearsay", "Choose how you know this destination ID."),
    ],
)
def test_a_destination_that_was_not_known_needs_its_source(source, sentence):
    context = form_context(destination_known=False)
    form = checked(context=context, destination_id=DESTINATION, destination_source=source)
    assert errors(form, "destination_source") == [sentence]
    with_source = checked(context=context, destination_id=DESTINATION, destination_source="dashboard")
    assert with_source.is_valid()
    assert (with_source.record().destination_id, with_source.destination_source) == (DESTINATION, "dashboard")


def test_a_destination_that_was_known_has_no_source():
    form = checked(destination_id=DESTINATION, destination_source="dashboard")
    assert form.is_valid()
    assert form.destination_source == ""


@pytest.mark.parametrize(
    ("row", "name", "said"),
    [
        ({"name": "Desk"}, "purpose", "Enter a purpose or remove the contact."),
        ({}, "purpose", "Enter a purpose or remove the contact."),
        ({"purpose": "Technical"}, "name", "Enter a name, an e-mail address or a phone, or remove the contact."),
        ({"purpose": "Technical", "email_addresses": "desk@example.org\ndesk"}, "email_addresses", "'desk' is "),
        ({"purpose": "Technical", "work_phone": "555-0120"}, "work_phone", "'555-0120' is "),
        (
            {"purpose": "Technical", "email_addresses": "x" * 2001},
            "email_addresses",
            "E-mail addresses have 2001 characters; at most 2000 can be kept.",
        ),
        (
            {"purpose": "Technical", "email_addresses": "1\n" * 999},  # each line has its own error
            "email_addresses",
            "At most 50 e-mail addresses can be kept. You entered 999. Remove some.",
        ),
        ({"purpose": "x" * 101, "name": "Desk"}, "purpose", "Purpose has 101 characters; at most 100 can be kept."),
    ],
)
def test_each_error_of_a_contact_has_its_text(row, name, said):
    typed = Typed(fields=texts().fields, contacts=(row,))
    form = checked(typed)
    assert not form.is_valid()
    (error,) = form.contacts[0].errors[name]
    assert error.startswith(said)
    assert {key: count for key, _, count in form.sections}["contacts"] == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"value": "LSC-014"}, "Enter both number and kind, or remove the line."),
        ({"kind": "FACID"}, "Enter both number and kind, or remove the line."),
        ({}, "Enter both number and kind, or remove the line."),
        ({"value": f"{BASE}.5", "kind": "Own"}, "The OID is entered above; do not repeat it here."),
        ({"value": f"URN:OID: {BASE}.5", "kind": "Own"}, "The OID is entered above; do not repeat it here."),
        ({"value": "1.2.3", "kind": "oid"}, "The OID is entered above; do not repeat it here."),
    ],
)
def test_each_error_of_an_identifier_has_its_text(row, said):
    form = checked(Typed(fields=texts().fields, identifiers=(row,)))
    assert not form.is_valid()
    assert [*form.identifiers[0].errors.values()] == [[said]]


def test_identifiers_are_kept():
    form = checked(Typed(fields=texts().fields, identifiers=({"value": "LSC-014", "kind": "FACID"},)))
    assert form.is_valid()
    assert form.record().identifiers == (IdentifierRecord(kind="FACID", value="LSC-014"),)


def test_more_than_twenty_lines_are_refused_and_not_offered():
    rows = tuple({"purpose": "Technical", "name": f"Desk {number}"} for number in range(25))
    for count, remove in ((21, "one"), (25, "5")):
        form = checked(Typed(fields=texts().fields, contacts=rows[:count]))
        assert not form.is_valid()
        assert form.contacts.non_form_errors() == [f"At most 20 contacts can be kept. Remove {remove}."]
    assert len(Typed(contacts=rows[:20]).after_button("add-contacts").contacts) == 20


@pytest.mark.parametrize(("prefix", "count"), [("contacts", 25), ("identifiers", 100)])
def test_lines_above_the_limit_are_shown_until_a_person_removes_them(prefix, count):
    rows = tuple({"purpose": "Technical", "name": f"Desk {number}"} for number in range(count))
    if prefix == "identifiers":
        rows = tuple({"value": str(number), "kind": "FACID"} for number in range(count))
    data = QueryDict(mutable=True)
    data.update(replace(texts(), **{prefix: rows}).as_post())
    typed = Typed.from_post(data)
    form = checked(typed)
    assert not form.is_valid()
    assert len(getattr(form, prefix)) == count
    assert not typed.incomplete
    for act, left in ((f"add-{prefix}", count), (f"remove-{prefix}-{count - 1}", count - 1)):
        again = RecordForm(typed.after_button(act), form_context(), checked=False)
        assert len(getattr(again, prefix)) == left


def test_lines_that_are_left_out_are_counted():
    rows = tuple({"purpose": "Technical", "name": f"Desk {number}"} for number in range(130))
    data = QueryDict(mutable=True)
    data.update(replace(texts(), contacts=rows).as_post())
    form = checked(Typed.from_post(data))
    assert form.contacts.non_form_errors() == ["At most 20 contacts can be kept. The last 30 were left out."]
    assert (len(form.contacts), form.identifiers.non_form_errors()) == (100, [])


def posted(**inputs):
    data = QueryDict(mutable=True)
    for name, value in (texts().as_post() | inputs).items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


@pytest.mark.parametrize(
    "total",
    [None, "0", "2", "-1", "x", "1e9", "99999999999999999999", "", ["1", "1"]],
    ids=["missing", "fewer", "more", "negative", "no number", "float", "huge", "empty", "repeated"],
)
def test_an_incomplete_list_is_refused_and_shown(total):
    data = posted(**({} if total is None else {"contacts-TOTAL_FORMS": total}))
    if total is None:
        del data["contacts-TOTAL_FORMS"]
    form = checked(Typed.from_post(data))
    assert not form.is_valid()
    assert form.contacts.non_form_errors() == [
        "Some of the contacts did not arrive. Nothing was saved. Check them and press the button again."
    ]
    assert form.contacts[0]["name"].value() == "Integration desk"


def test_a_line_with_a_number_out_of_order_is_refused():
    form = checked(Typed.from_post(posted(**{"contacts-7-name": "Lost"})))
    assert not form.is_valid()
    assert [contact["name"].value() for contact in form.contacts] == ["Integration desk", "Lost"]


def test_buttons_change_the_lines_and_nothing_else():
    typed = texts().after_button("add-contacts").after_button("add-identifiers")
    assert [row["purpose"] for row in typed.contacts] == ["Technical", "Technical"]
    assert typed.identifiers == ({},)
    assert typed.after_button("remove-contacts-0").contacts == typed.contacts[1:]
    assert typed.after_button("remove-identifiers-0").identifiers == ()
    assert typed.after_button("remove-contacts-9") == typed
    assert typed.after_button("drop-table") == typed
    assert typed.fields == texts().fields


def test_an_unposted_form_is_not_validated():
    form = RecordForm(texts(name="", zip_code="x"), form_context(), checked=False)
    assert not form.has_errors
    assert form.main["zip_code"].value() == "x"
    assert {count for _, _, count in form.sections} == {0}


HOSTILE = ["\x00", "\u202e", "\ud7ff\uffff", "x" * 10_000, "<script>", "1" * 5000, "\n" * 3000, "\u2028", "%s %_"]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_typed_text_is_refused_or_can_be_saved_again_unchanged(text):
    for name in texts().as_post():
        form = checked(Typed.from_post(posted(**{name: text})))
        if form.is_valid():
            place = form.typed.fields["place"]
            again = checked(Typed.from_record(form.record(), stands_for=form.stands_for, parent_kind=place))
            assert again.is_valid(), name
            assert (again.record(), again.changes_sentence) == (form.record(), "")
