"""The page that deactivates or reactivates a record: what is sent, where its values come from, what blocks it."""

import datetime
from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from organizations.forms.deactivation import Replacement
from organizations.models import AuditEntry, Environment, Evidence, Intent, Organization, PlanKind, User, clock
from organizations.pages.deactivation import page as deactivation_page
from organizations.pages.deactivation.page import DeactivationPage
from organizations.pages.deactivation.replacement import read_replacement
from organizations.pages.plan import draft
from organizations.records import AddressRecord
from organizations.services.directory import differences
from organizations.services.review import plan_draft, reviews
from tests import factories
from tests.changes import load, save_edit, store_reading_with
from tests.factories import BASE, as_actor
from tests.page_text import controls_in, html_of_page, text_of_page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]

HERE = f"/staging/organizations/{BASE}/"


def page(organization: Organization, user: User, intent: Intent = Intent.DEACTIVATE) -> DeactivationPage:
    return deactivation_page.build(reviews.review(load(organization), intent=intent), user)


def create_deactivated(user: User, evidence: Evidence = Evidence.ANSWER) -> Organization:
    """An accepted record whose deactivation was accepted on this evidence."""
    organization = factories.accept(factories.organization(user=user))
    submission = factories.submission(organization, user=user, intent=Intent.DEACTIVATE, reason="Lease ended")
    return factories.accept(organization, submission=submission, evidence=evidence, active=False)


def done_sentence(organization: Organization, user: User) -> str:
    return strip_tags(page(organization, user).act.done)


# What happens -----------------------------------------------------------------------------------------------


def test_the_page_says_what_happens_and_what_is_sent(accepted, editor):
    page_data = page(accepted, editor)
    text, html = text_of_page(page_data), html_of_page(page_data)
    assert text.startswith("Deactivate, Lakeside 1 | STAGING | orgportal")
    assert "Redox gets an Update with Active = false. " in text
    assert "Nothing is erased: Redox has no delete. You can reactivate it here." in text
    assert '"Active": false' in text
    controls = controls_in(html)
    assert (controls["Deactivate in STAGING"], controls["Keep it active"]) == ("", HERE)
    assert ("btn-danger" in html, "Type the name" in text) == (True, False)
    assert 'data-hx-get="/staging/organizations/suggestions/"' in html
    assert '<datalist id="parents"></datalist>' in html


def test_the_page_says_that_reactivation_is_not_documented(editor):
    page_data = page(create_deactivated(editor), editor, Intent.REACTIVATE)
    text, html = text_of_page(page_data), html_of_page(page_data)
    assert "Redox gets an Update with Active = true. " in text
    assert "Redox does not document reactivation" in text
    assert controls_in(html)["Reactivate in STAGING"] == ""
    assert ("replaced_by" in html, page_data.act.done) == (False, "")


def test_in_production_the_name_must_be_typed_and_an_editor_cannot_send(editor):
    organization = factories.accepted_organization(
        user=editor, environment="production", name="<script>alert(1)</script>"
    )
    html = html_of_page(page(organization, editor))
    assert controls_in(html)["Deactivate in PRODUCTION"] is None
    assert "Type: <b>&lt;script&gt;alert(1)&lt;/script&gt;</b>. Upper and lower case" in html
    assert "<script>alert" not in html
    assert page(organization, editor).block_reason == "You cannot send to PRODUCTION. Approvers can: nobody yet."


def test_saved_changes_are_not_sent_and_are_named(accepted, editor):
    before = accepted.record()
    middleton = AddressRecord(city="Middleton", zip_code="53562")
    save_edit(accepted, editor, address=middleton, destination_id="9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41")
    page_data = page(accepted, editor)
    sentence = (
        "7 saved changes (Destination ID, Street, City, County, State, ZIP, Country) are not sent. They stay saved."
    )
    assert sentence in text_of_page(page_data)
    for intent, active in ((Intent.DEACTIVATE, False), (Intent.REACTIVATE, True)):
        assert reviews.review(load(accepted), intent=intent).record == replace(before, active=active)


def test_an_overwritten_value_of_the_directory_is_named_with_a_checkbox(accepted, editor):
    store_reading_with(accepted, name="Lakeside (One)")
    text = text_of_page(page(accepted, editor))
    assert "Also overwritten in the directory" in text
    assert "Lakeside (One)" in text
    assert "Please confirm 1" in text


def test_the_page_says_that_the_counterpart_stays_unchanged(accepted, editor):
    production = factories.accepted_organization(f"{BASE}.2", user=editor, environment="production")
    Organization.objects.filter(pk=production.pk).update(staging_record=accepted)
    assert "Also active in STAGING as Lakeside 1." in text_of_page(page(production, editor))
    assert "Also active in PRODUCTION as Lakeside 2." in text_of_page(page(accepted, editor))
    factories.accept(production, active=False)
    assert page(accepted, editor).act.counterpart is None


def test_old_values_are_listed_before_a_reactivation(editor):
    organization = create_deactivated(editor)
    assert page(organization, editor, Intent.REACTIVATE).act.old_values == []
    AuditEntry.objects.update(at=clock.now() - datetime.timedelta(days=181))
    (old,) = page(organization, editor, Intent.REACTIVATE).act.old_values
    assert old.labels[-3:] == ["State", "ZIP", "Country"]
    text = text_of_page(page(organization, editor, Intent.REACTIVATE))
    assert "These values are older than 180 days and are sent again as they are." in text


# Already deactivated, and the evidence ----------------------------------------------------------------------


def test_the_page_names_the_evidence_of_the_deactivation(editor):
    organization = create_deactivated(editor, Evidence.QUERY)
    assert page(organization, editor).act.is_done
    number = organization.confirmed_submission_id
    assert done_sentence(organization, editor).startswith("Deactivated ")
    sentence = done_sentence(organization, editor)
    assert f" by Editor One: Lease ended. A Query showed the values of submission {number}, " in sentence
    update = factories.submission(organization, user=editor, reason="New name")
    organization = factories.accept(organization, submission=update, active=False)
    assert done_sentence(organization, editor) == sentence
    assert controls_in(html_of_page(page(organization, editor)))["Reactivate"] == f"{HERE}reactivate/"


def test_active_taken_from_the_directory_is_not_called_accepted(accepted, editor):
    version = store_reading_with(accepted, active=False).version
    differences.take_directory_values(accepted.pk, version, reason="Closed", actor=as_actor(editor))
    assert page(accepted, editor).act.is_done
    assert done_sentence(accepted, editor).startswith("Taken from ")


@pytest.mark.parametrize("intent", [Intent.REACTIVATE, None])
def test_a_deactivation_before_an_active_state_is_not_the_evidence(editor, intent):
    organization = create_deactivated(editor)
    Organization.objects.update(active=True)
    organization = factories.accept(
        organization, submission=factories.submission(organization, user=editor, intent=intent), active=True
    )
    Organization.objects.update(active=False)
    update = factories.submission(organization, user=editor)
    organization = factories.accept(organization, submission=update, active=False)
    assert done_sentence(organization, editor).startswith(f"Redox accepted submission {update.pk}, ")


def test_a_blocked_page_has_no_form_and_links_to_the_cause(accepted, editor):
    save_edit(accepted, editor, name="Lakeside North")
    submission = factories.submission(accepted, user=editor)
    html = html_of_page(page(accepted, editor))
    assert f'href="/staging/submissions/{submission.pk}/"' in html
    assert '<form id="deactivation"' not in html


def test_a_record_that_was_never_accepted_is_not_called_deactivated(editor):
    page_data = page(factories.organization(user=editor), editor)
    assert (page_data.act.is_blocked, page_data.act.is_done, page_data.act.done) == (True, False, "")


def test_a_child_of_a_deactivated_parent_cannot_be_reactivated(editor):
    create_deactivated(editor)
    child = factories.accept(factories.organization(f"{BASE}.5", user=editor, part_of_oid=BASE), active=False)
    text = text_of_page(page(child, editor, Intent.REACTIVATE))
    assert "Its parent Lakeside 1" in text


# Where the other values come from ---------------------------------------------------------------------------


def _accepted(user: User) -> Organization:
    return factories.accept(factories.organization(user=user))


def _taken(user: User) -> Organization:
    organization = store_reading_with(_accepted(user), name="By hand")
    return differences.take_directory_values(organization.pk, organization.version, reason="Seen", actor=as_actor(user))


def _claimed(user: User) -> Organization:
    organization = store_reading_with(factories.organization(user=user))
    return differences.decide_ours(organization.pk, reason="Ours", actor=as_actor(user))


def _stated(user: User) -> Organization:
    return factories.stated_organization(user=user)


@pytest.mark.parametrize(
    ("arrange", "says", "dated_by"),
    [
        (_accepted, "as it was last accepted", "confirmed_at"),
        (_taken, "as it was last accepted, with what was taken from the directory", "known_at"),
        (_claimed, "with the saved destination ID, and as the directory showed it", "seen_at"),
        (_stated, "as it is saved here, because the portal knows no other values", ""),
    ],
)
def test_the_page_says_where_the_other_values_come_from(editor, arrange, says, dated_by):
    organization = load(arrange(editor))
    assert page(organization, editor).act.source == (says, getattr(organization, dated_by) if dated_by else None)
    plan = draft.draft_content(
        plan_draft.draft_plan(plan_draft.choose_branch(organization, PlanKind.DEACTIVATE), actor=as_actor(editor))
    )
    assert plan.sources == says


def test_saved_changes_of_a_claimed_record_are_called_unsent(editor):
    organization = store_reading_with(factories.organization(user=editor), name="By hand")
    differences.decide_ours(organization.pk, reason="Registered with curl", actor=as_actor(editor))
    assert (page(organization, editor).act.name, page(organization, editor).act.not_sent) == ("By hand", ("Name",))


# What replaces it -------------------------------------------------------------------------------------------


def test_only_another_active_record_of_the_environment_can_replace_it(accepted, editor):
    factories.organization(f"{BASE}.5", user=editor, name="Lakeside Pier")
    factories.organization(f"{BASE}.6", user=editor, environment="production", name="Lakeside Quay")
    factories.accept(factories.organization(f"{BASE}.7", user=editor, name="Lakeside Cove"), active=False)

    def replacement(typed: str) -> Replacement | str:
        return read_replacement(Environment.STAGING, typed, without=[accepted.pk])

    pier = Replacement("Lakeside Pier", f"{BASE}.5")
    assert (replacement(f"urn:oid:{BASE}.5"), replacement("lakeside pier")) == (pier, pier)
    not_ours = "This does not name exactly one other record of yours in STAGING."
    for typed in ("Nowhere", BASE, "\x00" * 10_000):
        assert replacement(typed) == f"{not_ours} Enter its OID, or its name."
    elsewhere = f"{BASE}.6 is Lakeside Quay in PRODUCTION."
    assert replacement(f"{BASE}.6") == f"{not_ours} {elsewhere} Enter its OID, or its name."
    assert replacement(f"{BASE}.7") == "Lakeside Cove is deactivated as well. Name an active record."


def test_the_page_says_that_the_message_waits_for_another(editor):
    factories.submission(factories.stated_organization(f"{BASE}.1", user=editor), user=editor)
    shown = page(load(factories.stated_organization(f"{BASE}.2", user=editor)), editor)
    assert "of Lakeside 1 must be accepted first" in shown.content.waits
    assert "the message waits" in text_of_page(shown)
