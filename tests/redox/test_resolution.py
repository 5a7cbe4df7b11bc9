"""What one answer to a Query proves about an unknown message."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.records import OrganizationRecord
from organizations.redox.resolution import Proof, changes_readable, judge_directory_answer
from tests.factories import record
from tests.strategies import plain_records, spellings

RECORD = record(aliases=("North", "Shore"))
OTHER = replace(RECORD, name="Other")
ROUTED = replace(RECORD, destination_id="7f296bb4-83fd-498d-92f3-a76960648788")
LONGER_ZIP = replace(RECORD, address=replace(RECORD.address, zip_code="53704-1234"))
SPACED_ZIP = replace(RECORD, address=replace(RECORD.address, zip_code="53704 1234"))
TYPE, ENDPOINTS, OWN_KEY = ("Type", '"x"'), ("Endpoints", '["a"]'), ("ManagingOrg", '"Redox"')
CARRYING = replace(RECORD, carried=(ENDPOINTS, OWN_KEY, TYPE))
REORDERED = replace(RECORD, aliases=("Shore", "North"))


@pytest.mark.parametrize(
    ("event", "sent", "before", "seen", "finding"),
    [
        ("New", RECORD, None, None, Proof.ABSENT),
        ("New", RECORD, None, RECORD, Proof.SHOWN),
        ("New", RECORD, None, LONGER_ZIP, Proof.SHOWN),
        ("New", RECORD, None, OTHER, Proof.OTHER),
        ("New", ROUTED, None, RECORD, Proof.SHOWN),
        ("New", RECORD, OTHER, RECORD, Proof.SHOWN),
        ("New", RECORD, RECORD, RECORD, Proof.UNPROVED),
        ("New", LONGER_ZIP, RECORD, RECORD, Proof.UNPROVED),
        ("New", RECORD, RECORD, None, Proof.ABSENT),
        ("New", RECORD, RECORD, OTHER, Proof.OTHER),
        ("Update", OTHER, RECORD, OTHER, Proof.SHOWN),
        ("Update", OTHER, RECORD, RECORD, Proof.UNPROVED),
        ("Update", OTHER, RECORD, None, Proof.UNPROVED),
        ("Update", ROUTED, RECORD, RECORD, Proof.UNPROVED),
        ("Update", replace(ROUTED, name="Other"), RECORD, OTHER, Proof.UNPROVED),
        ("Update", replace(OTHER, carried=(ENDPOINTS, TYPE)), CARRYING, OTHER, Proof.SHOWN),
        ("Update", replace(OTHER, carried=(ENDPOINTS,)), CARRYING, OTHER, Proof.UNPROVED),
        ("Update", replace(OTHER, carried=(TYPE,)), CARRYING, OTHER, Proof.UNPROVED),
        ("Update", replace(OTHER, carried=(("Endpoints", '["b"]'), TYPE)), CARRYING, OTHER, Proof.UNPROVED),
        ("New", replace(OTHER, carried=(TYPE,)), RECORD, OTHER, Proof.SHOWN),
        ("Update", OTHER, None, OTHER, Proof.UNPROVED),
        ("Update", OTHER, replace(RECORD, destination_known=False), OTHER, Proof.UNPROVED),
        ("Update", RECORD, RECORD, RECORD, Proof.UNPROVED),
        ("Update", LONGER_ZIP, RECORD, RECORD, Proof.UNPROVED),
        ("Update", LONGER_ZIP, RECORD, LONGER_ZIP, Proof.UNPROVED),
        ("Update", RECORD, SPACED_ZIP, LONGER_ZIP, Proof.UNPROVED),
        ("Update", REORDERED, RECORD, REORDERED, Proof.UNPROVED),
        ("Update", replace(OTHER, address=LONGER_ZIP.address), RECORD, OTHER, Proof.SHOWN),
    ],
)
def test_each_answer_proves_this(
    event: str,
    sent: OrganizationRecord,
    before: OrganizationRecord | None,
    seen: OrganizationRecord | None,
    finding: Proof,
) -> None:
    assert judge_directory_answer(event, sent, before, seen) == finding


@pytest.mark.parametrize(
    ("sent", "seen", "finding"),
    [
        (RECORD, RECORD, Proof.CONFIRMED),
        (LONGER_ZIP, RECORD, Proof.CONFIRMED),
        (ROUTED, RECORD, Proof.CONFIRMED),
        (OTHER, RECORD, Proof.UNPROVED),
        (OTHER, None, Proof.UNPROVED),
    ],
)
def test_an_undocumented_success_proves_the_record_that_the_directory_shows(
    sent: OrganizationRecord, seen: OrganizationRecord | None, finding: Proof
) -> None:
    assert judge_directory_answer("Update", sent, RECORD, seen, has_undocumented_success=True) == finding


@given(st.data())
def test_an_update_that_was_not_applied_is_never_proved_in_any_spelling(data: st.DataObject) -> None:
    before, sent = data.draw(plain_records), data.draw(plain_records)
    seen = data.draw(spellings(before))
    assert judge_directory_answer("Update", sent, before, seen) is Proof.UNPROVED


@given(st.data())
def test_an_update_that_changes_only_the_spelling_is_never_proved(data: st.DataObject) -> None:
    before = data.draw(plain_records)
    sent = replace(data.draw(spellings(before)), destination_id=before.destination_id)
    assert judge_directory_answer("Update", sent, before, data.draw(spellings(sent))) is Proof.UNPROVED


@given(st.data())
def test_an_update_that_was_applied_with_a_visible_change_is_always_proved(data: st.DataObject) -> None:
    before, changed = data.draw(plain_records), data.draw(plain_records)
    sent = replace(changed, destination_id=before.destination_id)
    seen = data.draw(spellings(sent))
    expected = Proof.SHOWN if changes_readable(sent, before) else Proof.UNPROVED
    assert judge_directory_answer("Update", sent, before, seen) is expected


@given(st.data())
def test_a_new_is_proved_by_the_record_in_any_spelling(data: st.DataObject) -> None:
    sent = data.draw(plain_records)
    assert judge_directory_answer("New", sent, None, data.draw(spellings(sent))) is Proof.SHOWN


@given(st.data())
def test_a_new_that_was_not_applied_is_never_proved_by_the_record_before(data: st.DataObject) -> None:
    before, sent = data.draw(plain_records), data.draw(plain_records)
    sent = data.draw(st.sampled_from([sent, before, data.draw(spellings(before))]))
    assert judge_directory_answer("New", sent, before, data.draw(spellings(before))) in (Proof.UNPROVED, Proof.OTHER)
