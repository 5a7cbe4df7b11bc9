"""What is to do about a record: one box for each thing to do, the submission first, then the directory."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations import knowledge, permissions
from organizations.models import AuditEntry, EnvironmentGate, Organization, Submission, clock
from organizations.pages.addresses import record_url, submission_url
from organizations.pages.organizations.rows import work_key
from organizations.pages.queue_reasons import environment_reason, queued_reason
from organizations.pages.submission import rejection
from organizations.permissions import Right
from organizations.queries.environments import gate_of
from organizations.queries.record_entries import edits_since_acceptance
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.records import Difference, label_in_sentence
from organizations.services.delivery import decide
from organizations.services.outbox import answers
from organizations.services.review import reviews
from organizations.text.decisions import decided
from organizations.text.evidence import state_word
from organizations.text.markup import plain, written
from organizations.text.vocabulary import FOREIGN_OID, OPEN_WORK, UNCLAIMED_OID, Word, count, name_some

MOST_NAMED = 6
SHOWN_AGAIN = (
    "The directory shows this OID, as {name}, although Redox said after the last acceptance that it is not there."
)
FOREIGN = Word("foreign", "Another organization's OID", "no-symbol", "is-ink", FOREIGN_OID)
UNCLAIMED = Word("unclaimed", "Whose OID is this?", "hand-raised", "is-unsure", UNCLAIMED_OID)


class BoxAction(NamedTuple):
    """A button of a box. `edits`: it needs the right to edit. `is_link`: it looks like a link."""

    label: str
    url: str
    edits: bool = False
    is_primary: bool = False
    is_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDoBox:
    """One thing to do: its word with its meaning, a sentence about this record, and what can be done."""

    word: Word
    meaning: str
    sentence: SafeString
    acts: tuple[BoxAction, ...] = ()

    @property
    def key(self) -> str:
        return self.word.key


def to_do_boxes(organization: Organization, *, can_discard: bool) -> tuple[ToDoBox, ...]:
    """Every box of a record that was read `with_words`. At most one button of the page is the primary one."""
    all_boxes = list(_boxes(organization, can_discard))
    primary = next((act for box in all_boxes for act in box.acts if act.is_primary), None)
    return tuple(_with_one_primary(box, primary) for box in all_boxes)


def next_query_sentence(submission: Submission, gate: EnvironmentGate, now: datetime.datetime) -> SafeString:
    """When the portal asks the directory about a submission whose result is unknown."""
    reason = environment_reason(gate, now)
    if reason is not None:
        return reason.sentence
    if submission.not_before is not None and submission.not_before > now:
        return format_html("The portal asks the directory at {}.", written(submission.not_before, "clock"))
    return SafeString("The portal asks the directory as soon as a worker takes it.")


def differences_of(organization: Organization) -> tuple[Difference, ...]:
    """The fields in which a later reading differs; none if it did not show the OID."""
    baseline, seen = organization.baseline_record(), organization.later_reading()
    return knowledge.seen_differences(knowledge.sendable(baseline), seen) if baseline and seen else ()


def missing_sentence(organization: Organization) -> str:
    """When the directory did not show the OID."""
    asked_at = written(organization.seen_at) if organization.seen_at else ""
    return f"The directory did not show this OID when asked on {asked_at}."


def name_fields(labels: list[str]) -> str:
    """The first labels, and how many more fields there are."""
    return name_some(labels, MOST_NAMED, "more field")


def deciders_sentence() -> str:
    """Who can decide what the portal cannot decide."""
    names = ", ".join(permissions.people_with(Right.RESOLVE)) or "nobody yet"
    return f"{' and '.join(permissions.roles_with(Right.RESOLVE))} can decide: {names}."


def _boxes(organization: Organization, can_discard: bool) -> Iterator[ToDoBox]:
    key, last = work_key(organization), organization.last_submission
    if organization.is_foreign:
        yield _foreign(organization)
    if organization.is_there_unclaimed:
        yield _unclaimed(organization)
    if key == "changes_not_sent":
        yield _changes(organization, can_discard)
    elif key and last is not None and not (organization.is_foreign and key == "rejected"):
        yield _OF_SUBMISSION.get(key, _under_way)(organization, last)
    if organization.differs:
        yield _differs(organization)


def _with_one_primary(box: ToDoBox, primary: BoxAction | None) -> ToDoBox:
    acts = tuple(act._replace(is_primary=act is primary) for act in box.acts)
    return ToDoBox(word=box.word, meaning=box.meaning, sentence=box.sentence, acts=acts)


def foreign_meaning(organization: Organization) -> str:
    """To whom the OID belongs, as somebody decided."""
    return FOREIGN_OID.format(name=plain(organization.foreign_name) or "not named")


def foreign_sentence(organization: Organization) -> str:
    """To whom the OID belongs, and when that was decided."""
    since = written(organization.foreign_since, "day") if organization.foreign_since else ""
    return f"{foreign_meaning(organization)} Decided {since}."


def _foreign(organization: Organization) -> ToDoBox:
    meaning = foreign_meaning(organization)
    edit = BoxAction("Give it another OID", record_url(organization, "edit") + "#identity", edits=True, is_primary=True)
    back = BoxAction("Withdraw this decision", record_url(organization, "differences"), is_link=True)
    sentence = format_html("{}", foreign_sentence(organization))
    return ToDoBox(word=FOREIGN, meaning=meaning, sentence=sentence, acts=(back, edit))


def unclaimed_meaning(organization: Organization) -> str:
    """What the directory shows at the OID of a record that nobody has claimed there."""
    seen = organization.seen_record()
    text = SHOWN_AGAIN if organization.confirmed else UNCLAIMED_OID
    return text.format(name=plain(seen.name) if seen else "not named")


def _unclaimed(organization: Organization) -> ToDoBox:
    meaning = unclaimed_meaning(organization)
    decide = BoxAction("Compare and decide", record_url(organization, "differences"), is_primary=True)
    sentence = format_html("{} Redox would reject a New, so nothing is sent before that is decided.", meaning)
    return ToDoBox(word=UNCLAIMED, meaning=meaning, sentence=sentence, acts=(decide,))


def _changes(organization: Organization, can_discard: bool) -> ToDoBox:
    word = OPEN_WORK["changes_not_sent"]
    sentence = word.say(k=organization.changes)
    if organization.baseline_record() is not None or organization.later_reading() is not None:
        named = name_fields([_named(change.difference, change.entry) for change in unsent_changes(organization)])
        sentence = f"{sentence.rstrip('.')}: {named}."
    acts = [BoxAction("Discard", record_url(organization, "discard"), edits=True, is_link=True)] if can_discard else []
    if not organization.is_foreign and not organization.is_there_unclaimed:
        acts.append(BoxAction("Review and send", record_url(organization, "review"), edits=True, is_primary=True))
    return _box(word, word.say(k=organization.changes), sentence, *acts)


def unsent_changes(organization: Organization) -> tuple[reviews.ReviewChange, ...]:
    """The edits that the directory does not show yet, each with its last entry in the history."""
    compared, wanted = organization.compared_record(), knowledge.sendable(organization.record())
    known = knowledge.sendable(compared) if compared else None
    unsent = knowledge.unsent(known, organization.later_reading(), wanted)
    return reviews.with_edits(unsent, edits_since_acceptance(organization), known, wanted)


def _named(change: Difference, entry: AuditEntry | None) -> str:
    """The changed field, with who saved it last and when."""
    if entry is None:
        return label_in_sentence(change.label)
    return f"{label_in_sentence(change.label)} ({entry.actor_name}, {written(entry.at, 'day')})"


def _needs_person(organization: Organization, last: Submission) -> ToDoBox:
    word = OPEN_WORK["needs_person"]
    sentence = f"{word.say(submission=last.pk)} {deciders_sentence()}"
    return _box(word, word.say(submission=last.pk), sentence, _open(last, "Compare and decide", is_primary=True))


def _unknown(organization: Organization, last: Submission) -> ToDoBox:
    word = OPEN_WORK["unknown"]
    gate = gate_of(organization.environment)
    meaning = word.say(submission=last.pk)
    sentence = format_html("{} {}", meaning, next_query_sentence(last, gate, clock.now()))
    return ToDoBox(word=word, meaning=meaning, sentence=sentence, acts=(_open(last, is_primary=True),))


def _rejected(organization: Organization, last: Submission) -> ToDoBox:
    explanation = None if last.decided_by else answers.explain_answer(last)
    step = rejection.next_step(organization, last, explanation)
    acts = [_open(last, is_link=True)]
    if step is not None:
        acts.append(BoxAction(step.label, step.url, edits=step.needs_edit, is_primary=True))
    meaning = OPEN_WORK["rejected"].say(submission=last.pk)
    return _box(state_word(last), meaning, _rejected_sentence(last, explanation), *acts)


def _rejected_sentence(last: Submission, explanation: answers.Explanation | None) -> str:
    time = written(last.ended_at or last.state_at)
    if explanation is not None:
        cause = f"{plain(explanation.headline)} {plain(explanation.cause)}"
        return f"Redox rejected submission {last.pk}, {time}: {cause}"
    by, reason = plain(last.decided_by), plain(last.state_reason).rstrip(".")
    verdict = decide.last_verdicts([last]).get(last.pk)
    if verdict is None:
        return f"Submission {last.pk} was rejected by decision of {by}, {time}: {reason}."
    return f"Submission {last.pk} is rejected: {decided(by, verdict, on=time)}. Reason: “{reason}”."


def _under_way(organization: Organization, last: Submission) -> ToDoBox:
    word = OPEN_WORK[work_key(organization)]
    meaning = word.say(submission=last.pk)
    if word.key != "queued":
        return _box(word, meaning, meaning, _open(last))
    gate = gate_of(organization.environment)
    sentence = format_html("{} {}", meaning, queued_reason(last, gate, clock.now()).sentence)
    return ToDoBox(word=word, meaning=meaning, sentence=sentence, acts=(_open(last),))


_OF_SUBMISSION = {"needs_person": _needs_person, "unknown": _unknown, "rejected": _rejected}


def _differs(organization: Organization) -> ToDoBox:
    word = OPEN_WORK[DIRECTORY_DIFFERS]
    decide = BoxAction("Decide", record_url(organization, "differences"))
    first = written(organization.differs_since, "day") if organization.differs_since else ""
    if organization.is_missing:
        since = f" It was first missing on {first}." if organization.differs_since != organization.seen_at else ""
        return _box(word, missing_sentence(organization), missing_sentence(organization) + since, decide)
    names = [label_in_sentence(each.label) for each in differences_of(organization)]
    them = "it" if organization.differs == 1 else "them"
    overwrites = f" Sending the saved changes would overwrite {them}." if _overwrites(organization) else ""
    sentence = f"{count(organization.differs, 'field')}: {name_fields(names)}. First seen {first}.{overwrites}"
    return _box(word, word.say(k=organization.differs), sentence, decide)


def _overwrites(organization: Organization) -> bool:
    """Whether sending the saved changes would overwrite a value of the directory."""
    wanted = knowledge.sendable(organization.record())
    split = knowledge.changes_by_origin(organization.compared_record(), organization.later_reading(), wanted)
    return organization.changes > 0 and bool(split.overwritten)


def _open(submission: Submission, label: str = "", *, is_primary: bool = False, is_link: bool = False) -> BoxAction:
    url = submission_url(submission)
    return BoxAction(label or f"Open submission {submission.pk}", url, is_primary=is_primary, is_link=is_link)


def _box(word: Word, meaning: str, sentence: str, *acts: BoxAction) -> ToDoBox:
    return ToDoBox(word=word, meaning=meaning, sentence=format_html("{}", sentence.strip()), acts=acts)
