"""The history as stories: which entries share a line, on which page the line is, and its words."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.http import QueryDict

from organizations.models import Action, AuditEntry, Submission, User, clock
from organizations.pages.audit import history_page, stories
from organizations.pages.audit.history_page import HistoryPage
from organizations.pages.audit.stories import StoryLine
from organizations.queries import audit_filters, story_pages
from organizations.services.actors import Actor, system
from organizations.services.audit import audit as history
from organizations.services.connection import breaker
from organizations.services.delivery import courier
from organizations.services.records import organizations
from organizations.text.sentence_templates import WORDS
from tests import factories
from tests.factories import BASE, as_actor
from tests.views.history import add_entries, save_edit

WORKER = system("Worker test")


def lines(query: str = "", before: int | None = None) -> list[StoryLine]:
    stories_page = page(query, before)
    return [line for day in stories_page.days for line in day.lines]


def page(query: str = "", before: int | None = None) -> stories.Stories:
    stories_page = history_page_of(query, before).stories
    assert stories_page is not None
    return stories_page


def history_page_of(query: str = "", before: int | None = None) -> HistoryPage:
    filters, problems = audit_filters.read(QueryDict(query))
    assert problems == {}
    return history_page.build(filters, {}, before)


def actions_in(line: StoryLine) -> list[str]:
    """The actions of the entries that a line unfolds."""
    actions = dict(AuditEntry.objects.values_list("sequence", "action"))
    return [actions[entry.sequence] for entry in line.inside]


def line_text(line: StoryLine) -> str:
    return str(line.headline.sentence)


def log_step(action: Action, submission: Submission, actor: Actor = WORKER, **body: Any) -> None:
    with history.atomic(actor) as log:
        log.log_submission(action, submission, **body)


def log_end(submission: Submission, state: str, **details: object) -> None:
    """Store the state and write the entry of an answer to a submission."""
    log_step(Action.ATTEMPT_OUTCOME, submission, attempt=1, outcome=state, details={"state": state, **details})
    now = clock.now()
    evidence = "answer" if state == "accepted" else ""
    factories.change_submission(submission, state=state, ended_at=now, evidence=evidence)


def test_a_submission_and_its_edits_are_one_line(practice, north, editor):
    save_edit(north, editor, name="Lakeside Quay")
    sent = factories.submission(north, user=editor)
    assert courier.deliver_due("staging", most=1, actor=WORKER)
    save_edit(north, editor, name="Lakeside Pier")
    saved, story = lines()
    assert (story.submission, story.headline.word) == (sent.pk, "Accepted")
    assert f"<b>Editor One</b> ({editor.username}) submitted a New of Lakeside Quay." in line_text(story)
    assert "<a " not in line_text(story)
    assert actions_in(story)[:3] == ["organization.created", "organization.edited", "submission.made"]
    assert actions_in(story)[-1] == "attempt.outcome"
    assert story.number == len(story.inside) == AuditEntry.objects.count() - 1
    assert (saved.headline.word, saved.inside) == ("Saved", [])
    assert set(WORDS) == set(Action)


def test_edits_accepted_before_or_discarded_are_not_in_the_story(north, editor):
    first = factories.submission(north, user=editor)
    log_end(first, "accepted")
    factories.accept(north, submission=first)
    organization = save_edit(north, editor, name="Lakeside Quay")
    organizations.discard(organization.pk, organization.version, actor=as_actor(editor))
    save_edit(north, editor, name="Lakeside Pier")
    second = factories.submission(north, user=editor)
    story, discarded, gone, earlier = lines()
    assert story.submission == second.pk
    assert actions_in(story) == ["organization.edited", "submission.made"]
    assert actions_in(earlier) == ["organization.created", "submission.made", "attempt.outcome"]
    assert [line.entry.action for line in (discarded, gone)] == ["organization.discarded", "organization.edited"]


def test_an_edit_is_only_in_the_story_of_the_submission_that_sent_it(north, editor):
    first = factories.submission(north, user=editor)
    save_edit(north, editor, name="Lakeside Quay")
    log_end(first, "accepted")
    accepted, saved = lines()
    assert actions_in(accepted) == ["organization.created", "submission.made", "attempt.outcome"]
    assert (saved.entry.action, saved.inside) == ("organization.edited", [])
    factories.accept(north, submission=first)
    factories.submission(north, user=editor)
    second, accepted = lines()
    assert actions_in(second) == ["organization.edited", "submission.made"]
    assert actions_in(accepted) == ["organization.created", "submission.made", "attempt.outcome"]


def test_the_story_of_a_deactivation_has_no_edit(north, editor):
    sent = factories.submission(north, user=editor)
    Submission.objects.filter(pk=sent.pk).update(intent="deactivate")
    story, added = lines()
    assert (actions_in(story), added.entry.action) == (["submission.made"], "organization.created")


def test_an_edit_that_was_rejected_and_sent_again_is_in_both_stories(north, editor):
    first = factories.submission(north, user=editor)
    log_end(first, "rejected")
    save_edit(north, editor, name="Lakeside Quay")
    factories.submission(north, user=editor)
    second, rejected = lines()
    assert actions_in(second) == ["organization.created", "organization.edited", "submission.made"]
    assert actions_in(rejected) == ["organization.created", "submission.made", "attempt.outcome"]


def test_a_stop_of_sending_has_its_own_line(north, editor):
    sent = factories.submission(north, user=editor)
    with history.atomic(WORKER) as log:
        gate = breaker.lock_gate("staging")
        breaker.log_environment(log, Action.ENVIRONMENT_STOPPED, gate, reason="no credential", submission=sent.pk)
    stop, story = lines()
    assert (stop.entry.action, stop.inside) == ("environment.stopped", [])
    assert "environment.stopped" not in actions_in(story)


ENDS: list[tuple[Action, dict[str, Any], str, str]] = [
    (Action.SUBMISSION_ASKED, {"details": {"found": True}}, "Queued", ""),
    (Action.ATTEMPT_INTENT, {"attempt": 1}, "Sending", ""),
    (Action.ATTEMPT_OUTCOME, {"outcome": "not_sent", "details": {"state": "queued"}}, "Queued", ""),
    (Action.ATTEMPT_OUTCOME, {"outcome": "accepted"}, "Accepted", ""),
    (Action.ATTEMPT_OUTCOME, {"outcome": "unknown", "details": {"state": "unknown"}}, "Unknown", ""),
    (
        Action.SUBMISSION_SETTLED,
        {"details": {"state": "accepted", "evidence": "query"}},
        "Accepted",
        "Proved by the directory.",
    ),
    (
        Action.SUBMISSION_SETTLED,
        {"details": {"state": "accepted"}},
        "Accepted",
        "The directory showed what was sent, or something equivalent.",
    ),
    (Action.SUBMISSION_CANCELLED, {}, "Cancelled", "Cancelled by <b>Worker test</b>. Nothing was sent."),
    (Action.ATTEMPT_OUTCOME, {"outcome": "rejected", "detail": "A<b"}, "Rejected", "Answer: &quot;A&lt;b&quot;"),
]


def test_a_story_shows_the_state_and_evidence_of_its_last_entry(north, editor):
    sent = factories.submission(north, user=editor)
    for action, body, word, ending in ENDS:
        log_step(action, sent, **body)
        [story] = lines()
        assert story.headline.word == word
        assert line_text(story).endswith(f"New of Lakeside North. {ending}".rstrip())


def test_a_decision_names_the_person_who_decided(north, editor):
    details = {"state": "rejected", "verdict": "give_up"}
    log_step(
        Action.SUBMISSION_SETTLED, factories.submission(north, user=editor), actor=as_actor(editor), details=details
    )
    [story] = lines()
    assert (story.headline.word, "Decided by <b>Editor One</b>" in line_text(story)) == ("Rejected", True)


def test_a_filtered_line_shows_its_own_state_and_names_the_later_one(north, editor):
    sent = factories.submission(north, user=editor)
    log_end(sent, "unknown")
    log_step(Action.SUBMISSION_SETTLED, sent, outcome="accepted", details={"state": "accepted", "evidence": "query"})
    [story] = lines("outcome=unknown")
    assert (story.headline.word, story.entry.outcome) == ("Unknown", "unknown")
    assert line_text(story).endswith("Later: Accepted.")
    assert actions_in(story)[-1] == "submission.settled"
    [edit] = lines("what=edits")
    assert (edit.headline.word, edit.inside) == ("Added", [])


def test_the_page_counts_entries_and_lines(north, editor):
    log_end(factories.submission(north, user=editor), "accepted")
    add_entries()
    summaries = {query: history_page_of(query).summary for query in ("", "outcome=accepted")}
    assert summaries == {"": "4 entries in 2 lines", "outcome=accepted": "1 entry matches, in 1 line"}


def test_each_entry_is_in_one_line_on_one_page(editor, monkeypatch):
    """A story that continues on the next page is shown once, where its newest entry is."""
    monkeypatch.setattr(story_pages, "STORIES_A_PAGE", 4)
    monkeypatch.setattr(story_pages, "FIRST_READ", 6)
    organizations = [factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 8)]
    sent = [factories.submission(each, user=editor) for each in organizations]
    for place, each in enumerate(reversed(sent)):
        add_entries(place % 2)
        log_end(each, "accepted")
    heads, sequences, before = [], [], None
    for _ in range(10):
        stories_page = page(before=before)
        lines_shown = [line for day in stories_page.days for line in day.lines]
        heads += [line.entry.sequence for line in lines_shown]
        sequences += [each.sequence for line in lines_shown for each in line.inside] + [
            line.entry.sequence for line in lines_shown if not line.inside
        ]
        before = stories_page.older
        if before is None:
            break
    assert heads == sorted(heads, reverse=True)
    assert sorted(sequences) == list(AuditEntry.objects.order_by("sequence").values_list("sequence", flat=True))


def test_a_page_reads_a_limited_number_of_entries(editor, north, monkeypatch):
    monkeypatch.setattr(story_pages, "MOST_READ", 5)
    sent = factories.submission(north, user=editor)
    for _ in range(9):
        log_step(Action.SUBMISSION_ASKED, sent)
    stories_page = page()
    assert (stories_page.shown, stories_page.total, stories_page.older) == (1, None, 7)
    assert page(before=7) == stories.Stories([], 0, None, 2)
    last = history_page_of(before=2)
    assert last.nothing is not None
    assert last.nothing == ("Newer pages already show these entries.", "?", "Newest entries")


def test_a_very_long_story_shows_its_first_and_last_entries(editor, north):
    sent = factories.submission(north, user=editor)
    log_end(sent, "unknown")
    for _ in range(60):
        log_step(Action.SUBMISSION_ASKED, sent)
    [story] = lines()
    assert (story.number, len(story.inside), story.left_out) == (63, 30, 33)
    assert (story.headline.word, actions_in(story)[2]) == ("Unknown", "attempt.outcome")


ADDRESS = "10.1.2.3"


@pytest.fixture
def set_clock(monkeypatch):
    """Set the clock to a number of seconds after noon."""
    noon = datetime.datetime(2027, 5, 3, 17, tzinfo=datetime.UTC)
    return lambda seconds: monkeypatch.setattr(clock, "now", lambda: noon + datetime.timedelta(seconds=seconds))


def log_refused_sign_in(name: str = "anna", address: str = ADDRESS, **details: object) -> None:
    with history.atomic(Actor(name="Somebody not signed in", address=address)) as log:
        about = {"type": "person", "id": "", "name": name}
        log.log(Action.PERSON_REFUSED, object=about, reason="wrong name or password", details=details)


def log_sign_in(user: User) -> None:
    with history.atomic(replace(as_actor(user), address=ADDRESS)) as log:
        log.log(Action.PERSON_SIGNED_IN, object={"type": "person", "id": str(user.pk), "name": user.get_username()})


def test_refused_sign_ins_are_in_the_line_of_the_next_sign_in(db, set_clock):
    anna = factories.UserFactory(username="anna")
    for seconds, name, address in (
        (0, "anna", ADDRESS),
        (1, "bob", ADDRESS),
        (2, "ANNA", "10.9.9.9"),
        (3, "Anna", ADDRESS),
    ):
        set_clock(seconds)
        log_refused_sign_in(name, address)
    set_clock(61)
    log_sign_in(anna)
    set_clock(70)
    log_refused_sign_in(times=1, since="2027-05-03T17:00:30+00:00")  # counted, and written after the sign-in
    set_clock(2000)
    log_sign_in(anna)
    alone, after, stranger, other = lines()
    assert alone.inside == []
    assert "3 refused sign-ins before, in 1 minute." in line_text(after)
    assert actions_in(after) == ["person.refused"] * 3 + ["person.signed_in"]
    assert [line.entry.sequence for line in (stranger, other)] == [3, 2]


def test_a_refused_sign_in_is_not_repeated_on_the_next_page(db, set_clock):
    log_refused_sign_in()
    log_sign_in(factories.UserFactory(username="anna"))
    assert page(before=2).shown == 0
    assert [line.entry.sequence for line in lines("what=refused")] == [1]


def test_each_day_has_a_heading(set_clock, db):
    set_clock(0)
    zone = datetime.UTC
    days = [clock.now().date() - datetime.timedelta(days=number) for number in (0, 1, 2)]
    assert [stories.day_label(day, zone) for day in days] == ["Today, May 3", "Yesterday, May 2", "Saturday, May 1"]
