"""The outbox and one submission, in each state that it can have."""

import datetime
import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import Action, AuditEntry, EnvironmentGate, Organization, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.redox.environment import GATEWAY_OID
from organizations.services import answers, audit, delivery, environments, organizations, submissions
from organizations.services.actors import Actor
from tests import factories
from tests.connected import connected
from tests.factories import BASE
from tests.views.pages import text_of

type ClientOf = Callable[..., Client]


def page_of(submission: Submission, name: str = "submission") -> str:
    return reverse(name, args=[submission.environment, submission.pk])


@pytest.fixture
def queued(editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor, reason="New site, ticket 118")


def sent(practice: PracticeDirectory, user: User, worker: Actor, behaviour: str, oid: str = BASE) -> Submission:
    """A submission that was sent while the directory behaved so."""
    submission = factories.submission(factories.organization(oid, user=user), user=user)
    practice.behaviour = behaviour
    delivery.deliver_next("staging", actor=worker)
    submission.refresh_from_db()
    return submission


# The outbox -------------------------------------------------------------------------------------------------


def test_the_outbox_lists_what_was_sent_with_state_and_person(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get("/staging/submissions/")
    said = text_of(response)
    assert "Submissions in STAGING" in said
    assert f"{queued.pk}, Create Queued Lakeside 1" in said
    assert "Editor One" in said
    assert page_of(queued) in response.content.decode()


def test_the_outbox_of_the_other_environment_is_empty_and_says_what_will_appear(
    client_of: ClientOf, queued: Submission
) -> None:
    said = text_of(client_of("viewer").get("/production/submissions/"))
    assert "Nothing has been sent to PRODUCTION." in said
    assert "A submission appears here when somebody presses “Send”." in said


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", True), ("?state=queued", True), ("?state=open", True), ("?state=accepted", False), ("?mine=1", False)],
)
def test_the_outbox_is_filtered_by_its_address(
    client_of: ClientOf, queued: Submission, query: str, shown: bool
) -> None:
    response = client_of("viewer").get(f"/staging/submissions/{query}")
    assert (page_of(queued) in response.content.decode()) == shown
    assert ("No submission fits." in text_of(response)) != shown


def test_mine_are_those_that_i_asked_for(client_of: ClientOf, editor: User, queued: Submission) -> None:
    response = client_of(user=editor).get("/staging/submissions/?mine=1&state=queued")
    assert page_of(queued) in response.content.decode()
    assert 'href="/staging/submissions/?mine=1"' in response.content.decode()
    assert 'href="/staging/submissions/?state=queued"' in response.content.decode()


@pytest.mark.parametrize(
    "query", ["?state=%00", "?state=<b>", "?page=-1", "?page=9999", "?page=%00x", "?mine=" + "9" * 900]
)
def test_the_outbox_takes_no_harm_from_a_strange_address(client_of: ClientOf, queued: Submission, query: str) -> None:
    assert client_of("viewer").get(f"/staging/submissions/{query}").status_code == 200


def test_the_outbox_asks_the_database_as_often_for_many_as_for_few(
    client_of: ClientOf, queued: Submission, django_assert_max_num_queries
) -> None:
    client = client_of("viewer")
    client.get("/staging/submissions/")
    with django_assert_max_num_queries(30) as few:
        client.get("/staging/submissions/")
    many_of(queued, 1000)
    with django_assert_max_num_queries(len(few)):
        response = client.get("/staging/submissions/?page=2")
    assert "51 to 100 of 1001" in text_of(response)


def many_of(submission: Submission, count: int) -> None:
    values = {
        field.attname: getattr(submission, field.attname)
        for field in Submission._meta.concrete_fields
        if field.attname != "id"
    }
    Submission.objects.bulk_create(Submission(**values | {"state": State.ACCEPTED}) for _ in range(count))


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
    assert "fields, first registration" in said
    assert "No attempt yet." in said


def test_what_is_queued_without_a_connection_says_so(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get(page_of(queued))
    assert "STAGING is not connected." in text_of(response)
    assert 'href="/staging/connection/"' in response.content.decode()


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
    assert "Waits for its parent Lakeside 1 to be accepted." in text_of(client_of("viewer").get(page_of(waiting)))


def test_after_an_attempt_that_did_not_reach_redox_the_next_one_is_named(
    client_of: ClientOf, editor: User, worker: Actor, tmp_path, transactional_db
) -> None:
    with connected(tmp_path) as practice:
        url = practice.url
    with connected(tmp_path / "other", REDOX_STAGING_BASE_URL=url):
        submission = factories.submission(factories.organization(user=editor), user=editor)
        delivery.deliver_next("staging", actor=worker)
        Submission.objects.update(not_before=clock.now() + datetime.timedelta(minutes=5))
        EnvironmentGate.objects.update(hold_until=None)
        response = client_of("viewer").get(page_of(submission))
    said = text_of(response)
    assert "The next attempt follows at " in said
    assert "Attempt 1 did not reach Redox: " in said
    assert "Not sent" in said
    assert "No answer came." in said
    assert "Cancel this submission" not in said


def test_before_the_first_attempt_it_can_be_cancelled(client_of: ClientOf, editor: User, queued: Submission) -> None:
    client = client_of(user=editor)
    assert "Cancel this submission" in text_of(client.get(page_of(queued)))
    said = text_of(client.post(page_of(queued, "submission-cancel"), follow=True))
    assert "Nothing was sent. Your changes stay saved on the record." in said
    assert "Taken back by Editor One at " in said
    assert "Review again" in said
    again = text_of(client.post(page_of(queued, "submission-cancel"), follow=True))
    assert "It cannot be cancelled any more." in again


def test_who_may_not_cancel_is_told_why(client_of: ClientOf, queued: Submission) -> None:
    refused = client_of("viewer").post(page_of(queued, "submission-cancel"))
    assert refused.status_code == 403
    queued.refresh_from_db()
    assert queued.state == State.QUEUED
    assert AuditEntry.objects.filter(action=Action.PERMISSION_REFUSED).count() == 1
    said = text_of(client_of("viewer").get(page_of(queued)))
    assert "You may not send to STAGING. Editors and Approvers may: Editor One." in said


def test_an_editor_does_not_cancel_what_others_send_to_production(client_of: ClientOf) -> None:
    approver = factories.UserFactory(role="approver")
    made = factories.organization(user=approver, environment="production")
    submission = factories.submission(made, user=approver)
    assert client_of("editor").post(page_of(submission, "submission-cancel")).status_code == 403
    assert client_of("approver").post(page_of(submission, "submission-cancel")).status_code == 302


# At its end -------------------------------------------------------------------------------------------------


def test_an_accepted_one_says_when_how_long_and_in_whose_words(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "answers")
    response = client_of("viewer").get(page_of(submission))
    said = text_of(response)
    assert "<title>Accepted: submission" in response.content.decode()
    assert "Redox said yes at " in said
    assert "“New organization was added successfully.”" in said
    assert f"Message ID {submission.redox_message_id}" in said
    assert f"/staging/organizations/new/?below={BASE}" in response.content.decode()
    assert f"/staging/organizations/new/?like={BASE}" in response.content.decode()
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
    assert f'rel="prev" href="{page_of(first)}"' in response.content.decode()
    assert f'rel="next" href="{page_of(second)}"' in client_of("viewer").get(page_of(first)).content.decode()


def test_a_rejected_one_gives_cause_and_one_step(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "says-no-parse")
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert "Redox could not pass the record on. Redox names: no identifier" in said
    assert "This message will not be sent again. Nothing is sent again by itself." in said
    assert "Your values are still saved on the record." in said
    assert "As Redox wrote it, HTTP 403 As Redox wrote it Failed to parse request body as XML resource." in said


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
    assert 'btn-primary" href="/staging/connection/">Open Connection</a>' in response.content.decode()


# Unknown and needs a person ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "how"),
    [
        ("never-answers", "The answer did not come within 1 seconds."),
        ("applies-then-breaks", "The connection broke before an answer."),
        ("applies-then-504", "Redox answered 504 without saying yes or no."),
    ],
)
def test_an_unknown_one_says_how_it_was_lost_and_what_happens_next(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor, behaviour: str, how: str
) -> None:
    submission = sent(practice, editor, worker, behaviour)
    response = client_of("viewer").get(page_of(submission))
    said = text_of(response)
    assert "We do not know whether this arrived." in said
    assert how in said
    assert "Not found twice: the very same message goes out once more." in said
    assert "Do not send this record with curl or Postman, and do not add it again" in said
    assert 'data-hx-trigger="every 10s"' in response.content.decode()
    assert "You may not edit records." in said


def test_asking_the_directory_shows_three_sides(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "applies-then-504")
    practice.behaviour = "answers"
    client = client_of(user=editor)
    response = client.post(page_of(submission, "submission-ask"))
    assert response["Location"] == page_of(submission) + "#asked"
    said = text_of(client.get(page_of(submission)))
    assert "What the directory showed asked " in said
    assert "City Madison Madison none equal" in said
    assert "Destination ID none cannot be read none not compared" not in said
    assert "0 of " in said
    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN


def test_what_differs_in_the_directory_is_marked(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "applies-then-504")
    practice.behaviour = "answers"
    stored = practice.organizations("staging")[BASE]
    practice.register("staging", stored | {"Address": stored["Address"] | {"City": "Middleton"}})
    client = client_of(user=editor)
    client.post(page_of(submission, "submission-ask"))
    said = text_of(client.get(page_of(submission)))
    assert "City Madison Middleton none differs" in said
    assert "1 of " in said


def test_a_directory_that_does_not_know_it_or_does_not_answer_is_told_apart(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "never-answers")
    client = client_of(user=editor)
    client.post(page_of(submission, "submission-ask"))
    assert "The directory could not be asked (" in text_of(client.get(page_of(submission)))
    practice.behaviour = "answers"
    client.post(page_of(submission, "submission-ask"))
    said = text_of(client.get(page_of(submission)))
    assert "The directory of STAGING showed no record with this OID." in said


def test_there_is_nothing_to_ask_about_what_is_at_its_end(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "answers")
    before = len(practice.requests)
    said = text_of(client_of(user=editor).post(page_of(submission, "submission-ask"), follow=True))
    assert "there is nothing to find out." in said
    assert len(practice.requests) == before


def test_an_oid_that_existed_needs_a_person_and_offers_no_dead_button(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = sent(practice, editor, worker, "says-no-exists")
    said = text_of(client_of(user=editor).get(page_of(submission)))
    assert "This OID is already in the directory of STAGING." in said
    assert "Deactivated records count as well." in said
    assert "Until then nothing else of this record is sent" in said
    assert "Ask the directory now" in said
    assert "Confirm this decision" not in said
    assert "Compare with the directory" not in said


# The state alone --------------------------------------------------------------------------------------------


def test_the_state_alone_is_never_kept_by_a_cache_and_leaves_the_session_alone(
    client_of: ClientOf, editor: User, queued: Submission
) -> None:
    client = client_of(user=editor)
    response = client.get(page_of(queued, "submission-state"), headers={"HX-Request": "true"})
    assert response["Cache-Control"] == "no-store"
    assert "HX-Request" in response["Vary"]
    assert "orgportal-session" not in response.cookies
    assert "<html" not in response.content.decode()


def test_the_state_alone_tells_a_change_aloud_and_brings_what_came(
    client_of: ClientOf, practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    client = client_of(user=editor)
    waiting = client.get(page_of(submission, "submission-state") + "?since=queued-0").content.decode()
    assert 'data-hx-trigger="every 2s"' in waiting
    assert 'id="live"' not in waiting
    delivery.deliver_next("staging", actor=worker)
    done = client.get(page_of(submission, "submission-state") + "?since=queued-0").content.decode()
    assert f"Submission {submission.pk} is now: Accepted." in done
    assert "<title>Accepted: submission" in done
    assert 'id="attempts"' in done
    assert 'id="response"' in done
    assert "data-hx-trigger" not in done


def test_after_signing_out_the_poll_leads_to_the_sign_in(queued: Submission) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page_of(queued)}"}
    response = Client().get(page_of(queued, "submission-state"), headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"/sign-in/?next={page_of(queued)}"


# What is foreign --------------------------------------------------------------------------------------------


def test_a_submission_is_found_in_its_own_environment_only(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get(f"/production/submissions/{queued.pk}/")
    assert response.status_code == 404
    assert client_of("viewer").get("/staging/submissions/99999999999999999999999999/").status_code == 404


@pytest.mark.parametrize("name", ["submission-cancel", "submission-ask"])
def test_acts_are_posted(client_of: ClientOf, editor: User, queued: Submission, name: str) -> None:
    assert client_of(user=editor).get(page_of(queued, name)).status_code == 405


def test_nobody_without_a_role_reads_submissions(client_of: ClientOf, queued: Submission) -> None:
    for url in ("/staging/submissions/", page_of(queued), page_of(queued, "submission-state")):
        assert client_of().get(url).status_code == 403


def test_what_redox_wrote_is_shown_as_text(client_of: ClientOf, queued: Submission) -> None:
    Submission.objects.update(
        state=State.ACCEPTED, detail="<script>alert(1)</script>\u202e", attempt=1, ended_at=clock.now()
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
