"""The sent record beside what the directory shows: values with the same meaning are equal."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from organizations import knowledge
from organizations.pages.comparison.sent_and_seen import NOT_READ, compare_sent_with_seen
from organizations.records import AddressRecord, ContactRecord, OrganizationRecord, readable
from tests.factories import record
from tests.strategies import records


def differing_labels(sent: OrganizationRecord, seen: OrganizationRecord) -> list[str]:
    return [row.label for row in compare_sent_with_seen(sent, seen, None) if row.equal is False]


@settings(max_examples=40)
@given(records, st.randoms())
def test_a_record_equals_itself_with_its_contacts_in_any_order(one, chance):
    shuffled = list(one.contacts)
    chance.shuffle(shuffled)
    assert differing_labels(one, replace(one, contacts=tuple(shuffled))) == differing_labels(one, one) == []


@settings(max_examples=40)
@given(records, records)
def test_each_difference_in_meaning_counts_as_in_the_next_review(sent, other):
    for seen in (other, replace(other, oid=sent.oid)):
        assert (differing_labels(sent, seen) == []) == (readable(sent) == readable(seen))
    assert len(differing_labels(sent, seen)) == len(knowledge.changes_by_origin(None, seen, sent).overwritten)


def test_the_destination_cannot_be_read_and_is_not_compared():
    sent = record(destination_id="9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41")
    row = next(row for row in compare_sent_with_seen(sent, record(), None) if row.label == "Destination ID")
    assert (row.sent, row.seen, row.equal) == (sent.destination_id, NOT_READ, None)


def test_another_spelling_is_equal_and_shown_unchanged():
    sent = record()
    address = AddressRecord(
        street="1 Shore Rd", city="Madison", state="wi", zip_code="53704-1234", county="Dane", country="US"
    )
    seen = replace(sent, address=address, contacts=(replace(sent.contacts[0], work_phone="(608) 555-0100"),))
    rows = {row.label: row for row in compare_sent_with_seen(sent, seen, None)}
    assert differing_labels(sent, seen) == []
    assert rows["ZIP"].seen == "53704-1234"
    assert rows["Contact 1, Work phone"].seen == "(608) 555-0100"


def test_a_contact_that_only_one_side_has_differs_as_one_field():
    sent = record()
    more = ContactRecord(purpose="Technical", name="Night desk", work_phone="+16085550199")
    seen = replace(sent, contacts=(*sent.contacts, more))
    [row] = [row for row in compare_sent_with_seen(sent, seen, None) if row.equal is False]
    assert (row.label, row.sent, row.seen) == ("Contact 2", "", "Technical\nNight desk\n+16085550199")
    assert differing_labels(seen, sent) == ["Contact 2"]


def test_an_accepted_value_is_beside_its_own_contact():
    first, second = (
        record().contacts[0],
        ContactRecord(purpose="Technical", name="Night desk", home_phone="+16085550199"),
    )
    sent = record(contacts=(second, first))
    rows = {row.label: row for row in compare_sent_with_seen(sent, sent, record(contacts=(first,)))}
    assert rows["Contact 1, Contact name"].before == ""
    assert rows["Contact 2, Contact name"].before == "Integration desk"
