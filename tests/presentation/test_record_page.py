"""A record's page as an object: what its standing rests on, what is to do about it, which columns it has."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils.html import strip_tags

from organizations.models import EnvironmentGate, Evidence, Organization, Presence, State, Submission, User, clock
from organizations.presentation import differences as differences_page
from organizations.presentation import editing, freshness, home, record
from organizations.presentation.matters import Place
from organizations.records import OrganizationRecord
from organizations.services import asking, differences, known, organizations
from organizations.services.actors import person
from organizations.templatetags.portal import written
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


@pytest.fixture
def made(editor: User) -> Organization:
    return factories.organization(user=editor, name="Lakeside North")


def accepted(made: Organization, editor: User, evidence: Evidence = Evidence.ANSWER, **values: Any) -> Organization:
    """The record as if its first message had been accepted by this evidence."""
    submission = factories.submission(made, user=editor)
    factories.confirmed(made, submission=submission, evidence=evidence)
    Submission.objects.filter(pk=submission.pk).update(**values)
    return again(made)


def again(made: Organization) -> Organization:
    found = Organization.objects.with_words().select_related("last_submission", "edited_by", "staging_record")
    return found.get(pk=made.pk)


def read(made: Organization, seen: OrganizationRecord | None) -> Organization:
    """The record after the directory showed this."""
    with transaction.atomic():
        known.keep_reading(organizations.locked(made.pk), seen, clock.now())
    return again(made)


def shown(made: Organization, **values: Any) -> Organization:
    """The record after the directory showed it with these values."""
    return read(made, replace(again(made).record(), destination_id="", destination_known=False, **values))


def edited(made: Organization, editor: User, **values: Any) -> Organization:
    made = again(made)
    wanted = replace(made.record(), **values)
    organizations.edit(made.pk, made.version, wanted, stands_for="", actor=person(editor))
    return again(made)


def bands(made: Organization) -> dict[str, str]:
    return {band.key: strip_tags(str(band.sentence)) for band in record.head(again(made)).bands}


def buttons(made: Organization) -> dict[str, bool]:
    return {act.label: act.is_primary for band in record.head(again(made)).bands for act in band.acts}


# what an acceptance rests on


@pytest.mark.parametrize(
    ("evidence", "basis", "sentence", "heading"),
    [
        (Evidence.ANSWER, "Redox accepted submission {n}, ", "Redox accepted the last message", "Accepted by Redox"),
        (Evidence.QUERY, "A Query showed what submission {n} sent, ", "A Query showed what", "Accepted by Query"),
        (
            Evidence.BOTH,
            "Redox's answer and a Query accept submission {n}, ",
            "Redox's answer and a Query together",
            "Accepted by Redox and Query",
        ),
        (
            Evidence.PERSON,
            "Approver One decided that submission {n} arrived, ",
            "Approver One decided that",
            "Accepted by decision",
        ),
        (
            Evidence.EQUIVALENT,
            "A Query showed something equivalent to submission {n}, ",
            "A Query showed values that mean the same",
            "Accepted by Query",
        ),
    ],
)
def test_the_standing_names_its_evidence(made, editor, evidence, basis, sentence, heading):
    organization = accepted(made, editor, evidence, decided_by="Approver One", state_reason="Ticket 7.")
    head = record.head(organization)
    line = strip_tags(str(head.basis))
    assert line.startswith(basis.format(n=organization.confirmed_submission_id))
    assert (": Ticket 7." in line) == (evidence == Evidence.PERSON)
    assert head.standing.word == "Active"
    assert head.standing_sentence.startswith(sentence)
    assert record.values(organization).accepted_heading == heading


def test_an_acceptance_by_a_query_has_the_time_of_the_query(made, editor):
    asked = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)
    assert "2026-05-03T14:03:00Z" in str(record.basis(accepted(made, editor, Evidence.QUERY, evidence_at=asked)))
    assert "2026-05-03" not in str(record.basis(accepted_again(made, editor, asked)))


def accepted_again(made: Organization, editor: User, asked: datetime.datetime) -> Organization:
    """Accepted once more, by an answer of Redox, with a Query long before."""
    edited(made, editor, name="Lakeside South")
    submission = factories.submission(made, user=editor)
    factories.confirmed(made, submission=submission)
    Submission.objects.filter(pk=submission.pk).update(evidence_at=asked)
    return again(made)


def test_that_an_oid_is_not_there_is_said_by_redox_or_by_a_query(made, editor):
    organization = accepted(made, editor)
    now = clock.now()
    Organization.objects.filter(pk=made.pk).update(presence=Presence.ABSENT, presence_at=now)
    assert record.head(again(made)).standing_sentence.startswith("The directory did not show this OID when asked on ")
    last = Submission.objects.filter(organization=organization)
    last.update(state=State.REJECTED, known_answer="is_not_valid", ended_at=now)
    assert record.head(again(made)).standing_sentence.startswith("Redox answered on ")
    assert '"is not valid"' in record.head(again(made)).standing_sentence
    Organization.objects.filter(pk=made.pk).update(presence_at=now + datetime.timedelta(minutes=1))
    assert record.head(again(made)).standing_sentence.startswith("The directory did not show this OID when asked on ")


# what is to do


def test_a_record_without_anything_to_do_has_no_band(made, editor):
    head = record.head(accepted(made, editor))
    assert head.bands == ()
    assert record.values(head.organization).note == "The portal has not read this record from the directory."


def test_ours_stands_before_the_directorys_and_says_what_would_be_overwritten(made, editor):
    accepted(made, editor)
    shown(made, name="Lakeside (North)")
    assert bands(made) == {"directory_differs": f"1 field: Name. First seen {day()}."}
    assert buttons(made) == {"Decide": False}
    edited(made, editor, aliases=("Shore",))
    assert list(bands(made).items()) == [
        ("changes_not_sent", f"1 field is saved here and not sent: Aliases (Editor One, {day()})."),
        (
            "directory_differs",
            f"1 field: Name. First seen {day()}. Sending the saved changes would overwrite it.",
        ),
    ]
    assert buttons(made) == {"Discard": False, "Review and send": True, "Decide": False}


def test_what_the_directory_shows_already_is_not_called_unsent(made, editor):
    accepted(made, editor)
    edited(made, editor, name="Lakeside South", aliases=("Shore",))
    shown(made, aliases=())
    sentence = bands(made)["changes_not_sent"]
    assert (sentence.count("Name"), "Aliases" in sentence) == (0, True)
    assert "overwrite" not in bands(made)["directory_differs"]
    assert "directory does not have" not in sentence


def day() -> str:
    return written(clock.now(), "day")


def test_an_oid_that_the_directory_did_not_show_is_told_so(made, editor):
    accepted(made, editor)
    read(made, None)
    assert "the directory did not show it yet" in record.values(again(made)).note
    accepted(edited(made, editor, name="Lakeside South"), editor)
    read(made, None)
    assert bands(made)["directory_differs"].startswith("The directory did not show this OID when asked on ")
    values = record.values(again(made))
    assert (values.is_read, values.note.startswith("The directory did not show this OID")) == (False, True)


def test_a_rejected_record_repeats_the_cause_and_offers_its_step(made, editor):
    submission = factories.submission(made, user=editor)
    ended = {"state": State.REJECTED, "attempt": 1, "ended_at": clock.now(), "detail": "Something new"}
    Submission.objects.filter(pk=submission.pk).update(wanted_hash=again(made).wanted_hash, **ended)
    assert bands(made)["rejected"].startswith(f"Redox rejected submission {submission.pk}, ")
    assert buttons(made) == {f"Open submission {submission.pk}": False, "Edit Lakeside North": True}
    Submission.objects.filter(pk=submission.pk).update(decided_by="Approver One", state_reason="Ours, ticket 7.")
    assert bands(made)["rejected"].endswith(": Ours, ticket 7.")
    assert "rejected by decision of Approver One" in bands(made)["rejected"]
    assert "rejected by decision of Approver One" in str(record.head(again(made)).basis)
    assert buttons(made)["Review and send"]


def test_what_was_rejected_under_a_former_oid_is_said_to_be_about_that_one(made, editor):
    submission = factories.submission(made, user=editor)
    Submission.objects.filter(pk=submission.pk).update(state=State.REJECTED, attempt=1, ended_at=clock.now())
    assert "former" not in str(record.head(again(made)).basis)
    other = replace(made.record(), oid=f"{made.oid}9")
    organizations.edit(made.pk, made.version, other, stands_for="", actor=person(editor))
    basis = strip_tags(record.head(again(made)).basis)
    assert basis.endswith(f", submission {submission.pk}. That was about its former OID {made.oid}.")


def test_who_can_decide_is_named(made, editor):
    factories.UserFactory(role="approver", first_name="Approver", last_name="One")
    submission = factories.submission(made, user=editor)
    Submission.objects.filter(pk=submission.pk).update(state=State.NEEDS_PERSON, attempt=1)
    assert bands(made)["needs_person"].endswith("Approvers can decide: Approver One.")


def test_what_is_unknown_promises_what_its_row_says(made, editor):
    submission = factories.submission(made, user=editor)
    of_row = Submission.objects.filter(pk=submission.pk)
    of_row.update(state=State.UNKNOWN, attempt=1, not_before=clock.now() + datetime.timedelta(days=40))
    later = written(clock.now() + datetime.timedelta(days=40), "day")
    assert f"The portal asks the directory at {later}" in bands(made)["unknown"]
    of_row.update(not_before=clock.now())
    assert bands(made)["unknown"].endswith("as soon as a worker takes it.")
    stopped = {"stopped_at": clock.now(), "stopped_reason": "Redox does not accept the credential"}
    EnvironmentGate.objects.filter(pk="staging").update(**stopped)
    assert bands(made)["unknown"].endswith("STAGING is stopped: Redox does not accept the credential.")


# somebody else's OID


@pytest.fixture
def foreign(made: Organization, editor: User) -> Organization:
    """A record whose New was refused: a person decided that the OID is another organization's."""
    submission = factories.submission(made, user=editor)
    ended = {"state": State.REJECTED, "attempt": 1, "ended_at": clock.now(), "decided_by": "Approver One"}
    Submission.objects.filter(pk=submission.pk).update(wanted_hash=again(made).wanted_hash, **ended)
    seen = replace(again(made).record(), name="Boston Harbor Hospital", destination_known=False)
    read(made, seen)
    with transaction.atomic():
        known.find_foreign(organizations.locked(made.pk), seen, clock.now())
    return again(made)


def test_a_foreign_oid_has_one_band_with_both_ways_out(foreign, editor):
    assert list(bands(foreign)) == ["foreign"]
    assert "belongs to another organization (Boston Harbor Hospital)" in bands(foreign)["foreign"]
    assert buttons(foreign) == {"Take this decision back": False, "Give it another OID": True}
    values = record.values(foreign)
    assert (values.is_read, values.foreign_keys) == (False, ())
    assert values.note.endswith("the directory showed it as Boston Harbor Hospital.")
    assert not record.head(foreign).can_deactivate
    edited(foreign, editor, name="Lakeside South")
    assert list(bands(foreign)) == ["foreign", "changes_not_sent"]
    assert "Review and send" not in buttons(foreign)


def test_what_differed_before_is_nothing_to_do_at_a_foreign_oid(made, editor):
    accepted(made, editor)
    organization = shown(made, name="Boston Harbor Hospital")
    assert organization.differs == 1
    with transaction.atomic():
        known.find_foreign(organizations.locked(made.pk), organization.record(), clock.now())
    assert again(made).differs == 0


def test_the_form_says_that_the_oid_is_open_and_who_follows(foreign, editor):
    factories.organization(f"{foreign.oid}.1", user=editor, part_of_oid=foreign.oid)
    said = editing.open_oid_sentence(foreign)
    assert "belongs to another organization (Boston Harbor Hospital)" in said
    assert said.endswith("You can give this record another OID. 1 record below follows.")
    assert editing.fixed_oid_sentence(foreign) == ""


def test_the_form_says_nothing_of_an_oid_that_is_new_or_fixed(made, editor):
    assert editing.open_oid_sentence(made) == ""
    organization = accepted(made, editor)
    assert editing.open_oid_sentence(organization) == ""
    assert editing.fixed_oid_sentence(organization).startswith("Accepted ")


# the columns


def test_the_directory_has_a_column_only_where_it_was_read_later(made, editor):
    assert record.values(again(made)).fields.columns == 1
    read(made, None)
    accepted(made, editor)
    values = record.values(again(made))
    assert (values.fields.columns, values.is_accepted, values.is_read) == (2, True, False)
    assert values.note == "The portal has not read this record from the directory since it was accepted."
    shown(made)
    values = record.values(again(made))
    assert (values.fields.columns, values.is_read, values.note, values.count) == (3, True, "", 0)


def test_a_directory_that_lags_behind_is_one_line_and_no_difference(made, editor):
    accepted(made, editor)
    edited(made, editor, name="Lakeside South")
    submission = factories.submission(made, user=editor)
    factories.confirmed(made, submission=submission)
    shown(made, name="Lakeside North")
    organization = again(made)
    assert (organization.not_visible_yet, organization.differs) == (True, 0)
    values = record.values(organization)
    assert not values.is_read
    assert "still showed what was there before the last acceptance" in values.note
    page = differences_page.page(organization)
    assert page.heading == "Lakeside South: the directory does not show the last acceptance yet"
    assert page.why_not.startswith("When it was last asked, the directory did not show the last acceptance yet.")
    Organization.objects.filter(pk=made.pk).update(presence=Presence.ABSENT)
    assert not freshness.lags(again(made))  # Redox itself said that the OID is not there


def test_the_time_of_a_hold_is_a_time_and_no_markup(made, editor):
    accepted(made, editor)
    edited(made, editor, name="Lakeside South")
    factories.submission(made, user=editor)
    Submission.objects.filter(organization=made, state=State.QUEUED).update(state=State.UNKNOWN, attempt=1)
    EnvironmentGate.objects.filter(pk="staging").update(hold_until=clock.now() + datetime.timedelta(minutes=9))
    (band,) = record.head(again(made)).bands
    assert "<time" in band.sentence
    assert "&lt;" not in band.sentence


def test_what_was_taken_from_the_directory_is_the_side_to_compare_with(made, editor):
    accepted(made, editor)
    organization = shown(made, name="Lakeside (North)")
    differences.take_theirs(made.pk, organization.version, reason="Theirs", actor=person(editor))
    values = record.values(again(made))
    assert (values.accepted_heading, values.accepted_submission, values.count) == ("Accepted or taken", None, 0)


def test_values_of_a_message_on_its_way_are_not_called_unsent(made, editor):
    accepted(made, editor)
    edited(made, editor, name="Lakeside South")
    assert record.values(again(made)).ahead_tag == "not sent"
    submission = factories.submission(made, user=editor)
    assert record.values(again(made)).ahead_tag == "not sent"
    of_row = Submission.objects.filter(pk=submission.pk)
    of_row.update(state=State.UNKNOWN, sent_at=clock.now())
    assert record.values(again(made)).ahead_tag == "not accepted yet"
    of_row.update(state=State.REJECTED, wanted_hash=again(made).wanted_hash)
    assert record.values(again(made)).ahead_tag == "rejected"
    edited(made, editor, name="Lakeside West")
    assert record.values(again(made)).ahead_tag == "not sent"


# home


def differing_places(editor: User) -> list[Place]:
    matters = [matter for matter in home.read(editor).for_you if matter.kind == "directory_differs"]
    return [place for matter in matters for place in matter.places]


def test_home_names_records_that_differ_and_counts_what_the_list_shows(editor):
    for number in range(1, 4):
        made = factories.organization(f"{factories.BASE}.{number}", user=editor)
        accepted(made, editor)
        shown(made, name=f"By hand {number}")
    edited(made, editor, aliases=("Shore",))
    places = differing_places(editor)
    assert [(place.what, place.text, place.number) for place in places] == [
        (f"Lakeside {number}", "1 field: Name.", 1) for number in range(1, 4)
    ]
    made = factories.organization(f"{factories.BASE}.4", user=editor)
    accepted(made, editor)
    shown(made, name="By hand 4")
    [place] = differing_places(editor)
    assert (place.number, place.what) == (4, "4 records")
    assert place.url == "/staging/organizations/?open_work=directory_differs&view=list"
    assert [panel.differing for panel in home.read(editor).panels] == [4, 0]
    assert Organization.objects.in_environment("staging").to_do("directory_differs").count() == 4
    assert Organization.objects.in_environment("staging").to_do("changes_not_sent").count() == 1


def test_home_says_by_what_the_last_was_accepted(made, editor):
    accepted(made, editor)
    assert home.read(editor).last_accepted_by == ""
    Submission.objects.update(evidence=Evidence.PERSON)
    assert home.read(editor).last_accepted_by == "decided"
    assert [panel.last_accepted_by for panel in home.read(editor).panels] == ["decided", ""]


def test_asking_from_the_record_keeps_the_answer(made, editor):
    answer = asking.ask_about_record(made, actor=person(editor))
    assert not answer.was_asked


def test_an_oid_that_the_directory_shows_already_asks_whose_it_is(db: None) -> None:
    made = factories.organization(user=factories.editor())
    known.keep_reading(made, replace(made.record(), name="Boston Harbor Hospital"), clock.now())
    head = record.head(Organization.objects.with_words().get(pk=made.pk))
    band = next(band for band in head.bands if band.key == "unclaimed")
    assert "Boston Harbor Hospital" in str(band.sentence)
    assert [(act.label, act.url) for act in band.acts] == [
        ("Compare and decide", reverse("differences", args=["staging", made.oid]))
    ]
