"""The evidence of an acceptance in words: Redox's own answer, a Query, both, or a person's decision.

An answer is quoted as an acceptance only if it was classified as one.
"""

import datetime
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, Event, Evidence, Intent, Organization, Submission, Verdict
from organizations.models.tree import path_of
from organizations.pages import counterpart_box
from organizations.pages.addresses import environment_url, record_url
from organizations.pages.comparison.sent_and_seen import ComparedField
from organizations.pages.next_step import NextStep
from organizations.pages.organizations.rows import can_add_below
from organizations.pages.submission.state import SubmittedChange, query_result
from organizations.records import label_in_sentence
from organizations.text.decisions import clause
from organizations.text.evidence import BY_QUERY
from organizations.text.markup import moment, plain
from organizations.text.vocabulary import count

_PROOF = {
    (Evidence.QUERY, Event.NEW): "proved: the directory shows the record, and no field that a Query shows differs",
    (Evidence.QUERY, Event.UPDATE): (
        "proved: the directory shows a change of this message, and no field that a Query shows differs"
    ),
    (Evidence.EQUIVALENT, Event.NEW): "the directory showed something equivalent",
    (Evidence.EQUIVALENT, Event.UPDATE): "the directory showed something equivalent",
}


class AcceptanceBasis(NamedTuple):
    """The sentence that names the evidence, further sentences, and whether the page quotes Redox's answer."""

    sentence: SafeString
    more: tuple[SafeString, ...] = ()
    quotes_redox: bool = False


class ProvedField(NamedTuple):
    """One field that the message changed, beside what the Query showed."""

    change: SubmittedChange
    seen: str
    compared: str


class ProofTable(NamedTuple):
    """The changed fields beside the evidence, and counts of the other fields by how they compare."""

    rows: tuple[ProvedField, ...]
    asked_at: datetime.datetime
    proof: str
    same: int
    spelled: tuple[ComparedField, ...]
    unreadable: tuple[str, ...]

    @property
    def others(self) -> str:
        """How many other fields are alike: "16 other fields: 13 the same, 2 spelled differently, 1 cannot be read"."""
        numbers = (
            (self.same, "the same"),
            (len(self.spelled), "spelled differently"),
            (len(self.unreadable), "cannot be read"),
        )
        parts = [f"{number} {what}" for number, what in numbers if number]
        total = sum(number for number, _ in numbers)
        return f"{count(total, 'other field')}: {', '.join(parts)}" if parts else ""


def next_steps(submission: Submission) -> tuple[NextStep, ...]:
    """Where to go after an acceptance. The first step is the primary button."""
    elsewhere = counterpart_box.next_step(submission)
    return (*_steps_here(submission), *([elsewhere] if elsewhere else []))


def _steps_here(submission: Submission) -> tuple[NextStep, ...]:
    organization, above = submission.organization, path_of(submission.organization)
    back = _back_to(organization)
    if submission.intent == Intent.DEACTIVATE and above:
        return (_back_to(above[-1]), back)
    if submission.event != Event.NEW:
        return (back,)
    new = environment_url("organization-new", submission.environment)
    below = NextStep("Add a record below", f"{new}?below={organization.oid}", needs_edit=True)
    another = NextStep("Add another like this", f"{new}?like={organization.oid}", needs_edit=True)
    return (below, another, back) if can_add_below(organization, above) else (back, another)


def _back_to(organization: Organization) -> NextStep:
    url = record_url(organization)
    return NextStep(f"Back to {plain(organization.name)}", url)


def acceptance_basis(submission: Submission, entries: list[AuditEntry]) -> AcceptanceBasis:
    """The evidence of an acceptance. `entries` are those of the submission, oldest first."""
    match submission.evidence:
        case Evidence.QUERY:
            sentence = format_html("The directory shows what was sent (asked {}). {}", *_asked_and_answer(submission))
            return AcceptanceBasis(sentence, _sent_once(submission))
        case Evidence.BOTH:
            sentence = format_html(
                "Redox answered with a success in words that it does not document, and the directory shows what was "
                "sent (asked {}).",
                moment(submission.evidence_at, "clock"),
            )
            return AcceptanceBasis(sentence, _undocumented(submission))
        case Evidence.PERSON:
            return _decided(submission, entries)
        case Evidence.EQUIVALENT:
            sentence = format_html(
                "The directory showed something equivalent (asked {}). {}", *_asked_and_answer(submission)
            )
            return AcceptanceBasis(sentence, _read_again(submission))
    return AcceptanceBasis(
        format_html("Redox accepted this on {}", moment(submission.ended_at, "seconds")), quotes_redox=True
    )


def evidence_entry(submission: Submission, entries: list[AuditEntry]) -> AuditEntry | None:
    """The entry of the Query that is the evidence for the end of a submission; None if no Query is."""
    if submission.evidence == Evidence.ANSWER or submission.evidence_at is None:
        return None
    queries = [
        entry
        for entry in entries
        if entry.action == Action.SUBMISSION_ASKED and not entry.facts.get("details", {}).get("reads_back")
    ]
    at = submission.evidence_at.isoformat()
    exact = [entry for entry in queries if entry.facts.get("details", {}).get("asked_at") == at]
    # Entries of earlier releases do not say when the Query was sent: then it is the last one before the end.
    before = [entry for entry in queries if submission.ended_at is None or entry.at <= submission.ended_at]
    return (exact or before or [None])[-1]  # type: ignore[list-item]


def proof_table(submission: Submission, changes: list[SubmittedChange], entry: AuditEntry | None) -> ProofTable | None:
    """What was sent beside what the directory showed; None if no Query is the evidence."""
    answer = query_result(entry, submission) if submission.evidence in BY_QUERY else None
    if answer is None or not answer.found:
        return None
    by_label = {row.label: row for row in answer.rows}
    rows = tuple(_shown(change, by_label.pop(change.label, None)) for change in changes)
    rest = by_label.values()
    return ProofTable(
        rows,
        answer.time,
        _PROOF.get((Evidence(submission.evidence), Event(submission.event)), "nothing that can be read differs"),
        sum(1 for row in rest if row.equal and not row.means_same),
        tuple(row for row in rest if row.means_same),
        tuple(label_in_sentence(row.label) for row in rest if row.equal is None),
    )


def _shown(change: SubmittedChange, row: ComparedField | None) -> ProvedField:
    if row is None:
        # The Query shows no field for a value that was removed.
        return ProvedField(change, "", "equal" if not change.after else "not compared")
    if row.equal is None:
        return ProvedField(change, "", row.seen)
    if not row.equal:
        return ProvedField(change, row.seen, "differs")
    return ProvedField(change, row.seen, "equal" if row.sent == row.seen else "means the same")


def _asked_and_answer(submission: Submission) -> tuple[SafeString | str, str]:
    return moment(submission.evidence_at, "clock"), _own_answer(submission)


def _own_answer(submission: Submission) -> str:
    if submission.is_restored:
        return "What Redox answered is not known: the database was restored from a backup."
    if submission.http_status is None:
        return "No answer came from Redox."
    return f"The answer to the message itself was HTTP {submission.http_status}."


def _sent_once(submission: Submission) -> tuple[SafeString, ...]:
    if submission.attempt != 1 or submission.is_restored:
        return ()
    return (SafeString("Nothing was sent a second time."),)


def _undocumented(submission: Submission) -> tuple[SafeString, ...]:
    if not submission.detail:
        return ()
    return (format_html("Redox wrote: “{}”", plain(submission.detail)),)


def _read_again(submission: Submission) -> tuple[SafeString, ...]:
    """An earlier release accepted this although the change means the same as the value before."""
    if submission.read_back_at is None:
        return ()
    return (SafeString("This evidence would not be enough today, so the portal reads the record once more."),)


def _decided(submission: Submission, entries: list[AuditEntry]) -> AcceptanceBasis:
    sentence = format_html(
        "{} decided on {} {}: “{}”",
        plain(submission.decided_by),
        moment(submission.ended_at, "seconds"),
        clause(Verdict.ARRIVED),
        plain(submission.state_reason),
    )
    answer = query_result(evidence_entry(submission, entries), submission)
    if answer is None or submission.evidence_at is None:
        return AcceptanceBasis(sentence)
    asked_at = moment(submission.evidence_at, "clock")
    if not answer.found:
        return AcceptanceBasis(sentence, (format_html("The directory was asked at {} and did not show it.", asked_at),))
    differing = count(answer.different, "other value") if answer.different else "no other values"
    return AcceptanceBasis(
        sentence, (format_html("The directory was asked at {} and showed {}.", asked_at, differing),)
    )
