"""What is known about the directory, and what a message would change in it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations import knowledge
from organizations.records import ContactRecord, IdentifierRecord, OrganizationRecord, readable, readable_fingerprint
from tests.factories import record
from tests.strategies import plain_records, spellings

TYPE, ENDPOINTS, OWN_KEY = ("Type", '"x"'), ("Endpoints", '["a"]'), ("ManagingOrg", '"Redox"')
ACCEPTED = record(name="Lakeside North", aliases=("North", "Shore"))


def as_seen(reading: OrganizationRecord) -> OrganizationRecord:
    """The record as a Query shows it: without destination ID, with keys that the directory adds."""
    return replace(reading, destination_id="", destination_known=False, carried=(OWN_KEY, TYPE))


def with_address(record: OrganizationRecord, **values: str) -> OrganizationRecord:
    return replace(record, address=replace(record.address, **values))


def fields(differences) -> list[str]:
    return [each.field for each in differences]


def test_the_newest_record_has_the_seen_values_and_keeps_those_a_query_does_not_show():
    identifiers = (IdentifierRecord(kind="A", value="1"), IdentifierRecord(kind="B", value="2"))
    accepted = replace(
        ACCEPTED,
        destination_id="7f296bb4-83fd-498d-92f3-a76960648788",
        identifiers=identifiers,
        carried=(ENDPOINTS, TYPE),
    )
    reading = replace(accepted, oid="2.999.1", name="Lakeside (North)", identifiers=identifiers[::-1])
    assert knowledge.newest(accepted, as_seen(reading)) == replace(accepted, name="Lakeside (North)")


@given(st.data())
def test_another_spelling_is_not_a_difference(data):
    accepted = data.draw(plain_records)
    seen = as_seen(data.draw(spellings(accepted)))
    assert readable_fingerprint(seen) == readable_fingerprint(accepted)
    assert knowledge.seen_differences(accepted, seen) == ()
    assert readable(knowledge.newest(accepted, seen)) == readable(accepted)


@given(st.data())
def test_another_spelling_is_never_overwritten_except_a_longer_zip(data):
    accepted, sent = data.draw(plain_records), data.draw(plain_records)
    seen = as_seen(data.draw(spellings(accepted)))
    split = knowledge.changes_by_origin(accepted, seen, sent)
    is_longer = len(seen.address.zip_code) > len(accepted.address.zip_code)
    loses_zip = is_longer and sent.address.zip_code not in (seen.address.zip_code, seen.address.zip_code[:5])
    assert fields(split.overwritten) == (["address.zip_code"] if loses_zip else [])


@pytest.mark.parametrize(
    ("sent", "overwritten"),
    [("53704", []), ("53704-1111", []), ("53704-2222", ["53704-1111"]), ("54501", ["53704-1111"])],
)
def test_a_longer_zip_in_the_directory_is_not_replaced_silently(sent, overwritten):
    seen = as_seen(with_address(ACCEPTED, zip_code="53704-1111"))
    split = knowledge.changes_by_origin(ACCEPTED, seen, with_address(ACCEPTED, zip_code=sent))
    assert [each.before for each in split.overwritten] == overwritten
    assert knowledge.seen_differences(ACCEPTED, seen) == ()


@given(plain_records, plain_records)
def test_any_change_of_the_directory_is_overwritten_by_the_accepted_record(accepted, seen):
    split = knowledge.changes_by_origin(accepted, as_seen(seen), accepted)
    assert split.chosen == ()
    assert bool(split.overwritten) == bool(knowledge.seen_differences(accepted, as_seen(seen)))


@given(plain_records, plain_records, plain_records)
def test_every_real_difference_to_the_directory_is_either_chosen_or_overwritten(accepted, seen, sent):
    split = knowledge.changes_by_origin(accepted, as_seen(seen), sent)
    if readable_fingerprint(seen) != readable_fingerprint(sent):
        assert split.chosen or split.overwritten


@given(plain_records, plain_records)
def test_without_an_acceptance_every_differing_value_of_the_directory_is_overwritten(seen, sent):
    split = knowledge.changes_by_origin(None, as_seen(seen), sent)
    assert split.chosen == ()
    assert bool(split.overwritten) == (readable_fingerprint(seen) != readable_fingerprint(sent))


@given(plain_records, plain_records)
def test_taking_directory_values_without_edits_saves_the_seen_values(accepted, seen):
    known = knowledge.newest(accepted, as_seen(seen))
    taken = knowledge.taken_from(accepted, as_seen(seen), accepted)
    assert readable(taken) == readable(known)


@given(plain_records, plain_records, plain_records)
def test_after_taking_directory_values_nothing_is_overwritten(accepted, wanted, seen):
    wanted, seen = replace(wanted, contacts=accepted.contacts), replace(seen, contacts=accepted.contacts)
    taken = knowledge.taken_from(accepted, as_seen(seen), wanted)
    known = knowledge.known_after_taking(accepted, as_seen(seen), wanted)
    assert knowledge.changes_by_origin(known, as_seen(seen), taken).overwritten == ()


@given(plain_records, plain_records)
def test_after_taking_the_values_of_a_record_that_was_never_accepted_nothing_differs(wanted, seen):
    taken = knowledge.taken_from(None, as_seen(seen), wanted)
    known = knowledge.known_after_taking(None, as_seen(seen), wanted)
    split = knowledge.changes_by_origin(known, as_seen(seen), taken)
    assert (fields(split.chosen), split.overwritten) in (([], ()), (["destination_id"], ()))
    assert (readable(taken), taken.destination_id) == (readable(replace(seen, oid=wanted.oid)), wanted.destination_id)


@pytest.mark.parametrize("accepted_active", [True, False, None])
@pytest.mark.parametrize("shown_active", [True, False])
def test_the_active_that_a_message_changes_is_not_an_overwrite(accepted_active, shown_active):
    accepted = None if accepted_active is None else replace(ACCEPTED, active=accepted_active)
    seen = as_seen(replace(ACCEPTED, active=shown_active, name="By hand"))
    split = knowledge.changes_by_origin(accepted, seen, replace(ACCEPTED, active=False), on_purpose=("active",))
    assert fields(split.chosen) == (["active"] if shown_active else [])
    assert fields(split.overwritten) == ["name"]


def test_an_edit_differs_from_a_change_in_the_directory():
    seen = as_seen(replace(ACCEPTED, name="Lakeside (North)"))
    split = knowledge.changes_by_origin(ACCEPTED, seen, with_address(ACCEPTED, street="51 Shore Rd"))
    assert fields(split.chosen) == ["address.street"]
    assert [(each.field, each.before, each.after) for each in split.overwritten] == [
        ("name", "Lakeside (North)", "Lakeside North")
    ]
    assert fields(knowledge.unsent(ACCEPTED, seen, with_address(ACCEPTED, street="51 Shore Rd"))) == ["address.street"]
    assert fields(knowledge.changes_by_origin(None, replace(seen, oid="2.999.1"), ACCEPTED).overwritten) == ["name"]


def test_an_edit_of_a_field_that_the_directory_changed_too_overwrites_it():
    seen = as_seen(replace(ACCEPTED, name="Lakeside (North)"))
    split = knowledge.changes_by_origin(ACCEPTED, seen, replace(ACCEPTED, name="Lakeside Northern"))
    assert (fields(split.chosen), fields(split.overwritten)) == ([], ["name"])


def test_an_edit_to_what_the_directory_shows_already_changes_nothing():
    seen = as_seen(replace(ACCEPTED, name="Lakeside (North)"))
    assert (
        knowledge.changes_by_origin(ACCEPTED, seen, replace(ACCEPTED, name="Lakeside (North)"))
        == knowledge.ChangesByOrigin()
    )


def test_an_edit_that_changes_only_the_spelling_is_an_edit():
    split = knowledge.changes_by_origin(ACCEPTED, as_seen(ACCEPTED), with_address(ACCEPTED, zip_code="53704-1234"))
    assert fields(split.chosen) == ["address.zip_code"]


def test_carried_keys_are_not_a_change():
    taken_over = as_seen(ACCEPTED)
    sent = replace(taken_over, carried=(("Type", '"x"'),))
    assert knowledge.changes_by_origin(taken_over, None, sent) == knowledge.ChangesByOrigin()
    assert knowledge.changes_by_origin(taken_over, taken_over, sent) == knowledge.ChangesByOrigin()


@pytest.mark.parametrize(
    ("accepted", "seen", "same"),
    [
        ("54501", "54501-1234", True),
        ("54501-1234", "54501", True),
        ("54501-1234", "54501-9999", False),
        ("54501-1234", "545011234", True),
        ("54501", "54502", False),
    ],
)
def test_zips_mean_the_same_only_if_one_is_a_prefix_of_the_other(accepted, seen, same):
    differences = knowledge.seen_differences(
        with_address(ACCEPTED, zip_code=accepted), as_seen(with_address(ACCEPTED, zip_code=seen))
    )
    assert (differences == ()) is same


def test_each_part_of_an_address_is_compared_separately():
    canadian = with_address(ACCEPTED, country="Canada", zip_code="K1A 0B1", state="ON")
    reading = as_seen(with_address(canadian, zip_code="K1A0B1", state="on"))
    assert fields(knowledge.seen_differences(canadian, reading)) == ["address.zip_code"]


def test_only_the_changed_fields_of_a_contact_are_differences():
    desk = replace(DESK, name="Help desk", work_phone="(608) 555-0100")
    assert fields(knowledge.seen_differences(ACCEPTED, as_seen(replace(ACCEPTED, contacts=(desk,))))) == [
        "contacts.0.name"
    ]


def test_edits_of_contacts_are_chosen_although_the_directory_has_another_order():
    accepted = replace(ACCEPTED, contacts=(DESK, BILLS))
    changed = replace(DESK, work_phone="+16085550199")
    reading = as_seen(replace(accepted, contacts=(BILLS, changed)))
    split = knowledge.changes_by_origin(accepted, reading, replace(accepted, contacts=(DESK,)))
    assert (fields(split.chosen), fields(split.overwritten)) == (["contacts.removed.0"], ["contacts.0.work_phone"])
    reading = as_seen(replace(accepted, contacts=(changed, BILLS)))
    split = knowledge.changes_by_origin(accepted, reading, replace(accepted, contacts=(BILLS, DESK)))
    assert (fields(split.chosen), fields(split.overwritten)) == (["contacts.order"], ["contacts.1.work_phone"])


def test_a_contact_of_the_directory_that_the_message_leaves_out_is_overwritten():
    added = ContactRecord(purpose="Billing", name="Front office")
    seen = as_seen(replace(ACCEPTED, contacts=(*ACCEPTED.contacts, added)))
    split = knowledge.changes_by_origin(ACCEPTED, seen, with_address(ACCEPTED, street="51 Shore Rd"))
    assert fields(split.chosen) == ["address.street"]
    assert [(each.before, each.after) for each in split.overwritten] == [("Billing\nFront office", "")]


def test_taking_directory_values_keeps_edits_of_other_fields():
    desk = ACCEPTED.contacts[0]
    seen = as_seen(replace(ACCEPTED, name="Lakeside (North)", contacts=(replace(desk, work_phone="+16085550199"),)))
    wanted = with_address(replace(ACCEPTED, contacts=(replace(desk, name="Help desk"),)), street="51 Shore Rd")
    taken = knowledge.taken_from(ACCEPTED, seen, wanted)
    assert (taken.name, taken.address.street) == ("Lakeside (North)", "51 Shore Rd")
    assert taken.contacts == (replace(desk, name="Help desk", work_phone="+16085550199"),)


DESK, BILLS = ACCEPTED.contacts[0], ContactRecord(purpose="Billing", email_addresses=("bills@lakeside.example",))


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        ((), (replace(DESK, name="New desk"),)),
        ((BILLS,), (replace(DESK, name="New desk"), BILLS)),
        ((replace(DESK, work_phone="+16085550199"),), ()),
        (
            (replace(DESK, email_addresses=("z@lakeside.example",)), BILLS),
            (BILLS, replace(DESK, name="Other desk")),
        ),
    ],
    ids=["removed there, edited here", "one of two removed", "changed there, removed here", "paired otherwise"],
)
def test_an_edit_of_a_contact_that_the_directory_changed_too_is_not_sent(seen, wanted):
    accepted = replace(ACCEPTED, contacts=(DESK, BILLS) if BILLS in seen else (DESK,))
    reading = as_seen(replace(accepted, contacts=seen))
    assert knowledge.unsent(accepted, reading, replace(accepted, contacts=wanted))
    assert knowledge.unsent(accepted, reading, accepted) == ()


def test_an_edit_of_a_contact_that_the_directory_made_too_is_not_unsent():
    for contacts in ((), (replace(DESK, name="New desk"),)):
        wanted = replace(ACCEPTED, contacts=contacts)
        assert knowledge.unsent(ACCEPTED, as_seen(wanted), wanted) == ()


@pytest.mark.parametrize(
    ("seen", "under_way"),
    [((), (replace(DESK, name="New desk"),)), ((replace(DESK, work_phone="+16085550199"),), ())],
    ids=["removed there, edited by the message", "changed there, removed by the message"],
)
def test_a_contact_that_others_changed_counts_also_while_a_message_of_ours_changes_it(seen, under_way):
    reading = as_seen(replace(ACCEPTED, contacts=seen))
    assert knowledge.changed_by_others(ACCEPTED, reading, replace(ACCEPTED, contacts=under_way))
    assert knowledge.changed_by_others(ACCEPTED, as_seen(replace(ACCEPTED, contacts=under_way)), ACCEPTED)
    arrived = replace(ACCEPTED, contacts=under_way)
    assert knowledge.changed_by_others(ACCEPTED, as_seen(arrived), arrived) == ()


def test_taking_directory_values_does_not_restore_what_was_removed_here_and_not_changed_there():
    accepted = replace(ACCEPTED, contacts=(DESK, BILLS))
    reading = as_seen(replace(accepted, name="Shown there"))
    assert knowledge.taken_from(accepted, reading, replace(accepted, contacts=(BILLS,))).contacts == (BILLS,)
    changed = replace(DESK, work_phone="+16085550199")
    reading = as_seen(replace(accepted, contacts=(changed, BILLS)))
    assert knowledge.taken_from(accepted, reading, replace(accepted, contacts=(BILLS,))).contacts == (changed, BILLS)


def test_taking_directory_values_keeps_an_added_contact_that_resembles_another():
    wanted = replace(ACCEPTED, contacts=(DESK, DESK))
    reading = as_seen(replace(ACCEPTED, name="Shown there"))
    assert knowledge.taken_from(ACCEPTED, reading, wanted).contacts == (DESK, DESK)


def test_taking_directory_values_keeps_one_of_two_spellings_of_an_added_value():
    added = replace(BILLS, work_phone="+16085550111")
    seen = as_seen(replace(ACCEPTED, contacts=(DESK, replace(added, work_phone="(608) 555-0111"))))
    wanted = replace(ACCEPTED, contacts=(DESK, added))
    assert len(knowledge.taken_from(ACCEPTED, seen, wanted).contacts) == 2


def test_a_contact_of_the_directory_that_a_message_removes_is_overwritten():
    mails = ("a@x.example", "b@x.example")
    ann = ContactRecord(purpose="Technical", name="Ann", email_addresses=mails)
    bea = ContactRecord(purpose="Billing", name="Bea", email_addresses=mails[:1], work_phone="+16085550199")
    accepted = replace(ACCEPTED, contacts=(ann,))
    wanted = replace(accepted, contacts=(replace(ann, email_addresses=mails[::-1]),))
    split = knowledge.changes_by_origin(accepted, as_seen(replace(accepted, contacts=(bea, ann))), wanted)
    assert [each.before.partition(",")[0] for each in split.overwritten if each.field.startswith("contacts.removed")]


def test_an_edit_to_the_longer_zip_that_the_directory_shows_is_not_unsent():
    reading = with_address(ACCEPTED, zip_code=f"{ACCEPTED.address.zip_code[:5]}-9999")
    assert knowledge.unsent(ACCEPTED, as_seen(reading), reading) == ()


def test_contacts_are_taken_in_the_order_of_the_directory():
    added = replace(BILLS, name="New", email_addresses=("new@lakeside.example",))
    accepted = replace(ACCEPTED, contacts=(DESK, BILLS))
    wanted = replace(accepted, contacts=(DESK, BILLS, added))
    there = as_seen(replace(accepted, contacts=(replace(BILLS, work_phone="+16085550177"), DESK)))
    taken = knowledge.taken_from(accepted, there, wanted)
    known = knowledge.known_after_taking(accepted, there, wanted)
    assert fields(knowledge.changes_by_origin(known, there, taken).chosen) == ["contacts.2"]


def test_before_any_reading_every_edit_is_chosen_and_unsent():
    edited = replace(ACCEPTED, name="Lakeside", carried=(TYPE,))
    assert fields(knowledge.changes_by_origin(ACCEPTED, None, edited).chosen) == ["name"]
    assert fields(knowledge.unsent(ACCEPTED, None, edited)) == ["name"]


def test_before_any_acceptance_what_differs_from_a_reading_is_unsent():
    assert fields(knowledge.unsent(None, as_seen(replace(ACCEPTED, name="Lakeside")), ACCEPTED)) == ["name"]


def test_a_contact_that_is_added_here_while_the_directory_added_another_is_unsent():
    theirs = replace(BILLS, name="Front office", email_addresses=("office@lakeside.example",))
    reading = as_seen(replace(ACCEPTED, contacts=(DESK, theirs)))
    assert fields(knowledge.unsent(ACCEPTED, reading, replace(ACCEPTED, contacts=(DESK, BILLS)))) == ["contacts.1"]


def test_without_a_message_under_way_every_difference_is_by_others():
    reading = as_seen(replace(ACCEPTED, name="Lakeside"))
    assert fields(knowledge.changed_by_others(ACCEPTED, reading, None)) == ["name"]


def test_the_order_of_contacts_is_neither_a_difference_nor_overwritten():
    accepted = replace(ACCEPTED, contacts=(DESK, BILLS))
    reading = as_seen(replace(accepted, contacts=(BILLS, replace(DESK, work_phone="+16085550199"))))
    assert "contacts.order" not in fields(knowledge.seen_differences(accepted, reading))
    assert "contacts.order" not in fields(knowledge.changes_by_origin(accepted, reading, accepted).overwritten)


@pytest.mark.parametrize("name", ["Lakeside North", "Chosen here", "LAKESIDE  NORTH"])
@pytest.mark.parametrize("display_name", ["Lakeside North", "Shown there"])
def test_another_spelling_is_neither_chosen_nor_overwritten(name, display_name):
    desk = replace(DESK, work_phone="(608) 555-0100")
    reading = as_seen(replace(ACCEPTED, name=display_name, contacts=(desk,)))
    split = knowledge.changes_by_origin(ACCEPTED, reading, replace(ACCEPTED, name=name))
    assert "contacts.0.work_phone" in fields(split.equivalent)
    said = [*fields(split.chosen), *fields(split.overwritten), *fields(split.equivalent)]
    assert len(said) == len(set(said))


@pytest.mark.parametrize(
    ("accepted", "seen", "known"),
    [
        ("54501", "54501-1234", "54501-1234"),
        ("54501-1234", "54501", "54501-1234"),
        ("54501-1234", "545011234", "54501-1234"),
        ("54501", "54502-1234", "54502-1234"),
    ],
)
def test_after_taking_the_zip_with_more_digits_is_known(accepted, seen, known):
    mine, reading = with_address(ACCEPTED, zip_code=accepted), as_seen(with_address(ACCEPTED, zip_code=seen))
    assert knowledge.known_after_taking(mine, reading, mine).address.zip_code == known
    assert knowledge.known_after_taking(None, reading, mine).address.zip_code == known
    assert knowledge.taken_from(mine, reading, mine).address.zip_code == known
    assert knowledge.taken_from(None, reading, mine).address.zip_code == known


def test_an_edit_of_the_zip_stays_beside_more_digits_of_the_directory():
    wanted, reading = with_address(ACCEPTED, zip_code="54501"), as_seen(with_address(ACCEPTED, zip_code="53704-1111"))
    assert knowledge.taken_from(ACCEPTED, reading, wanted).address.zip_code == "54501"


def test_type_and_endpoints_are_sent_back_and_nothing_else():
    assert knowledge.sendable(replace(ACCEPTED, carried=(ENDPOINTS, OWN_KEY, TYPE))).carried == (ENDPOINTS, TYPE)


def test_type_is_taken_as_a_reading_shows_it_and_other_keys_are_kept():
    own = replace(ACCEPTED, oid="2.999.1", carried=(ENDPOINTS, ("Type", '"old"')))
    reading = replace(as_seen(ACCEPTED), carried=(("Endpoints", '["theirs"]'), OWN_KEY, TYPE))
    for after in (
        knowledge.known_after_taking(own, reading, own),
        knowledge.first_shown(reading, own),
        knowledge.taken_from(None, reading, own),
        knowledge.taken_from(own, reading, own),
    ):
        assert (after.oid, after.carried) == ("2.999.1", (ENDPOINTS, TYPE))
    without = replace(as_seen(ACCEPTED), carried=())
    assert knowledge.carried_from(own, without) == (ENDPOINTS,)
