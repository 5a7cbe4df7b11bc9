"""The evidence of an acceptance in words: on a record's page, in lists and in exports."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Evidence, Organization, State, Submission
from organizations.text.markup import moment, plain
from organizations.text.vocabulary import SUBMISSION_STATE, Word

# Each mapping has the words for each kind of evidence, for one place on the pages.

IN_STATUS: Mapping[str, str] = {
    "": "The last message of this record was accepted. The evidence is not stored.",
    "answer": "Redox accepted the last message of this record.",
    "query": "A Query showed the values of the last message of this record. No clear answer to it came.",
    "both": "Redox's answer and a Query together show that the last message of this record arrived.",
    "person": "{person} decided that the last message of this record arrived.",
    "equivalent": "A Query showed values that mean the same as the last message of this record. That the message"
    " changed anything is not proved.",
}
"""The sentence of the directory status."""

IN_SUBMISSION_LINE: Mapping[str, str] = {
    "answer": "Redox accepted submission {submission}, {time}.",
    "query": "A Query showed the values of submission {submission}, {time}.",
    "both": "Redox's answer and a Query together show that submission {submission} arrived, {time}.",
    "person": "{person} decided that submission {submission} arrived, {time}: {reason}.",
    "equivalent": "A Query showed something equivalent to submission {submission}, {time}.",
}
"""The line below a record's name that names the accepted submission."""

IN_PLAN_ROW: Mapping[str, str] = {
    "answer": "Accepted by Redox, {time}.",
    "query": "The directory shows what was sent, asked {time}.",
    "both": "Redox's answer and the directory together show that it arrived, asked {time}.",
    "person": "{person} decided that it arrived, {time}: {reason}.",
    "equivalent": "The directory showed something equivalent, asked {time}.",
}
"""The result of one message of a plan."""

COLUMN_HEADING: Mapping[str, str] = {
    "": "Accepted",
    "answer": "Accepted by Redox",
    "query": "Accepted by Query",
    "both": "Accepted by Redox and Query",
    "person": "Accepted by decision",
    "equivalent": "Accepted, equivalent by Query",
}
"""The heading of a column with the accepted values."""

BESIDE_DATE: Mapping[str, str] = {
    "": "",
    "answer": "",
    "query": "by Query",
    "both": "Redox and Query",
    "person": "decided",
    "equivalent": "by Query, equivalent",
}
"""The words beside a date in lists. Redox's own answer, the usual one, has none."""

STATE_WORD: Mapping[str, str] = {
    "answer": "Accepted by Redox",
    "query": "Accepted, shown by a Query",
    "both": "Accepted by Redox and a Query",
    "person": "Accepted by decision",
    "equivalent": "Accepted, a Query showed an equivalent",
}
"""The state of an accepted submission, in lists and as the heading of its page."""

EXPORT_VALUE: Mapping[str, str] = {
    "": "",
    "answer": "Redox's answer",
    "query": "A Query",
    "both": "Redox's answer and a Query",
    "person": "A person's decision",
    "equivalent": "A Query, equivalent values",
}
"""The value of a column of an export."""

AFTER_CANCELLING: Mapping[str, str] = {
    "": "as it was last accepted",
    "answer": "as Redox last accepted it",
    "query": "as it was last accepted, shown by a Query",
    "both": "as it was last accepted, by Redox's answer and a Query",
    "person": "as it was last accepted, by decision of {person}",
    "equivalent": "as it was last accepted; a Query showed something equivalent",
}
"""The evidence of the value of Active after its change was cancelled."""

# Used instead if Active was taken from the directory after the last acceptance.
TAKEN_IN_STATUS = "The directory showed this record when the portal asked, and its values were taken over here."
TAKEN_IN_SUBMISSION_LINE = "Taken from the directory, asked {time}."

BY_QUERY = (Evidence.QUERY, Evidence.BOTH, Evidence.EQUIVALENT)
"""Evidence that includes a Query: the page then shows what the directory showed."""


def status_sentence(organization: Organization, *, is_taken: bool) -> str:
    """Why the portal calls an accepted record active or not. `is_taken`: Active was taken from the directory."""
    if is_taken:
        return TAKEN_IN_STATUS
    kind = organization.confirmed_evidence
    decision = organization.confirmed_submission if kind == Evidence.PERSON else None
    return IN_STATUS[kind].format(person=_person(decision))


def active_again(organization: Organization, *, is_taken: bool) -> str:
    """The saved value of Active after its change was cancelled, with its evidence if there is any.

    `is_taken`: Active was taken from the directory.
    """
    value = str(organization.active).lower()
    return f"Saved here again: Active = {value}{_as_known(organization, is_taken=is_taken)}."


def _as_known(organization: Organization, *, is_taken: bool) -> str:
    newest = organization.newest_record()
    if organization.confirmed_active is None:
        shows_it = newest is not None and newest.active == organization.active
        return ", as the directory showed it" if shows_it else ""
    if organization.confirmed_active != organization.active:
        return ""
    if is_taken:
        return ", as it was taken from the directory"
    sentence = AFTER_CANCELLING[organization.confirmed_evidence]
    return f", {sentence.format(person=_person(organization.confirmed_submission))}"


def help_rows() -> list[tuple[str, str]]:
    """Each kind of evidence with its sentence, for the help page."""
    return [(EXPORT_VALUE[kind], text.format(person="A person")) for kind, text in IN_STATUS.items() if kind]


def submission_line(submission: Submission, linked: SafeString) -> SafeString:
    """One line about an accepted submission: its evidence, the time, and the submission itself (`linked`).

    The time is that of the Query if a Query is part of the evidence.
    """
    template = IN_SUBMISSION_LINE[submission.evidence]
    return _filled(template.replace("submission {submission}", "{submission}"), submission, submission=linked)


def plan_row_sentence(submission: Submission) -> SafeString:
    """The evidence of an accepted submission and its time, for a row that names the submission."""
    return _filled(IN_PLAN_ROW[submission.evidence], submission, focus=False)


def column_heading(organization: Organization) -> str:
    """The heading of a column with the accepted values."""
    return COLUMN_HEADING[organization.confirmed_evidence]


def beside_record_date(organization: Organization) -> str:
    """The evidence of the last acceptance, for the place beside its date in lists; "" for Redox's own answer."""
    return BESIDE_DATE[organization.confirmed_evidence]


def export_value(organization: Organization) -> str:
    """The evidence in a separate column, which also names Redox's own answer."""
    return EXPORT_VALUE[organization.confirmed_evidence]


def state_word(submission: Submission) -> Word:
    """The word of a submission's state in a list, with who or what accepted or rejected it."""
    word = SUBMISSION_STATE[submission.state]
    if submission.state == State.REJECTED:
        return replace(word, word=f"{word.word} by {'decision' if submission.decided_by else 'Redox'}")
    return replace(word, word=STATE_WORD[submission.evidence]) if submission.state == State.ACCEPTED else word


def beside_submission_date(submission: Submission | None) -> str:
    """The evidence of one accepted submission, as in `beside_record_date`."""
    return BESIDE_DATE[submission.evidence] if submission else ""


def _person(submission: Submission | None) -> str:
    return plain(submission.decided_by) if submission and submission.decided_by else "Somebody"


def _filled(template: str, submission: Submission, /, *, focus: bool = True, **values: object) -> SafeString:
    at = submission.evidence_at if submission.evidence in BY_QUERY else submission.ended_at
    return format_html(
        template,
        time=moment(at or submission.ended_at, focus=focus),
        person=_person(submission),
        reason=plain(submission.state_reason).rstrip("."),
        **values,
    )
