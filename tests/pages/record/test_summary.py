"""The head of a record: what its standing rests on, what is to do about it, what can be done to it."""

import datetime
import re
from dataclasses import replace
from typing import Any

import pytest
from django.utils.html import strip_tags

from organizations.models import (
    Evidence,
    Organization,
    Presence,
    State,
    Submission,
    User,
    clock,
)
from organizations.pages.home import overview
from organizations.pages.home.lines import LinePlace
from organizations.pages.record import summary
from organizations.pages.record_form import notices
from organizations.services.records import organizations
from organizations.text.markup import written
from organizations.text.vocabulary import OPEN_WORK
from tests import factories
from tests.changes import edited, foreign, loaded, not_shown, shown
from tests.factories import BASE, acting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


@pytest.fixture
def made(editor: User) -> Organization:
    """A record of which nothing was sent."""
    return factories.organization(user=editor, name="Lakeside North")


@pytest.fixture
def accepted(editor: User) -> Organization:
    return factories.accepted(user=editor, name="Lakeside North")


def head(made: Organization) -> summary.RecordHead:
    return summary.record_head(loaded(made))


def basis(made: Organization) -> str:
    return strip_tags(head(made).basis)


def boxes(made: Organization) -> dict[str, str]:
    return {box.key: strip_tags(str(box.sentence)) for box in head(made).boxes}


def buttons(made: Organization) -> dict[str, bool]:
    """What the boxes offer, and whether that is the primary button."""
    return {act.label: act.is_primary for box in head(made).boxes for act in box.acts}


def sent(made: Organization, editor: User, **values: Any) -> Submission:
    """A submission of it, attempted and then as given."""
    submission = factories.submission(made, user=editor)
    found = Submission.objects.filter(pk=submission.pk)
    found.update(**({"attempt": 1, "sent_at": clock.now(), "ended_at": clock.now()} | values))
    return found.get()


def rejected(made: Organization, editor: User, **values: Any) -> Submission:
    return sent(made, editor, state=State.REJECTED, wanted_hash=loaded(made).wanted_hash, **values)


def day() -> str:
    return written(clock.now(), "day")


# What the standing rests on ---------------------------------------------------------------------------------


def test_only_an_acceptance_by_a_query_has_the_time_of_the_query(accepted):
    asked = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)
    Submission.objects.update(evidence_at=asked)
    assert "2026-05-03T14:03:00Z" not in head(accepted).basis
    Submission.objects.update(evidence=Evidence.QUERY)
    Organization.objects.update(confirmed_evidence=Evidence.QUERY)
    assert "2026-05-03T14:03:00Z" in head(accepted).basis


def test_that_an_oid_is_not_there_is_said_by_redox_or_by_a_query(accepted, editor):
    now = clock.now()
    Organization.objects.update(presence=Presence.ABSENT, presence_at=now)
    by_query = "The directory did not show this OID when asked on "
    assert head(accepted).standing_sentence.startswith(by_query)
    Submission.objects.update(state=State.REJECTED, known_answer="is_not_valid", ended_at=now)
    assert head(accepted).standing_sentence.startswith("Redox answered on ")
    assert '"is not valid"' in head(accepted).standing_sentence
    Organization.objects.update(presence_at=now + datetime.timedelta(minutes=1))
    assert head(accepted).standing_sentence.startswith(by_query)


def test_a_first_new_without_an_answer_that_counts_is_not_called_never_sent(made, editor):
    assert basis(made).startswith("Never sent.")
    submission = sent(made, editor, state=State.SENDING)
    assert basis(made).startswith("Attempted ")
    assert basis(made).endswith(f", submission {submission.pk}; no clear answer yet.")


def test_what_was_rejected_stays_the_basis_while_the_next_waits(made, editor):
    first = rejected(made, editor)
    edited(made, editor, name="Lakeside South")
    factories.submission(made, user=editor)
    assert basis(made).startswith("New rejected ")
    assert basis(made).endswith(f", submission {first.pk}.")


def test_what_was_rejected_under_a_former_oid_is_said_to_be_about_that_one(made, editor):
    submission = rejected(made, editor)
    assert "former" not in basis(made)
    organizations.edit(
        made.pk, made.version, replace(made.record(), oid=f"{BASE}9"), stands_for="", actor=acting(editor)
    )
    assert basis(made).endswith(f", submission {submission.pk}. That was about its former OID {BASE}.")


def test_what_was_only_read_says_when_and_whether_it_is_active(editor):
    organizations.take_over(factories.record(), "staging", actor=acting(editor))
    made = loaded(Organization.objects.get())
    assert re.fullmatch(r"Seen .+, Active = true\.", basis(made))
    assert not summary.record_values(made).is_read  # there is nothing but what was taken


def test_a_reason_that_ends_with_a_point_gets_no_second_one(made, editor):
    organizations.state_registered(made.pk, reason="Made with curl.", actor=acting(editor))
    assert basis(made).endswith(": Made with curl.")


# What is to do ----------------------------------------------------------------------------------------------


def test_the_one_primary_button_follows_what_is_open(made, editor):
    factories.UserFactory(role="approver", first_name="Approver", last_name="One")
    number = sent(made, editor).pk
    opens = f"Open submission {number}"
    for state, ending, offered in (
        (State.UNKNOWN, "", {opens: True}),
        (State.NEEDS_PERSON, "Approvers can decide: Approver One.", {"Compare and decide": True}),
        (State.QUEUED, "", {opens: False}),
        (State.SENDING, "", {opens: False}),
    ):
        Submission.objects.update(state=state, state_at=clock.now())
        (said,) = boxes(made).values()
        assert said.startswith(OPEN_WORK[state].say(submission=number)), state
        assert said.endswith(ending), state
        assert buttons(made) == offered, state


def test_saved_changes_are_named_with_who_saved_each(accepted, editor, second):
    contact = replace(accepted.record().contacts[0], work_phone="+16085550177")
    edited(accepted, editor, contacts=(contact,))
    edited(accepted, second, name="Lakeside South")
    (said,) = boxes(accepted).values()
    assert said.endswith(f": Name (Editor Two, {day()}), Work phone of contact 1 (Editor One, {day()}).")


def test_ours_stands_before_the_directorys_and_says_what_would_be_overwritten(accepted, editor):
    shown(accepted, name="Lakeside (North)")
    assert boxes(accepted) == {"directory_differs": f"1 field: Name. First seen {day()}."}
    assert buttons(accepted) == {"Decide": False}
    edited(accepted, editor, aliases=("Shore",))
    ours, theirs = boxes(accepted).values()
    assert ours.endswith(f": Aliases (Editor One, {day()}).")
    assert theirs.endswith(f"First seen {day()}. Sending the saved changes would overwrite it.")
    assert buttons(accepted) == {"Discard": False, "Review and send": True, "Decide": False}
    assert foreign(accepted).differs == 0  # what differed before is another organization's


def test_what_the_directory_shows_already_is_not_called_unsent(accepted, editor):
    edited(accepted, editor, name="Lakeside South", aliases=("Shore",))
    shown(accepted, name="Lakeside South")
    said = boxes(accepted)
    assert ("Name" in said["changes_not_sent"], "Aliases" in said["changes_not_sent"]) == (False, True)
    assert "overwrite" not in said["directory_differs"]


def test_an_oid_that_the_directory_did_not_show_is_told_so(accepted):
    factories.confirmed(accepted, name="Lakeside South")
    not_shown(accepted)
    assert boxes(accepted).keys() == {"changes_not_sent", "directory_differs"}


def test_a_rejected_record_repeats_the_cause_and_offers_its_step(made, editor):
    submission = rejected(made, editor, detail="Something new")
    assert boxes(made)["rejected"].startswith(f"Redox rejected submission {submission.pk}, ")
    assert buttons(made) == {f"Open submission {submission.pk}": False, "Edit Lakeside North": True}
    Submission.objects.update(decided_by="Approver One", state_reason="Ours, ticket 7.")
    assert boxes(made)["rejected"].endswith(": Ours, ticket 7.")
    for said in (boxes(made)["rejected"], basis(made)):
        assert "by decision of Approver One" in said
    assert buttons(made)["Review and send"]


# Somebody else's OID ----------------------------------------------------------------------------------------


def test_a_foreign_oid_has_one_band_with_both_ways_out(made, editor):
    rejected(made, editor, decided_by="Approver One")
    shown(made, name="Boston Harbor Hospital")
    organization = foreign(made)
    assert list(boxes(made)) == ["foreign"]
    assert "belongs to another organization (Boston Harbor Hospital)" in boxes(made)["foreign"]
    assert buttons(made) == {"Take this decision back": False, "Give it another OID": True}
    assert not head(made).can_deactivate
    values = summary.record_values(organization)
    assert (values.is_read, values.keys_without_field) == (False, ())
    assert values.note.endswith("the directory showed it as Boston Harbor Hospital.")
    edited(made, editor, name="Lakeside South")
    assert list(boxes(made)) == ["foreign", "changes_not_sent"]
    assert "Review and send" not in buttons(made)


def test_an_oid_that_the_directory_shows_already_asks_whose_it_is(made):
    shown(made, name="Boston Harbor Hospital")
    (box,) = [box for box in head(made).boxes if box.key == "unclaimed"]
    assert "Boston Harbor Hospital" in box.sentence
    assert "Review and send" not in buttons(made)
    assert [(act.label, act.url) for act in box.acts] == [
        ("Compare and decide", f"/staging/organizations/{BASE}/differences/")
    ]


def test_the_form_says_whether_the_oid_is_open_and_who_follows(made, editor):
    assert (notices.open_oid_sentence(made), notices.fixed_oid_sentence(made)) == ("", "")
    rejected(made, editor, decided_by="Approver One")
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    said = notices.open_oid_sentence(foreign(made))
    assert "(Boston Harbor Hospital)" in said
    assert said.endswith("You can give this record another OID. 1 record below follows.")
    assert notices.fixed_oid_sentence(loaded(made)) == ""
    other = factories.accepted(f"{BASE}.2", user=editor)
    assert notices.open_oid_sentence(other) == ""
    assert notices.fixed_oid_sentence(other).startswith("Accepted ")
    assert notices.fixed_oid_sentence(foreign(other)) == ""


# Home -------------------------------------------------------------------------------------------------------


def differing_places(editor: User) -> list[LinePlace]:
    home_lines = [line for line in overview.build(editor).for_you if line.kind == "directory_differs"]
    return [place for line in home_lines for place in line.places]


def test_home_names_records_that_differ_and_counts_what_the_list_shows(editor):
    made = [factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 5)]
    for each in made:
        factories.confirmed(each)
    for each in made[:3]:
        shown(each, name="By hand")
    edited(made[2], editor, aliases=("Shore",))
    assert [(place.what, place.text, place.number) for place in differing_places(editor)] == [
        (f"Lakeside {number}", "1 field: Name.", 1) for number in range(1, 4)
    ]
    shown(made[3], name="By hand")
    [place] = differing_places(editor)
    assert (place.number, place.what) == (4, "4 records")
    assert place.url == "/staging/organizations/?open_work=directory_differs&view=list"
    assert [panel.differing for panel in overview.build(editor).panels] == [4, 0]
    assert Organization.objects.in_environment("staging").to_do("directory_differs").count() == 4
    assert Organization.objects.in_environment("staging").to_do("changes_not_sent").count() == 1


def test_home_says_by_what_the_last_was_accepted(accepted, editor):
    assert overview.build(editor).last_accepted_by == ""
    Submission.objects.update(evidence=Evidence.PERSON)
    assert overview.build(editor).last_accepted_by == "decided"
    assert [panel.last_accepted_by for panel in overview.build(editor).panels] == ["decided", ""]


# What can be done -------------------------------------------------------------------------------------------


def test_only_what_is_registered_can_be_deactivated(made, editor):
    for presence in Presence:
        Organization.objects.update(presence=presence)
        is_new = presence == Presence.NEVER
        assert (head(made).can_withdraw, head(made).can_ask, head(made).can_deactivate) == (
            is_new,
            not is_new,
            presence == Presence.PRESENT,
        )
    Organization.objects.update(presence=Presence.NEVER)
    factories.submission(made, user=editor)
    assert (head(made).can_withdraw, head(made).can_ask) == (False, True)


def test_nothing_is_added_below_a_deactivated_record_or_below_its_children(made, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    grandchild = factories.organization(f"{child.oid}.1", user=editor, part_of_oid=child.oid)
    line = (made, child, grandchild)
    assert [head(each).can_add_below for each in line] == [True, True, True]
    Organization.objects.filter(pk=child.pk).update(presence=Presence.PRESENT, confirmed_active=False)
    assert [head(each).can_add_below for each in line] == [True, False, False]
    assert [name for name, _ in head(grandchild).path] == [
        "Organizations",
        "Lakeside North",
        "Lakeside 1",
        "Lakeside 1",
    ]
