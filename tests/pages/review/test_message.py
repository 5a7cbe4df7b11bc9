"""What a review tells: three values of each field, what would be overwritten, and on what evidence it compares."""

import datetime
from dataclasses import replace

import pytest

from organizations.models import Evidence, Intent, Organization, Presence, clock
from organizations.pages.review import message as shown
from organizations.records import AddressRecord, ContactRecord
from organizations.services.directory import differences
from organizations.services.outbox import submissions
from organizations.services.records import directory_state
from organizations.services.review import reviews
from organizations.text import freshness
from tests import factories
from tests.factories import acting
from tests.views.history import edited

pytestmark = pytest.mark.django_db

SHORE = AddressRecord(street="1 Shore Rd", city="Madison", state="WI", zip_code="53704", county="Dane", country="USA")


def fresh(made):
    return Organization.objects.with_standing().select_related("last_submission").get(pk=made.pk)


def read(made, record, *, asked_at=None):
    """The record after the directory answered with that content."""
    directory_state.keep_reading(fresh(made), record, asked_at or clock.now())
    return fresh(made)


def page_of(made, user, **values):
    return shown.review_content(reviews.review(fresh(made), actor=acting(user)), **values)


class TestThreeValues:
    def test_a_changed_field_is_shown_beside_what_the_directory_has(self, accepted, editor):
        read(accepted, accepted.record())
        page = page_of(edited(accepted, editor, name="Lakeside North"), editor)
        (row,) = page.rows
        assert (row.label, row.accepted, row.directory.note, row.sent) == (
            "Name",
            "Lakeside 1",
            "same as accepted",
            "Lakeside North",
        )
        assert page.overwritten == ()

    def test_an_equivalent_spelling_of_a_changed_field_is_shown(self, accepted, editor):
        read(accepted, replace(accepted.record(), address=replace(SHORE, state="wi")))
        page = page_of(edited(accepted, editor, address=replace(SHORE, state="MN")), editor)
        (row,) = page.rows
        assert (row.accepted, row.directory.text, row.directory.note, row.sent) == ("WI", "wi", "equivalent", "MN")

    def test_a_field_that_a_query_does_not_show_says_so(self, accepted, editor):
        read(accepted, accepted.record())
        changed = edited(accepted, editor, destination_id="0d5b4ea9-8b0e-4d1c-9f7e-3a5c1f2b6d70")
        (row,) = page_of(changed, editor).rows
        assert (row.directory.only_note, row.directory.note) == (True, "a Query does not show it")

    def test_without_a_reading_there_is_no_column_of_the_directory(self, accepted, editor):
        page = page_of(edited(accepted, editor, name="Lakeside North"), editor)
        assert (page.directory_heading, page.columns) == ("", 4)
        assert page.unchanged_words.endswith("unchanged")
        assert page.freshness.sentence == "The directory itself has not been read."

    def test_a_value_of_the_directory_is_ticked_in_its_row(self, accepted, editor):
        read(accepted, replace(accepted.record(), name="Lakeside (One)"))
        made = edited(accepted, editor, address=replace(SHORE, street="2 Shore Rd"))
        page = page_of(made, editor)
        (row,) = page.overwritten
        assert (row.label, row.accepted, row.directory.text, row.sent, row.by) == (
            "Name",
            "Lakeside 1",
            "Lakeside (One)",
            "Lakeside 1",
            "",
        )
        (warning,) = page.review.open_warnings
        assert (row.tick, page.questions, page.can_take) == (submissions.warning_key(warning), (), True)
        assert page.asks_to_confirm == 1
        assert "Name" not in [each.label for each in page.unchanged]
        assert page_of(made, editor, ticked=[row.tick]).unticked == ()
        assert page_of(made, editor, missing=[row.tick]).box_errors == [
            (f"id_tick-{row.tick}", "Name: Tick Overwrite, or take the directory's value.")
        ]

    def test_a_problem_says_the_whole_text_of_its_box(self, accepted, editor, second):
        desk = replace(accepted.record().contacts[0], name="Desk, main", work_phone="+16085550177")
        changed = edited(accepted, second, contacts=(desk,), name="Lakeside & Sons")
        asked = page_of(changed, editor).questions
        assert "Name, Contact name of contact 1, Work phone of contact 1 (Editor Two, " in asked[0].text
        errors = page_of(changed, editor, missing=[each.key for each in asked]).box_errors
        said = [(f"id_tick-{each.key}", each.text) for each in asked]
        assert [(anchor, error.removeprefix("Tick: ")) for anchor, error in errors] == said

    def test_a_problem_asks_for_its_tick_once(self):
        for text in ("No destination ID.", "Others changed this. Tick to send it now."):
            assert shown.WarningBox("key", text, ticked=False, error="x").problem.count("Tick") == 1

    def test_nobody_is_said_to_have_set_a_value_of_the_directory(self, accepted, editor):
        page = page_of(read(accepted, replace(accepted.record(), name="Lakeside (One)")), editor)
        assert (page.review.nothing_differs, page.review.needs_reason) == (False, False)
        assert page.overwritten_group.startswith("You overwrite 1 value that the directory shows (the first difference")
        assert "somebody" not in page.overwritten_group

    def test_a_person_who_edited_the_same_field_is_named(self, accepted, editor):
        read(accepted, replace(accepted.record(), name="Lakeside (One)"))
        (row,) = page_of(edited(accepted, editor, name="Lakeside North"), editor).overwritten
        assert (row.accepted, row.directory.text, row.sent) == ("Lakeside 1", "Lakeside (One)", "Lakeside North")
        assert row.by.startswith("Editor One, ")

    def test_who_edited_another_contact_is_not_named(self, accepted, editor):
        (first,) = accepted.record().contacts
        second = ContactRecord(purpose="Technical", name="Front office", work_phone="+16085550120")
        made = factories.confirmed(edited(accepted, editor, contacts=(first, second)))
        read(made, replace(made.record(), contacts=(first, replace(second, work_phone="+14145550120"))))
        changed = edited(made, editor, contacts=(replace(first, work_phone="+16085550151"), second))
        page = page_of(changed, factories.UserFactory(role="editor"))
        assert [(row.label, row.by) for row in page.overwritten] == [("Contact 2, Work phone", "")]
        (others,) = [each.text for each in page.questions]
        assert "1 change made by others: Work phone of contact 1 (Editor One" in others

    def test_no_field_of_an_added_contact_is_called_unchanged(self, accepted, editor):
        made = edited(accepted, editor, contacts=(*accepted.record().contacts, ContactRecord(name="Front office")))
        assert not any(each.field.startswith("contacts.1") for each in page_of(made, editor).unchanged)

    def test_only_another_spelling_is_said_to_be_that(self, accepted, editor):
        page = page_of(read(accepted, replace(accepted.record(), address=replace(SHORE, country="US"))), editor)
        assert page.sentences == (
            "Nothing differs but the spelling of 1 value, which means the same. There is nothing to send.",
        )
        assert [(row.label, row.directory.text, row.sent) for row in page.equivalent] == [("Country", "US", "USA")]
        assert "Country" not in [each.label for each in page.unchanged]

    def test_what_was_taken_is_not_called_accepted(self, accepted, editor):
        made = read(accepted, replace(accepted.record(), name="Lakeside (One)"))
        differences.take_theirs(made.pk, made.version, reason="Theirs is right", actor=acting(editor))
        page = page_of(edited(made, editor, address=replace(SHORE, street="2 Shore Rd")), editor)
        assert page.accepted_heading.startswith("Accepted or taken ")
        assert page.compared.startswith("Compared with what Redox accepted on ")
        assert ", and with what Editor One took from the directory on " in page.compared


class TestKeys:
    def test_keys_without_a_field_are_nobodys_edit(self, accepted, editor):
        carried = (("ManagingOrg", '"Lakeside"'), ("Type", '"Organization"'))
        read(accepted, replace(accepted.record(), carried=carried))
        Organization.objects.filter(pk=accepted.pk).update(carried=dict(carried))
        page = page_of(accepted, editor)
        assert [(row.key, row.directory, row.is_sent_back) for row in page.keys] == [
            ("ManagingOrg", '"Lakeside"', False),
            ("Type", '"Organization"', True),
        ]
        assert (page.rows, page.overwritten) == ((), ())
        assert not any(each.field.startswith("carried") for each in page.unchanged)

    def test_a_key_that_a_query_does_not_show_is_listed_too(self, accepted, editor):
        Organization.objects.filter(pk=accepted.pk).update(carried={"Endpoints": "[]", "Type": '"Organization"'})
        rows = page_of(accepted, editor).keys
        assert [(row.key, row.directory, row.is_sent_back) for row in rows] == [
            ("Endpoints", "", True),
            ("Type", "", True),
        ]

    def test_a_type_that_only_the_directory_has_is_not_sent(self, accepted, editor):
        read(accepted, replace(accepted.record(), carried=(("Type", '"Organization"'),)))
        (row,) = page_of(accepted, editor).keys
        assert (row.key, row.directory, row.is_sent_back) == ("Type", '"Organization"', False)


class TestEvidence:
    @pytest.mark.parametrize(
        ("evidence", "says"),
        [
            (Evidence.ANSWER, "what Redox accepted on "),
            (Evidence.QUERY, "sent and a Query showed on "),
            (Evidence.BOTH, "Redox's answer and a Query showed on "),
            (Evidence.PERSON, "a person decided on "),
        ],
    )
    def test_it_is_named(self, editor, evidence, says):
        made = factories.organization(user=editor)
        sent = factories.submission(made, user=editor)
        made = factories.confirmed(made, submission=sent, evidence=evidence)
        compared = page_of(made, editor).compared
        assert says in compared
        assert str(sent.pk) in compared
        assert ("Redox accepted" in compared) == (evidence == Evidence.ANSWER)

    def test_a_new_after_an_acceptance_is_compared_with_nothing(self, accepted, editor):
        Organization.objects.update(presence=Presence.ABSENT)
        page = page_of(accepted, editor)
        assert page.review.summary.endswith("registration again")
        assert (page.compared, page.review.before) == ("", None)

    def test_what_was_only_read_is_compared_with_the_directory(self, editor):
        made = factories.organization(user=editor)
        Organization.objects.update(presence=Presence.PRESENT, presence_basis="seen")
        page = page_of(read(made, replace(made.record(), name="Lakeside (One)")), editor)
        assert page.compared.startswith("Compared with what the directory showed on ")
        assert (page.accepted_heading, page.rows, [row.label for row in page.overwritten]) == ("", (), ["Name"])


class TestFreshness:
    def test_a_later_reading_needs_no_sentence(self, accepted):
        found = freshness.record_freshness(read(accepted, accepted.record()))
        assert (found.sentence, found.is_old) == ("", False)

    def test_an_oid_that_was_not_shown_is_said(self, editor):
        made = factories.confirmed(factories.organization(user=editor))
        assert freshness.record_freshness(read(made, None)).sentence.endswith("did not show this OID.")

    def test_a_reading_before_the_acceptance_is_said_to_be_that(self, accepted):
        earlier = clock.now() - datetime.timedelta(days=2)
        found = freshness.record_freshness(read(accepted, accepted.record(), asked_at=earlier))
        assert (found.is_old, found.sentence.endswith("before the last acceptance.")) == (True, True)

    def test_content_from_before_the_acceptance_is_not_visible_yet(self, accepted, editor):
        before = accepted.record()
        changed = edited(accepted, editor, name="Lakeside North")
        sent = factories.submission(changed, user=editor)
        made = read(factories.confirmed(changed, submission=sent), before)
        sentence = freshness.record_freshness(made).sentence
        assert sentence.endswith(f"still showed the content from before submission {sent.pk}: not visible yet.")
        assert page_of(made, editor).overwritten == ()


def test_the_verdict_says_what_changes_and_what_is_overwritten(accepted, editor):
    def verdict(intent=None):
        return reviews.review(fresh(accepted), intent=intent).summary.removeprefix("STAGING, Update, 1 record, ")

    assert verdict(Intent.DEACTIVATE) == "Active true to false"
    read(accepted, replace(accepted.record(), name="Lakeside (One)"))
    assert verdict() == "1 directory value overwritten"
    assert verdict(Intent.DEACTIVATE) == "Active true to false, 1 directory value overwritten"
    edited(accepted, editor, aliases=("North",))
    assert verdict() == "1 field changes, 1 directory value overwritten"
    read(accepted, replace(accepted.record(), active=False))
    assert verdict(Intent.DEACTIVATE) == "Active false as the directory shows it"
    factories.confirmed(accepted, active=False)
    assert verdict(Intent.REACTIVATE) == "Active false to true"


def test_a_record_of_another_organization_is_led_to_another_oid(accepted, editor):
    Organization.objects.update(foreign_since=clock.now(), foreign_name="Boston General")
    page = page_of(accepted, editor)
    assert (page.sentences, page.compared) == ((), "")
    (obstacle, *_) = page.obstacles
    assert (obstacle.step, obstacle.url.endswith("/edit/#identity")) == ("Give it another OID", True)


def test_who_reads_a_review_is_not_named_for_the_edits_of_others(accepted, editor, second):
    page = page_of(edited(accepted, editor, name="Lakeside North"), second)
    assert page.changed_group == "This message changes 1 field"
