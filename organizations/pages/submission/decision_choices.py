"""A person's decision about a submission: the answer to compare, what each choice does, and who can decide."""

import datetime
from dataclasses import dataclass

from organizations import knowledge
from organizations.models import State, Submission, Verdict
from organizations.pages.comparison.sent_and_seen import ComparedField
from organizations.pages.submission.state import QueryResult
from organizations.permissions import Right, people_with
from organizations.records import labels_in_sentence
from organizations.services.delivery import decide
from organizations.services.delivery.decide import ComparedAnswer
from organizations.services.timing import is_recent
from organizations.text.vocabulary import count

_LABELS: dict[Verdict, str] = {
    Verdict.ARRIVED: "It arrived",
    Verdict.SEND_AGAIN: "It did not arrive: send the same message again",
    Verdict.GIVE_UP: "It did not arrive: give up",
    Verdict.OURS: "It is ours, with other values",
    Verdict.FOREIGN: "It belongs to another organization",
}
_IDENTIFYING_FIELDS = ("Name", "City", "State")
"""Fields that together identify an organization. All others can change while it stays the same one."""


@dataclass(frozen=True, slots=True)
class DecisionChoice:
    """One way to decide: the value that is posted, its label and what it does."""

    value: str
    label: str
    follows: str


@dataclass(frozen=True, slots=True)
class DecisionOptions:
    """What can be decided by the last answer. `sequence` is the number of its entry in the history.

    `choices` is empty if no answer is fresh enough. Then `block_reason` says what to do first.
    """

    sequence: int
    heading: str
    asked_at: datetime.datetime | None
    choices: tuple[DecisionChoice, ...]
    suspicion: str
    differing: tuple[ComparedField, ...]
    equal: tuple[ComparedField, ...]
    unreadable: tuple[ComparedField, ...]
    block_reason: str

    @property
    def equal_labels(self) -> str:
        return labels_in_sentence(row.label for row in self.equal)

    @property
    def unreadable_labels(self) -> str:
        return labels_in_sentence(row.label for row in self.unreadable)


def decision_options(submission: Submission, asked: QueryResult | None) -> DecisionOptions | None:
    """What to compare and choose from; None if nothing is to be decided."""
    if submission.state != State.NEEDS_PERSON:
        return None
    answer = decide.last_answer(submission)
    rows = asked.rows if asked else ()
    counts = answer is not None and answer.allows_decision
    verdicts = decide.allowed_verdicts(submission, answer) if answer is not None and counts else ()
    return DecisionOptions(
        answer.entry.sequence if answer is not None else 0,
        _heading(asked),
        answer.asked_at if answer is not None else None,
        tuple(
            DecisionChoice(verdict.value, _LABELS[verdict], _follows(verdict, submission, answer, asked))
            for verdict in verdicts
        ),
        suspicion(rows) if counts else "",
        tuple(row for row in rows if row.equal is False),
        tuple(row for row in rows if row.equal),
        tuple(row for row in rows if row.equal is None),
        "" if counts else _block_reason(answer, asked),
    )


def who_decides(name: str, *, may: bool) -> str:
    """Who can decide: "You, Editor Two and Approver One can decide." `name` is the reader's name."""
    others = [person for person in people_with(Right.RESOLVE) if person != name]
    names = ["You", *others] if may else others
    if not names:
        return "Nobody can decide yet: no account has the role of an approver."
    *first, last = names
    return f"{f'{", ".join(first)} and {last}' if first else last} can decide."


def asks_automatically(submission: Submission, asked: QueryResult | None) -> bool:
    """Whether the page asks the directory when it opens: no answer is fresh enough to decide by."""
    return submission.state == State.NEEDS_PERSON and (asked is None or not is_recent(asked.time))


def _heading(asked: QueryResult | None) -> str:
    if asked is None or asked.cause:
        return "What the directory shows is not known"
    if not asked.found:
        return "The directory does not show this OID"
    if not asked.different:
        return f"{asked.read} of {asked.read} readable fields are equal"
    return f"{asked.different} of {asked.read} readable fields differ"


def _block_reason(answer: ComparedAnswer | None, asked: QueryResult | None) -> str:
    if answer is not None and answer.is_superseded:
        return decide.ANSWER_SUPERSEDED
    if answer is not None:
        return "The answer is older than 10 minutes. Ask again before you decide."
    if asked is not None:
        return "Without an answer from the directory a decision is a guess. Ask again later, or ask Redox support."
    return "Ask the directory first: you decide by what it shows."


def _follows(verdict: Verdict, submission: Submission, answer: ComparedAnswer | None, asked: QueryResult | None) -> str:
    match verdict:
        case Verdict.ARRIVED:
            others = asked.different if asked else 0
            shows = f"The directory shows {count(others, 'other value')}. The record will say so." if others else ""
            return f"Marks submission {submission.pk} as accepted. {shows}".rstrip()
        case Verdict.SEND_AGAIN:
            return "Sends the same message once more. Redox's new answer decides."
        case Verdict.GIVE_UP:
            return f"Marks submission {submission.pk} as rejected. Nothing more is sent. Your values stay saved."
        case Verdict.OURS:
            return f"Marks it as rejected. The next review is an Update and {_ticks(submission, answer)}."
        case Verdict.FOREIGN:
            return (
                "Marks it as rejected. Nothing is sent to this OID until somebody withdraws this decision. The record "
                "needs another OID."
            )


def _ticks(submission: Submission, answer: ComparedAnswer | None) -> str:
    """How many values of the directory the next review would overwrite, counted now."""
    organization = submission.organization
    seen = answer.record if answer else None
    split = knowledge.changes_by_origin(organization.baseline_record(), seen, knowledge.sendable(organization.record()))
    number = len(split.overwritten)
    if not number:
        return "overwrites no other value of the directory"
    return (
        f"asks for a tick for {'the one value' if number == 1 else f'each of the {number} values'} it would overwrite"
    )


def suspicion(rows: tuple[ComparedField, ...]) -> str:
    """What the portal suspects, and why. It never decides and never selects a choice."""
    place = {row.label: row for row in rows if row.label in _IDENTIFYING_FIELDS}
    differing = [
        label for label in _IDENTIFYING_FIELDS if label in place and place[label].equal is False and place[label].seen
    ]
    if differing == list(_IDENTIFYING_FIELDS):
        return "Name, City and State all differ: probably another organization."
    if place and not differing and all(row.equal for row in place.values()):
        return "Name, City and State are equal: probably our organization."
    return ""
