"""One submission, in each state that it can have."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings

from organizations.models import (
    Action,
    AuditEntry,
    Organization,
    State,
    Submission,
    User,
    clock,
)
from organizations.practice import PracticeDirectory
from organizations.redox.environment import GATEWAY_OID
from organizations.services import answers, audit, delivery, environments, going_on, organizations, submissions
from organizations.services.actors import Actor
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.views.pages import text_of
from tests.views.sending import page_of, sent

type ClientOf = Callable[..., Client]


# Queued -----------------------------------------------------------------------------------------------------


def test_a_queued_submission_says_that_nothing_was_sent_and_who_asked(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get(page_of(queued))
    said = text_of(response)
    assert (
        f"<title>Queued: submission {queued.pk}, Lakeside 1 | STAGING | orgportal</title>" in response.content.decode()
    )
    assert f"Submission {queued.pk}, New of Lakeside 1" in said
    assert "Reviewed and stored. Nothing has been sent." in said
    assert "No approval was required (STAGING)." in said
    assert "New site, ticket 118" in said
    assert queued.fingerprint in said
    assert "fields, registration" in said
    assert "No attempt yet." in said


@pytest.mark.parametrize("four_eyes", [True, False])
def test_a_message_to_production_says_which_setting_asked_for_no_approval(
    client_of: ClientOf, editor: User, settings: Any, four_eyes: bool
) -> None:
    settings.PRODUCTION_FOUR_EYES = four_eyes
    made = factories.submission(factories.organization(user=editor, environment="production"), user=editor)
    settings.PRODUCTION_FOUR_EYES = not four_eyes
    client = client_of("viewer")
    because = "approvers send themselves in this release"
    sentence = f"No approval was required: {because}; PRODUCTION_FOUR_EYES was {str(four_eyes).lower()}."
    assert f"Approval {sentence} Reason" in text_of(client.get(page_of(made)))
    assert f"{sentence} PRODUCTION" in text_of(client.get("/audit/?show=entries"))


def test_what_is_queued_without_a_connection_says_so(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get(page_of(queued))
    assert "STAGING is not connected." in text_of(response)
    assert 'href="/staging/connection/"' in response.content.decode()


def test_a_message_that_cannot_be_read_has_its_page(client_of: ClientOf, queued: Submission) -> None:
    message = bytes(queued.message).replace(b'"Active": true', b'"Active": "true"')
    reason = "The stored message could not be read (Active is neither true nor false)."
    Submission.objects.update(message=message, state=State.NEEDS_PERSON, state_reason=reason)
    assert "What it would register" in text_of(client_of("viewer").get(page_of(queued)))


def test_each_reason_for_waiting_is_named(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    queued = factories.submission(factories.organization(user=editor), user=editor)
    viewer = client_of("viewer")
    assert "Nothing has been sent. A worker will take it." in text_of(viewer.get(page_of(queued)))

    Submission.objects.update(state_at=clock.now() - datetime.timedelta(minutes=1))
    assert "Nothing has been sent. No worker is running since " in text_of(viewer.get(page_of(queued)))

    environments.hold_now("staging", 300, "too many requests", actor=worker)
    said = text_of(viewer.get(page_of(queued)))
    assert "STAGING waits until " in said
    assert ": too many requests." in said

    environments.stop_now("staging", "Redox does not accept the credential", actor=worker)
    assert "STAGING is stopped: Redox does not accept the credential." in text_of(viewer.get(page_of(queued)))


def test_a_child_waits_for_its_parent(client_of: ClientOf, editor: User, queued: Submission) -> None:
    child = factories.organization(f"{BASE}.7", user=editor, part_of_oid=BASE)
    waiting = factories.submission(child, user=editor)
    page = client_of("viewer").get(page_of(waiting))
    assert "Waits for its parent Lakeside 1 to be accepted." in text_of(page)
    assert f'Waits for its parent <a href="/staging/organizations/{BASE}/">Lakeside 1</a>' in page.content.decode()


def test_before_the_first_attempt_it_can_be_cancelled(client_of: ClientOf, editor: User, queued: Submission) -> None:
    client = client_of(user=editor)
    assert "Cancel this submission" in text_of(client.get(page_of(queued)))
    said = text_of(client.post(page_of(queued, "submission-cancel"), follow=True))
    assert "Nothing was sent. Your changes stay saved on the record." in said
    assert "Taken back by Editor One on " in said
    assert "Review again" in said
    again = text_of(client.post(page_of(queued, "submission-cancel"), follow=True))
    assert "was cancelled already." in again


def test_who_may_not_cancel_is_told_why(client_of: ClientOf, queued: Submission) -> None:
    refused = client_of("viewer").post(page_of(queued, "submission-cancel"))
    assert refused.status_code == 403
    queued.refresh_from_db()
    assert queued.state == State.QUEUED
    assert AuditEntry.objects.filter(action=Action.PERMISSION_REFUSED).count() == 1
    said = text_of(client_of("viewer").get(page_of(queued)))
    assert "was refused: they cannot cancel a submission in STAGING." in text_of(client_of("viewer").get("/audit/"))
    assert "You cannot cancel a submission in STAGING. Editors and Approvers can: Editor One." in said


def test_an_editor_does_not_cancel_what_others_send_to_production(client_of: ClientOf) -> None:
    approver = factories.UserFactory(role="approver")
    made = factories.organization(user=approver, environment="production")
    submission = factories.submission(made, user=approver)
    assert client_of("editor").post(page_of(submission, "submission-cancel")).status_code == 403
    assert client_of("approver").post(page_of(submission, "submission-cancel")).status_code == 302


# At its end -------------------------------------------------------------------------------------------------


def test_a_long_yes_is_cut_and_whole_in_its_frame(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "answers")
    Submission.objects.filter(pk=submission.pk).update(detail="x" * 2500)
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert f"“{'x' * 200}…”" in said
    assert f"As Redox wrote it {'x' * 2000}… show all 2500 characters {'x' * 2500}" in said


def test_an_accepted_one_says_when_how_long_and_in_whose_words(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "answers")
    response = client_of("viewer").get(page_of(submission))
    said = text_of(response)
    assert "<title>Accepted: submission" in response.content.decode()
    assert response.context["heading_word"].word == "Accepted by Redox"
    assert "Redox accepted this on " in said
    assert "“New organization was added successfully.”" in said
    assert f"Message ID {submission.redox_message_id}" in said
    assert "data-hx-get" not in response.content.decode()
    assert '"EventType": "New"' in said
    assert "HTTP 200" in said


def test_an_update_shows_old_and_new_and_who_saved_it(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    first = sent(practice, editor, worker, "answers")
    made = Organization.objects.get(pk=first.organization_id)
    changed = factories.record(BASE, name="Lakeside North")
    organizations.edit(made.pk, made.version, changed, stands_for="", actor=factories.acting(editor))
    second = factories.submission(made, user=editor)
    response = client_of("viewer").get(page_of(second))
    said = text_of(response)
    assert "What it would change" in said
    assert "Name Lakeside 1 Lakeside North Editor One, " in said
    old = client_of("viewer").get(page_of(first)).content.decode()
    assert f"<title>Accepted: submission {first.pk}, Lakeside 1 (now Lakeside North) |" in old
    assert f"<h1>Submission {first.pk}, New of Lakeside 1 (now Lakeside North)</h1>" in old
    assert f'rel="prev" href="{page_of(first)}"' in response.content.decode()
    assert f'rel="next" href="{page_of(second)}"' in old


def test_a_rejected_one_gives_cause_and_one_step(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "says-no-parse")
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert "Redox could not pass the record on. Redox names: no identifier" in said
    assert "This message is not sent again. Your values are still saved on the record." in said
    assert "As Redox wrote it, HTTP 403 Failed to parse request body as XML resource." in said


def test_a_double_leads_to_the_other_record(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    factories.organization(f"{BASE}.9", user=editor, name="lakeside 1")
    submission = sent(practice, editor, worker, "says-no-duplicate")
    response = client_of("viewer").get(page_of(submission))
    assert "These records have the same name or address: lakeside 1." in text_of(response)
    assert f'href="/staging/organizations/{BASE}.9/">Compare with lakeside 1</a>' in response.content.decode()


def test_no_subscription_leads_to_the_connection(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "says-no-subscriptions")
    response = client_of("viewer").get(page_of(submission))
    assert "Redox does not let this credential write to this directory." in text_of(response)
    assert "Sending to STAGING is stopped until somebody has put the connection right." in text_of(response)
    assert 'btn-primary" href="/staging/connection/">Open Connection</a>' in response.content.decode()
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_ROUTING_ID="11111111-2222-4333-8444-555555555555")):
        said = text_of(client_of("viewer").get(page_of(submission)))
    assert "The routing ID sent was a07afe3b-d247-4415-827f-6837707e1b8b, the one for STAGING organizations" in said
    environments.check("staging", actor=worker)
    practice.behaviour = "answers"
    environments.check("staging", actor=worker)
    going_on.release("staging", actor=worker)
    assert "Sending to STAGING is stopped" not in text_of(client_of("viewer").get(page_of(submission)))


# What is foreign --------------------------------------------------------------------------------------------


def test_a_submission_is_found_in_its_own_environment_only(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get(f"/production/submissions/{queued.pk}/")
    assert response.status_code == 404
    assert client_of("viewer").get("/staging/submissions/99999999999999999999999999/").status_code == 404


@pytest.mark.parametrize("name", ["submission-cancel", "submission-ask"])
def test_acts_are_posted(client_of: ClientOf, editor: User, queued: Submission, name: str) -> None:
    assert client_of(user=editor).get(page_of(queued, name)).status_code == 405


def test_a_page_that_stands_open_learns_everything_that_an_answer_changes(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    queued = factories.submission(factories.organization(user=editor), user=editor)
    before = text_of(client_of("viewer").get(page_of(queued)))
    assert "What it would register" in before
    assert "as it will leave" in before
    practice.behaviour = "refuses-sign-in"
    delivery.deliver_next("staging", actor=worker)
    state = page_of(queued, "submission-state")
    said = text_of(client_of("viewer").get(f"{state}?since=queued-0"))
    assert "STAGING: Stopped." in said
    assert "as it left" in said

    practice.behaviour = "answers"
    environments.check("staging", actor=worker)
    going_on.release("staging", actor=worker)
    delivery.deliver_next("staging", actor=worker)
    answered = client_of("viewer").get(f"{state}?since=queued-1")
    said = text_of(answered)
    last = AuditEntry.objects.latest("pk").pk
    assert "What it registered" in said
    assert "Sent and accepted" in said
    assert f'href="/audit/{last}/">{last}</a>' in answered.content.decode()
    assert '<span id="open-submissions" data-hx-swap-oob="true"></span>' in answered.content.decode()


def test_nobody_without_a_role_reads_submissions(client_of: ClientOf, queued: Submission) -> None:
    for url in ("/staging/submissions/", page_of(queued), page_of(queued, "submission-state")):
        assert client_of().get(url).status_code == 403


def test_what_redox_wrote_is_shown_as_text(client_of: ClientOf, queued: Submission) -> None:
    Submission.objects.update(
        state=State.ACCEPTED,
        evidence="answer",
        detail="<script>alert(1)</script>\u202e",
        attempt=1,
        ended_at=clock.now(),
    )
    shown = client_of("viewer").get(page_of(queued)).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202E".lower() in shown.lower()


def test_bytes_that_are_no_text_are_written_out(
    client_of: ClientOf, editor: User, queued: Submission, worker: Actor
) -> None:
    with audit.recorded(worker) as history:
        history.submission(
            Action.ATTEMPT_RESPONSE, queued, raw=b"\xff\x00<b>", attempt=1, http_status=502, exchange={"sent": True}
        )
    said = client_of("viewer").get(page_of(queued)).content.decode()
    assert "\\xff\\u0000&lt;b&gt;" in said
    assert "as it came, 5 bytes, HTTP 502" in said


def test_support_gets_what_it_needs_and_no_name_or_reason_of_ours(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "says-no-xml")
    entries = list(AuditEntry.objects.of_submission(submission.pk))
    block = answers.support_block(submission, entries)
    routing_id = json.loads(bytes(submission.message))["Meta"]["Destinations"][0]["ID"]
    assert "Environment: STAGING" in block
    assert f"Routing ID: {routing_id} (Query for/create/update/delete an organization, STAGING)" in block
    assert f"OID: {BASE}" in block
    assert "Event: Organization.New" in block
    assert f"Log ID: {submission.redox_log_id}" in block
    assert "Text: Parsing XML request error!" in block
    assert "HTTP 500, rejected" in block
    assert "Editor" not in block
    assert "Test" not in block
    assert GATEWAY_OID not in block


@pytest.mark.slow
def test_a_submission_asks_the_database_as_often_with_many_attempts_as_with_one(
    client_of: ClientOf, queued: Submission, worker: Actor, django_assert_max_num_queries
) -> None:
    client = client_of("viewer")
    client.get(page_of(queued))
    with django_assert_max_num_queries(30) as few:
        client.get(page_of(queued))
    with audit.recorded(worker) as history:
        for attempt in range(1, 40):
            history.submission(Action.ATTEMPT_INTENT, queued, attempt=attempt)
            history.submission(Action.ATTEMPT_OUTCOME, queued, attempt=attempt, outcome="not_sent", detail="refused")
    with django_assert_max_num_queries(len(few) + 1):
        said = text_of(client.get(page_of(queued)))
    assert said.count("Not sent") == 39


def test_a_cancelled_follower_names_what_it_waited_for(client_of: ClientOf, editor: User, queued: Submission) -> None:
    child = factories.organization(f"{BASE}.7", user=editor, part_of_oid=BASE)
    follower = factories.submission(child, user=editor)
    submissions.cancel(queued.pk, actor=factories.acting(editor))
    said = text_of(client_of("viewer").get(page_of(follower)))
    assert f"Submission {queued.pk}, which this one waited for, was cancelled." in said


def test_what_the_portal_cancelled_by_itself_nobody_took_back(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    first = factories.submission(factories.organization(user=editor), user=editor)
    follower = factories.submission(factories.organization(f"{BASE}.7", user=editor, part_of_oid=BASE), user=editor)
    practice.behaviour = "says-no-parse"
    delivery.deliver_next("staging", actor=worker)
    said = text_of(client_of("viewer").get(page_of(follower)))
    assert "Cancelled by the portal on " in said
    assert f"Nothing was sent. Submission {first.pk}, which this one waited for, was rejected." in said
    assert worker.name not in said


def test_an_answer_that_names_another_oid_is_pointed_out(
    client_of: ClientOf, editor: User, queued: Submission, worker: Actor
) -> None:
    said = f"Organization with id:{BASE}.77 has been updated successfully."
    answer = {"Meta": {"EventType": "Update", "Extensions": {"ResponseDetail": {"string": said}}}}
    Submission.objects.update(
        event="Update", state=State.ACCEPTED, evidence="answer", attempt=1, detail=said, ended_at=clock.now()
    )
    queued.refresh_from_db()
    with audit.recorded(worker) as history:
        exchange = {"request_sha256": queued.message_sha256, "sent": True, "status": 200, "duration_ms": 5}
        history.submission(
            Action.ATTEMPT_RESPONSE, queued, raw=json.dumps(answer).encode(), attempt=1, exchange=exchange
        )
    Submission.objects.update(answer_warning="other OID in the answer")
    page = text_of(client_of("viewer").get(page_of(queued)))
    assert f"Redox's answer names the OID {BASE}.77, not the one sent. Redox's own example does that too." in page
