"""The tabs of a record, and the pages before discarding and withdrawing, built without a client."""

import datetime
from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from organizations.models import (
    AuditEntry,
    EnvironmentGate,
    Evidence,
    Organization,
    Presence,
    State,
    Submission,
    User,
    clock,
)
from organizations.pages.differences import difference_rows as differences_page
from organizations.pages.record import act_pages, page, summary
from organizations.records import ContactRecord
from organizations.services.directory import differences
from organizations.services.records import counterparts, organizations
from organizations.text import freshness
from organizations.text.markup import written
from tests import factories
from tests.changes import load, save_edit, store_empty_reading, store_reading_with
from tests.factories import BASE, as_actor
from tests.page_text import controls_in, html_of_page, text_in, text_of_page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]

HERE = f"/staging/organizations/{BASE}/"


def values(organization: Organization) -> summary.RecordValues:
    return summary.record_values(load(organization))


def html(organization: Organization, user: User) -> str:
    return html_of_page(page.build(load(organization), user))


# Directory status ------------------------------------------------------------------------------------------

EVIDENCE = {
    Evidence.ANSWER: ("Redox accepted submission {n}, ", "Redox accepted the last message", "Accepted by Redox"),
    Evidence.QUERY: (
        "A Query showed the values of submission {n}, ",
        "A Query showed the values",
        "Accepted by Query",
    ),
    Evidence.BOTH: (
        "Redox's answer and a Query together show that submission {n} arrived, ",
        "Redox's answer and a Query together",
        "Accepted by Redox and Query",
    ),
    Evidence.PERSON: (
        "Approver One decided that submission {n} arrived, ",
        "Approver One decided that",
        "Accepted by decision",
    ),
    Evidence.EQUIVALENT: (
        "A Query showed something equivalent to submission {n}, ",
        "A Query showed values that mean the same",
        "Accepted, equivalent by Query",
    ),
}


def test_the_directory_status_names_its_evidence(accepted):
    Submission.objects.update(decided_by="Approver One", state_reason="Ticket 7.")
    for evidence, (line, sentence, heading) in EVIDENCE.items():
        Submission.objects.update(evidence=evidence)
        Organization.objects.update(confirmed_evidence=evidence)
        head = summary.record_head(load(accepted))
        basis = strip_tags(head.basis)
        assert basis.startswith(line.format(n=accepted.confirmed_submission_id))
        assert (": Ticket 7." in basis) == (evidence == Evidence.PERSON)
        assert (head.standing.word, head.standing_sentence[: len(sentence)]) == ("Active", sentence)
        assert summary.record_values(load(accepted)).accepted_heading == heading


def test_an_unknown_submission_promises_only_what_its_row_says(organization, editor):
    later = clock.now() + datetime.timedelta(days=40)
    factories.submission(organization, user=editor)
    factories.change_submissions(state=State.UNKNOWN, attempt=1, not_before=later)

    def promise() -> str:
        (box,) = summary.record_head(load(organization)).boxes
        return box.sentence

    assert f"The portal asks the directory at {written(later, 'day')}" in promise()
    Submission.objects.update(not_before=clock.now())
    assert "<time" not in promise()
    gate = EnvironmentGate.objects.filter(pk="staging")
    gate.update(hold_until=clock.now() + datetime.timedelta(minutes=9))
    assert ("<time" in promise(), "&lt;" in promise()) == (True, False)
    gate.update(stopped_at=clock.now(), stopped_reason="No credential")
    assert promise().endswith("STAGING is stopped: No credential.")


# The columns ------------------------------------------------------------------------------------------------


def test_the_directory_has_a_column_only_if_it_was_read_later(organization, editor):
    assert values(organization).fields.columns == 1
    store_empty_reading(organization)
    factories.accept(organization, submission=factories.submission(organization, user=editor))
    shown_values = values(organization)
    assert (shown_values.fields.columns, shown_values.is_accepted, shown_values.is_read) == (2, True, False)
    assert shown_values.note == "The portal has not read this record from the directory since it was accepted."
    store_reading_with(organization)
    shown_values = values(organization)
    assert (shown_values.fields.columns, shown_values.is_read, shown_values.note, shown_values.count) == (
        3,
        True,
        "",
        0,
    )


def test_the_page_says_why_the_directory_has_no_column(accepted):
    assert values(accepted).note == "No Query for this record has been answered."
    store_empty_reading(accepted)
    assert "the directory did not show it yet" in values(accepted).note
    factories.accept(accepted, name="Lakeside South")
    store_empty_reading(accepted)
    shown_values = values(accepted)
    assert (shown_values.is_read, bool(shown_values.note)) == (False, True)


def test_a_reading_from_before_the_acceptance_is_a_note_and_not_a_difference(accepted, editor):
    save_edit(accepted, editor, name="Lakeside South")
    factories.accept(accepted, submission=factories.submission(accepted, user=editor))
    organization = store_reading_with(accepted, name="Lakeside North")
    assert (organization.not_visible_yet, organization.differs) == (True, 0)
    assert not values(accepted).is_read
    assert "still showed what was there before the last acceptance" in values(accepted).note
    content = differences_page.differences_content(organization)
    assert content.heading == "Lakeside South: the directory does not show the last acceptance yet"
    assert content.block_reason.startswith(
        "When it was last asked, the directory did not show the last acceptance yet."
    )
    Organization.objects.filter(pk=accepted.pk).update(presence=Presence.ABSENT)
    assert not freshness.lags(load(accepted))  # Redox answered that the OID does not exist


def test_values_taken_from_the_directory_are_the_side_to_compare_with(accepted, editor):
    version = store_reading_with(accepted, name="Lakeside (North)").version
    differences.take_directory_values(accepted.pk, version, reason="Theirs", actor=as_actor(editor))
    shown_values = values(accepted)
    assert (shown_values.accepted_heading, shown_values.accepted_submission, shown_values.count) == (
        "Accepted or taken",
        None,
        0,
    )


def test_values_of_an_open_submission_are_not_called_unsent(accepted, editor):
    save_edit(accepted, editor, name="Lakeside South")
    assert values(accepted).ahead_tag == "not sent"
    submission = factories.submission(accepted, user=editor)
    assert values(accepted).ahead_tag == "not sent"
    of_row = Submission.objects.filter(pk=submission.pk)
    of_row.update(state=State.UNKNOWN, sent_at=clock.now())
    assert values(accepted).ahead_tag == "not accepted yet"
    of_row.update(state=State.REJECTED, wanted_hash=load(accepted).wanted_hash)
    assert values(accepted).ahead_tag == "rejected"
    save_edit(accepted, editor, name="Lakeside West")
    assert values(accepted).ahead_tag == "not sent"


def test_an_added_contact_counts_as_one_field_everywhere(accepted, editor):
    desk = ContactRecord(purpose="Operations", name="Desk", work_phone="+16085550100")
    organization = save_edit(accepted, editor, contacts=(*accepted.record().contacts, desk))
    assert values(accepted).count == 1
    (box,) = summary.record_head(organization).boxes
    assert box.sentence.startswith("1 field is saved here and not sent: Contact 2 (")


# The summary as HTML ----------------------------------------------------------------------------------------


def test_the_page_of_a_record_that_was_never_sent(organization, editor):
    page_html = html(organization, editor)
    assert '<span class="env env-staging">' in page_html.partition('aria-label="Path"')[2].partition("</nav>")[0]
    offered = controls_in(page_html)
    assert offered["Edit"] == f"{HERE}edit/"
    assert offered["Review and send"] == f"{HERE}review/"
    assert offered["Withdraw"] == f"{HERE}withdraw/"
    assert offered["Send this branch"] == f"/staging/plans/new/?branch={BASE}"
    assert offered.keys().isdisjoint({"Deactivate", "Reactivate", "Discard", "Ask the directory"})
    assert page_html.count("btn-primary") == 1
    text = text_in(page_html)
    for said in (
        "Nothing is part of this record.",
        "No record is linked.",
        "by Editor One. Nothing else yet.",
        "The Redox gateway",
        "Kind of record",
        "Redox cannot show this field.",
    ):
        assert said in text
    assert "Accepted by Redox" not in text


def test_an_accepted_record_offers_to_edit_and_deactivate(accepted, editor):
    page_html = html(accepted, editor)
    offered = controls_in(page_html)
    assert offered["Deactivate"] == f"{HERE}deactivate/"
    assert offered["Ask the directory"] == ""
    number = accepted.confirmed_submission_id
    assert offered[f"submission {number}"] == f"/staging/submissions/{number}/"
    assert "Withdraw" not in offered
    assert ('class="todo"' in page_html, "btn-primary" in page_html) == (False, False)


def test_a_viewer_sees_each_button_disabled_with_the_reason(organization, editor, viewer):
    page_html = html(organization, viewer)
    assert [act for act in ("edit", "review", "withdraw", "plans") if f"/{act}/" in page_html] == []
    controls = controls_in(page_html)
    acts = ["Edit", "Add a record below", "Add another like this", "Send this branch", "Withdraw", "Review and send"]
    acts += ["Prepare in PRODUCTION", "Link an existing record"]
    assert {act: controls[act] for act in acts} == dict.fromkeys(acts)
    factories.accept(organization, active=False)
    save_edit(organization, editor, name="Lakeside South")
    tab = page.build(load(organization), viewer)
    controls = controls_in(html_of_page(tab))
    acts = ["Edit", "Reactivate", "Discard", "Ask the directory"]
    assert {act: controls[act] for act in acts} == dict.fromkeys(acts)
    assert tab.edit_block_reason == "You cannot edit records in STAGING. Editors and Approvers can: Editor One."
    assert tab.deactivate_block_reason.startswith("You cannot reactivate records in STAGING.")
    assert tab.send_block_reason.startswith("You cannot send a branch in STAGING.")
    assert tab.ask_block_reason.startswith("You cannot ask the directory in STAGING.")


def test_an_editor_reads_who_deactivates_in_production(editor):
    production = factories.accepted_organization(user=editor, environment="production")
    tab = page.build(load(production), editor)
    assert tab.deactivate_block_reason == "You cannot deactivate records in PRODUCTION. Approvers can: nobody yet."
    assert (tab.edit_block_reason, controls_in(html_of_page(tab))["Deactivate"]) == ("", None)


def test_a_deactivated_record_can_be_reactivated_and_gets_no_children(organization, editor):
    factories.accept(organization)
    assert html(organization, editor).count(f'?below={BASE}">Add a record below') == 2
    factories.accept(organization, active=False)
    offered = controls_in(html(organization, editor))
    assert offered["Reactivate"] == f"{HERE}reactivate/"
    assert offered.keys().isdisjoint({"Deactivate", "Add a record below"})


def test_a_changed_destination_and_parent_are_shown_in_full(editor):
    first, second = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41", "1c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"
    region = factories.organization(f"{BASE}.8", user=editor, name="North Region")
    organization = factories.accepted_organization(user=editor, destination_id=first)
    save_edit(organization, editor, destination_id=second, part_of_oid=region.oid)
    page_html = html(organization, editor)
    for destination in (first, second):
        assert f'data-copy="{destination}" aria-label="Copy the destination ID"' in page_html
    for parent in (region.oid, organization.part_of_oid):
        assert f'data-copy="{parent}" aria-label="Copy the OID of the parent"' in page_html
    assert "Redox cannot show this field; only what we sent is known." in page_html
    assert controls_in(page_html)["North Region"] == f"/staging/organizations/{region.oid}/"


def test_each_field_that_differs_in_the_directory_is_shown(accepted, viewer):
    assert "Directory differs" not in html(accepted, viewer)
    store_reading_with(accepted, name="<b>By hand\u202e</b>", aliases=("<i>x</i>",))
    page_html = html(accepted, viewer)
    assert "Directory differs" in page_html
    assert '<td class="adrift" data-label="Directory"><span>&lt;b&gt;By hand\\u202E&lt;/b&gt;</span>' in page_html
    assert 'class="tag is-unsure"' in page_html
    assert controls_in(page_html)["Decide"] == f"{HERE}differences/"
    assert ("<i>x" in page_html, "\u202e" in page_html) == (False, False)


def test_children_and_counterpart_are_beside_the_fields(editor, viewer):
    company = factories.organization(user=editor, name="Lakeside Clinics")
    children = [
        factories.organization(f"{BASE}.{number}", user=editor, name=f"Location {number}", part_of_oid=BASE)
        for number in range(1, 12)
    ]
    twin = factories.organization(f"{BASE}.9.9", user=editor, environment="production", name="Lakeside in earnest")
    counterparts.link(company, twin, actor=as_actor(editor))
    tab = page.build(load(company), viewer)
    names = [row.organization.name for row in tab.around.children]
    assert (names, tab.around.children_count) == ([f"Location {number}" for number in range(1, 11)], 11)
    offered = controls_in(html_of_page(tab))
    assert offered["All below"] == f"/staging/organizations/?below={BASE}"
    assert offered["Lakeside in earnest in PRODUCTION"] == f"/production/organizations/{twin.oid}/"
    assert ("Lakeside Clinics", HERE) in page.build(load(children[0]), viewer).head.path


def test_the_environment_switch_leads_to_the_counterpart_from_each_page(organization, editor):
    def switches() -> set[str]:
        row = load(organization)
        tabs = (
            page.build(row, editor),
            page.build_submissions(row, editor, None),
            page.build_history(row, editor, None),
            act_pages.build_discard(row),
            act_pages.build_withdraw(row),
        )
        return {each.switch_url for each in tabs}

    assert switches() == {f"{HERE}counterpart/"}
    twin = factories.organization(f"{BASE}.9", user=editor, environment="production")
    counterparts.link(organization, twin, actor=as_actor(editor))
    assert switches() == {f"/production/organizations/{twin.oid}/"}


# Submissions and history ------------------------------------------------------------------------------------


def test_the_submissions_are_listed_with_their_outcome(accepted, editor, viewer, monkeypatch):
    newer = factories.submission(save_edit(accepted, editor, name="Lakeside South"), user=editor)
    monkeypatch.setattr(page, "ROWS_A_PAGE", 1)
    assert [each for each, _ in page.build_submissions(load(accepted), viewer, None).rows] == [newer]
    tab = page.build_submissions(load(accepted), viewer, "2")
    ((submission, word),) = tab.rows
    assert (submission.pk, word.word) == (accepted.confirmed_submission_id, "Accepted by Redox")
    page_html = html_of_page(tab)
    assert controls_in(page_html)[f"Submission {submission.pk}"] == f"/staging/submissions/{submission.pk}/"
    assert 'aria-current="page">Submissions' in page_html


def test_a_record_without_submissions_says_so(organization, viewer):
    assert "This record has no submissions." in text_of_page(page.build_submissions(load(organization), viewer, "7"))


def test_the_history_shows_every_entry_and_pages_to_older_ones(accepted, viewer):
    entries = AuditEntry.objects.filter(organization_id=accepted.pk)
    page_html = html_of_page(page.build_history(load(accepted), viewer, None))
    assert page_html.count('aria-label="Entry ') == entries.count()
    assert 'aria-current="page">History' in page_html
    oldest = entries.order_by("sequence")[0].sequence
    tab = page.build_history(load(accepted), viewer, oldest)
    assert (tab.stories.days, "older entries" in text_of_page(tab)) == ([], True)


# Discard and withdraw ---------------------------------------------------------------------------------------


def test_before_discarding_the_page_shows_what_is_lost(accepted, editor):
    question = act_pages.build_discard(save_edit(accepted, editor, name="Lakeside South"))
    (change,) = question.changes
    assert (change.label, change.before, change.after) == ("Name", "Lakeside North", "Lakeside South")
    assert [name for name, _ in question.path] == ["Organizations", "Lakeside South", "Discard"]
    assert (question.last, question.last_at) == ("accepted", accepted.confirmed_at)
    text = text_of_page(question)
    assert "Discard 1 saved change? The record goes back to what was last accepted (" in text
    assert "The changes stay in the history." in text
    version = store_reading_with(accepted, name="Lakeside (North)").version
    differences.take_directory_values(accepted.pk, version, reason="Theirs", actor=as_actor(editor))
    question = act_pages.build_discard(save_edit(accepted, editor, name="Lakeside West"))
    assert (question.last, question.last_at) == ("taken from the directory", load(accepted).known_at)


def test_the_page_says_if_there_is_nothing_to_discard(organization, editor):
    question = act_pages.build_discard(organization)
    assert question.block_reason == "This record was never accepted, so there is nothing to go back to."
    assert (question.block_reason in text_of_page(question), "<form" in html_of_page(question)) == (True, False)
    factories.accept(organization)
    assert "There is nothing to discard." in text_of_page(act_pages.build_discard(load(organization)))
    factories.submission(save_edit(organization, editor, name="Lakeside South"), user=editor)
    question = act_pages.build_discard(load(organization))
    assert (question.changes, question.block_reason in text_of_page(question)) == ([], True)


def test_before_withdrawing_the_page_says_what_happens_to_record_and_link(organization, editor):
    text = text_of_page(act_pages.build_withdraw(organization))
    assert "It disappears from the lists; its history stays and its OID becomes free again." in text
    assert "Its link with" not in text
    twin = factories.organization(f"{BASE}.9", user=editor, environment="production", name="Lakeside Nord")
    counterparts.link(organization, twin, actor=as_actor(editor))
    question = act_pages.build_withdraw(load(organization))
    assert "Its link with Lakeside Nord in PRODUCTION is removed." in text_of_page(question)
    assert controls_in(html_of_page(question))["Lakeside Nord in PRODUCTION"].endswith(f"/{BASE}.9/")  # type: ignore[union-attr]


def test_a_record_with_children_or_submissions_cannot_be_withdrawn(organization, editor):
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    question = act_pages.build_withdraw(organization, "Saved meanwhile.")
    assert question.block_reason
    assert (question.problem, "<form" in html_of_page(question)) == ("", False)
    factories.submission(organization, user=editor)
    block_reason = act_pages.build_withdraw(load(organization)).block_reason
    assert block_reason == "A submission of this record was made, so it cannot be withdrawn."


def test_a_problem_is_named_in_the_title(organization, editor):
    for question in (act_pages.build_discard(organization, "Saved."), act_pages.build_withdraw(organization, "Saved.")):
        text = text_of_page(question)
        assert text.startswith("Error: ")
        assert "There is a problem Saved." in text
        assert not text_of_page(replace(question, problem="")).startswith("Error")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("message", "From an old message."),
        ("dashboard", "From the Redox dashboard."),
        ("memory", "From somebody's memory."),
        ("none", "none Somebody said that it has none."),
    ],
)
def test_a_destination_id_that_a_person_said_names_its_source(organization, editor, source, said):
    destination = "" if source == "none" else "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"
    Organization.objects.update(destination_source=source, destination_id=destination)
    assert f"{said} Redox cannot show this field." in text_of_page(page.build(load(organization), editor))
    compared = store_reading_with(organization)
    row = text_of_page(page.build(compared, editor)).partition("Destination ID")[2].partition("PartOf")[0]
    assert (row.count(said), row.count("Redox cannot show this field")) == (1, 1)


@pytest.mark.parametrize("is_read_again", [False, True])
def test_a_destination_id_that_a_person_said_is_not_a_difference(editor, is_read_again):
    """It does not count as a change of ours, and the directory never shows it."""
    directory = replace(factories.record(), destination_known=False)
    taken = factories.seen_organization(directory, user=editor)
    said = replace(directory, destination_id="9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41", destination_known=True)
    organizations.edit(taken.pk, 1, said, stands_for="", destination_source="memory", actor=as_actor(editor))
    if is_read_again:
        store_reading_with(taken, name="By hand")
    assert [row.label for row in values(taken).fields.differing] == ["Name"] * is_read_again
    row = text_of_page(page.build(load(taken), editor)).partition("Destination ID")[2].partition("Contact 1")[0]
    assert "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41 From somebody's memory. Redox cannot show this field" in row
    assert (row.count("Redox cannot show this field"), "not known" in row, "not sent" in row) == (1, False, False)
    submission = factories.submission(load(taken), user=editor)
    factories.accept(taken, submission=submission)
    (destination,) = (
        row for group in values(taken).fields.groups for row in group.rows if row.field == "destination_id"
    )
    assert (destination.is_said, destination.accepted) == (False, (said.destination_id,))


def test_a_destination_id_that_was_entered_here_has_no_source(organization, editor):
    assert values(organization).destination_source == ""
