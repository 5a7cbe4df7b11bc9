"""The head of a record: the evidence of its status, what there is to do, and the actions offered."""

import datetime
import re
from dataclasses import replace
from typing import Any

import pytest
from django.utils.html import strip_tags

from organizations.models import Evidence, Organization, Presence, State, Submission, User, clock
from organizations.pages.home import overview
from organizations.pages.home.lines import LinePlace
from organizations.pages.record import summary
from organizations.pages.record_form import notices
from organizations.services.records import organizations, statements
from organizations.text.markup import written
from organizations.text.vocabulary import OPEN_WORK
from tests import factories
from tests.changes import load, mark_foreign, save_edit, store_empty_reading, store_reading_with
from tests.factories import BASE, as_actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


def head(organization: Organization) -> summary.RecordHead:
    return summary.record_head(load(organization))


def basis(organization: Organization) -> str:
    return strip_tags(head(organization).basis)


def boxes(organization: Organization) -> dict[str, str]:
    return {box.key: strip_tags(str(box.sentence)) for box in head(organization).boxes}


def buttons(organization: Organization) -> dict[str, bool]:
    """The buttons of the bands, and whether each is the primary one."""
    return {act.label: act.is_primary for box in head(organization).boxes for act in box.acts}


def create_submission(organization: Organization, editor: User, **values: Any) -> Submission:
    """Create a submission with one attempt and these values."""
    submission = factories.submission(organization, user=editor)
    now = clock.now()
    factories.change_submission(submission, **({"attempt": 1, "sent_at": now, "ended_at": now} | values))
    return Submission.objects.get(pk=submission.pk)


def rejected(organization: Organization, editor: User, **values: Any) -> Submission:
    return create_submission(
        organization, editor, state=State.REJECTED, wanted_hash=load(organization).wanted_hash, **values
    )


def day() -> str:
    return written(clock.now(), "day")


# Evidence of the status -------------------------------------------------------------------------------------


def test_only_an_acceptance_by_a_query_has_the_time_of_the_query(accepted):
    asked_at = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)
    Submission.objects.update(evidence_at=asked_at)
    assert "2026-05-03T14:03:00Z" not in head(accepted).basis
    Submission.objects.update(evidence=Evidence.QUERY)
    Organization.objects.update(confirmed_evidence=Evidence.QUERY)
    assert "2026-05-03T14:03:00Z" in head(accepted).basis


def test_a_missing_oid_is_attributed_to_redox_or_to_a_query(accepted, editor):
    now = clock.now()
    Organization.objects.update(presence=Presence.ABSENT, presence_at=now)
    by_query = "The directory did not show this OID when asked on "
    assert head(accepted).standing_sentence.startswith(by_query)
    factories.change_submissions(state=State.REJECTED, known_answer="is_not_valid", ended_at=now)
    assert head(accepted).standing_sentence.startswith("Redox answered on ")
    assert '"is not valid"' in head(accepted).standing_sentence
    Organization.objects.update(presence_at=now + datetime.timedelta(minutes=1))
    assert head(accepted).standing_sentence.startswith(by_query)


def test_a_new_without_a_clear_answer_is_not_called_never_sent(organization, editor):
    assert basis(organization).startswith("Never sent.")
    submission = create_submission(organization, editor, state=State.SENDING)
    assert basis(organization).startswith("Attempted ")
    assert basis(organization).endswith(f", submission {submission.pk}; no clear answer yet.")


def test_a_rejection_stays_the_basis_while_the_next_submission_waits(organization, editor):
    first = rejected(organization, editor)
    save_edit(organization, editor, name="Lakeside South")
    factories.submission(organization, user=editor)
    assert basis(organization).startswith("New rejected ")
    assert basis(organization).endswith(f", submission {first.pk}.")


def test_a_rejection_under_a_former_oid_names_that_oid(organization, editor):
    submission = rejected(organization, editor)
    assert "former" not in basis(organization)
    organizations.edit(
        organization.pk,
        organization.version,
        replace(organization.record(), oid=f"{BASE}9"),
        stands_for="",
        actor=as_actor(editor),
    )
    assert basis(organization).endswith(f", submission {submission.pk}. That was about its former OID {BASE}.")


def test_a_record_that_was_only_read_says_when_and_whether_it_is_active(editor):
    factories.seen_organization(factories.record(), user=editor)
    organization = load(Organization.objects.get())
    assert re.fullmatch(r"Seen .+, Active = true\.", basis(organization))
    assert not summary.record_values(organization).is_read  # the record has only values of the directory


def test_a_reason_that_ends_with_a_full_stop_gets_no_second_one(organization, editor):
    statements.state_registered(organization.pk, reason="Made with curl.", actor=as_actor(editor))
    assert basis(organization).endswith(": Made with curl.")


# To do ------------------------------------------------------------------------------------------------------


def test_the_primary_button_follows_the_open_work(organization, editor):
    factories.UserFactory(role="approver", first_name="Approver", last_name="One")
    number = create_submission(organization, editor).pk
    opens = f"Open submission {number}"
    for state, ending, offered in (
        (State.UNKNOWN, "", {opens: True}),
        (State.NEEDS_PERSON, "Approvers can decide: Approver One.", {"Compare and decide": True}),
        (State.QUEUED, "", {opens: False}),
        (State.SENDING, "", {opens: False}),
    ):
        factories.change_submissions(state=state, state_at=clock.now())
        (said,) = boxes(organization).values()
        assert said.startswith(OPEN_WORK[state].say(submission=number)), state
        assert said.endswith(ending), state
        assert buttons(organization) == offered, state


def test_saved_changes_are_named_with_their_authors(accepted, editor, second):
    contact = replace(accepted.record().contacts[0], work_phone="+16085550177")
    save_edit(accepted, editor, contacts=(contact,))
    save_edit(accepted, second, name="Lakeside South")
    (said,) = boxes(accepted).values()
    assert said.endswith(f": Name (Editor Two, {day()}), Work phone of contact 1 (Editor One, {day()}).")


def test_our_value_is_before_that_of_the_directory_and_names_what_is_overwritten(accepted, editor):
    store_reading_with(accepted, name="Lakeside (North)")
    assert boxes(accepted) == {"directory_differs": f"1 field: Name. First seen {day()}."}
    assert buttons(accepted) == {"Decide": False}
    save_edit(accepted, editor, aliases=("Shore",))
    ours, theirs = boxes(accepted).values()
    assert ours.endswith(f": Aliases (Editor One, {day()}).")
    assert theirs.endswith(f"First seen {day()}. Sending the saved changes would overwrite it.")
    assert buttons(accepted) == {"Discard": False, "Review and send": True, "Decide": False}
    assert mark_foreign(accepted).differs == 0  # the differences belong to another organization


def test_a_value_that_the_directory_already_shows_is_not_called_unsent(accepted, editor):
    save_edit(accepted, editor, name="Lakeside South", aliases=("Shore",))
    store_reading_with(accepted, name="Lakeside South")
    texts = boxes(accepted)
    assert ("Name" in texts["changes_not_sent"], "Aliases" in texts["changes_not_sent"]) == (False, True)
    assert "overwrite" not in texts["directory_differs"]


def test_the_band_says_that_the_directory_did_not_show_the_oid(accepted):
    factories.accept(accepted, name="Lakeside South")
    store_empty_reading(accepted)
    assert boxes(accepted).keys() == {"changes_not_sent", "directory_differs"}


def test_a_rejected_record_repeats_the_cause_and_offers_its_step(organization, editor):
    submission = rejected(organization, editor, detail="Something new")
    assert boxes(organization)["rejected"].startswith(f"Redox rejected submission {submission.pk}, ")
    assert buttons(organization) == {f"Open submission {submission.pk}": False, "Edit Lakeside North": True}
    Submission.objects.update(decided_by="Approver One", state_reason="Ours, ticket 7.")
    assert boxes(organization)["rejected"].endswith(": Ours, ticket 7.")
    for said in (boxes(organization)["rejected"], basis(organization)):
        assert "by decision of Approver One" in said
    assert buttons(organization)["Review and send"]


# A foreign OID ----------------------------------------------------------------------------------------------


def test_a_foreign_oid_has_one_band_with_both_ways_out(organization, editor):
    rejected(organization, editor, decided_by="Approver One")
    store_reading_with(organization, name="Boston Harbor Hospital")
    foreign_organization = mark_foreign(organization)
    assert list(boxes(organization)) == ["foreign"]
    assert "belongs to another organization (Boston Harbor Hospital)" in boxes(organization)["foreign"]
    assert buttons(organization) == {"Withdraw this decision": False, "Give it another OID": True}
    assert not head(organization).can_deactivate
    values = summary.record_values(foreign_organization)
    assert (values.is_read, values.keys_without_field) == (False, ())
    assert values.note.endswith("the directory showed it as Boston Harbor Hospital.")
    save_edit(organization, editor, name="Lakeside South")
    assert list(boxes(organization)) == ["foreign", "changes_not_sent"]
    assert "Review and send" not in buttons(organization)


def test_for_an_oid_already_in_the_directory_a_person_decides_the_owner(organization):
    store_reading_with(organization, name="Boston Harbor Hospital")
    (box,) = [box for box in head(organization).boxes if box.key == "unclaimed"]
    assert "Boston Harbor Hospital" in box.sentence
    assert "Review and send" not in buttons(organization)
    assert [(act.label, act.url) for act in box.acts] == [
        ("Compare and decide", f"/staging/organizations/{BASE}/differences/")
    ]


def test_the_form_says_whether_the_oid_can_change_and_which_children_follow(organization, editor):
    assert (notices.changeable_oid_sentence(organization), notices.fixed_oid_sentence(organization)) == ("", "")
    rejected(organization, editor, decided_by="Approver One")
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    sentence = notices.changeable_oid_sentence(mark_foreign(organization))
    assert "(Boston Harbor Hospital)" in sentence
    assert sentence.endswith("You can give this record another OID. 1 record below follows.")
    assert notices.fixed_oid_sentence(load(organization)) == ""
    other = factories.accepted_organization(f"{BASE}.2", user=editor)
    assert notices.changeable_oid_sentence(other) == ""
    assert notices.fixed_oid_sentence(other).startswith("Accepted ")
    assert notices.fixed_oid_sentence(mark_foreign(other)) == ""


# Home -------------------------------------------------------------------------------------------------------


def differing_places(editor: User) -> list[LinePlace]:
    home_lines = [line for line in overview.build(editor).for_you if line.kind == "directory_differs"]
    return [place for line in home_lines for place in line.places]


def test_home_names_records_that_differ_and_counts_what_the_list_shows(editor):
    organizations = [factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 5)]
    for each in organizations:
        factories.accept(each)
    for each in organizations[:3]:
        store_reading_with(each, name="By hand")
    save_edit(organizations[2], editor, aliases=("Shore",))
    assert [(place.what, place.text, place.number) for place in differing_places(editor)] == [
        (f"Lakeside {number}", "1 field: Name.", 1) for number in range(1, 4)
    ]
    store_reading_with(organizations[3], name="By hand")
    [place] = differing_places(editor)
    assert (place.number, place.what) == (4, "4 records")
    assert place.url == "/staging/organizations/?open_work=directory_differs&view=list"
    assert [panel.differing for panel in overview.build(editor).panels] == [4, 0]
    assert Organization.objects.in_environment("staging").to_do("directory_differs").count() == 4
    assert Organization.objects.in_environment("staging").to_do("changes_not_sent").count() == 1


def test_home_names_the_evidence_of_the_last_acceptance(accepted, editor):
    assert overview.build(editor).last_accepted_by == ""
    Submission.objects.update(evidence=Evidence.PERSON)
    assert overview.build(editor).last_accepted_by == "decided"
    assert [panel.last_accepted_by for panel in overview.build(editor).panels] == ["decided", ""]


# Actions ----------------------------------------------------------------------------------------------------


def test_only_a_registered_record_can_be_deactivated(organization, editor):
    for presence in Presence:
        Organization.objects.update(presence=presence)
        is_new = presence == Presence.NEVER
        assert (head(organization).can_withdraw, head(organization).can_ask, head(organization).can_deactivate) == (
            is_new,
            not is_new,
            presence == Presence.PRESENT,
        )
    Organization.objects.update(presence=Presence.NEVER)
    factories.submission(organization, user=editor)
    assert (head(organization).can_withdraw, head(organization).can_ask) == (False, True)


def test_nothing_is_added_below_a_deactivated_record_or_below_its_children(organization, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    grandchild = factories.organization(f"{child.oid}.1", user=editor, part_of_oid=child.oid)
    line = (organization, child, grandchild)
    assert [head(each).can_add_below for each in line] == [True, True, True]
    Organization.objects.filter(pk=child.pk).update(presence=Presence.PRESENT, confirmed_active=False)
    assert [head(each).can_add_below for each in line] == [True, False, False]
    assert [name for name, _ in head(grandchild).path] == [
        "Organizations",
        "Lakeside North",
        "Lakeside 1",
        "Lakeside 1",
    ]
