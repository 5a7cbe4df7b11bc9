"""The history as stories: which entries are one line, where it is placed, and what it says."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.http import QueryDict

from organizations.models import Action, AuditEntry, Organization, Submission, User, clock
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
from tests.factories import BASE, acting
from tests.views.history import add, edited

WORKER = system("Worker test")


def lines(query: str = "", before: int | None = None) -> list[StoryLine]:
    found = page(query, before)
    return [line for day in found.days for line in day.lines]


def page(query: str = "", before: int | None = None) -> stories.Stories:
    found = history_of(query, before).stories
    assert found is not None
    return found


def history_of(query: str = "", before: int | None = None) -> HistoryPage:
    filters, problems = audit_filters.read(QueryDict(query))
    assert problems == {}
    return history_page.build(filters, {}, before)


def inside(line: StoryLine) -> list[str]:
    """The actions of the entries that a line opens to."""
    actions = dict(AuditEntry.objects.values_list("sequence", "action"))
    return [actions[entry.sequence] for entry in line.inside]


def say(line: StoryLine) -> str:
    return str(line.headline.sentence)


def step(action: Action, submission: Submission, actor: Actor = WORKER, **body: Any) -> None:
    with history.recorded(actor) as made:
        made.log_submission(action, submission, **body)


def end(submission: Submission, state: str, **details: object) -> None:
    """The entry and the state of an answer to a submission."""
    step(Action.ATTEMPT_OUTCOME, submission, attempt=1, outcome=state, details={"state": state, **details})
    now = clock.now()
    evidence = "answer" if state == "accepted" else ""
    Submission.objects.filter(pk=submission.pk).update(state=state, ended_at=now, evidence=evidence)


@pytest.fixture
def north(editor: User) -> Organization:
    return factories.organization(f"{BASE}.1", user=editor, name="Lakeside North")


def test_a_submission_is_one_line_with_the_edits_it_carried(practice, north, editor):
    edited(north, editor, name="Lakeside Quay")
    sent = factories.submission(north, user=editor)
    assert courier.deliver_next("staging", actor=WORKER)
    edited(north, editor, name="Lakeside Pier")
    saved, story = lines()
    assert (story.submission, story.headline.word) == (sent.pk, "Accepted")
    assert f"<b>Editor One</b> ({editor.username}) submitted a New of Lakeside Quay." in say(story)
    assert "<a " not in say(story)
    assert inside(story)[:3] == ["organization.created", "organization.edited", "submission.made"]
    assert inside(story)[-1] == "attempt.outcome"
    assert story.number == len(story.inside) == AuditEntry.objects.count() - 1
    assert (saved.headline.word, saved.inside) == ("Saved", [])
    assert set(WORDS) == set(Action)


def test_an_edit_that_was_accepted_before_or_discarded_is_not_in_the_story(north, editor):
    first = factories.submission(north, user=editor)
    end(first, "accepted")
    factories.confirmed(north, submission=first)
    made = edited(north, editor, name="Lakeside Quay")
    organizations.discard(made.pk, made.version, actor=acting(editor))
    edited(north, editor, name="Lakeside Pier")
    second = factories.submission(north, user=editor)
    story, discarded, gone, earlier = lines()
    assert story.submission == second.pk
    assert inside(story) == ["organization.edited", "submission.made"]
    assert inside(earlier) == ["organization.created", "submission.made", "attempt.outcome"]
    assert [line.entry.action for line in (discarded, gone)] == ["organization.discarded", "organization.edited"]


def test_an_edit_is_in_the_story_of_the_submission_that_carried_it_and_in_no_other(north, editor):
    first = factories.submission(north, user=editor)
    edited(north, editor, name="Lakeside Quay")
    end(first, "accepted")
    accepted, saved = lines()
    assert inside(accepted) == ["organization.created", "submission.made", "attempt.outcome"]
    assert (saved.entry.action, saved.inside) == ("organization.edited", [])
    factories.confirmed(north, submission=first)
    factories.submission(north, user=editor)
    second, accepted = lines()
    assert inside(second) == ["organization.edited", "submission.made"]
    assert inside(accepted) == ["organization.created", "submission.made", "attempt.outcome"]


def test_a_deactivation_carries_no_edit(north, editor):
    sent = factories.submission(north, user=editor)
    Submission.objects.filter(pk=sent.pk).update(intent="deactivate")
    story, added = lines()
    assert (inside(story), added.entry.action) == (["submission.made"], "organization.created")


def test_what_was_rejected_and_sent_again_is_in_both_stories(north, editor):
    first = factories.submission(north, user=editor)
    end(first, "rejected")
    edited(north, editor, name="Lakeside Quay")
    factories.submission(north, user=editor)
    second, rejected = lines()
    assert inside(second) == ["organization.created", "organization.edited", "submission.made"]
    assert inside(rejected) == ["organization.created", "submission.made", "attempt.outcome"]


def test_a_stop_of_sending_stays_a_line_of_its_own(north, editor):
    sent = factories.submission(north, user=editor)
    with history.recorded(WORKER) as made:
        gate = breaker.lock_gate("staging")
        breaker.log_environment(made, Action.ENVIRONMENT_STOPPED, gate, reason="no credential", submission=sent.pk)
    stop, story = lines()
    assert (stop.entry.action, stop.inside) == ("environment.stopped", [])
    assert "environment.stopped" not in inside(story)


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


def test_the_state_and_its_evidence_are_those_of_the_last_entry(north, editor):
    sent = factories.submission(north, user=editor)
    for action, body, word, ending in ENDS:
        step(action, sent, **body)
        [story] = lines()
        assert story.headline.word == word
        assert say(story).endswith(f"New of Lakeside North. {ending}".rstrip())


def test_a_decision_names_who_decided(north, editor):
    details = {"state": "rejected", "verdict": "give_up"}
    step(Action.SUBMISSION_SETTLED, factories.submission(north, user=editor), actor=acting(editor), details=details)
    [story] = lines()
    assert (story.headline.word, "Decided by <b>Editor One</b>" in say(story)) == ("Rejected", True)


def test_with_filters_a_line_shows_the_state_then_and_names_the_later_one(north, editor):
    sent = factories.submission(north, user=editor)
    end(sent, "unknown")
    step(Action.SUBMISSION_SETTLED, sent, outcome="accepted", details={"state": "accepted", "evidence": "query"})
    [story] = lines("outcome=unknown")
    assert (story.headline.word, story.entry.outcome) == ("Unknown", "unknown")
    assert say(story).endswith("Later: Accepted.")
    assert inside(story)[-1] == "submission.settled"
    [edit] = lines("what=edits")
    assert (edit.headline.word, edit.inside) == ("Added", [])


def test_the_page_counts_entries_and_lines(north, editor):
    end(factories.submission(north, user=editor), "accepted")
    add()
    found = {query: history_of(query).summary for query in ("", "outcome=accepted")}
    assert found == {"": "4 entries in 2 lines", "outcome=accepted": "1 entry fits, in 1 line"}


def test_each_entry_is_in_one_line_of_all_pages(editor, monkeypatch):
    """Stories whose entries lie on both sides of a page's end are shown once, where their newest entry is."""
    monkeypatch.setattr(story_pages, "STORIES_A_PAGE", 4)
    monkeypatch.setattr(story_pages, "FIRST_READ", 6)
    made = [factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 8)]
    sent = [factories.submission(each, user=editor) for each in made]
    for place, each in enumerate(reversed(sent)):
        add(place % 2)
        end(each, "accepted")
    heads, sequences, before = [], [], None
    for _ in range(10):
        found = page(before=before)
        shown = [line for day in found.days for line in day.lines]
        heads += [line.entry.sequence for line in shown]
        sequences += [each.sequence for line in shown for each in line.inside] + [
            line.entry.sequence for line in shown if not line.inside
        ]
        before = found.older
        if before is None:
            break
    assert heads == sorted(heads, reverse=True)
    assert sorted(sequences) == list(AuditEntry.objects.order_by("sequence").values_list("sequence", flat=True))


def test_a_page_looks_at_a_bounded_number_of_entries(editor, north, monkeypatch):
    monkeypatch.setattr(story_pages, "MOST_READ", 5)
    sent = factories.submission(north, user=editor)
    for _ in range(9):
        step(Action.SUBMISSION_ASKED, sent)
    found = page()
    assert (found.shown, found.total, found.older) == (1, None, 7)
    assert page(before=7) == stories.Stories([], 0, None, 2)
    last = history_of(before=2)
    assert last.nothing is not None
    assert last.nothing == (
        "The older entries belong to lines of newer pages.",
        "?",
        "Newest entries",
    )


def test_of_a_very_long_story_the_first_and_the_last_entries_are_shown(editor, north):
    sent = factories.submission(north, user=editor)
    end(sent, "unknown")
    for _ in range(60):
        step(Action.SUBMISSION_ASKED, sent)
    [story] = lines()
    assert (story.number, len(story.inside), story.left_out) == (63, 30, 33)
    assert (story.headline.word, inside(story)[2]) == ("Unknown", "attempt.outcome")


ADDRESS = "10.1.2.3"


@pytest.fixture
def at(monkeypatch):
    """Puts the clock to so many seconds after noon."""
    noon = datetime.datetime(2027, 5, 3, 17, tzinfo=datetime.UTC)
    return lambda seconds: monkeypatch.setattr(clock, "now", lambda: noon + datetime.timedelta(seconds=seconds))


def refuse(name: str = "anna", address: str = ADDRESS, **details: object) -> None:
    with history.recorded(Actor(name="Somebody not signed in", address=address)) as made:
        about = {"type": "person", "id": "", "name": name}
        made.log(Action.PERSON_REFUSED, object=about, reason="wrong name or password", details=details)


def sign_in(user: User) -> None:
    with history.recorded(replace(acting(user), address=ADDRESS)) as made:
        made.log(Action.PERSON_SIGNED_IN, object={"type": "person", "id": str(user.pk), "name": user.get_username()})


def test_refused_sign_ins_are_part_of_the_sign_in_after_them(db, at):
    anna = factories.UserFactory(username="anna")
    for seconds, name, address in (
        (0, "anna", ADDRESS),
        (1, "bob", ADDRESS),
        (2, "ANNA", "10.9.9.9"),
        (3, "Anna", ADDRESS),
    ):
        at(seconds)
        refuse(name, address)
    at(61)
    sign_in(anna)
    at(70)
    refuse(times=1, since="2027-05-03T17:00:30+00:00")  # counted, and written after the sign-in
    at(2000)
    sign_in(anna)
    alone, after, stranger, other = lines()
    assert alone.inside == []
    assert "3 refused sign-ins before, in 1 minute." in say(after)
    assert inside(after) == ["person.refused"] * 3 + ["person.signed_in"]
    assert [line.entry.sequence for line in (stranger, other)] == [3, 2]


def test_a_refused_sign_in_is_not_repeated_on_the_next_page(db, at):
    refuse()
    sign_in(factories.UserFactory(username="anna"))
    assert page(before=2).shown == 0
    assert [line.entry.sequence for line in lines("what=refused")] == [1]


def test_days_have_names(at, db):
    at(0)
    zone = datetime.UTC
    days = [clock.now().date() - datetime.timedelta(days=number) for number in (0, 1, 2)]
    assert [stories.day_label(day, zone) for day in days] == ["Today, May 3", "Yesterday, May 2", "Saturday, May 1"]
