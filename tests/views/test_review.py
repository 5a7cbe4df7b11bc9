"""The review over HTTP: its button sends what was reviewed and nothing else."""

import json

from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from organizations.models import AuditEntry, Organization, Submission
from organizations.pages.review import page as review_page
from organizations.redox.environment import EXAMPLE_VALUES, GATEWAY_OID
from organizations.services.review import reviews
from organizations.text import vocabulary
from tests import factories
from tests.factories import BASE, as_actor
from tests.views.history import save_edit
from tests.views.pages import text_of
from tests.views.typing import edit_url


def url(organization):
    return edit_url(organization, "review")


def open_review(organization, user):
    """The review as this person reads it now."""
    return review_page.build(reviews.review(Organization.objects.get(pk=organization.pk), actor=as_actor(user)), user)


def press(client, page, *, ticked=None, reason="", **inputs):
    """Press the button of an open review; every box is ticked unless said otherwise."""
    boxes = [*(row.tick for row in page.content.overwritten), *(each.key for each in page.content.questions)]
    values = {
        "sha256": page.review.sha256,
        "seen": str(page.organization.last_submission_id or 0),
        "version": str(page.organization.version),
        "tick": boxes if ticked is None else ticked,
        "reason": reason,
    }
    return client.post(url(page.organization), values | inputs)


def test_the_reviewed_message_is_sent_and_a_second_press_sends_nothing(client, organization, editor):
    page = open_review(organization, editor)
    assert client.get(url(organization)).context["review"].sha256 == page.review.sha256
    response = press(client, page, reason="First")
    submission = Submission.objects.get()
    address = reverse("submission", args=["staging", submission.pk])
    assert response["Location"] == address
    assert bytes(submission.message) == page.review.message
    assert (submission.reason, submission.state) == ("First", "queued")
    again = press(client, page, reason="First")
    at = vocabulary.moment_text(localtime(submission.created_at), timezone.now(), "clock")
    assert again["Location"] == address
    texts = [str(message) for message in get_messages(again.wsgi_request)]
    assert texts == [f"This was already submitted at {at}: submission {submission.pk}."]
    assert Submission.objects.count() == 1


def test_a_warning_must_be_ticked_and_the_input_is_kept(client, editor):
    organization = factories.organization(user=editor, contacts=(), name="Lakeside & Sons")
    review = open_review(organization, editor)
    first, second = review.content.questions
    response = press(client, review, ticked=[first.key], reason="Ticket 118")
    page, rendered = response.context["content"], response.content.decode()
    assert (response.status_code, response.context["is_unsaved"]) == (422, True)
    assert "<title>Error: Review, Lakeside &amp; Sons | STAGING | orgportal</title>" in rendered
    assert [(each.ticked, bool(each.error)) for each in page.questions] == [(True, False), (False, True)]
    assert page.box_errors == [(f"id_tick-{second.key}", second.problem)]
    for part in (f'<a href="#id_tick-{second.key}">', f'id="id_tick-{second.key}"', "Ticket 118"):
        assert part in rendered, part
    assert not Submission.objects.exists()
    assert press(client, review, reason="Ticket 118").status_code == 302
    assert [each["key"] for each in Submission.objects.get().warnings] == ["contact", "character"]


def test_an_approver_sends_to_production_with_a_reason(client_of, editor, approver):
    organization = factories.organization(user=editor, environment="production", destination_id=str(EXAMPLE_VALUES[0]))
    page, browser = open_review(organization, approver), client_of(user=approver)
    response = press(browser, page, reason="  ")
    assert (response.status_code, response.context["form"].errors) == (422, {"reason": ["Enter a reason."]})
    assert text_of(response).count("Enter a reason.") == 2  # at its field, and above
    assert not Submission.objects.exists()
    assert press(browser, page, reason="Ticket 118").status_code == 302
    assert Submission.objects.get().reason == "Ticket 118"


def test_an_editor_does_not_send_to_production(client, editor):
    organization = factories.organization(user=editor, environment="production")
    assert press(client, open_review(organization, editor), reason="Ticket 118").status_code == 403
    assert not Submission.objects.exists()
    assert AuditEntry.objects.filter(action="permission.refused", oid=BASE).count() == 1


def test_an_outdated_review_is_shown_again_and_sends_nothing(client, accepted, editor, second):
    save_edit(accepted, editor, aliases=("North",))
    page = open_review(accepted, editor)
    later = save_edit(accepted, second, name="Lakeside North")
    response = press(client, page, reason="Ticket 118")
    at = vocabulary.moment_text(localtime(later.edited_at), timezone.now(), "clock")
    assert (response.status_code, response.context["notes"]) == (
        409,
        [f"This page is out of date: Editor Two saved Name at {at}. Nothing was sent. Here is the new review."],
    )
    assert [(row.label, row.is_new) for row in response.context["content"].rows] == [("Name", True), ("Aliases", False)]
    assert response.context["form"]["reason"].value() == "Ticket 118"
    assert Submission.objects.count() == 1
    assert press(client, open_review(accepted, editor)).status_code == 302


def test_a_message_that_was_not_reviewed_is_not_sent(client, organization, editor):
    for sha256 in ("", "0" * 64):
        assert press(client, open_review(organization, editor), sha256=sha256).status_code == 409
    assert not Submission.objects.exists()


def test_a_blocked_record_is_not_sent(client, organization, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=organization.oid, contacts=())
    response = press(client, open_review(child, editor), ticked=[])
    assert (response.status_code, response.context["notes"]) == (409, ["Send Lakeside 1 first. Nothing was sent."])
    assert not Submission.objects.exists()


def test_record_pages_show_parents_by_name_and_oid(client, accepted, editor):
    below = factories.accepted_organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    save_edit(below, editor, part_of_oid=GATEWAY_OID)
    change = f"PartOf Lakeside 1 ({BASE}) the Redox gateway ({GATEWAY_OID})"
    assert change in text_of(client.get(edit_url(below, "discard")))
    record = text_of(client.get(edit_url(below, "record")))
    assert "The Redox gateway" in record
    assert "not sent Lakeside 1" in record


# Possible duplicates in the directory -----------------------------------------------------------------------


def test_duplicates_in_the_directory_are_listed_and_the_input_is_kept(client, practice, organization, editor):
    message = json.loads(reviews.review(organization).message)["Organizations"][0]
    practice.register("staging", message | {"Identifiers": [{"ID": "2.999.7", "IDType": "OID"}], "Name": "Lakeside 1"})
    page = open_review(organization, editor)
    response = press(client, page, reason="Ticket 9", duplicates="1")
    text = text_of(response)
    assert (response.status_code, Submission.objects.exists()) == (200, False)
    assert "the directory showed 1 organization with this name or address." in text
    assert "1 Shore Rd, Madison, WI, 53704: the same name and address" in text
    assert "Ticket 9" in response.content.decode()


def test_without_an_answer_about_duplicates_the_cause_is_named(client, practice, organization, editor):
    practice.behaviour = "refuses-sign-in"
    assert "the directory gave no answer: " in text_of(press(client, open_review(organization, editor), duplicates="1"))


def test_a_person_who_cannot_edit_cannot_look_for_duplicates(client_of, organization):
    assert client_of("viewer").post(url(organization), {"duplicates": "1"}).status_code == 403


def test_an_update_offers_no_search_for_duplicates(client, accepted):
    assert "Look for duplicates" not in text_of(client.get(url(accepted)))
