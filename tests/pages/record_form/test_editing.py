"""The form of a record and the texts of its page, without a client."""

from dataclasses import replace

import pytest
from django.http import QueryDict
from django.test import RequestFactory, override_settings
from django.utils import timezone
from django.utils.timezone import localtime

from organizations.models import Environment, Organization, Presence, User
from organizations.pages import kept_form
from organizations.pages.record_form import initial_values, notices
from organizations.pages.record_form import page as record_form_page
from organizations.pages.record_form.editing import Editing
from organizations.records import AddressRecord, OrganizationRecord
from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services.errors import Circle, OidTaken
from organizations.services.outbox import submissions
from organizations.text import vocabulary
from organizations.views import access, record_form
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.page_text import html_of_page
from tests.views.history import save_edit
from tests.views.typing import OTHER, OURS, new_form, open_form, record_texts

pytestmark = pytest.mark.django_db

NEW = Editing(environment=Environment.STAGING)
DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"


def page_of(organization: Organization, user: User) -> record_form_page.FormPage:
    opened, record = open_form(organization), Organization.objects.get(pk=organization.pk).record()
    return record_form_page.build(opened, opened.form(record_texts(record)), user)


class TestOid:
    def test_a_taken_oid_names_and_links_its_record(self, organization, editor):
        refused = new_form(factories.record(name="Second"), oid=f" urn:oid:{BASE}.")
        assert list(refused.main.errors) == ["oid"]
        page = html_of_page(record_form_page.build(NEW, refused, editor), "staging")
        assert f'<a href="/staging/organizations/{BASE}/">Open Lakeside 1</a>' in page

    def test_the_oid_of_the_record_itself_is_not_taken(self, organization):
        assert open_form(organization).form(record_texts(organization.record()), checked=True).is_valid()

    def test_an_oid_that_was_sent_cannot_change(self, organization, editor):
        submission = factories.submission(organization, user=editor)
        page = page_of(organization, editor)
        assert page.switch_url == f"/staging/organizations/{BASE}/counterpart/"
        assert page.fixed_oid == "A submission uses this OID, or the directory shows it, so it cannot be changed."
        assert 'name="oid"' not in html_of_page(page)
        posted = open_form(organization).form(record_texts(organization.record(), oid=f"{BASE}.9"), checked=True)
        assert posted.main.values["oid"] == BASE
        factories.accept(organization, submission=submission)
        assert page_of(organization, editor).fixed_oid.startswith("Accepted ")

    def test_an_oid_whose_only_submission_was_cancelled_is_not_called_sent(self, organization, editor):
        submissions.cancel_submission(factories.submission(organization, user=editor).pk, actor=as_actor(editor))
        assert page_of(organization, editor).fixed_oid == (
            "A submission of this record was made and cancelled before anything was sent; its history names this OID."
            " It cannot be changed."
        )

    def test_the_lowest_free_oid_below_the_parent_is_suggested_with_a_note(self, organization, editor):
        factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
        for parent in (BASE, "lakeside 1"):
            texts = record_texts(factories.record(part_of_oid=BASE), oid="", parent=parent)
            suggested, note = NEW.with_suggested_oid(texts)
            assert suggested.fields["oid"] == f"{BASE}.2"
        assert note == (
            f"{BASE}.2 is the lowest OID below {BASE} that is free here. Redox issues OIDs (Redox dashboard, your"
            " organization): use it only if Redox agreed to your own numbering."
        )

    @pytest.mark.parametrize(
        ("texts", "note"),
        [
            ({"place": OURS, "parent": "Nobody"}, "Choose first what this record is part of"),
            ({"place": "", "parent": BASE}, "Choose first what this record is part of"),
            ({"place": "gateway"}, "Redox issues the OID of a top-level record: see the Redox dashboard"),
            ({"place": OTHER, "other_oid": GATEWAY_SELF_OID}, "Redox issues the OID of a top-level record: see the"),
            ({"place": OTHER, "other_oid": "2." + "1" * 62}, "An OID has"),
        ],
    )
    def test_without_a_suitable_parent_no_oid_is_suggested(self, organization, texts, note):
        suggested, said = NEW.with_suggested_oid(record_texts(factories.record(), oid="1.2", **texts))
        assert said.startswith(note)
        assert suggested.fields["oid"] == "1.2"

    @pytest.mark.parametrize(("base", "oid"), [(GATEWAY_OID, "1.2"), (BASE, "1.2"), ("2.999", "2.999")])
    def test_below_the_gateway_the_base_oid_is_suggested_unless_it_is_taken(self, organization, base, oid):
        with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=base)):
            suggested, _ = NEW.with_suggested_oid(record_texts(factories.record(), oid="1.2"))
        assert suggested.fields["oid"] == oid


def test_an_unknown_destination_may_stay_unknown(editor):
    organization = factories.seen_organization(factories.record(destination_known=False), user=editor)
    for source, is_known in (("", False), ("none", True)):
        form = open_form(organization).form(
            record_texts(organization.record(), destination_source=source), checked=True
        )
        assert form.is_valid()
        assert form.record().destination_known is is_known


class TestInitialValues:
    def test_the_first_record_starts_below_the_gateway_and_others_below_ours(self, editor):
        assert initial_values.start_blank(NEW).typed.fields["place"] == "gateway"
        factories.organization(user=editor)
        assert initial_values.start_blank(NEW).typed.fields["place"] == OURS

    def test_a_new_child_starts_with_values_of_its_parent(self, editor):
        organization = factories.organization(user=editor, destination_id=DESTINATION)
        begun = initial_values.start_below(NEW, organization)
        known = {"oid": f"{BASE}.1", "place": OURS, "parent": BASE, "destination_id": DESTINATION, "state": "WI"}
        empty = dict.fromkeys(("name", "street", "city", "zip_code", "county"), "")
        expected = known | empty | {"country": "USA"}
        assert {name: begun.typed.fields[name] for name in expected} == expected
        assert begun.typed.contacts[0]["email_addresses"] == "desk@lakeside.example"
        assert begun.notes == ["Contacts, destination ID, state and country are filled in from Lakeside 1. Check them."]
        bare = OrganizationRecord(address=AddressRecord(country="USA"))
        assert notices.filled_sentence(bare, organization) == "Country is filled in from Lakeside 1. Check it."
        assert notices.filled_sentence(OrganizationRecord(), organization) == ""

    def test_a_copy_starts_below_the_same_parent(self, organization, editor):
        other = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        other.stands_for = "location"
        fields = initial_values.start_like(NEW, other).typed.fields
        expected = {
            "stands_for": "location",
            "name": "",
            "oid": f"{BASE}.2",
            "parent": BASE,
            "county": "Dane",
            "city": "",
        }
        assert {name: fields[name] for name in expected} == expected


class TestParent:
    def test_a_descendant_or_a_deactivated_record_is_refused(self, organization, editor):
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        below = open_form(organization).form(
            record_texts(organization.record(), place=OURS, parent=child.oid), checked=True
        )
        assert list(below.main.errors) == ["parent"]
        # With another OID it is still the parent of the child.
        moved = open_form(organization).form(
            record_texts(organization.record(), oid=f"{BASE}.9", place=OURS, parent=child.oid), checked=True
        )
        assert list(moved.main.errors) == ["parent"]
        Organization.objects.filter(pk=organization.pk).update(presence=Presence.PRESENT, confirmed_active=False)
        deactivated = new_form(factories.record(f"{BASE}.2", part_of_oid=BASE))
        assert deactivated.main.errors == {
            "parent": ["Lakeside 1 is deactivated. Reactivate it first or choose another."]
        }
        # A record already below a deactivated one can still be edited.
        assert open_form(child).form(record_texts(child.record(), name="Kept"), checked=True).is_valid()

    @pytest.mark.parametrize(
        ("fault", "place", "name"),
        [
            (Circle("A circle."), OURS, "parent"),
            (Circle("A circle."), OTHER, "other_oid"),
            (OidTaken("Taken."), OURS, "oid"),
        ],
    )
    def test_an_error_of_the_service_is_shown_at_its_field(self, organization, editor, fault, place, name):
        other = factories.organization(f"{BASE}.1", user=editor).oid
        checked = open_form(organization).form(
            record_texts(organization.record(), place=place, parent=other, other_oid=other), checked=True
        )
        assert checked.is_valid()
        record_form.show_error(checked, fault)
        assert checked.main.errors == {name: [str(fault)]}

    def test_text_of_a_kind_that_is_not_chosen_is_kept_and_not_read(self, organization):
        hidden = record_texts(organization.record(), parent="half typed", other_oid="1.2.x")
        checked = open_form(organization).form(hidden, checked=True)
        assert checked.is_valid()
        assert checked.record().part_of_oid == GATEWAY_OID
        assert (checked.main["parent"].value(), checked.main["other_oid"].value()) == ("half typed", "1.2.x")

    def test_a_record_of_the_other_environment_is_named(self, editor):
        factories.organization(f"{BASE}.7", user=editor, environment="production", name="Pier")
        for text in (f"{BASE}.7", "pier"):
            (problem,) = new_form(factories.record(), place=OURS, parent=text).main.errors["parent"]
            assert f"{BASE}.7 is Pier in PRODUCTION." in problem


class TestNotices:
    def test_unsent_changes_of_others_are_named(self, editor, second):
        organization = factories.accepted_organization(user=editor)
        address = replace(organization.record().address, zip_code="53703", city="Monona")
        now = save_edit(organization, second, address=address)
        day = vocabulary.moment_text(localtime(now.edited_at), timezone.now(), "day")
        (notice,) = page_of(organization, editor).notices
        assert notice == (
            f"Editor Two saved 2 changes on {day} that were not sent: City, ZIP."
            " They are part of this record and will be sent with yours."
        )
        assert page_of(organization, second).notices == []

    def test_an_open_submission_is_named(self, organization, editor):
        submission = factories.submission(organization, user=editor)
        assert page_of(organization, editor).notices == [
            f"Submission {submission.pk} of this record is queued. You can edit, and send when it has ended."
        ]

    def test_the_form_says_that_a_deactivated_record_stays_deactivated(self, editor):
        organization = factories.accepted_organization(user=editor, active=False)
        assert (
            "This record is deactivated. Saving and sending keeps it deactivated."
            in page_of(organization, editor).notices
        )


@pytest.mark.parametrize(
    ("variable", "is_set", "sentence"),
    [
        ("REDOX_STAGING_SOURCE_ID", DESTINATION, "This is our source ID, not a destination."),
        ("REDOX_PRODUCTION_CLIENT_ID", DESTINATION.upper(), "This is our client ID, not a destination."),
        ("REDOX_STAGING_DOCUMENT_REPOSITORY_ID", DESTINATION, "This is the routing ID "),
        ("REDOX_PRODUCTION_ROUTING_ID", DESTINATION.replace("-", ""), "This is the routing ID "),
    ],
)
def test_an_id_of_our_own_is_not_a_destination_in_either_environment(variable, is_set, sentence):
    # This includes an environment that is not connected because of another error.
    with override_settings(REDOX=redox("ftp://127.0.0.1:9", **{variable: is_set})):
        checked = new_form(factories.record(), destination_id=DESTINATION.upper())
    (problem,) = checked.main.errors["destination_id"]
    assert str(problem).startswith(sentence)


def test_a_posted_version_counts_only_for_its_record():
    organization = Organization(pk=7)
    wrong = ("", "-1", "1.5", "x", "\uff11", "9" * 400)
    for text in wrong:
        request = RequestFactory().post("/", {"record": "7", "version": text})
        assert access.posted_version(request, organization) == 0, text
    for record, version in (("7", 3), ("8", 0), ("", 0)):
        request = RequestFactory().post("/", {"record": record, "version": "3"})
        assert access.posted_version(request, organization) == version


def test_all_input_is_kept_except_that_of_the_request_itself():
    posted = QueryDict("name=Desk%0ATwo&tick=a&tick=b&csrfmiddlewaretoken=x&came-back=1&empty=")
    assert kept_form.build(posted).fields == [("name", "Desk\nTwo"), ("tick", "a"), ("tick", "b"), ("empty", "")]
