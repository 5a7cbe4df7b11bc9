"""What the home page lists for a person: what they can act on, and what waits for others."""

import datetime

import pytest
from django.http import QueryDict

from organizations.models import (
    Environment,
    EnvironmentGate,
    Event,
    Evidence,
    Organization,
    State,
    Submission,
    User,
    Worker,
    clock,
)
from organizations.pages.home import overview, unpaired_lines
from organizations.pages.home.lines import HomeLine, LinePlace
from organizations.queries import capped, home, record_filters
from organizations.redox.environment import GATEWAY_OID
from organizations.services.delivery import heartbeat
from organizations.services.outbox import plans, submissions
from organizations.text.markup import written
from tests import bulk, factories
from tests.factories import BASE, UserFactory, as_actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


def submission(user: User, number: int, state: State, environment: str = "staging", **values: object) -> Submission:
    """Create a New in this state, with the values that a line shows, without a review."""
    record = bulk.row(f"{BASE}.{number}", GATEWAY_OID, environment)
    record.edited_by = user
    record.save()
    [new_submission] = bulk.sent([record], [user])
    now = {"state": state, "event": Event.NEW, "intent": "create", "evidence": "", "created_at": clock.now()}
    if state != State.REJECTED:
        now["ended_at"] = None
    hashes = {"wanted_hash": record.wanted_hash, "http_status": None, "detail": ""}
    Organization.objects.filter(pk=record.pk).update(last_submission=new_submission)
    factories.change_submission(new_submission, **(now | hashes | values))
    return new_submission


def minutes_ago(minutes: float) -> datetime.datetime:
    return clock.now() - datetime.timedelta(minutes=minutes)


def kinds(lines: list[HomeLine]) -> list[str]:
    return [line.kind for line in lines]


def only(lines: list[HomeLine], kind: str) -> HomeLine:
    [line] = [line for line in lines if line.kind == kind]
    return line


def rejected_in_both(user: User, number: int, **values: object) -> None:
    """Create rejected submissions of a record and of its counterpart."""
    one, other = (submission(user, number, State.REJECTED, environment, **values) for environment in Environment)
    Organization.objects.filter(pk=other.organization_id).update(staging_record=one.organization_id)


def matching_count(place: LinePlace) -> int:
    """The number of records in the list that a line links to."""
    filters = record_filters.read(QueryDict(place.url.partition("?")[2]), place.environment)
    return record_filters.matching(place.environment, filters).count()


def test_a_decision_is_listed_only_for_people_who_can_take_it(editor, approver):
    submission(editor, 1, State.NEEDS_PERSON, state_reason="Compare.")
    submission(editor, 2, State.REJECTED)
    of_editor = overview.build(editor)
    assert kinds(of_editor.for_you) == ["rejected"]
    assert only(of_editor.waiting, "needs_person").who == "<b>Approver One</b> can decide."
    of_approver = overview.build(approver)
    assert (kinds(of_approver.for_you), of_approver.waiting) == (["needs_person", "rejected"], [])
    assert of_approver.for_you[0].who == "Only you can decide."
    UserFactory(role="approver", first_name="Approver", last_name="Two")
    UserFactory(role="approver", first_name="Approver", last_name="Three", is_active=False)
    assert overview.build(approver).for_you[0].who == "You or Approver Two can decide."


def test_viewers_have_nothing_to_do_and_see_who_acts(editor):
    submission(editor, 1, State.REJECTED)
    submission(editor, 2, State.UNKNOWN)
    UserFactory(role="approver", first_name="<i>", last_name="Two", username="z")
    home = overview.build(UserFactory(role="viewer"))
    assert (home.for_you, home.only_reads) == ([], True)
    assert {line.kind: line.who for line in home.waiting} == {
        "rejected": "<b>Editor One</b> or <b>&lt;i&gt; Two</b> can correct this.",
        "unknown": "<b>The portal</b> finds out.",
    }
    assert not overview.build(editor).only_reads


def test_only_the_first_of_many_people_are_named(editor):
    submission(editor, 1, State.NEEDS_PERSON, state_reason="Compare.")
    assert only(overview.build(editor).waiting, "needs_person").who == (
        "<b>Nobody</b> can decide. No account has a role for this yet."
    )
    for number in range(1, 6):
        UserFactory(role="approver", username=f"a{number}", first_name="Approver", last_name=str(number))
    assert only(overview.build(editor).waiting, "needs_person").who == (
        "<b>Approver 1</b>, <b>Approver 2</b>, <b>Approver 3</b> or <b>2 others</b> can decide."
    )


def test_decisions_come_first_then_rejections_then_unsent_changes(editor, approver):
    factories.organization(f"{BASE}.9", user=approver)
    states = (State.AWAITING, State.QUEUED, State.UNKNOWN, State.REJECTED, State.NEEDS_PERSON)
    for number, state in enumerate(states):
        submission(editor, number, state)
    home = overview.build(approver)
    assert kinds(home.for_you) == ["needs_person", "rejected", "changes_not_sent"]
    assert kinds(home.waiting) == ["awaiting", "unknown", "queued"]


def test_the_oldest_of_one_kind_comes_first_and_many_are_one_line(editor):
    ages = {1: 5, 2: 50, 3: 20}
    for number, age in ages.items():
        submission(editor, number, State.UNKNOWN, state_at=minutes_ago(age))
    assert [line.places[0].what for line in overview.build(editor).waiting] == [
        f"Lakeside {each}, New" for each in (2, 3, 1)
    ]
    oldest = submission(editor, 4, State.UNKNOWN, state_at=minutes_ago(70))
    [line] = overview.build(editor).waiting
    assert (line.places[0].what, line.is_many) == ("4 records", True)
    assert line.since == Submission.objects.get(pk=oldest.pk).state_at


def test_counterparts_with_the_same_work_are_one_line(editor):
    rejected_in_both(editor, 1)
    submission(editor, 2, State.REJECTED)
    both, alone = overview.build(editor).for_you
    assert [place.url.split("/")[1] for place in both.places] == ["staging", "production"]
    assert [(what, len(places)) for what, places in both.titles] == [("Lakeside 1, New", 2)]
    assert (both.texts, both.is_many) == ([("", "Rejected by Redox without a text.")], True)
    assert [place.environment for place in alone.places] == ["staging"]
    Submission.objects.filter(environment="production").update(detail="Never.")
    Organization.objects.filter(environment="production").update(name="Pier")
    both = overview.build(editor).for_you[0]
    assert [what for what, _ in both.titles] == ["Lakeside 1, New", "Pier, New"]
    assert both.texts[1] == ("PRODUCTION", 'Rejected by Redox: "Never."')


def test_many_of_one_kind_are_one_line_that_counts_them_in_each_environment(editor):
    for number in (1, 2):
        rejected_in_both(editor, number)
    for number in (3, 4):
        submission(editor, number, State.REJECTED)
    line = only(overview.build(editor).for_you, "rejected")
    assert [what for what, _ in line.titles] == ["4 records", "2 records"]
    assert [matching_count(place) for place in line.places] == [4, 2]


# Changes that were not sent


def texts(lines: list[HomeLine]) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Who acts next and the text, for each line of unsent changes."""
    unsent = [line for line in lines if line.kind == "changes_not_sent"]
    assert [place.number for line in unsent for place in line.places] == [
        matching_count(place) for line in unsent for place in line.places
    ]
    return {f"{place.environment}: {place.what}": (line.who, line.texts) for line in unsent for place in line.places}


def test_unsent_changes_are_listed_for_the_person_who_saved_them(editor, second):
    third = UserFactory(role="editor", first_name="Editor", last_name="Three")
    for number, person in enumerate((editor, editor, second, second, third)):
        factories.organization(f"{BASE}.{number}", user=person)
    Organization.objects.filter(edited_by=editor).update(changes=1)
    home = overview.build(editor)
    assert texts(home.for_you) == {
        "staging: 2 records you saved": ("", [("", "Lakeside 0, 1 field; Lakeside 1, 1 field.")])
    }
    assert texts(home.waiting) == {
        "staging: 3 records saved by others": ("<b>Editor Two</b> saved 2 of these, <b>Editor Three</b> 1.", [])
    }


def test_unsent_changes_of_people_who_cannot_send_are_listed_for_all_who_can(editor, approver):
    factories.organization(user=editor, environment="production")
    assert overview.build(editor).for_you == []
    assert texts(overview.build(editor).waiting) == {
        "production: 1 record": ("<b>Approver One</b> can send this.", [("", "You saved this.")])
    }
    closed_account = UserFactory(first_name="A", last_name="& Gone", is_active=False, role="approver")
    for saver, promise in (
        (editor, "Editor One saved this. They cannot send to PRODUCTION."),
        (closed_account, "A &amp; Gone saved this. They cannot send to PRODUCTION."),
        (None, "The portal saved this."),
    ):
        Organization.objects.update(edited_by=saver)
        assert texts(overview.build(approver).for_you) == {"production: 1 record": ("", [("", promise)])}


def test_records_are_counted_in_each_environment(approver):
    for environment in Environment:
        factories.organization(user=approver, environment=environment)
    [line] = overview.build(approver).for_you
    assert [(what, len(places)) for what, places in line.titles] == [("1 record you saved", 1)] * 2


# Waiting for the portal


def pause_until(until: datetime.datetime) -> None:
    EnvironmentGate.objects.filter(pk="staging").update(hold_until=until, hold_reason="Too many requests")


def test_an_unknown_submission_says_when_the_directory_is_queried(editor):
    def promise() -> str:
        return only(overview.build(editor).waiting, "unknown").places[0].text

    heartbeat.record_heartbeat("Worker", clock.now())
    later = clock.now() + datetime.timedelta(days=1)  # submissions of the demonstration stay unknown that long
    submission(editor, 1, State.UNKNOWN, not_before=later)
    assert promise().endswith(f"The portal asks the directory at {written(later, 'clock')}.")
    Submission.objects.update(not_before=clock.now())
    assert promise().endswith("The portal asks the directory as soon as a worker takes it.")
    pause_until(minutes_ago(-20))
    assert ("The portal asks" in promise(), "STAGING waits until" in promise()) == (False, True)


def test_lines_do_not_repeat_why_the_environment_waits(editor):
    heartbeat.record_heartbeat("Worker", clock.now())
    submission(editor, 1, State.QUEUED)
    line = only(overview.build(editor).waiting, "queued")
    assert (line.who, line.texts) == ("<b>The portal</b> sends this when it can.", [])
    pause_until(until := minutes_ago(-20))
    Submission.objects.update(counted_attempts=1, not_before=until, created_at=minutes_ago(60))
    assert only(overview.build(editor).waiting, "queued").texts == []
    for number in range(2, 5):
        submission(editor, number, State.QUEUED)
    assert only(overview.build(editor).waiting, "queued").texts == []


def test_one_line_counts_submissions_that_did_not_reach_redox_for_15_minutes(editor):
    heartbeat.record_heartbeat("Worker", clock.now())
    long_ago = minutes_ago(16)
    submission(editor, 1, State.QUEUED, counted_attempts=1)
    submission(editor, 2, State.QUEUED, created_at=long_ago)
    submission(editor, 3, State.QUEUED, counted_attempts=1, http_status=429, created_at=long_ago)
    for number in (4, 5):
        submission(editor, number, State.QUEUED, counted_attempts=1, created_at=long_ago)
    assert only(overview.build(editor).waiting, "queued").texts == [("", "Redox could not be reached for 2 of these.")]


def test_of_a_long_queue_only_the_first_submissions_are_counted(editor, monkeypatch):
    heartbeat.record_heartbeat("Worker", clock.now())
    for number in range(1, 5):
        submission(editor, number, State.QUEUED, counted_attempts=1, created_at=minutes_ago(16))
    monkeypatch.setattr(home, "MOST_COUNTED", 2)
    monkeypatch.setattr(unpaired_lines, "MOST_COUNTED", 2)
    assert home.queued_counts("staging", clock.now()).unreached == 3
    text = "Redox could not be reached for more than 2 of these."
    assert only(overview.build(editor).waiting, "queued").texts == [("", text)]


def test_a_retry_says_when_and_why(editor):
    heartbeat.record_heartbeat("Worker", clock.now())
    later = minutes_ago(-20)
    submission(editor, 1, State.QUEUED, not_before=later, state_reason="The host was not found.")
    [(_, text)] = only(overview.build(editor).waiting, "queued").texts
    assert text == (
        f"The next attempt follows at {written(later, 'clock')}. Attempt 1 did not reach Redox: The host was not found."
    )


def test_a_record_that_waits_for_its_parent_names_it(editor):
    parent = factories.organization(f"{BASE}.1", user=editor, name="Lake & Co")
    child = factories.organization(f"{BASE}.2", user=editor, part_of_oid=parent.oid)
    for organization in (parent, child):
        factories.submission(organization, user=editor)
    lines = [line for line in overview.build(editor).waiting if line.kind == "queued"]
    assert [text for _, text in lines[1].texts if " Lake & Co " in text]


def test_the_submissions_of_a_paused_plan_are_one_line(editor):
    organizations = [factories.organization(f"{BASE}.{each}", user=editor) for each in (1, 2)]
    plan = factories.plan(organizations, user=editor)
    assert kinds(overview.build(editor).for_you) == []
    plans.pause_plan(plan.pk, actor=as_actor(editor))
    home = overview.build(editor)
    assert (kinds(home.for_you), kinds(home.waiting)) == (["plan_paused"], [])
    [place] = home.for_you[0].places
    assert (place.what, place.text) == (f"Plan {plan.pk}, 2 records", "Editor One paused it.")
    assert place.url == f"/staging/plans/{plan.pk}/"
    for each in range(10, 13):
        submission(editor, each, State.QUEUED)
    [(_, text)] = only(overview.build(editor).waiting, "queued").texts
    assert text == "2 of these wait for a paused plan."
    factories.change_submissions(state=State.ACCEPTED, evidence="answer")
    assert "plan_paused" not in kinds(overview.build(editor).for_you)


def test_after_a_cancel_the_record_still_waits_to_be_sent(editor):
    cancelled = factories.submission(factories.organization(user=editor), user=editor)
    submissions.cancel_submission(cancelled.pk, actor=as_actor(editor))
    assert kinds(overview.build(editor).for_you) == ["changes_not_sent"]


def test_the_number_of_queries_does_not_grow_with_the_records(editor, django_assert_max_num_queries):
    for number in range(3):
        submission(editor, number, State.UNKNOWN)
    with django_assert_max_num_queries(30) as few:
        assert len(overview.build(editor).waiting) == 3
    for number in range(3, 6):
        submission(editor, number, State.UNKNOWN)
    with django_assert_max_num_queries(len(few)):
        assert len(overview.build(editor).waiting) == 1


# Beside the lines


def test_submitted_by_you_lists_the_last_five_of_seven_days(editor):
    submissions = [submission(editor, number, State.QUEUED) for number in range(1, 8)]
    Submission.objects.filter(pk=submissions[-1].pk).update(created_at=minutes_ago(8 * 24 * 60))
    assert overview.build(editor).mine == submissions[5:0:-1]
    assert overview.build(UserFactory(role="editor")).mine == []


def test_each_environment_counts_its_records_by_status(editor):
    factories.accepted_organization(f"{BASE}.1", user=editor, evidence=Evidence.QUERY)
    submission(editor, 2, State.SENDING)
    home = overview.build(editor)
    panels = [(panel.under_way, panel.records) for panel in home.panels]
    assert panels == [("1 sending", "1 active, 1 not registered"), ("", "")]
    assert home.last_accepted is not None
    assert (home.last_accepted.oid, home.last_accepted_by) == (f"{BASE}.1", "by Query")
    assert home.never_compared == "1 registered record"


def test_running_workers_are_counted(db):
    heartbeat.record_heartbeat("alpha", clock.now())
    heartbeat.record_heartbeat("beta", clock.now())
    Worker.objects.filter(name="beta").update(seen_at=minutes_ago(5))
    assert [worker.name for worker in overview.build(UserFactory(role="viewer")).workers] == ["alpha"]
    Worker.objects.update(stopped_at=clock.now())
    assert overview.build(UserFactory(role="viewer")).workers == []


def test_the_counts_stop_at_a_limit_and_say_so(editor, monkeypatch):
    for number in (1, 2):
        submission(editor, number, State.SENDING)
    monkeypatch.setattr(capped.CountUpTo, "most", 1)
    monkeypatch.setattr(overview, "MOST_COUNTED", 1)
    panel = overview.build(editor).panels[0]
    assert (panel.under_way, panel.records) == ("more than 1 sending", "more than 1 not registered")
