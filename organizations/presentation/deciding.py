"""What a person is asked to decide about a submission, with what the portal proposes and why."""

from dataclasses import dataclass

from organizations.models import State, Submission
from organizations.services import deciding
from organizations.services.deciding import Verdict

from .submission import Asked

WORDS: dict[Verdict, tuple[str, str]] = {
    Verdict.ARRIVED: ("It arrived", "Marks it as accepted."),
    Verdict.SEND_AGAIN: ("It did not arrive: send the same message again", "Sends the same bytes once more."),
    Verdict.GIVE_UP: ("It did not arrive: give up", "Marks it as rejected. Nothing more is sent."),
    Verdict.OURS: (
        "It is ours, with other values",
        "Marks it as rejected. The next review asks for a tick for each value that it would overwrite.",
    ),
    Verdict.FOREIGN: (
        "It belongs to another organization",
        "Marks it as rejected. Nothing can be sent to this OID any more; the record asks for another OID.",
    ),
}
NOT_THERE = "The directory does not know the OID."


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to decide: the value that is posted, its words and what follows."""

    value: str
    label: str
    follows: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What can be decided by the last answer; `sequence` is its entry in the history."""

    sequence: int
    proposal: str
    choices: tuple[Choice, ...]


def decision(submission: Submission, asked: Asked | None) -> Decision | None:
    """What to choose from; None where nothing is to be decided, or no answer is fresh enough to decide by."""
    if submission.state != State.NEEDS_PERSON or asked is None:
        return None
    found = deciding.last_answer(submission)
    if found is None or not found.is_fresh:
        return None
    verdicts = deciding.choices(submission, found)
    return Decision(
        found.entry.sequence,
        _proposal(asked),
        tuple(Choice(verdict.value, *WORDS[verdict]) for verdict in verdicts),
    )


def must_ask(submission: Submission, asked: Asked | None) -> bool:
    """Whether the page should ask the directory by itself: nobody did within the time that an answer counts."""
    return submission.state == State.NEEDS_PERSON and (asked is None or not deciding.is_fresh(asked.time))


def _proposal(asked: Asked) -> str:
    if not asked.found:
        return NOT_THERE
    return f"{asked.different} of {asked.read} readable fields differ."
