"""A rejected submission: who rejected it, the one step that its cause asks for, and where else the same happened."""

from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, Environment, Presence, Submission
from organizations.services import answers, deciding
from organizations.services.answers import Explanation
from organizations.services.deciding import Verdict
from organizations.templatetags.portal import moment, plain, written

from .anchors import form_anchor
from .decisions import decided

_EDIT_STEPS = ("edit", "edit_record", "review_as_new")


class Step(NamedTuple):
    """The dark button: where it leads, and whether one must be allowed to edit records to go there."""

    label: str
    url: str
    needs_edit: bool


class Elsewhere(NamedTuple):
    """Another record whose last submission got the same answer."""

    number: int
    url: str
    name: str
    environment: str
    date: str
    is_counterpart: bool


class Rejection(NamedTuple):
    """What the page tells of it. `suspects` is the note beside a changed field, by the field's label."""

    heading: str
    sentence: SafeString
    explanation: Explanation | None
    step: Step | None
    suspects: dict[str, str]
    elsewhere: tuple[Elsewhere, ...]


def rejection(submission: Submission, entries: list[AuditEntry], explanation: Explanation | None) -> Rejection:
    """Everything that the page of a rejected submission says beyond what was sent. `explanation` is that of Redox."""
    verdict = verdict_of(entries) if submission.decided_by else None
    return Rejection(
        _heading(submission, verdict),
        _sentence(submission),
        None if submission.decided_by else explanation,
        _step(submission, verdict, explanation),
        suspected(submission),
        tuple(_elsewhere(submission, each) for each in answers.same_answer_elsewhere(submission)),
    )


def suspected(submission: Submission) -> dict[str, str]:
    """The note beside each field whose value may be the cause: suspected, not known."""
    return {each.label: f"“{each.character}” may be the cause" for each in answers.suspects(submission)}


def verdict_of(entries: list[AuditEntry]) -> Verdict | None:
    """What a person decided last; None also for decisions of earlier releases, which did not keep it."""
    settled = (entry for entry in reversed(entries) if entry.action == Action.SUBMISSION_SETTLED)
    return next(map(deciding.verdict_in, settled), None)


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


def _step(submission: Submission, verdict: Verdict | None, explanation: Explanation | None) -> Step | None:
    """None where a later submission of the record has taken over: only the way back to the record is left."""
    organization = submission.organization
    if organization.last_submission_id != submission.pk:
        return None
    name, record = plain(organization.name), [submission.environment, submission.organization.oid]
    edit = reverse("edit", args=record)
    if verdict == Verdict.FOREIGN:
        return Step(f"Give {name} another OID", f"{edit}#identity", True) if organization.is_foreign else None
    if verdict == Verdict.OURS:
        return Step("Review and send", reverse("review", args=record), True)
    if explanation and not submission.decided_by:
        if explanation.step_key == "mark_not_registered":
            return None
        if step := _step_of(submission, explanation):
            return step
    return Step(f"Edit {name}", edit, True)


def _step_of(submission: Submission, explanation: Explanation) -> Step | None:
    if explanation.step_key == "review_as_new" and (step := _instead_of_new(submission)):
        return step
    url = step_url(submission, explanation)
    return Step(plain(explanation.step), url, explanation.step_key in _EDIT_STEPS) if url else None


def _instead_of_new(submission: Submission) -> Step | None:
    """The next step where the OID is not valid any more by the answer, and was found in the directory since."""
    organization = submission.organization
    record = [submission.environment, organization.oid]
    if organization.is_there_unclaimed:
        return Step("Compare and decide", reverse("differences", args=record), True)
    if organization.presence != Presence.ABSENT:
        return Step("Review and send", reverse("review", args=record), True)
    return None


def step_url(submission: Submission, explanation: Explanation | None) -> str:
    """Where the step of an explanation leads; empty when it is not a link."""
    key = explanation.step_key if explanation else ""
    record = [submission.environment, submission.organization.oid]
    match key:
        case "open_connection":
            return reverse("connection", args=[submission.environment])
        case "review_as_new":
            return reverse("review", args=record)
        case "edit" | "edit_record":
            anchor = form_anchor(explanation.field, explanation.anchor) if explanation else ""
            return reverse("edit", args=record) + (f"#{anchor}" if anchor else "")
        case "compare_record":
            double = answers.doubles_of(submission, answers.record_of(submission))[0]
            return reverse("record", args=[double.environment, double.oid])
    return ""


def _elsewhere(submission: Submission, other: Submission) -> Elsewhere:
    return Elsewhere(
        other.pk,
        reverse("submission", args=[other.environment, other.pk]),
        plain(other.organization.name),
        Environment(other.environment).value,
        written(other.ended_at, "day") if other.ended_at else "",
        other.environment != submission.environment,
    )
