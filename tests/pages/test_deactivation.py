"""The page before a record is deactivated or reactivated: what is sent, whose values those are, what is in the way."""

import datetime
from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from organizations.forms.deactivation import Replacement
from organizations.models import AuditEntry, Environment, Evidence, Intent, Organization, PlanKind, User, clock
from organizations.pages.deactivation import page as deactivation_page
from organizations.pages.deactivation.page import DeactivationPage
from organizations.pages.deactivation.replacing import read_replacement
from organizations.pages.plan import draft
from organizations.records import AddressRecord
from organizations.services.directory import differences
from organizations.services.records import organizations
from organizations.services.review import plan_draft, reviews
from tests import factories
from tests.changes import edited, loaded, shown
from tests.factories import BASE, acting
from tests.page_text import controls_in, html_of_page, text_of_page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]

HERE = f"/staging/organizations/{BASE}/"


def page(made: Organization, user: User, intent: Intent = Intent.DEACTIVATE) -> DeactivationPage:
    return deactivation_page.build(reviews.review(loaded(made), intent=intent), user)


def deactivated(user: User, evidence: Evidence = Evidence.ANSWER) -> Organization:
    """An accepted record, of which a deactivation was accepted on this evidence."""
    made = factories.confirmed(factories.organization(user=user))
    submission = factories.submission(made, user=user, intent=Intent.DEACTIVATE, reason="Lease ended")
    return factories.confirmed(made, submission=submission, evidence=evidence, active=False)


def done(made: Organization, user: User) -> str:
    return strip_tags(page(made, user).shown.done)


# What happens -----------------------------------------------------------------------------------------------


def test_it_says_what_happens_and_what_is_sent(accepted, editor):
    found = page(accepted, editor)
    text, drawn = text_of_page(found), html_of_page(found)
    assert text.startswith("Deactivate, Lakeside 1 | STAGING | orgportal")
    assert "Redox gets an Update with Active = false. " in text
    assert "Nothing is erased: Redox has no delete. You can reactivate it here." in text
    assert '"Active": false' in text
    offered = controls_in(drawn)
    assert (offered["Deactivate in STAGING"], offered["Keep it active"]) == ("", HERE)
    assert ("btn-danger" in drawn, "Type the name" in text) == (True, False)
    assert 'data-hx-get="/staging/organizations/suggestions/"' in drawn
    assert '<datalist id="parents"></datalist>' in drawn


def test_a_reactivation_is_said_not_to_be_documented(editor):
    found = page(deactivated(editor), editor, Intent.REACTIVATE)
    text, drawn = text_of_page(found), html_of_page(found)
    assert "Redox gets an Update with Active = true. " in text
    assert "Redox does not document reactivation" in text
    assert controls_in(drawn)["Reactivate in STAGING"] == ""
    assert ("replaced_by" in drawn, found.shown.done) == (False, "")


def test_in_production_the_name_is_typed_by_who_may_send(editor):
    made = factories.accepted(user=editor, environment="production", name="<script>alert(1)</script>")
    drawn = html_of_page(page(made, editor))
    assert controls_in(drawn)["Deactivate in PRODUCTION"] is None
    assert "Type: <b>&lt;script&gt;alert(1)&lt;/script&gt;</b>. Upper and lower case" in drawn
    assert "<script>alert" not in drawn
    assert page(made, editor).why_not == "You cannot send to PRODUCTION. Approvers can: nobody yet."


def test_saved_changes_stay_behind_and_are_named(accepted, editor):
    before = accepted.record()
    middleton = AddressRecord(city="Middleton", zip_code="53562")
    edited(accepted, editor, address=middleton, destination_id="9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41")
    found = page(accepted, editor)
    named = "7 saved changes (Destination ID, Street, City, County, State, ZIP, Country) are not sent. They stay saved."
    assert named in text_of_page(found)
    for intent, active in ((Intent.DEACTIVATE, False), (Intent.REACTIVATE, True)):
        assert reviews.review(loaded(accepted), intent=intent).record == replace(before, active=active)


def test_a_value_of_the_directory_that_goes_back_is_named_and_ticked(accepted, editor):
    shown(accepted, name="Lakeside (One)")
    text = text_of_page(page(accepted, editor))
    assert "Also overwritten in the directory" in text
    assert "Lakeside (One)" in text
    assert "Please confirm 1" in text


def test_the_counterpart_is_named_as_not_touched(accepted, editor):
    production = factories.accepted(f"{BASE}.2", user=editor, environment="production")
    Organization.objects.filter(pk=production.pk).update(staging_record=accepted)
    assert "Also active in STAGING as Lakeside 1. It is not touched." in text_of_page(page(production, editor))
    assert "Also active in PRODUCTION as Lakeside 2." in text_of_page(page(accepted, editor))
    factories.confirmed(production, active=False)
    assert page(accepted, editor).shown.counterpart is None


def test_old_values_are_listed_before_a_reactivation(editor):
    made = deactivated(editor)
    assert page(made, editor, Intent.REACTIVATE).shown.old_values == []
    AuditEntry.objects.update(at=clock.now() - datetime.timedelta(days=181))
    (old,) = page(made, editor, Intent.REACTIVATE).shown.old_values
    assert old.labels[-3:] == ["State", "ZIP", "Country"]
    text = text_of_page(page(made, editor, Intent.REACTIVATE))
    assert "These values are older than 180 days and are sent again as they are." in text


# What is so already, and on what evidence -------------------------------------------------------------------


def test_it_names_the_evidence_of_the_deactivation(editor):
    made = deactivated(editor, Evidence.QUERY)
    assert page(made, editor).shown.is_done
    number = made.confirmed_submission_id
    assert done(made, editor).startswith("Deactivated ")
    sentence = done(made, editor)
    assert f" by Editor One: Lease ended. A Query showed what submission {number} sent, " in sentence
    update = factories.submission(made, user=editor, reason="New name")
    made = factories.confirmed(made, submission=update, active=False)
    assert done(made, editor) == sentence
    assert controls_in(html_of_page(page(made, editor)))["Reactivate"] == f"{HERE}reactivate/"


def test_active_taken_from_the_directory_is_not_called_accepted(accepted, editor):
    version = shown(accepted, active=False).version
    differences.take_theirs(accepted.pk, version, reason="Closed", actor=acting(editor))
    assert page(accepted, editor).shown.is_done
    assert done(accepted, editor).startswith("Taken from ")


@pytest.mark.parametrize("intent", [Intent.REACTIVATE, None])
def test_a_deactivation_before_something_active_is_not_the_evidence(editor, intent):
    made = deactivated(editor)
    Organization.objects.update(active=True)
    made = factories.confirmed(made, submission=factories.submission(made, user=editor, intent=intent), active=True)
    Organization.objects.update(active=False)
    update = factories.submission(made, user=editor)
    made = factories.confirmed(made, submission=update, active=False)
    assert done(made, editor).startswith(f"Redox accepted submission {update.pk}, ")


def test_what_is_in_the_way_leaves_no_form_and_leads_on(accepted, editor):
    edited(accepted, editor, name="Lakeside North")
    submission = factories.submission(accepted, user=editor)
    drawn = html_of_page(page(accepted, editor))
    assert f'href="/staging/submissions/{submission.pk}/"' in drawn
    assert '<form id="deactivation"' not in drawn


def test_what_was_never_accepted_is_not_called_deactivated(editor):
    found = page(factories.organization(user=editor), editor)
    assert (found.shown.is_blocked, found.shown.is_done, found.shown.done) == (True, False, "")


def test_below_a_deactivated_parent_nothing_is_reactivated(editor):
    deactivated(editor)
    child = factories.confirmed(factories.organization(f"{BASE}.5", user=editor, part_of_oid=BASE), active=False)
    text = text_of_page(page(child, editor, Intent.REACTIVATE))
    assert "Its parent Lakeside 1" in text


# Where the other values come from ---------------------------------------------------------------------------


def _accepted(user: User) -> Organization:
    return factories.confirmed(factories.organization(user=user))


def _taken(user: User) -> Organization:
    made = shown(_accepted(user), name="By hand")
    return differences.take_theirs(made.pk, made.version, reason="Seen", actor=acting(user))


def _claimed(user: User) -> Organization:
    made = shown(factories.organization(user=user))
    return differences.claim(made.pk, reason="Ours", actor=acting(user))


def _stated(user: User) -> Organization:
    made = factories.organization(user=user)
    return organizations.state_registered(made.pk, reason="Sent with curl.", actor=acting(user))


@pytest.mark.parametrize(
    ("arrange", "says", "dated_by"),
    [
        (_accepted, "as it was last accepted", "confirmed_at"),
        (_taken, "as it was last accepted, with what was taken from the directory", "known_at"),
        (_claimed, "with the saved destination ID, and as the directory showed it", "seen_at"),
        (_stated, "as it is saved here, because nothing else is known of it", ""),
    ],
)
def test_it_names_where_the_other_values_come_from(editor, arrange, says, dated_by):
    made = loaded(arrange(editor))
    assert page(made, editor).shown.source == (says, getattr(made, dated_by) if dated_by else None)
    plan = draft.draft_content(
        plan_draft.draft_plan(plan_draft.choose_branch(made, PlanKind.DEACTIVATE), actor=acting(editor))
    )
    assert plan.sources == says


def test_saved_changes_of_a_claimed_record_are_named_as_not_sent(editor):
    made = shown(factories.organization(user=editor), name="By hand")
    differences.claim(made.pk, reason="Registered with curl", actor=acting(editor))
    assert (page(made, editor).shown.name, page(made, editor).shown.not_sent) == ("By hand", ("Name",))


# What replaces it -------------------------------------------------------------------------------------------


def test_only_another_active_record_of_the_environment_replaces_it(accepted, editor):
    factories.organization(f"{BASE}.5", user=editor, name="Lakeside Pier")
    factories.organization(f"{BASE}.6", user=editor, environment="production", name="Lakeside Quay")
    factories.confirmed(factories.organization(f"{BASE}.7", user=editor, name="Lakeside Cove"), active=False)

    def named(typed: str) -> Replacement | str:
        return read_replacement(Environment.STAGING, typed, without=[accepted.pk])

    pier = Replacement("Lakeside Pier", f"{BASE}.5")
    assert (named(f"urn:oid:{BASE}.5"), named("lakeside pier")) == (pier, pier)
    not_ours = "This is not another record of yours in STAGING."
    for typed in ("Nowhere", BASE, "\x00" * 10_000):
        assert named(typed) == f"{not_ours} Enter its OID, or its name."
    elsewhere = f"{BASE}.6 is Lakeside Quay in PRODUCTION."
    assert named(f"{BASE}.6") == f"{not_ours} {elsewhere} Enter its OID, or its name."
    assert named(f"{BASE}.7") == "Lakeside Cove is deactivated as well. Name an active record."
