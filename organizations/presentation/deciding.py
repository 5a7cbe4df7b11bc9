"""What a person is asked to decide about a submission, with what the portal proposes and why."""

from dataclasses import dataclass

from organizations.models import State, Submission
from organizations.services import deciding
from organizations.services.deciding import Verdict

from .submission import Asked

WORDS: dict[Verdict, tuple[str, str]] = {
    Verdict.LANDED: ("It landed", "Mark as accepted; the directory has what we sent."),
    Verdict.NOT_LANDED: ("It did not land", "The very same message goes out once more."),
    Verdict.OTHERS: (
        "It landed in part / these are somebody else's values",
        "Mark as rejected; the next review compares with what the directory shows.",
    ),
}
NOT_THERE = "The directory does not know the OID."
NOTHING_IN_PART = ("It will not be sent", "Mark as rejected; the record is not registered.")


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
    found = deciding.evidence(submission)
    if found is None or not found.is_fresh:
        return None
    verdicts = deciding.choices(submission, found)
    return Decision(
        found.entry.sequence,
        _proposal(verdicts[0], asked),
        tuple(_choice(verdict, is_there=found.record is not None) for verdict in Verdict if verdict in verdicts),
    )


def must_ask(submission: Submission, asked: Asked | None) -> bool:
    """Whether the page should ask the directory by itself: nobody did within the time that an answer counts."""
    return submission.state == State.NEEDS_PERSON and (asked is None or not deciding.is_fresh(asked.time))


def _choice(verdict: Verdict, *, is_there: bool) -> Choice:
    label, follows = WORDS[verdict] if is_there or verdict != Verdict.OTHERS else NOTHING_IN_PART
    return Choice(verdict.value, label, follows)


def _proposal(verdict: Verdict, asked: Asked) -> str:
    if not asked.found:
        return f"Proposal: it did not land. {NOT_THERE}"
    said = {
        Verdict.LANDED: "it landed",
        Verdict.NOT_LANDED: "it did not land; the directory shows the values before",
        Verdict.OTHERS: "somebody else's values",
    }
    return f"Proposal: {said[verdict]}. {asked.different} of {asked.read} readable fields differ."
