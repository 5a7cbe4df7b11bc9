"""The content of a review: three values of each field, what is overwritten, and the evidence of the comparison."""

import datetime
from dataclasses import replace

import pytest

from organizations.models import Evidence, Organization, Presence, clock
from organizations.pages.review import message as shown
from organizations.records import AddressRecord, ContactRecord
from organizations.services.directory import differences
from organizations.services.outbox import submissions
from organizations.services.records import directory_state, organizations
from organizations.services.review import reviews
from organizations.text import freshness
from tests import factories
from tests.changes import load
from tests.factories import as_actor
from tests.views.history import save_edit

pytestmark = pytest.mark.django_db

SHORE = AddressRecord(street="1 Shore Rd", city="Madison", state="WI", zip_code="53704", county="Dane", country="USA")


def read(organization, record, *, asked_at=None):
    """The record after the directory answered with this content."""
    directory_state.store_reading(load(organization), record, asked_at or clock.now())
    return load(organization)


def page_of(organization, user, **values):
    return shown.review_content(reviews.review(load(organization), actor=as_actor(user)), **values)


class TestThreeValues:
    def test_a_changed_field_is_beside_the_value_of_the_directory(self, accepted, editor):
        read(accepted, accepted.record())
        page = page_of(save_edit(accepted, editor, name="Lakeside North"), editor)
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
        page = page_of(save_edit(accepted, editor, address=replace(SHORE, state="MN")), editor)
        (row,) = page.rows
        assert (row.accepted, row.directory.text, row.directory.note, row.sent) == ("WI", "wi", "equivalent", "MN")

    def test_a_field_that_a_query_does_not_show_says_so(self, accepted, editor):
        read(accepted, accepted.record())
        changed = save_edit(accepted, editor, destination_id="0d5b4ea9-8b0e-4d1c-9f7e-3a5c1f2b6d70")
        (row,) = page_of(changed, editor).rows
        assert (row.directory.only_note, row.directory.note) == (True, "a Query does not show it")

    def test_without_a_reading_the_directory_has_no_column(self, accepted, editor):
        page = page_of(save_edit(accepted, editor, name="Lakeside North"), editor)
        assert (page.directory_heading, page.columns) == ("", 4)
        assert page.unchanged_words.endswith("unchanged")
        assert page.freshness.sentence == "No Query for this record has been answered."

    def test_an_overwritten_value_has_a_checkbox_in_its_row(self, accepted, editor):
        read(accepted, replace(accepted.record(), name="Lakeside (One)"))
        organization = save_edit(accepted, editor, address=replace(SHORE, street="2 Shore Rd"))
        page = page_of(organization, editor)
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
        assert page_of(organization, editor, ticked=[row.tick]).unticked == ()
        assert page_of(organization, editor, missing=[row.tick]).box_errors == [
            (f"id_tick-{row.tick}", "Name: Tick Overwrite, or take the directory's value.")
        ]

    def test_an_error_repeats_the_whole_text_of_its_checkbox(self, accepted, editor, second):
        desk = replace(accepted.record().contacts[0], name="Desk, main", work_phone="+16085550177")
        changed = save_edit(accepted, second, contacts=(desk,), name="Lakeside & Sons")
        questions = page_of(changed, editor).questions
        assert "Name, Contact name of contact 1, Work phone of contact 1 (Editor Two, " in questions[0].text
        errors = page_of(changed, editor, missing=[each.key for each in questions]).box_errors
        texts = [(f"id_tick-{each.key}", each.text) for each in questions]
        assert [(anchor, error.removeprefix("Tick: ")) for anchor, error in errors] == texts

    def test_an_error_asks_for_its_tick_once(self):
        for text in ("No destination ID.", "Others changed this. Tick to send it now."):
            assert shown.WarningBox("key", text, ticked=False, error="x").problem.count("Tick") == 1

    def test_no_author_is_named_for_a_value_of_the_directory(self, accepted, editor):
        page = page_of(read(accepted, replace(accepted.record(), name="Lakeside (One)")), editor)
        assert (page.review.nothing_differs, page.review.needs_reason) == (False, False)
        assert page.overwritten_group.startswith("You overwrite 1 value that the directory shows (the first difference")
        assert "somebody" not in page.overwritten_group

    def test_a_person_who_edited_the_same_field_is_named(self, accepted, editor):
        read(accepted, replace(accepted.record(), name="Lakeside (One)"))
        (row,) = page_of(save_edit(accepted, editor, name="Lakeside North"), editor).overwritten
        assert (row.accepted, row.directory.text, row.sent) == ("Lakeside 1", "Lakeside (One)", "Lakeside North")
        assert row.by.startswith("Editor One, ")

    def test_the_author_of_another_contact_is_not_named(self, accepted, editor):
        (first,) = accepted.record().contacts
        second = ContactRecord(purpose="Technical", name="Front office", work_phone="+16085550120")
        organization = factories.accept(save_edit(accepted, editor, contacts=(first, second)))
        read(organization, replace(organization.record(), contacts=(first, replace(second, work_phone="+14145550120"))))
        changed = save_edit(organization, editor, contacts=(replace(first, work_phone="+16085550151"), second))
        page = page_of(changed, factories.UserFactory(role="editor"))
        assert [(row.label, row.by) for row in page.overwritten] == [("Contact 2, Work phone", "")]
        (others,) = [each.text for each in page.questions]
        assert "1 change made by others: Work phone of contact 1 (Editor One" in others

    def test_no_field_of_an_added_contact_is_called_unchanged(self, accepted, editor):
        organization = save_edit(
            accepted, editor, contacts=(*accepted.record().contacts, ContactRecord(name="Front office"))
        )
        assert not any(each.field.startswith("contacts.1") for each in page_of(organization, editor).unchanged)

    def test_another_spelling_is_called_that(self, accepted, editor):
        page = page_of(read(accepted, replace(accepted.record(), address=replace(SHORE, country="US"))), editor)
        assert page.sentences == (
            "Only the spelling of 1 value differs, which means the same. There is nothing to send.",
        )
        assert [(row.label, row.directory.text, row.sent) for row in page.equivalent] == [("Country", "US", "USA")]
        assert "Country" not in [each.label for each in page.unchanged]

    def test_a_value_taken_from_the_directory_is_not_called_accepted(self, accepted, editor):
        organization = read(accepted, replace(accepted.record(), name="Lakeside (One)"))
        differences.take_directory_values(
            organization.pk, organization.version, reason="Theirs is right", actor=as_actor(editor)
        )
        page = page_of(save_edit(organization, editor, address=replace(SHORE, street="2 Shore Rd")), editor)
        assert page.accepted_heading.startswith("Accepted or taken ")
        assert page.compared.startswith("Compared with what Redox accepted on ")
        assert ", and with what Editor One took from the directory on " in page.compared


class TestKeys:
    def test_keys_without_a_field_have_no_author(self, accepted, editor):
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
    def test_the_evidence_is_named(self, editor, evidence, says):
        organization = factories.organization(user=editor)
        sent = factories.submission(organization, user=editor)
        organization = factories.accept(organization, submission=sent, evidence=evidence)
        compared = page_of(organization, editor).compared
        assert says in compared
        assert str(sent.pk) in compared
        assert ("Redox accepted" in compared) == (evidence == Evidence.ANSWER)

    def test_a_new_after_an_acceptance_is_compared_with_nothing(self, accepted, editor):
        Organization.objects.update(presence=Presence.ABSENT)
        page = page_of(accepted, editor)
        assert page.review.summary.endswith("registration again")
        assert (page.compared, page.review.before) == ("", None)

    def test_a_record_that_was_only_read_is_compared_with_the_directory(self, editor):
        organization = factories.organization(user=editor)
        Organization.objects.update(presence=Presence.PRESENT, presence_basis="seen")
        page = page_of(read(organization, replace(organization.record(), name="Lakeside (One)")), editor)
        assert page.compared.startswith("Compared with what the directory showed on ")
        assert (page.accepted_heading, page.rows, [row.label for row in page.overwritten]) == ("", (), ["Name"])


class TestFreshness:
    def test_a_later_reading_needs_no_sentence(self, accepted):
        freshness_note = freshness.record_freshness(read(accepted, accepted.record()))
        assert (freshness_note.sentence, freshness_note.is_old) == ("", False)

    def test_a_missing_oid_is_named(self, editor):
        organization = factories.accept(factories.organization(user=editor))
        assert freshness.record_freshness(read(organization, None)).sentence.endswith("did not show this OID.")

    def test_a_reading_before_the_acceptance_is_called_that(self, accepted):
        earlier = clock.now() - datetime.timedelta(days=2)
        freshness_note = freshness.record_freshness(read(accepted, accepted.record(), asked_at=earlier))
        assert (freshness_note.is_old, freshness_note.sentence.endswith("before the last acceptance.")) == (True, True)

    def test_the_content_before_the_acceptance_means_not_visible_yet(self, accepted, editor):
        before = accepted.record()
        changed = save_edit(accepted, editor, name="Lakeside North")
        sent = factories.submission(changed, user=editor)
        organization = read(factories.accept(changed, submission=sent), before)
        sentence = freshness.record_freshness(organization).sentence
        assert sentence.endswith(f"still showed the content from before submission {sent.pk}: not visible yet.")
        assert page_of(organization, editor).overwritten == ()


def test_a_destination_id_that_somebody_said_is_no_change_and_cannot_be_compared(editor):
    shown_record = replace(factories.record(), destination_id="", destination_known=False)
    taken = factories.seen_organization(shown_record, user=editor)
    said = replace(factories.record(), oid=taken.oid, destination_id="0d5b4ea9-8b0e-4d1c-9f7e-3a5c1f2b6d70")
    organizations.edit(taken.pk, 1, said, stands_for="", destination_source="memory", actor=as_actor(editor))
    page = page_of(taken, editor)
    assert page.rows == ()
    assert "No Query shows the destination ID, so it cannot be compared." in page.sentences[-1]
    changed = page_of(save_edit(load(taken), editor, name="Lakeside North"), editor)
    assert [row.field for row in changed.rows] == ["name"]


def test_a_record_with_a_foreign_oid_needs_another_oid(accepted, editor):
    Organization.objects.update(foreign_since=clock.now(), foreign_name="Boston General")
    page = page_of(accepted, editor)
    assert (page.sentences, page.compared) == ((), "")
    (obstacle, *_) = page.obstacles
    assert (obstacle.step, obstacle.url.endswith("/edit/#identity")) == ("Give it another OID", True)


def test_a_reader_is_not_named_as_author_of_the_edits_of_others(accepted, editor, second):
    page = page_of(save_edit(accepted, editor, name="Lakeside North"), second)
    assert page.changed_group == "This message changes 1 field"
