"""The page of a review: its claims and their evidence, what blocks it, and what must be confirmed."""

import hashlib
import html
import re
import shlex
from dataclasses import replace

import pytest
from django.http import QueryDict
from django.utils import timezone

from organizations.forms.review import PostedReview
from organizations.models import Organization
from organizations.pages.review import page as review_page
from organizations.pages.submission import page as submission_page
from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services.connection import redox_settings
from organizations.services.records import statements
from organizations.services.review import reviews
from organizations.text import vocabulary
from tests import factories
from tests.changes import load
from tests.factories import BASE, as_actor
from tests.page_text import html_of_page, text_in, text_of_page
from tests.views.history import save_edit

TOWN = replace(factories.record().address, zip_code="53703")

pytestmark = pytest.mark.django_db


def page_of(organization, user):
    return review_page.build(reviews.review(load(organization), actor=as_actor(user)), user)


def today():
    return vocabulary.moment_text(timezone.localtime(), timezone.now(), "day")


def test_a_first_registration_names_its_destination(organization, editor):
    page = page_of(organization, editor)
    assert page.review.summary == "STAGING, New, 1 record, first registration"
    assert page.content.sentences == ("Registers Lakeside 1 below the Redox gateway.",)
    assert (page.content.send_label, page.content.compared) == ("Create in STAGING", "")
    assert page.form.fields["reason"].label == "Reason (optional in STAGING)"
    other = factories.organization(f"{BASE}.9", user=editor, part_of_oid=GATEWAY_SELF_OID)
    sentence = f"Registers Lakeside 9 below the Redox gateway ({GATEWAY_SELF_OID})."
    assert page_of(other, editor).content.sentences == (sentence,)


def test_an_update_shows_each_change_and_by_whom(accepted, editor, second):
    (contact,) = accepted.record().contacts
    save_edit(accepted, editor, contacts=(replace(contact, work_phone="+16085550177"),))
    save_edit(accepted, second, address=TOWN)
    page = page_of(accepted, editor)
    content = page.content
    assert page.review.summary == "STAGING, Update, 1 record, 2 fields change"
    (sentence,) = content.sentences
    assert sentence == (
        "Changes Work phone and ZIP of Lakeside 1."
        " Redox replaces the whole record, so its other fields are sent unchanged."
    )
    number = accepted.confirmed_submission_id
    assert content.compared == f"Compared with what Redox accepted on {today()} (submission {number})."
    edit = f"/staging/organizations/{BASE}/edit/"
    assert [(row.label, row.accepted, row.sent, row.by, row.edit_url) for row in content.rows] == [
        ("Contact 1, Work phone", "+16085550100", "+16085550177", f"Editor One, {today()}", f"{edit}#contacts"),
        ("ZIP", "53704", "53703", f"Editor Two, {today()}", f"{edit}#address"),
    ]
    assert (content.unchanged_words, content.send_label) == ("12 fields unchanged", "Send update to STAGING")
    (question,) = content.questions
    assert f": ZIP (Editor Two, {today()}). " in question.text


def test_the_page_has_the_exact_message_its_hash_and_both_copies(accepted, editor):
    save_edit(accepted, editor, address=TOWN, name="Lakeside's <North>")
    page = page_of(accepted, editor)
    message, content = page.review.message, page.content
    digest = hashlib.sha256(message).hexdigest()
    assert "\n".join(line.text for line in content.lines).encode() == message
    assert page.review.fingerprint == f"{digest[:4]} {digest[4:8]} {digest[8:12]}"
    assert [content.lines[number - 1].source for number in content.changed_lines] == ["Name", "ZIP"]
    comment, _, command = content.curl.partition("\n")
    assert comment == "# Sent by hand, this bypasses the portal: no history, and no protection against sending twice."
    arguments = shlex.split(command.replace("\\\n", ""))
    address = f"{redox_settings.environment('staging').base_url}/endpoint"
    headers = ["-H", "Content-Type: application/json", "-H", "Authorization: Bearer [access token]"]
    assert arguments == ["curl", "-X", "POST", address, *headers, "--data-raw", message.decode()]
    rendered = html_of_page(page)
    copies = [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', rendered)]
    assert {message.decode(), content.curl} <= set(copies)
    assert page.review.fingerprint in text_in(rendered)


def test_a_tick_for_the_same_value_is_kept_with_person_and_reason(editor):
    organization = factories.organization(user=editor, contacts=())
    factories.accept(organization, submission=factories.submission(organization, user=editor, reason="Registered so"))
    save_edit(organization, editor, address=TOWN)
    content = page_of(organization, editor).content
    (settled,) = content.settled
    assert (content.questions, settled.partition(" Accepted by ")[2]) == ((), f"Editor One, {today()}: Registered so")


def test_without_a_difference_a_reason_is_required_and_the_button_is_folded(accepted, editor):
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


def test_a_moved_record_names_both_parents(accepted, editor):
    below = factories.accepted_organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    second = factories.accepted_organization(f"{BASE}.2", user=editor, part_of_oid=BASE, name="Harbor Region")
    save_edit(second, editor, part_of_oid=below.oid, address=replace(TOWN, city="Monona", zip_code="53704"))
    content = page_of(second, editor).content
    assert content.sentences[0] == "Moves Harbor Region from Lakeside 1 to below North Region."
    assert content.sentences[1].startswith("Changes City of Harbor Region. ")
    (row, _) = content.rows
    assert (row.accepted, row.sent) == (f"Lakeside 1 ({BASE})", f"North Region ({BASE}.1)")


def test_parents_have_name_and_oid_on_every_page(accepted, editor):
    below = factories.accepted_organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    save_edit(below, editor, part_of_oid=GATEWAY_OID)
    gateway, parent = f"the Redox gateway ({GATEWAY_OID})", f"Lakeside 1 ({BASE})"
    (row,) = page_of(below, editor).content.rows
    assert (row.label, row.accepted, row.sent) == ("PartOf", parent, gateway)
    (change,) = submission_page.build(factories.submission(below, user=editor), editor).changes
    assert (change.label, change.before, change.after) == ("PartOf", parent, gateway)


def test_the_compared_values_are_called_accepted_only_if_they_were(accepted, editor):
    save_edit(accepted, editor, address=TOWN)
    first = factories.submission(accepted, user=editor)
    assert submission_page.build(first, editor).before_heading == "Accepted before"
    # The directory has shown another name since.
    factories.accept(accepted, submission=first)
    factories.accept(accepted, name="Lakeside (One)")
    save_edit(accepted, editor, address=replace(TOWN, zip_code="53711"))
    second = factories.submission(accepted, user=editor)
    assert submission_page.build(second, editor).before_heading == "Known before"


class TestNothingIsClaimed:
    CLAIMS = ("Registers", "registered outside", "Update,", "nothing to compare", "The exact message", "curl -X")

    @pytest.mark.parametrize("state", ["queued", "unknown"])
    def test_while_new_or_update_is_unknown(self, organization, editor, state):
        sent = factories.submission(organization, user=editor)
        factories.change_submission(sent, state=state)
        if state == "unknown":
            Organization.objects.update(presence="unknown")
        page = page_of(organization, editor)
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

    def test_if_the_presence_is_unknown(self, organization, editor):
        Organization.objects.update(presence="unknown")
        page = page_of(organization, editor)
        assert [each.step for each in page.content.obstacles] == ["Open the record"]
        assert page.review.message == b""

    def test_no_field_of_a_stated_record_is_called_changed(self, organization, editor):
        statements.state_registered(organization.pk, reason="Registered with curl.", actor=as_actor(editor))
        page = page_of(organization, editor)
        assert page.content.sentences == (
            "First message for a record that was registered outside the portal.",
            "Redox replaces the whole record.",
        )
        assert page.content.changed_lines == []
        rendered = html_of_page(page)
        assert f"{len(page.content.rows)} fields, nothing to compare with" in text_in(rendered)
        assert rendered.index("<details") < rendered.index("cards diff")


class TestObstacles:
    def test_the_parent_must_be_sent_first(self, organization, editor):
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
        page = page_of(child, editor)
        (obstacle,) = page.content.obstacles
        assert obstacle == ("Send Lakeside 1 first.", f"/staging/organizations/{BASE}/review/", "Review Lakeside 1")
        assert "btn-send" not in html_of_page(page)
        parent = factories.submission(organization, user=editor)
        assert page_of(child, editor).content.waits == (
            "Lakeside 1 must be accepted first. You can send now; the message waits."
        )
        assert list(factories.submission(child, user=editor).waits_for.all()) == [parent]

    def test_the_first_message_to_a_record_registered_outside_the_portal_must_be_accepted_first(self, editor):
        first = factories.submission(factories.stated_organization(f"{BASE}.1", user=editor), user=editor)
        page = page_of(factories.stated_organization(f"{BASE}.2", user=editor), editor)
        assert page.content.waits == (
            f"Submission {first.pk} of Lakeside 1 must be accepted first: Redox has accepted no message yet to a record"
            " that was registered outside the portal. You can send now; the message waits."
        )

    def test_an_unknown_destination_must_be_entered_first(self, organization, editor):
        Organization.objects.filter(pk=organization.pk).update(destination_known=False)
        page = page_of(organization, editor)
        (obstacle,) = page.content.obstacles
        assert obstacle.sentence.startswith("Enter the destination ID that this record has today")
        assert obstacle.url == f"/staging/organizations/{BASE}/edit/#routing"
        assert "The exact message" not in text_of_page(page)

    def test_a_viewer_sees_a_disabled_button_and_who_can_send(self, editor):
        approver = factories.UserFactory(role="approver", first_name="Approver", last_name="One")
        organization = factories.organization(user=editor, environment="production")
        page = page_of(organization, editor)
        assert page.block_reason == "You cannot send to PRODUCTION. Approvers can: Approver One."
        assert 'disabled aria-describedby="block-reason"' in html_of_page(page)
        assert page.form.fields["reason"].label == "Reason"
        assert page_of(organization, approver).block_reason == ""


def test_malformed_inputs_of_a_press_are_ignored():
    for text in ("", "x", "-1", "1e3", "\uff11", "A" * 64, "\x00", "9" * 5_000):
        post = QueryDict(mutable=True)
        post.update({"sha256": text, "seen": text, "version": text})
        assert (PostedReview(post).sha256, PostedReview(post).version) == ("", 0), text
    post = QueryDict(f"sha256={'0' * 64}&seen=12&version=9999999999999999999&tick=a&tick=b")
    bound = PostedReview(post)
    assert (bound.sha256, bound.shown_submission, bound.version, sorted(bound.ticked)) == ("0" * 64, 12, 0, ["a", "b"])
