"""The page of a review: what it claims and from where, what is in the way, and what is asked before the button."""

import hashlib
import html
import re
import shlex
from dataclasses import replace

import pytest
from django.http import QueryDict
from django.utils import timezone

from organizations.forms.review import PostedReview
from organizations.models import Organization, Submission
from organizations.pages.review import page as review_page
from organizations.pages.submission import page as submission_page
from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services.connection import redox_settings
from organizations.services.records import organizations
from organizations.services.review import reviews
from organizations.text import vocabulary
from tests import factories
from tests.factories import BASE, acting
from tests.page_text import html_of_page, text_in, text_of_page
from tests.views.history import edited

TOWN = replace(factories.record().address, zip_code="53703")

pytestmark = pytest.mark.django_db


def fresh(made):
    return Organization.objects.with_standing().select_related("last_submission").get(pk=made.pk)


def page_of(made, user):
    return review_page.build(reviews.review(fresh(made), actor=acting(user)), user)


def today():
    return vocabulary.moment(timezone.localtime(), timezone.now(), "day")


def test_a_first_registration_names_where_it_goes(made, editor):
    page = page_of(made, editor)
    assert page.review.summary == "STAGING, New, 1 record, first registration"
    assert page.content.sentences == ("Registers Lakeside 1 below the Redox gateway.",)
    assert (page.content.send_label, page.content.compared) == ("Create in STAGING", "")
    assert page.form.fields["reason"].label == "Reason (optional in STAGING)"
    other = factories.organization(f"{BASE}.9", user=editor, part_of_oid=GATEWAY_SELF_OID)
    sentence = f"Registers Lakeside 9 below the Redox gateway ({GATEWAY_SELF_OID})."
    assert page_of(other, editor).content.sentences == (sentence,)


def test_an_update_shows_each_change_and_by_whom(accepted, editor, second):
    (contact,) = accepted.record().contacts
    edited(accepted, editor, contacts=(replace(contact, work_phone="+16085550177"),))
    edited(accepted, second, address=TOWN)
    page = page_of(accepted, editor)
    shown = page.content
    assert page.review.summary == "STAGING, Update, 1 record, 2 fields change"
    (sentence,) = shown.sentences
    assert sentence == (
        "Changes Work phone and ZIP of Lakeside 1."
        " Redox replaces the whole record, so its other fields are sent unchanged."
    )
    number = accepted.confirmed_submission_id
    assert shown.compared == f"Compared with what Redox accepted on {today()} (submission {number})."
    edit = f"/staging/organizations/{BASE}/edit/"
    assert [(row.label, row.accepted, row.sent, row.by, row.edit_url) for row in shown.rows] == [
        ("Contact 1, Work phone", "+16085550100", "+16085550177", f"Editor One, {today()}", f"{edit}#contacts"),
        ("ZIP", "53704", "53703", f"Editor Two, {today()}", f"{edit}#address"),
    ]
    assert (shown.unchanged_words, shown.send_label) == ("12 fields unchanged", "Send update to STAGING")
    (question,) = shown.questions
    assert f": ZIP (Editor Two, {today()}). " in question.text


def test_the_exact_message_is_there_with_its_fingerprint_and_both_copies(accepted, editor):
    edited(accepted, editor, address=TOWN, name="Lakeside's <North>")
    page = page_of(accepted, editor)
    message, shown = page.review.message, page.content
    digest = hashlib.sha256(message).hexdigest()
    assert "\n".join(line.text for line in shown.lines).encode() == message
    assert page.review.fingerprint == f"{digest[:4]} {digest[4:8]} {digest[8:12]}"
    assert [shown.lines[number - 1].source for number in shown.changed_lines] == ["Name", "ZIP"]
    comment, _, command = shown.curl.partition("\n")
    assert comment == "# Sent by hand, this bypasses the portal: no history, and no protection against sending twice."
    asked = shlex.split(command.replace("\\\n", ""))
    address = f"{redox_settings.environment('staging').base_url}/endpoint"
    headers = ["-H", "Content-Type: application/json", "-H", "Authorization: Bearer [access token]"]
    assert asked == ["curl", "-X", "POST", address, *headers, "--data-raw", message.decode()]
    rendered = html_of_page(page)
    copies = [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', rendered)]
    assert {message.decode(), shown.curl} <= set(copies)
    assert page.review.fingerprint in text_in(rendered)


def test_a_warning_ticked_for_the_same_value_is_kept_with_who_and_why(editor):
    made = factories.organization(user=editor, contacts=())
    factories.confirmed(made, submission=factories.submission(made, user=editor, reason="Registered so"))
    edited(made, editor, address=TOWN)
    shown = page_of(made, editor).content
    (settled,) = shown.settled
    assert (shown.questions, settled.partition(" Accepted by ")[2]) == ((), f"Editor One, {today()}: Registered so")


def test_where_nothing_differs_a_reason_is_asked_and_the_button_is_folded(accepted, editor):
    page = page_of(accepted, editor)
    number = accepted.confirmed_submission_id
    assert page.content.sentences == (
        f"Nothing differs from what Redox accepted on {today()} (submission {number}). There is nothing to send.",
    )
    before, _, after = html_of_page(page).partition("Send the same values again")
    assert "<summary" in before[-120:]
    assert "btn-send" in after
    assert not review_page.review_form(page.review, QueryDict("reason=")).is_valid()
    assert review_page.review_form(page.review, QueryDict("reason=Asked for")).is_valid()
    assert review_page.review_form(page.review, QueryDict(f"reason={'x' * 1001}")).errors["reason"]


def test_a_moved_record_says_from_where_to_where(accepted, editor):
    below = factories.accepted(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    second = factories.accepted(f"{BASE}.2", user=editor, part_of_oid=BASE, name="Harbor Region")
    edited(second, editor, part_of_oid=below.oid, address=replace(TOWN, city="Monona", zip_code="53704"))
    shown = page_of(second, editor).content
    assert shown.sentences[0] == "Moves Harbor Region from Lakeside 1 to below North Region."
    assert shown.sentences[1].startswith("Changes City of Harbor Region. ")
    (row, _) = shown.rows
    assert (row.accepted, row.sent) == (f"Lakeside 1 ({BASE})", f"North Region ({BASE}.1)")


def test_parents_are_told_by_name_and_oid_on_every_page(accepted, editor):
    below = factories.accepted(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    edited(below, editor, part_of_oid=GATEWAY_OID)
    gateway, parent = f"the Redox gateway ({GATEWAY_OID})", f"Lakeside 1 ({BASE})"
    (row,) = page_of(below, editor).content.rows
    assert (row.label, row.accepted, row.sent) == ("PartOf", parent, gateway)
    (change,) = submission_page.build(factories.submission(below, user=editor), editor).changes
    assert (change.label, change.before, change.after) == ("PartOf", parent, gateway)


def test_what_a_submission_was_compared_with_is_called_accepted_only_if_it_was(accepted, editor):
    edited(accepted, editor, address=TOWN)
    first = factories.submission(accepted, user=editor)
    assert submission_page.build(first, editor).before_heading == "Accepted before"
    # Since then the directory is known to have another name.
    factories.confirmed(accepted, submission=first)
    factories.confirmed(accepted, name="Lakeside (One)")
    edited(accepted, editor, address=replace(TOWN, zip_code="53711"))
    second = factories.submission(accepted, user=editor)
    assert submission_page.build(second, editor).before_heading == "Known before"


class TestNothingIsClaimed:
    CLAIMS = ("Registers", "registered outside", "Update,", "nothing to compare", "The exact message", "curl -X")

    @pytest.mark.parametrize("state", ["queued", "unknown"])
    def test_while_nobody_knows_whether_it_is_new(self, made, editor, state):
        sent = factories.submission(made, user=editor)
        Submission.objects.filter(pk=sent.pk).update(state=state)
        if state == "unknown":
            Organization.objects.update(presence="unknown")
        page = page_of(made, editor)
        rendered = html_of_page(page)
        assert page.review.summary == "STAGING, Lakeside 1: not to be sent now"
        (obstacle, *_) = page.content.obstacles
        assert obstacle.sentence == (
            f"Submission {sent.pk} must end first. "
            "Until then the portal cannot tell whether to send a New or an Update."
        )
        assert obstacle.url == f"/staging/submissions/{sent.pk}/"
        assert [claim for claim in self.CLAIMS if claim in text_in(rendered)] == []
        assert "btn-send" not in rendered
        assert "<table" not in rendered

    def test_of_a_record_whose_presence_is_unknown(self, made, editor):
        Organization.objects.update(presence="unknown")
        page = page_of(made, editor)
        assert [each.step for each in page.content.obstacles] == ["Open the record"]
        assert page.review.message == b""

    def test_of_a_stated_record_no_field_is_said_to_change(self, made, editor):
        organizations.state_registered(made.pk, reason="Registered with curl.", actor=acting(editor))
        page = page_of(made, editor)
        assert page.content.sentences == (
            "First message for a record that was registered outside the portal.",
            "Redox replaces the whole record.",
        )
        assert page.content.changed_lines == []
        rendered = html_of_page(page)
        assert f"{len(page.content.rows)} fields, nothing to compare with" in text_in(rendered)
        assert rendered.index("<details") < rendered.index("cards diff")


class TestObstacles:
    def test_a_parent_goes_first(self, made, editor):
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
        page = page_of(child, editor)
        (obstacle,) = page.content.obstacles
        assert obstacle == ("Send Lakeside 1 first.", f"/staging/organizations/{BASE}/review/", "Review Lakeside 1")
        assert "btn-send" not in html_of_page(page)
        parent = factories.submission(made, user=editor)
        assert page_of(child, editor).content.waits == (
            "Lakeside 1 must be accepted first. You can send now; the message waits."
        )
        assert list(factories.submission(child, user=editor).after.all()) == [parent]

    def test_a_destination_that_is_not_known_must_be_said_first(self, made, editor):
        Organization.objects.filter(pk=made.pk).update(destination_known=False)
        page = page_of(made, editor)
        (obstacle,) = page.content.obstacles
        assert obstacle.sentence.startswith("Enter the destination ID that this record has today")
        assert obstacle.url == f"/staging/organizations/{BASE}/edit/#routing"
        assert "The exact message" not in text_of_page(page)

    def test_who_may_not_send_sees_the_button_and_whom_to_ask(self, editor):
        approver = factories.UserFactory(role="approver", first_name="Approver", last_name="One")
        made = factories.organization(user=editor, environment="production")
        page = page_of(made, editor)
        assert page.why_not == "You cannot send to PRODUCTION. Approvers can: Approver One."
        assert 'disabled aria-describedby="why-not"' in html_of_page(page)
        assert page.form.fields["reason"].label == "Reason"
        assert page_of(made, approver).why_not == ""


def test_a_press_is_bound_to_nothing_by_what_is_malformed():
    for text in ("", "x", "-1", "1e3", "\uff11", "A" * 64, "\x00", "9" * 5_000):
        given = QueryDict(mutable=True)
        given.update({"sha256": text, "seen": text, "version": text})
        assert (PostedReview(given).sha256, PostedReview(given).version) == ("", 0), text
    given = QueryDict(f"sha256={'0' * 64}&seen=12&version=9999999999999999999&tick=a&tick=b")
    bound = PostedReview(given)
    assert (bound.sha256, bound.seen_submission, bound.version, sorted(bound.ticked)) == ("0" * 64, 12, 0, ["a", "b"])
