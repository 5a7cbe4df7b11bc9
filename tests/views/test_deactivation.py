"""Deactivate and reactivate: from the button to the message, and everything that stands against it."""

import datetime
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import AuditEntry, Intent, Organization, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.records import AddressRecord
from organizations.services import delivery, known, organizations
from organizations.services.actors import Actor
from organizations.views.lost import SENTENCE
from tests import factories
from tests.factories import BASE
from tests.views.pages import text_of

type ClientOf = Callable[..., Client]


def address_of(made: Organization, name: str = "deactivate") -> str:
    return reverse(name, args=[made.environment, made.oid])


@pytest.fixture
def approver(db: None) -> User:
    return factories.UserFactory(role="approver", first_name="Approver", last_name="One")


@pytest.fixture
def accepted(practice: PracticeDirectory, approver: User, worker: Actor) -> Callable[..., Organization]:
    """Makes a record that Redox accepted."""

    def make(oid: str = BASE, environment: str = "staging", **values) -> Organization:
        made = factories.organization(oid, user=approver, environment=environment, **values)
        factories.submission(made, user=approver)
        assert delivery.deliver_next(environment, actor=worker)
        return Organization.objects.get(pk=made.pk)

    return make


def typed(client: Client, address: str, **fields: str) -> dict[str, str]:
    """What a person posts: the hidden fields of the page, and these."""
    page = client.get(address).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(sha256|seen_submission)" value="([^"]*)"', page))
    return hidden | {"why": "closed", "in_words": "Lease ended, ticket 97"} | fields


# What happens -----------------------------------------------------------------------------------------------


def test_the_page_says_what_happens_and_what_is_sent(client_of: ClientOf, accepted) -> None:
    made = accepted()
    response = client_of("editor").get(address_of(made))
    said = text_of(response)
    assert "<title>Deactivate, Lakeside 1 | STAGING | orgportal</title>" in response.content.decode()
    assert "Redox gets an Update with Active = false. Everything else is sent as it was last accepted on " in said
    assert (
        "Others stop finding this organization and its patients’ records here; requests to this OID are refused."
        in said
    )
    assert "Nothing is erased: Redox has no delete. You can reactivate it here." in said
    assert '"Active": false' in said
    assert "Deactivate in STAGING" in said
    assert "Type the name" not in said
    assert "btn-danger" in response.content.decode()


def test_a_record_is_deactivated_and_reactivated(
    client_of: ClientOf, accepted, practice: PracticeDirectory, worker: Actor
) -> None:
    made = accepted()
    client = client_of("editor")
    response = client.post(address_of(made), typed(client, address_of(made)))
    submission = Submission.objects.get(intent=Intent.DEACTIVATE)
    assert response["Location"] == reverse("submission", args=["staging", submission.pk])
    assert submission.reason == "Location closed: Lease ended, ticket 97"
    delivery.deliver_next("staging", actor=worker)
    assert practice.organizations("staging")[BASE]["Active"] is False
    assert "Deactivated. Others stop finding it (as far as Redox documents it)." in text_of(
        client.get(response["Location"])
    )

    said = text_of(client.get(address_of(made)))
    assert "Location closed: Lease ended, ticket 97." in said

    again = address_of(made, "reactivate")
    said = text_of(client.get(again))
    assert "Redox gets an Update with Active = true. Everything else is sent as it was last accepted on " in said
    assert "Redox does not document reactivation; the directory behind it used to do it by such an Update." in said
    client.post(again, typed(client, again, why="open", in_words=""))
    assert Submission.objects.get(intent=Intent.REACTIVATE).reason == "Location open again"
    delivery.deliver_next("staging", actor=worker)
    assert practice.organizations("staging")[BASE]["Active"] is True


@pytest.mark.parametrize(
    ("typed_record", "words", "reason"),
    [
        (f"urn:oid:{BASE}.5", "Merged, ticket 97", f"Replaced by Lakeside Pier ({BASE}.5). Merged, ticket 97"),
        ("lakeside pier", "", f"Replaced by Lakeside Pier ({BASE}.5)"),
    ],
)
def test_the_record_that_replaces_it_is_named_in_the_reason(
    client_of: ClientOf, accepted, approver: User, typed_record: str, words: str, reason: str
) -> None:
    made = accepted()
    factories.organization(f"{BASE}.5", user=approver, name="Lakeside Pier")
    client = client_of("editor")
    page = client.get(address_of(made)).content.decode()
    assert 'data-hx-get="/staging/organizations/suggestions/"' in page
    assert '<datalist id="parents"></datalist>' in page
    assert re.search(r'<input[^>]* value="replaced"[^>]* id="id_why_2"', page)
    client.post(
        address_of(made), typed(client, address_of(made), why="replaced", replaced_by=typed_record, in_words=words)
    )
    assert Submission.objects.get(intent=Intent.DEACTIVATE).reason == reason
    assert "replaced_by" not in client.get(address_of(made, "reactivate")).content.decode()


@pytest.mark.parametrize("left", ["", "Nowhere", f"{BASE}.5", "\x00" * 10_000])
def test_a_replacement_under_a_reason_that_was_not_chosen_is_ignored(client_of: ClientOf, accepted, left: str) -> None:
    made = accepted()
    client = client_of("editor")
    response = client.post(address_of(made), typed(client, address_of(made), replaced_by=left, in_words=""))
    assert response.status_code == 302
    assert Submission.objects.get(intent=Intent.DEACTIVATE).reason == "Location closed"


@pytest.mark.parametrize(
    ("typed_record", "error"),
    [
        (f"{BASE}.5", f"{BASE}.5 is Lakeside Pier in PRODUCTION."),
        (f"{BASE}.6", "Lakeside Cove is deactivated as well. Name an active record."),
    ],
)
def test_a_record_that_cannot_replace_it_is_named(
    client_of: ClientOf, accepted, approver: User, typed_record: str, error: str
) -> None:
    made = accepted()
    factories.organization(f"{BASE}.5", user=approver, environment="production", name="Lakeside Pier")
    factories.confirmed(factories.organization(f"{BASE}.6", user=approver, name="Lakeside Cove"), active=False)
    client = client_of("editor")
    response = client.post(
        address_of(made), typed(client, address_of(made), why="replaced", replaced_by=typed_record, in_words="")
    )
    assert response.status_code == 422
    assert error in response.context["form"].errors["replaced_by"][0]


def test_saved_changes_stay_behind_and_are_named(client_of: ClientOf, accepted, approver: User) -> None:
    made = accepted()
    changed = replace(made.record(), address=AddressRecord(city="Middleton", zip_code="53562"))
    organizations.edit(made.pk, made.version, changed, stands_for="", actor=factories.acting(approver))
    client = client_of("editor")
    said = text_of(client.get(address_of(made)))
    assert "6 saved changes (Street, City, County, State, ZIP, Country) are not sent. They stay saved." in said
    client.post(address_of(made), typed(client, address_of(made)))
    message = json.loads(bytes(Submission.objects.get(intent=Intent.DEACTIVATE).message))
    assert message["Organizations"][0]["Address"]["City"] == "Madison"
    assert Organization.objects.get(pk=made.pk).city == "Middleton"


def test_the_counterpart_is_named_as_not_touched(client_of: ClientOf, accepted) -> None:
    staging = accepted()
    production = accepted(f"{BASE}.2", "production")
    Organization.objects.filter(pk=production.pk).update(staging_record=staging)
    said = text_of(client_of("approver").get(address_of(production)))
    assert "Also active in STAGING as Lakeside 1. It is not touched." in said
    assert "Also active in PRODUCTION as Lakeside 2." in text_of(client_of("viewer").get(address_of(staging)))


def test_old_values_are_listed_before_a_reactivation(
    client_of: ClientOf, accepted, approver: User, worker: Actor
) -> None:
    made = accepted()
    factories.submission(made, user=approver, intent=Intent.DEACTIVATE)
    delivery.deliver_next("staging", actor=worker)
    again = address_of(made, "reactivate")
    assert "Still right?" not in text_of(client_of("viewer").get(again))
    AuditEntry.objects.update(at=clock.now() - datetime.timedelta(days=181))
    said = text_of(client_of("viewer").get(again))
    assert "These values are older than 180 days and are sent again as they are." in said
    assert "Contact 1, Work phone; Street; City; County; State; ZIP; Country. Still right?" in said


# What stands against it -------------------------------------------------------------------------------------


def test_active_children_are_deactivated_first_in_a_plan(client_of: ClientOf, accepted) -> None:
    made = accepted()
    accepted(f"{BASE}.5", part_of_oid=BASE, name="Old Town Lab")
    page = client_of("editor").get(address_of(made)).context["page"]
    assert [row.organization.name for row in page.rows] == ["Old Town Lab", made.name]
    review = client_of("editor").post(address_of(made), {"why": "closed", "sha256": "0" * 64, "seen_submission": "1"})
    assert review.status_code == 409
    assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()


def test_a_value_of_the_directory_is_overwritten_only_when_ticked(client_of: ClientOf, approver: User) -> None:
    made = factories.confirmed(factories.organization(user=approver))
    row = Organization.objects.get(pk=made.pk)
    known.keep_reading(row, replace(made.record(), name="Lakeside (One)"), clock.now())
    client = client_of("editor")
    (tick,) = [row.tick for row in client.get(address_of(made)).context["page"].overwritten]
    fields = typed(client, address_of(made))
    refused = client.post(address_of(made), fields)
    assert refused.status_code == 422
    assert [anchor for anchor, _ in refused.context["page"].box_errors] == [f"id_tick-{tick}"]
    assert not Submission.objects.exists()
    assert client.post(address_of(made), fields | {"tick": tick}).status_code == 302
    (warning,) = Submission.objects.get().warnings
    assert warning["key"] == "overwrite"


def test_an_open_submission_must_end_first(client_of: ClientOf, accepted, approver: User) -> None:
    made = accepted()
    organizations.edit(
        made.pk, made.version, factories.record(name="Lakeside North"), stands_for="", actor=factories.acting(approver)
    )
    submission = factories.submission(made, user=approver)
    response = client_of("editor").get(address_of(made))
    assert f"Submission {submission.pk} must end first." in text_of(response)
    assert f'href="/staging/submissions/{submission.pk}/"' in response.content.decode()


def test_a_child_of_a_deactivated_parent_is_not_reactivated(
    client_of: ClientOf, accepted, approver: User, worker: Actor
) -> None:
    parent, child = accepted(), accepted(f"{BASE}.5", part_of_oid=BASE)
    for made in (child, parent):
        factories.submission(made, user=approver, intent=Intent.DEACTIVATE)
        delivery.deliver_next("staging", actor=worker)
    said = text_of(client_of("editor").get(address_of(child, "reactivate")))
    assert "Its parent Lakeside 1 is deactivated. Reactivate that first." in said


def test_a_second_press_says_what_was_sent_already(client_of: ClientOf, accepted) -> None:
    made = accepted()
    client = client_of("editor")
    fields = typed(client, address_of(made))
    client.post(address_of(made), fields)
    said = text_of(client.post(address_of(made), fields, follow=True))
    submission = Submission.objects.get(intent=Intent.DEACTIVATE)
    assert re.search(rf"This was sent already at \d\d:\d\d: submission {submission.pk}\.", said)


def test_what_changed_meanwhile_is_not_sent(client_of: ClientOf, accepted) -> None:
    made = accepted()
    client = client_of("editor")
    response = client.post(address_of(made), typed(client, address_of(made), sha256="0" * 64))
    assert response.status_code == 409
    assert "Nothing was sent." in text_of(response)
    assert 'value="Lease ended, ticket 97"' in response.content.decode()
    assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()


# PRODUCTION -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Lakeside 1", "  lakeside 1 ", "LAKESIDE 1"])
def test_in_production_the_name_is_typed(client_of: ClientOf, accepted, name: str) -> None:
    made = accepted(environment="production")
    client = client_of("approver")
    assert "Type: Lakeside 1. Upper and lower case and spaces at the ends do not matter." in text_of(
        client.get(address_of(made))
    )
    response = client.post(address_of(made), typed(client, address_of(made), typed_name=name))
    assert response.status_code == 302


def test_another_name_sends_nothing_and_keeps_what_was_typed(client_of: ClientOf, accepted) -> None:
    made = accepted(environment="production")
    client = client_of("approver")
    response = client.post(address_of(made), typed(client, address_of(made), typed_name="Lakeside 2"))
    assert response.status_code == 422
    said = text_of(response)
    assert "There is a problem This is not the name. Type: Lakeside 1." in said
    assert response.content.decode().count('value="Lakeside 2"') == 1
    assert 'value="Lease ended, ticket 97"' in response.content.decode()
    assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()


def test_who_may_not_send_to_production_sees_the_button_with_the_reason(client_of: ClientOf, accepted) -> None:
    made = accepted(environment="production")
    client = client_of("editor")
    response = client.get(address_of(made))
    assert "disabled" in response.content.decode()
    assert "You cannot send to PRODUCTION. Approvers can: Approver One." in text_of(response)
    refused = client.post(address_of(made), typed(client, address_of(made), typed_name="Lakeside 1"))
    assert refused.status_code == 403
    assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()


# What was typed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"why": ""}, "Choose a reason."),
        ({"why": "\x00"}, "Choose a reason."),
        ({"why": "open"}, "Choose a reason."),
        ({"why": "other", "in_words": " "}, "Say the reason in words."),
        ({"why": "replaced"}, "Name the record that replaces it."),
        (
            {"why": "replaced", "replaced_by": "Nowhere"},
            "This is not another record of yours in STAGING. Enter its OID",
        ),
        ({"why": "replaced", "replaced_by": BASE}, "This is not another record of yours in STAGING. Enter its OID"),
        ({"why": "replaced", "replaced_by": "\x00" * 10_000}, "This is not another record of yours in STAGING."),
        ({"in_words": "x" * 10_000}, "Reason has 10000 characters; at most 500 can be kept."),
        ({"in_words": "a\x07b"}, "The reason holds a character that cannot be sent (U+0007, place 2). Delete it."),
        ({"in_words": "a\u202eb"}, "The reason holds a character that cannot be sent (U+202E, place 2). Delete it."),
        ({"in_words": "\x00"}, "The reason holds a character that cannot be sent (U+0000, place 1). Delete it."),
    ],
)
def test_each_error_is_named_at_its_field(client_of: ClientOf, accepted, fields: dict[str, str], error: str) -> None:
    made = accepted()
    client = client_of("editor")
    response = client.post(address_of(made), typed(client, address_of(made), **fields))
    assert response.status_code == 422
    assert text_of(response).count(error) == 2
    assert "<title>Error: Deactivate" in response.content.decode()
    assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 5000, "٣", "1\x00"])
def test_a_form_that_was_tampered_with_sends_nothing(client_of: ClientOf, accepted, seen: str) -> None:
    made = accepted()
    client = client_of("editor")
    response = client.post(
        address_of(made),
        typed(client, address_of(made), seen_submission=seen, state="accepted", environment="production", active="x"),
    )
    assert response.status_code in (409, 422)
    assert Submission.objects.filter(state=State.QUEUED).count() == 0


def test_markup_in_a_name_stays_text(client_of: ClientOf, accepted) -> None:
    made = accepted(environment="production", name="<script>alert(1)</script>")
    client = client_of("approver")
    response = client.post(address_of(made), typed(client, address_of(made), typed_name="<b>"))
    assert response.status_code == 422
    assert "<script>alert" not in response.content.decode()


def test_a_button_pressed_after_the_sign_in_had_ended_only_brings_the_form_back(client_of: ClientOf, accepted) -> None:
    made = accepted()
    client = client_of("editor")
    response = client.post(address_of(made), typed(client, address_of(made)) | {"came-back": "1"})
    assert response.status_code == 200
    assert SENTENCE in text_of(response)
    assert 'value="Lease ended, ticket 97"' in response.content.decode()
    assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()


def test_the_page_is_of_its_environment_and_of_people_with_a_role(client_of: ClientOf, accepted) -> None:
    made = accepted()
    assert client_of("editor").get(f"/production/organizations/{BASE}/deactivate/").status_code == 404
    assert client_of().get(address_of(made)).status_code == 403
    assert client_of("editor").put(address_of(made)).status_code == 405
