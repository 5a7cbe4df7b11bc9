"""A rejected submission: who rejected it, the next step, and where else the same happened."""

from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, Environment, Organization, Presence, Submission, Verdict
from organizations.pages.addresses import environment_url, record_url, submission_url
from organizations.pages.anchors import form_anchor
from organizations.pages.next_step import NextStep
from organizations.services.delivery import decide
from organizations.services.directory import differences
from organizations.services.outbox import answers
from organizations.services.outbox.answers import Explanation
from organizations.text.decisions import decided
from organizations.text.markup import moment, plain, written

_EDIT_STEPS = ("edit", "edit_record", "review_as_new")


class SameAnswer(NamedTuple):
    """Another record whose last submission got the same answer."""

    number: int
    url: str
    name: str
    environment: str
    date: str
    is_counterpart: bool


class Rejection(NamedTuple):
    """What the page says about a rejection. `suspects` has notes on changed fields, by their labels.

    `offers_query`: whether to offer a Query, because Redox said that the OID is not in the directory.
    """

    heading: str
    sentence: SafeString
    explanation: Explanation | None
    step: NextStep | None
    offers_query: bool
    suspects: dict[str, str]
    same_answers: tuple[SameAnswer, ...]


def rejection(submission: Submission, entries: list[AuditEntry], explanation: Explanation | None) -> Rejection:
    """What the page says about a rejection. `explanation` explains Redox's answer."""
    verdict = verdict_of(entries) if submission.decided_by else None
    return Rejection(
        _heading(submission, verdict),
        _sentence(submission),
        None if submission.decided_by else explanation,
        next_step(submission.organization, submission, explanation),
        _offers_query(submission.organization, submission, explanation),
        suspected(submission),
        tuple(_same_answer(submission, each) for each in answers.others_with_same_answer(submission)),
    )


def suspected(submission: Submission) -> dict[str, str]:
    """A note for each field, by its label, whose value may be the cause. It is not proved."""
    return {suspect.label: f"“{suspect.character}” may be the cause" for suspect in answers.suspects(submission)}


def verdict_of(entries: list[AuditEntry]) -> Verdict | None:
    """What a person decided last; None if nobody did, or in an earlier release that did not store it."""
    settled = (entry for entry in reversed(entries) if entry.action == Action.SUBMISSION_SETTLED)
    return next(map(decide.entry_verdict, settled), None)


def _heading(submission: Submission, verdict: Verdict | None) -> str:
    if not submission.decided_by:
        return "Rejected by Redox"
    person = plain(submission.decided_by)
    return decided(person, verdict) if verdict else f"Rejected by decision of {person}"


def _sentence(submission: Submission) -> SafeString:
    time = moment(submission.ended_at, "seconds")
    if submission.decided_by:
        return format_html("Decided on {}: “{}”", time, plain(submission.state_reason))
    return format_html("Redox answered on {}.", time)


def next_step(organization: Organization, submission: Submission, explanation: Explanation | None) -> NextStep | None:
    """The step that resolves the cause, the same on every page. `explanation` explains Redox's answer.

    None if there is a later submission, or if the portal has already done the step.
    """
    if organization.last_submission_id != submission.pk:
        return None
    if submission.decided_by and organization.is_foreign:
        edit = record_url(organization, "edit")
        return NextStep(f"Give {plain(organization.name)} another OID", f"{edit}#identity", True)
    if submission.decided_by:
        return _compare_or_review(organization)
    return _step_of(organization, submission, explanation)


def _step_of(organization: Organization, submission: Submission, explanation: Explanation | None) -> NextStep | None:
    key = explanation.step_key if explanation else ""
    if key == "mark_not_registered":
        return None
    if key == "review_as_new" and (organization.presence != Presence.ABSENT or organization.is_there_unclaimed):
        return _review(organization)
    url = step_url(organization, submission, explanation)
    if explanation is None or not url:
        return NextStep(f"Edit {plain(organization.name)}", record_url(organization, "edit"), True)
    return NextStep(plain(explanation.step), url, key in _EDIT_STEPS)


def _offers_query(organization: Organization, submission: Submission, explanation: Explanation | None) -> bool:
    """Whether a Query can show if Redox is right that the OID is not in the directory."""
    is_said = explanation is not None and explanation.step_key in ("review_as_new", "mark_not_registered")
    is_last = organization.last_submission_id == submission.pk
    return is_said and is_last and organization.presence == Presence.ABSENT and not submission.decided_by


def _compare_or_review(organization: Organization) -> NextStep:
    """The page on which a person takes the values of the directory, or the review if there are none to take."""
    if organization.presence == Presence.PRESENT and not differences.take_block_reason(organization):
        return NextStep("Compare with the directory", record_url(organization, "differences"), False)
    return _review(organization)


def _review(organization: Organization) -> NextStep:
    """The review; or first the decision about the OID, if the directory shows it and nobody has claimed it."""
    if organization.is_there_unclaimed:
        return NextStep("Compare and decide", record_url(organization, "differences"), False)
    return NextStep("Review and send", record_url(organization, "review"), True)


def step_url(organization: Organization, submission: Submission, explanation: Explanation | None) -> str:
    """The address of the step of an explanation; "" if it has none."""
    key = explanation.step_key if explanation else ""
    match key:
        case "open_connection":
            return environment_url("connection", submission.environment)
        case "review_as_new":
            return record_url(organization, "review")
        case "edit" | "edit_record":
            anchor = form_anchor(explanation.field, explanation.anchor) if explanation else ""
            return record_url(organization, "edit") + (f"#{anchor}" if anchor else "")
        case "compare_record":
            return record_url(answers.possible_duplicates(submission, answers.message_record(submission))[0])
    return ""


def _same_answer(submission: Submission, other: Submission) -> SameAnswer:
    return SameAnswer(
        other.pk,
        submission_url(other),
        plain(other.organization.name),
        Environment(other.environment).value,
        written(other.ended_at, "day") if other.ended_at else "",
        other.environment != submission.environment,
    )
