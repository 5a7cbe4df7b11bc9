"""The review: what would be sent, what is in the way, and the one button that sends it."""

import hashlib
import html
import re
import shlex
from dataclasses import replace

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from organizations import words
from organizations.models import AuditEntry, Organization, Submission
from organizations.redox.environment import EXAMPLE_VALUES, GATEWAY_SELF_OID
from organizations.services import delivery, organizations, reviews, submissions
from tests import factories
from tests.factories import BASE, acting
from tests.views.typing import edit_url

PATH = "review"


@pytest.fixture
def made(editor):
    return factories.organization(user=editor)


@pytest.fixture
def accepted(practice, editor, worker):
    """A record that Redox accepted."""
    made = factories.organization(user=editor)
    factories.submission(made, user=editor)
    assert delivery.deliver_next("staging", actor=worker)
    return Organization.objects.get(pk=made.pk)


def edit(made, user, **changes):
    now = Organization.objects.get(pk=made.pk)
    address = {name: changes.pop(name) for name in ("zip_code", "city") if name in changes}
    record = replace(now.record(), **changes, address=replace(now.record().address, **address))
    return organizations.edit(now.pk, now.version, record, stands_for=now.stands_for, actor=acting(user))


def text_of(response):
    """The page as it is read: no markup, no runs of blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", response.content.decode())).split())


def press(client, made, *, ticked=None, reason="", **inputs):
    """Open the review and press its button; every box is ticked unless said otherwise."""
    page = client.get(edit_url(made, PATH)).context
    return client.post(edit_url(made, PATH), sent(page, ticked=ticked, reason=reason) | inputs)


def sent(page, *, ticked=None, reason=""):
    organization = page["organization"]
    return {
        "sha256": page["made"].sha256,
        "seen": str(organization.last_submission_id or 0),
        "version": str(organization.version),
        "tick": boxes(page["page"]) if ticked is None else ticked,
        "reason": reason,
    }


def boxes(page):
    """The keys of all that must be ticked."""
    return [*(row.tick for row in page.overwritten), *(each.key for each in page.questions)]


def today():
    return words.moment(localtime(timezone.now()), timezone.now(), "day")


def test_a_first_registration_is_sent_as_it_was_reviewed(client, made):
    response = client.get(edit_url(made, PATH))
    page = text_of(response)
    assert "STAGING, New, 1 record, first registration" in page
    assert "Registers Lakeside 1 below the Redox gateway." in page
    assert "Create in STAGING" in page

    reviewed = response.context["made"].message
    response = press(client, made, reason="First")
    submission = Submission.objects.get()
    assert response["Location"] == reverse("submission", args=["staging", submission.pk])
    assert bytes(submission.message) == reviewed
    assert (submission.reason, submission.state) == ("First", "queued")


def test_the_gateway_of_those_who_respond_themselves_is_called_a_gateway(client, editor):
    made = factories.organization(user=editor, part_of_oid=GATEWAY_SELF_OID)
    page = text_of(client.get(edit_url(made, PATH)))
    assert f"Registers Lakeside 1 below the Redox gateway ({GATEWAY_SELF_OID})." in page


def test_an_update_shows_each_change_and_by_whom(client, accepted, editor):
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    contact = accepted.record().contacts[0]
    edit(accepted, editor, contacts=(replace(contact, work_phone="+16085550177"),))
    edit(accepted, other, zip_code="53703")
    response = client.get(edit_url(accepted, PATH))
    page = text_of(response)
    assert "STAGING, Update, 1 record, 2 fields change" in page
    assert "Changes Work phone and ZIP of Lakeside 1. Redox replaces the whole record, so its other" in page
    number = accepted.confirmed_submission_id
    assert f"Compared with what Redox accepted on {today()} (submission {number})." in page
    assert "The directory itself has not been read." in page
    rows = [(row.label, row.accepted, row.sent, row.by, row.edit_url) for row in response.context["page"].rows]
    assert rows == [
        (
            "Contact 1, Work phone",
            "+16085550100",
            "+16085550177",
            f"Editor One, {today()}",
            f"{edit_url(accepted)}#contacts",
        ),
        ("ZIP", "53704", "53703", f"Editor Two, {today()}", f"{edit_url(accepted)}#address"),
    ]
    assert "12 fields unchanged" in page
    assert "Send update to STAGING" in page
    assert f"This message also sends 1 change made by others: ZIP (Editor Two, {today()}). Tick to send it now." in page


def test_the_exact_message_stands_there_with_fingerprint_and_both_copies(client, accepted, editor):
    edit(accepted, editor, zip_code="53703", name="Lakeside's <North>")
    response = client.get(edit_url(accepted, PATH))
    page, made = response.context["page"], response.context["made"]
    assert "\n".join(line.text for line in page.lines).encode() == made.message
    digest = hashlib.sha256(made.message).hexdigest()
    assert made.fingerprint == f"{digest[:4]} {digest[4:8]} {digest[8:12]}"
    shown = text_of(response)
    assert made.fingerprint in shown
    assert (
        "The first 12 digits of the SHA-256 of these very bytes. They do not change any more: what you see is what is"
        " sent." in shown
    )
    assert [page.lines[number - 1].source for number in page.changed_lines] == ["Name", "ZIP"]
    copies = [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', response.content.decode())]
    assert made.message.decode() in copies
    assert page.curl in copies
    comment, _, command = page.curl.partition("\n")
    assert comment == "# Sent by hand it passes the portal by: no history, no protection against doubles."
    words_of_command = shlex.split(command.replace("\\\n", ""))
    assert words_of_command[:3] == ["curl", "-X", "POST"]
    assert words_of_command[-2:] == ["--data-raw", made.message.decode()]
    assert "Authorization: Bearer [access token]" in words_of_command


def test_a_warning_must_be_ticked_and_what_was_typed_stays(client, editor):
    made = factories.organization(user=editor, contacts=())
    edit(made, editor, name="Lakeside & Sons")
    keys = [each.key for each in client.get(edit_url(made, PATH)).context["page"].questions]
    assert len(keys) == 2
    response = press(client, made, ticked=keys[:1], reason="Ticket 118")
    assert response.status_code == 422
    assert "<title>Error: Review, Lakeside &amp; Sons | STAGING | orgportal</title>" in response.content.decode()
    assert [(each.ticked, bool(each.error)) for each in response.context["page"].questions] == [
        (True, False),
        (False, True),
    ]
    assert text_of(response).count("Tick this, or go back and change the value.") == 1
    link = re.search(r'<a href="#(id_tick-[^"]+)">([^<]+)</a>', response.content.decode())
    assert link
    assert html.unescape(link[2]) == f"Tick: {response.context['page'].questions[1].text}"
    assert f'id="{link[1]}"' in response.content.decode()
    assert "Ticket 118" in response.content.decode()
    assert not Submission.objects.exists()
    assert press(client, made, reason="Ticket 118").status_code == 302
    kept = Submission.objects.get().warnings
    assert [each["key"] for each in kept] == ["contact", "character"]


def test_a_warning_ticked_for_the_same_value_is_folded_with_who_and_why(client, practice, editor, worker):
    made = factories.organization(user=editor, contacts=())
    factories.submission(made, user=editor, reason="Registered so")
    delivery.deliver_next("staging", actor=worker)
    edit(made, editor, zip_code="53703")
    page = client.get(edit_url(made, PATH)).context["page"]
    assert page.questions == ()
    (settled,) = page.settled
    assert settled == (
        "Nobody can be reached. Redox names a missing contact as one reason for saying no."
        f" Accepted by Editor One, {today()}: Registered so"
    )
    again = client.get(press(client, made)["Location"])
    assert f"1 accepted:{settled}" in text_of(again)


def test_production_needs_a_reason(client_of, editor):
    made = factories.organization(user=editor, environment="production", destination_id=str(EXAMPLE_VALUES[0]))
    approver = client_of("approver")
    page = text_of(approver.get(edit_url(made, PATH)))
    assert "PRODUCTION, New, 1 record, first registration" in page
    assert "Why, and a ticket number if there is one. An auditor will read this." in page
    assert "optional" not in page
    response = press(approver, made, reason="  ")
    assert response.status_code == 422
    assert text_of(response).count("Enter a reason.") == 2
    assert not Submission.objects.exists()
    assert press(approver, made, reason="Ticket 118").status_code == 302
    assert Submission.objects.get().reason == "Ticket 118"


def test_in_staging_a_reason_is_optional(client, made):
    assert "Reason (optional in STAGING)" in text_of(client.get(edit_url(made, PATH)))
    assert press(client, made).status_code == 302


@pytest.mark.parametrize("reason", ["\x00", "\u202e", "x" * 1001])
def test_a_reason_that_cannot_be_kept_is_refused(client, made, reason):
    response = press(client, made, reason=reason)
    assert response.status_code == 422
    assert response.context["form"].errors["reason"]


def test_where_nothing_differs_there_is_nothing_to_send_but_on_purpose(client, accepted):
    page = client.get(edit_url(accepted, PATH))
    assert f"Nothing differs from what Redox accepted on {today()} (submission" in text_of(page)
    assert "<summary" in page.content.decode().split("Send the same values again")[0][-120:]
    assert press(client, accepted).status_code == 422
    assert press(client, accepted, reason="Asked for by Redox").status_code == 302
    assert Submission.objects.latest("id").event == "Update"


def test_a_moved_record_says_from_where_to_where(client, accepted, editor, worker):
    below = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    factories.submission(below, user=editor)
    delivery.deliver_next("staging", actor=worker)
    second = factories.organization(f"{BASE}.2", user=editor, part_of_oid=BASE, name="Harbor Region")
    factories.submission(second, user=editor)
    delivery.deliver_next("staging", actor=worker)
    edit(second, editor, part_of_oid=below.oid, city="Monona")
    page = text_of(client.get(edit_url(second, PATH)))
    assert "Moves Harbor Region from Lakeside 1 to below North Region." in page
    assert "Changes City of Harbor Region." in page
    assert f"Lakeside 1 ({BASE})" in page
    assert f"North Region ({BASE}.1)" in page


def test_a_second_press_sends_nothing_and_says_so(client, made):
    page = client.get(edit_url(made, PATH)).context
    client.post(edit_url(made, PATH), sent(page))
    response = client.post(edit_url(made, PATH), sent(page))
    submission = Submission.objects.get()
    at = words.moment(localtime(submission.created_at), timezone.now(), "clock")
    assert response["Location"] == reverse("submission", args=["staging", submission.pk])
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        f"This was sent already at {at}: submission {submission.pk}."
    ]


def test_a_review_that_was_overtaken_is_shown_anew_and_sends_nothing(client, accepted, editor):
    edit(accepted, editor, zip_code="53703")
    page = client.get(edit_url(accepted, PATH)).context
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    later = edit(accepted, other, city="Monona")
    response = client.post(edit_url(accepted, PATH), sent(page, reason="Ticket 118"))
    at = words.moment(localtime(later.edited_at), timezone.now(), "clock")
    shown = text_of(response)
    assert response.status_code == 409
    assert (
        f"This page is out of date: Editor Two saved City at {at}. Nothing was sent. Here is the new review." in shown
    )
    assert [(row.label, row.is_new) for row in response.context["page"].rows] == [("City", True), ("ZIP", False)]
    assert "Ticket 118" in response.content.decode()
    assert Submission.objects.count() == 1
    assert client.post(edit_url(accepted, PATH), sent(response.context)).status_code == 302


@pytest.mark.parametrize(
    "inputs",
    [
        {"sha256": ""},
        {"sha256": "0" * 64},
        {"sha256": "x" * 10_000},
        {"sha256": "\x00"},
        {"seen": "999999999"},
        {"sha256": "", "seen": "\x00", "version": "x"},
    ],
)
def test_what_was_not_reviewed_is_not_sent(client, accepted, editor, inputs):
    edit(accepted, editor, zip_code="53703")
    response = press(client, accepted, **inputs)
    assert response.status_code == 409
    assert Submission.objects.count() == 1


def test_while_a_submission_is_open_there_is_no_button(client, made, editor):
    submission = factories.submission(made, user=editor)
    response = client.get(edit_url(made, PATH))
    sentence = f"Submission {submission.pk} must end first; until then nobody knows whether this is a New or an Update."
    assert sentence in text_of(response)
    assert reverse("submission", args=["staging", submission.pk]) in response.content.decode()
    assert "btn-send" not in response.content.decode()
    response = press(client, made)
    assert response.status_code == 409
    assert "Nothing was sent." in text_of(response)


def test_a_parent_goes_first(client, made, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    response = client.get(edit_url(child, PATH))
    assert "Send Lakeside 1 first. Review Lakeside 1" in text_of(response)
    assert edit_url(made, PATH) in response.content.decode()
    assert "btn-send" not in response.content.decode()
    factories.submission(made, user=editor)
    page = text_of(client.get(edit_url(child, PATH)))
    assert "Lakeside 1 must be accepted first. You can send now; the message waits." in page
    assert press(client, child).status_code == 302
    assert list(Submission.objects.latest("id").after.all()) == [Submission.objects.earliest("id")]


def test_a_destination_that_is_not_known_must_be_said_first(client, made):
    Organization.objects.filter(pk=made.pk).update(destination_known=False)
    response = client.get(edit_url(made, PATH))
    assert "Say which destination ID this record has today" in text_of(response)
    assert f"{edit_url(made)}#routing" in response.content.decode()
    assert "The exact message" not in text_of(response)
    assert press(client, made).status_code == 409


def test_those_without_the_right_see_the_button_and_why_it_is_not_theirs(client_of, client, editor):
    factories.UserFactory(role="approver", first_name="Approver", last_name="One")
    made = factories.organization(user=editor, environment="production")
    response = client.get(edit_url(made, PATH))
    assert 'disabled aria-describedby="why-not"' in response.content.decode()
    assert "You cannot send to PRODUCTION. Approvers can: Approver One." in text_of(response)
    response = press(client, made, reason="Ticket 118")
    assert response.status_code == 403
    assert "You cannot send to PRODUCTION. Approvers can: Approver One." in text_of(response)
    assert not Submission.objects.exists()
    assert AuditEntry.objects.filter(action="permission.refused", oid=BASE).count() == 1
    for role in ("viewer", "auditor", "administrator"):
        assert client_of(role).get(edit_url(made, PATH)).status_code == 200
        assert client_of(role).post(edit_url(made, PATH), {}).status_code == 403


def test_a_role_without_the_right_to_view_sees_nothing(client_of, made):
    assert client_of("").get(edit_url(made, PATH)).status_code == 403


def test_other_environments_and_methods_are_refused(client, made):
    assert client.get(reverse("review", args=["production", BASE])).status_code == 404
    assert client.put(edit_url(made, PATH)).status_code == 405


def test_the_page_of_a_hostile_record_is_text(client, editor):
    made = factories.organization(user=editor, name='<script>alert(1)</script>"')
    page = client.get(edit_url(made, PATH)).content.decode()
    assert "<script>alert" not in page
    assert reviews.review(made).message.decode().count("<script>") == 1
    assert submissions.warning_key(reviews.review(made).open_warnings[0]) in page
