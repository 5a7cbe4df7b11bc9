"""The review in a browser: the one button sends what was reviewed, and nothing else."""

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
from tests.factories import BASE, acting
from tests.views.history import edited
from tests.views.pages import text_of
from tests.views.typing import edit_url


def url(made):
    return edit_url(made, "review")


def opened(made, user):
    """The review as this person reads it now."""
    return review_page.build(reviews.review(Organization.objects.get(pk=made.pk), actor=acting(user)), user)


def press(client, page, *, ticked=None, reason="", **inputs):
    """Press the button of an open review; every box is ticked unless said otherwise."""
    boxes = [*(row.tick for row in page.content.overwritten), *(each.key for each in page.content.questions)]
    given = {
        "sha256": page.review.sha256,
        "seen": str(page.organization.last_submission_id or 0),
        "version": str(page.organization.version),
        "tick": boxes if ticked is None else ticked,
        "reason": reason,
    }
    return client.post(url(page.organization), given | inputs)


def test_what_was_reviewed_is_sent_and_a_second_press_sends_nothing(client, made, editor):
    page = opened(made, editor)
    assert client.get(url(made)).context["review"].sha256 == page.review.sha256
    response = press(client, page, reason="First")
    submission = Submission.objects.get()
    address = reverse("submission", args=["staging", submission.pk])
    assert response["Location"] == address
    assert bytes(submission.message) == page.review.message
    assert (submission.reason, submission.state) == ("First", "queued")
    again = press(client, page, reason="First")
    at = vocabulary.moment(localtime(submission.created_at), timezone.now(), "clock")
    assert again["Location"] == address
    said = [str(message) for message in get_messages(again.wsgi_request)]
    assert said == [f"This was already submitted at {at}: submission {submission.pk}."]
    assert Submission.objects.count() == 1


def test_a_warning_must_be_ticked_and_what_was_typed_stays(client, editor):
    made = factories.organization(user=editor, contacts=(), name="Lakeside & Sons")
    asked = opened(made, editor)
    first, second = asked.content.questions
    response = press(client, asked, ticked=[first.key], reason="Ticket 118")
    page, rendered = response.context["content"], response.content.decode()
    assert (response.status_code, response.context["is_unsaved"]) == (422, True)
    assert "<title>Error: Review, Lakeside &amp; Sons | STAGING | orgportal</title>" in rendered
    assert [(each.ticked, bool(each.error)) for each in page.questions] == [(True, False), (False, True)]
    assert page.box_errors == [(f"id_tick-{second.key}", second.problem)]
    for part in (f'<a href="#id_tick-{second.key}">', f'id="id_tick-{second.key}"', "Ticket 118"):
        assert part in rendered, part
    assert not Submission.objects.exists()
    assert press(client, asked, reason="Ticket 118").status_code == 302
    assert [each["key"] for each in Submission.objects.get().warnings] == ["contact", "character"]


def test_an_approver_sends_to_production_with_a_reason(client_of, editor, approver):
    made = factories.organization(user=editor, environment="production", destination_id=str(EXAMPLE_VALUES[0]))
    page, browser = opened(made, approver), client_of(user=approver)
    response = press(browser, page, reason="  ")
    assert (response.status_code, response.context["form"].errors) == (422, {"reason": ["Enter a reason."]})
    assert text_of(response).count("Enter a reason.") == 2  # at its field, and above
    assert not Submission.objects.exists()
    assert press(browser, page, reason="Ticket 118").status_code == 302
    assert Submission.objects.get().reason == "Ticket 118"


def test_an_editor_does_not_send_to_production(client, editor):
    made = factories.organization(user=editor, environment="production")
    assert press(client, opened(made, editor), reason="Ticket 118").status_code == 403
    assert not Submission.objects.exists()
    assert AuditEntry.objects.filter(action="permission.refused", oid=BASE).count() == 1


def test_an_outdated_review_is_shown_again_and_sends_nothing(client, accepted, editor, second):
    edited(accepted, editor, aliases=("North",))
    page = opened(accepted, editor)
    later = edited(accepted, second, name="Lakeside North")
    response = press(client, page, reason="Ticket 118")
    at = vocabulary.moment(localtime(later.edited_at), timezone.now(), "clock")
    assert (response.status_code, response.context["notes"]) == (
        409,
        [f"This page is out of date: Editor Two saved Name at {at}. Nothing was sent. Here is the new review."],
    )
    assert [(row.label, row.is_new) for row in response.context["content"].rows] == [("Name", True), ("Aliases", False)]
    assert response.context["form"]["reason"].value() == "Ticket 118"
    assert Submission.objects.count() == 1
    assert press(client, opened(accepted, editor)).status_code == 302


def test_what_was_not_reviewed_is_not_sent(client, made, editor):
    for sha256 in ("", "0" * 64):
        assert press(client, opened(made, editor), sha256=sha256).status_code == 409
    assert not Submission.objects.exists()


def test_a_blocked_record_is_not_sent_and_asks_for_nothing(client, made, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=made.oid, contacts=())
    response = press(client, opened(child, editor), ticked=[])
    assert (response.status_code, response.context["notes"]) == (409, ["Send Lakeside 1 first. Nothing was sent."])
    assert not Submission.objects.exists()


def test_parents_are_shown_by_name_and_oid_on_the_pages_of_the_record_too(client, accepted, editor):
    below = factories.accepted(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    edited(below, editor, part_of_oid=GATEWAY_OID)
    change = f"PartOf Lakeside 1 ({BASE}) the Redox gateway ({GATEWAY_OID})"
    assert change in text_of(client.get(edit_url(below, "discard")))
    record = text_of(client.get(edit_url(below, "record")))
    assert "The Redox gateway" in record
    assert "not sent Lakeside 1" in record
