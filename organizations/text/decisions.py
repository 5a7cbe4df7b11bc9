"""A person's decision about a submission in words, the same on every page and in the history."""

from collections.abc import Mapping

from organizations.models import Verdict

CLAUSE: Mapping[str, str] = {
    Verdict.ARRIVED: "that {message} arrived",
    Verdict.SEND_AGAIN: "that {message} did not arrive; the same message is sent again",
    Verdict.GIVE_UP: "that {message} did not arrive, and that it is not sent again",
    Verdict.OURS: "that {oid} is ours, with other values",
    Verdict.FOREIGN: "that {oid} belongs to another organization",
}
"""The words after "{person} decided". The sentence fills in its names of the submission and of its OID."""


def clause(verdict: Verdict, *, message: str = "it", oid: str = "the OID") -> str:
    """The decision as the second half of a sentence: "that it did not arrive, and that it is not sent again"."""
    return CLAUSE[verdict].format(message=message, oid=oid)


def decided(person: str, verdict: Verdict | None, *, on: str = "") -> str:
    """Who decided what: "Approver One decided on Nov 27, 14:02 CST that the OID is ours, with other values".

    Entries of earlier releases do not say what was decided: then it is "Approver One decided".
    """
    when = f" on {on}" if on else ""
    return f"{person} decided{when} {clause(verdict)}" if verdict else f"{person} decided{when}"
