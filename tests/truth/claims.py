"""The claims of pages. A recogniser finds each kind by a key, a field of the page object or a part of its text.

This is the only file of the truth test that knows the words of pages. Each `Said` names its kind, which `judges.py`
checks. The pages are made by the functions that the views call.
"""

import datetime
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.html import strip_tags

from organizations.models import (
    Action,
    AuditEntry,
    Environment,
    EnvironmentGate,
    Event,
    Intent,
    Organization,
    State,
    Submission,
)
from organizations.pages.differences import difference_rows as differences_page
from organizations.pages.home import overview
from organizations.pages.organizations import listing
from organizations.pages.record import page as record_page
from organizations.pages.record import summary
from organizations.pages.review import message as review_page
from organizations.pages.submission import acceptance, decision_choices, exchanges
from organizations.pages.submission import attempts as attempts_shown
from organizations.pages.submission import state as submission_page
from organizations.queries import record_filters
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.services.review import reviews
from organizations.services.review.reviews import Review
from organizations.text import sentences
from tests.factories import as_actor
from tests.truth.history import RECORDS, History


@dataclass(frozen=True, slots=True)
class Said:
    """One claim of one page. The meaning of its fields depends on its kind."""

    kind: str
    page: str
    text: str
    oid: str = ""
    submission: Submission | None = None
    value: Any = None

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"

    def about(self) -> Submission:
        """The submission that the claim is about."""
        assert self.submission is not None, self
        return self.submission


class _RecordPage(NamedTuple):
    head: summary.RecordHead
    values: summary.RecordValues


FRAGMENTS: dict[str, str] = {
    "Redox accepted": "accepted by Redox",
    "Redox rejected": "Redox said no",
    "Rejected by Redox": "Redox said no",
    "is again what it was before": "Active as before its change",
    "Redox has accepted no message": "no message accepted",
    "No message from the portal has been accepted": "no message accepted",
    '"is not valid": it is not in the directory': "Redox said that the OID is not there",
    "The directory did not show this OID": "the directory did not show it",
    "The directory showed this record": "the directory showed it",
    "It showed this OID": "the directory showed it",
    "It did not show this OID": "the directory did not show it",
    "It shows the record": "the directory shows it now",
    "It does not show the record": "the directory does not show it now",
    "he directory shows what was sent": "the directory shows what was sent",
    "he directory showed what was sent": "the directory shows what was sent",
    "A Query showed the values": "the directory shows what was sent",
    "first message of this record may or may not": "unknown",
    "no clear answer came": "no clear answer",
    "No clear answer came": "no clear answer",
    "answered without processing": "not executed",
    "did not process": "not executed",
    "did not reach Redox": "did not reach Redox",
    "could not be reached. Nothing was sent": "did not reach Redox",
    "The next attempt follows at": "the next attempt follows at",
    "Waits for the next free worker": "a worker will take it",
    "Nothing has been sent": "nothing was sent",
    "Nothing was sent": "nothing was sent",
    "Never sent": "never sent",
    "saved here and not sent": "saved here and not sent",
    "first registration": "first registration",
    "Nothing differs from": "nothing differs",
    "No Query for this record has been answered": "never read",
    "The directory was last read at": "read",
    "The directory, asked at": "read",
}
"""Stable fragments of what pages write, each with the kind of claim that it makes."""


def in_text(page: str, text: object, *, oid: str = "", submission: Submission | None = None) -> Iterator[Said]:
    """The claims in a piece of text, each kind once."""
    plain = " ".join(strip_tags(str(text)).split()).replace("Nothing was sent a second time.", "")
    oid = oid or (submission.oid if submission else "")
    kinds = {kind for fragment, kind in FRAGMENTS.items() if fragment in plain}
    if "did not reach Redox" in kinds:
        kinds.discard("nothing was sent")  # of that attempt, not of the whole submission
    for kind in sorted(kinds):
        yield Said(kind, page, plain, oid, submission)


class Pages:
    """The claims of all pages in one history. A page is built again only if something that it shows changed."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._state: tuple[int, datetime.datetime] | None = None
        self._kept: dict[str, list[Said]] = {}
        self._told = 0

    def copied(self, history: History) -> "Pages":
        """The same pages, for a copy of the history."""
        copy = Pages(history)
        copy._state, copy._kept, copy._told = self._state, dict(self._kept), self._told
        return copy

    def say(self, since: int = 0) -> Iterator[Said]:
        """The claims of all pages now, and those of the history entries after this sequence."""
        entries = list(AuditEntry.objects.filter(sequence__gt=self._told).order_by("sequence"))
        state = entries[-1].sequence if entries else self._told, self._history.world.time.replace(microsecond=0)
        if state != self._state:
            self._state, (self._told, _) = state, state
            self._make({entry.oid for entry in entries})
        yield from itertools.chain.from_iterable(self._kept.values())
        for entry in entries:
            if entry.sequence > since:
                yield from _history(entry)

    def _make(self, changed: set[str]) -> None:
        history, kept, records = self._history, self._kept, {}
        for name in RECORDS:
            organization = history.organization(name)
            oid = organization.oid
            records[oid] = page = _RecordPage(summary.record_head(organization), summary.record_values(organization))
            kept[f"record {oid}"] = list(_record(page))
            kept[f"submission {oid}"] = list(_submission(organization))
            if oid in changed:  # these three hold the record's own content, whatever happened to the other one
                kept[f"differences {oid}"] = list(_differences(organization))
                kept[f"reviews {oid}"] = list(_reviews(history, organization))
                kept[f"submissions {oid}"] = list(_submissions(history, organization))
        kept["list"] = list(_list(records))
        kept["home"] = list(_home(history, records))


def _differences(organization: Organization) -> Iterator[Said]:
    """The claims of the page that offers to take the values of the directory."""
    page = differences_page.differences_content(organization)
    explains_missing_rows = (
        page.asks_whose or organization.is_missing or "does not show the last acceptance yet" in page.heading
    )
    is_shown = bool(page.rows) or explains_missing_rows
    yield Said("a difference is shown on its page", "differences", page.heading, organization.oid, value=is_shown)
    for row in page.rows:
        if not row.field.startswith(("contacts.", "aliases", "identifiers", "part_of")):
            shown = SimpleNamespace(seen=row.directory)
            yield Said("the directory showed this value", "differences", row.directory, organization.oid, value=shown)
    yield from in_text("differences", f"{page.heading} {page.block_reason}", oid=organization.oid)


def _record(page: _RecordPage) -> Iterator[Said]:
    head, shown = page
    organization = head.organization
    oid, last = organization.oid, organization.last_submission
    of = organization.confirmed_submission
    standing = f"{head.standing_sentence} {head.basis}"
    yield from _evidence("record, standing", standing, of) if of else in_text("record, standing", standing, oid=oid)
    if of is not None and "the last message of this record" in head.standing_sentence:
        is_active = head.standing.key == "active"
        yield Said("Active as in the last message", "record, standing", head.standing_sentence, oid, of, is_active)
    for box in head.boxes:
        text = strip_tags(str(box.sentence))
        yield from in_text("record, to do", text, oid=oid, submission=last)
        yield from _named("record, to do", text, oid)
    if of is not None and shown.accepted_heading == "Accepted by Redox":
        yield Said("accepted by Redox", "record, fields", f"{shown.accepted_heading}, submission {of.pk}", oid, of)
    if organization.seen_at is None:
        yield Said("never read", "record, fields", shown.note, oid)
    for row in shown.fields.differing:
        if row.is_adrift and row.seen is not None and len(row.seen) < 2:
            seen = SimpleNamespace(seen="".join(row.seen))
            text = f"{row.label}: {seen.seen}"
            yield Said("the directory showed this value", "record, fields", text, oid, value=seen)
    differs = any(box.key == DIRECTORY_DIFFERS for box in head.boxes)
    if differs and organization.later_reading() is not None and organization.confirmed_submission is not None:
        yield Said("somebody changed the directory", "record, to do", "Directory differs", oid)
    text = "Directory differs" if differs else "says nothing of a difference"
    yield Said(
        "a difference is shown on the record", "record", text, oid, value=differs or _says_directory_may_lag(shown)
    )


def _submissions(history: History, organization: Organization) -> Iterator[Said]:
    """The states in the list of the record's submissions, which name Redox, a Query, both or a person."""
    for submission, word in record_page.build_submissions(organization, history.people[0], None).rows:
        said = Said("", "record, submissions", word.word, submission.oid, submission)
        names_query, is_accepted = "Query" in word.word, submission.state == State.ACCEPTED
        if "by Redox" in word.word and not names_query:
            yield replace(said, kind=f"listed as {'accepted' if is_accepted else 'rejected'} by Redox")
        elif names_query:
            yield replace(said, kind="listed as shown by a Query", value=submission.evidence_at)


def _evidence(page: str, text: object, submission: Submission) -> Iterator[Said]:
    """The claims about an acceptance, dated by the Query if there is one."""
    for said in in_text(page, text, submission=submission):
        at_its_time = said.kind == "the directory shows what was sent"
        yield replace(said, value=submission.evidence_at) if at_its_time else said


def _says_directory_may_lag(shown: summary.RecordValues) -> bool:
    """Whether the page says that the directory may lag behind."""
    return "It may need some time." in shown.note


_NAMED = re.compile(r"([^()]+?) \(([^,()]+), [^()]+\)(?:, )?")


def _named(page: str, text: str, oid: str) -> Iterator[Said]:
    """ "Name (Editor One, May 4), ZIP (Editor Two, May 4)" """
    _, found, rest = text.partition("not sent: ")
    for spoken, person in _NAMED.findall(rest) if found else ():
        name, of_contact, number = spoken.partition(" of contact ")
        label = f"Contact {number}, {name}" if of_contact else spoken
        yield Said("changed by", page, f"{label} ({person})", oid, value=(label, person))


def _list(pages: dict[str, _RecordPage]) -> Iterator[Said]:
    shown = listing.build(Environment.STAGING, record_filters.read(QueryDict("view=list"), "staging"), "", "")
    for row in shown.rows:
        oid, keys = row.organization.oid, {each.word.key for each in row.to_do}
        head, values = pages[oid]
        on_record = {box.key for box in head.boxes} - {"foreign", "unclaimed"}
        is_foreign = head.organization.is_foreign
        same = row.standing.key == head.standing.key and (keys == on_record or (is_foreign and on_record <= keys))
        text = ", ".join([row.standing.key, *sorted(keys)])
        yield Said("the list says what the record says", "list", text, oid, value=same)
        differs = DIRECTORY_DIFFERS in keys or _says_directory_may_lag(values)
        yield Said("a difference is shown in the list", "list", text, oid, value=differs)


def _home(history: History, pages: dict[str, _RecordPage]) -> Iterator[Said]:
    found = overview.build(history.people[0])
    home_lines = (*found.for_you, *found.waiting)
    for place in (place for line in home_lines for place in line.places):
        yield Said("counted as in its list", "home", f"{place.number}: {place.what}", value=(place.number, place.url))
        submission = _submission_at(place.url)
        oid = next((oid for oid in history.oids if f"/{oid}/" in place.url), "")
        yield from in_text("home", place.text, oid=oid, submission=submission)
        if submission is not None and "Redox wrote: " in place.text:
            quoted = place.text.partition('Redox wrote: "')[2].rpartition('"')[0]
            yield Said("Redox wrote", "home", place.text, submission.oid, submission, quoted)
    for panel in found.panels:
        if panel.environment == Environment.STAGING:
            standings = Counter(page.head.standing.word.lower() for page in pages.values())
            yield Said("counted by standing", "home", panel.records, value=standings)
    for oid in history.oids:
        lines = [place.url for line in home_lines if line.kind == DIRECTORY_DIFFERS for place in line.places]
        in_list = any(DIRECTORY_DIFFERS in url for url in lines)
        shown = in_list or any(f"/{oid}/" in url for url in lines) or _says_directory_may_lag(pages[oid].values)
        yield Said("a difference is shown on home", "home", ", ".join(lines), oid, value=shown)


def _submission_at(url: str) -> Submission | None:
    number = re.search(r"/submissions/(\d+)/", url)
    return Submission.objects.get(pk=number[1]) if number else None


def _submission(organization: Organization) -> Iterator[Said]:
    """The page of the last submission of the record. Earlier ones were judged when they were the last."""
    submission = organization.last_submission
    if submission is None:
        return
    page, gate = "submission", EnvironmentGate.objects.get(pk=submission.environment)
    entries = list(AuditEntry.objects.of_submission(submission.pk).defer("raw"))
    block = submission_page.state_block(submission, gate)
    reason = block.reason.sentence if block.reason else ""
    yield from in_text(page, f"{block.sentence} {reason}", submission=submission)
    if submission.state == State.ACCEPTED:
        yield Said("accepted with effect", page, "Accepted", submission.oid, submission)
        basis = acceptance.acceptance_basis(submission, entries)
        yield from _evidence(page, " ".join(map(str, (basis.sentence, *basis.more))), submission)
        if basis.quotes_redox and submission.detail:
            text = f'{basis.sentence}: "{submission.detail}"'
            yield Said("quoted as Redox's yes", page, text, submission.oid, submission, submission.detail)
    if submission.state == State.UNKNOWN and submission.not_before is not None and block.reason is None:
        text = f"at {submission.not_before:%H:%M:%S} it asks the directory"
        yield Said("it asks the directory at", page, text, submission.oid, submission, submission.not_before)
    for change in submission_page.submitted_changes(submission):
        has_person = ", " in change.by
        if has_person and submission.intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
            yield _changed_by(f"{page}, changes", change.label, change.by, submission.oid, submission)
    for attempt in attempts_shown.attempts(entries):
        said = attempt.word.sentence if attempt.word else ""
        for each in in_text(f"{page}, attempt", said, submission=submission):
            yield Said(each.kind, each.page, each.text, each.oid, submission, attempt.number)
    yield from _queries(submission, entries)
    yield from _asked(submission, entries)


def _queries(submission: Submission, entries: list[AuditEntry]) -> Iterator[Said]:
    shown = exchanges.exchanges(submission, entries, acceptance.evidence_entry(submission, entries))
    kinds = {
        exchanges.SHOWS_SENT.key: "the directory shows what was sent",
        exchanges.SHOWS_OTHERS.key: "the directory shows it now",
        exchanges.SHOWS_NOTHING.key: "the directory does not show it now",
    }
    for query in (row.query for row in shown.rows if row.query is not None):
        kind = kinds.get(query.word.key)
        if kind and not query.text.startswith("asked "):  # one of three Queries proves nothing about the OID
            yield Said(kind, "submission, Query", query.word.word, submission.oid, submission, query.started)


def _changed_by(page: str, label: str, by: str, oid: str, submission: Submission | None = None) -> Said:
    """`by` is the name, a comma and the time."""
    person = by.partition(", ")[0]
    return Said("changed by", page, f"{label}, changed by {person}", oid, submission, (label, person))


def _asked(submission: Submission, entries: list[AuditEntry]) -> Iterator[Said]:
    entry = attempts_shown.last_query(entries)
    asked, page = submission_page.query_result(entry, submission), "submission, what the directory showed"
    if asked is None or asked.cause:
        return
    text = "showed the record" if asked.found else "showed no record with this OID"
    kind = "the directory shows it now" if asked.found else "the directory does not show it now"
    yield Said(kind, page, text, submission.oid, submission, asked.time)
    for row in asked.rows:
        yield Said("compared as equal", page, f"{row.label}: {row.sent} / {row.seen}", submission.oid, value=row)
    decision = decision_choices.decision_options(submission, asked)
    if decision is not None:
        for choice in decision.choices:
            kind = _OFFERED.get(choice.value, "")
            if kind:
                yield Said(kind, page, f"offers: {choice.label}", submission.oid, submission, asked.time)


_OFFERED = {
    "arrived": "may have arrived",
    "ours": "the directory shows it now",
    "foreign": "the directory shows it now",
}
"""What must be so for a decision to be offered."""


def _history(entry: AuditEntry) -> Iterator[Said]:
    submission = Submission.objects.filter(pk=entry.submission_id or 0).first()
    text = sentences.sentence_of(entry).text
    for said in in_text("history", text, oid=entry.oid, submission=submission):
        if said.kind == "first registration":
            continue  # what a message was meant for, at its time
        value = entry.attempt if entry.attempt else entry.at
        yield Said(said.kind, said.page, said.text, said.oid, submission, value)
    if entry.action == Action.SUBMISSION_SETTLED and "is accepted" in text and submission is not None:
        yield Said("accepted with effect", "history", text, submission.oid, submission)


def _reviews(history: History, organization: Organization) -> Iterator[Said]:
    """The reviews of what is saved, and of the deactivation or reactivation."""
    back = Intent.DEACTIVATE if organization.confirmed_active else Intent.REACTIVATE
    for intent in (None, back):
        yield from _review(history, organization, intent)


def _review(history: History, organization: Organization, intent: Intent | None) -> Iterator[Said]:
    """The review of what is saved, or of a deactivation or reactivation."""
    made = reviews.review(organization, actor=as_actor(history.people[0]), intent=intent)
    if made.is_undecided or (intent and made.blockers):
        return
    oid, page = organization.oid, f"review to {intent.value}" if intent else "review"
    if intent is None:
        shown = review_page.review_content(made)
        yield from in_text(page, " ".join((made.summary, *shown.sentences, shown.freshness.sentence)), oid=oid)
        yield from in_text(page, shown.compared, oid=oid, submission=organization.confirmed_submission)
        for row in shown.rows:
            if row.by and made.event == Event.UPDATE:
                yield _changed_by(page, row.label, row.by, oid)
    yield from _compared(page, made)


def _compared(page: str, made: Review) -> Iterator[Said]:
    """What the message changes and what it replaces."""
    oid = made.organization.oid
    every = (*made.changes, *made.overwrites)
    changes = {change.difference.field: change.difference for change in every}
    if made.event == Event.UPDATE and made.before is not None:
        for change in changes.values():
            text = f"{change.label}: {change.before} to {change.after}"
            yield Said("compared with the newest knowledge", page, text, oid, value=change)
        if not made.blockers:
            text = f"changes {', '.join(change.label for change in changes.values()) or 'nothing'}"
            yield Said("every change is shown", page, text, oid, value=(made.record, frozenset(changes)))
        for change in changes.values():
            yield Said("a change of the form", page, f"{change.label} changes", oid, value=change.field)
    if not made.blockers and made.message:
        ticked = _ticked(made)
        text = f"ticks for {', '.join(sorted(ticked)) or 'no value of the directory'}"
        yield Said("overwrites only what is ticked", page, text, oid, value=(made.record, ticked))


def _ticked(made: Review) -> frozenset[str]:
    """The fields whose value in the directory the page asks to overwrite, and Active if the button changes it."""
    moved = ["active"] if made.intent in (Intent.DEACTIVATE, Intent.REACTIVATE) else []
    return frozenset([*moved, *(change.difference.field for change in made.overwrites)])
