"""The page of one submission, and the parts that an open page loads again."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from organizations.forms.decision import DecisionForm
from organizations.models import AuditEntry, Environment, Organization, State, Submission, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.next_step import NextStep
from organizations.pages.submission import acceptance, attempts, decision_choices, exchanges, proof, rejection
from organizations.pages.submission.acceptance import AcceptanceBasis, ProofTable
from organizations.pages.submission.decision_choices import DecisionOptions
from organizations.pages.submission.exchanges import Exchanges
from organizations.pages.submission.proof import ProofStep
from organizations.pages.submission.rejection import Rejection
from organizations.pages.submission.state import (
    QueryResult,
    StateBlock,
    SubmittedChange,
    accepted_warnings,
    approval_note,
    before_heading,
    changes_note,
    changes_title,
    name_in_message,
    query_result,
    state_block,
    submitted_changes,
)
from organizations.permissions import ASK, CANCEL, Right, block_reason, may, right_to_send
from organizations.queries import environments, submission_story
from organizations.services.outbox import answers
from organizations.text import evidence, vocabulary
from organizations.text.evidence import BY_QUERY


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPanel:
    """What a person compares and chooses from if a submission needs a decision."""

    options: DecisionOptions | None
    last_asked: QueryResult | None
    form: DecisionForm | None
    block_reason: str
    who_decides: str
    was_typed: bool
    asks_automatically: bool


_AFTER_HEADING = {State.ACCEPTED: "Sent and accepted", State.REJECTED: "Sent"}
"""The heading of the values of a message; "In this message" while it is not known whether they arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionPage(Page):
    """One submission, and what this visitor can do about it."""

    template = "submissions/page.html"

    # The state, and what this person may do about it.
    submission: Submission
    organization: Organization
    state: StateBlock
    heading_word: vocabulary.Word
    acceptance: AcceptanceBasis | None
    next_steps: tuple[NextStep, ...]
    steps_need_edit: bool
    rejection: Rejection | None
    decision_panel: DecisionPanel | None
    edit_block_reason: str
    cancel_block_reason: str
    ask_block_reason: str
    # What it changed, by whom, and how that is known.
    name_in_message: str
    changes: list[SubmittedChange]
    changes_title: str
    changes_note: str
    before_heading: str
    after_heading: str
    table: ProofTable | None
    proof_steps: list[ProofStep]
    asked: QueryResult | None
    warnings: list[str]
    approval: str
    # What was sent and what came back.
    entries: list[AuditEntry]
    exchanges: Exchanges
    request_raw: attempts.RawExchange
    response_raw: attempts.RawExchange | None
    response_redacted: bool
    as_written_heading: str
    took: str
    support: str
    # Where else to go.
    previous: Submission | None
    next: Submission | None
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionState(SubmissionPage):
    """What an open page takes in if something is new. `changed`: more than the block of the state is new."""

    template = "submissions/state.html"
    changed: bool


def build(submission: Submission, user: User, form: DecisionForm | None = None) -> SubmissionPage:
    """The page; `form` holds what was typed if it comes back with errors."""
    entries = submission_story.entries_of(submission)
    return SubmissionPage(
        **_state(submission, user, entries),
        **_what_it_changed(submission, entries),
        **_exchange(submission, entries),
        **_links(submission),
        decision_panel=_decision_panel(submission, user, entries, form),
    )


def version_token(submission: Submission) -> str:
    """What an open page sends to learn what is new: see `StateBlock.version_token`."""
    return _block(submission).version_token


def build_state(submission: Submission, user: User, seen: str) -> SubmissionState:
    """What is new for an open page that last showed `seen`."""
    page = build(submission, user)
    return SubmissionState(**page.names, changed=not seen.startswith(f"{page.state.stage}-"))


def decision_options(submission: Submission) -> DecisionOptions | None:
    """What can be decided now; None if nothing is to be decided."""
    return decision_choices.decision_options(
        submission, query_result(attempts.last_query(submission_story.entries_of(submission)), submission)
    )


def decision_form(
    options: DecisionOptions, user: User, data: QueryDict | None = None, *, verdict: str = "", reason: str = ""
) -> DecisionForm:
    """The form of a decision with what was posted, or with typed text that is not checked yet."""
    choices = [(each.value, each.label) for each in options.choices]
    initial = {"verdict": verdict, "reason": reason, "sequence": options.sequence}
    return DecisionForm(data, choices=choices, initial=initial, is_open=may(user, Right.RESOLVE))


def _block(submission: Submission) -> StateBlock:
    return state_block(submission, environments.gate_of(submission.environment))


def _state(submission: Submission, user: User, entries: list[AuditEntry]) -> dict[str, Any]:
    block = _block(submission)
    is_rejected, is_accepted = submission.state == State.REJECTED, submission.state == State.ACCEPTED
    refusal = rejection.rejection(submission, entries, block.explanation) if is_rejected else None
    steps = acceptance.next_steps(submission) if is_accepted else ()
    is_author = user.pk in submission.authors and may(user, Right.EDIT)
    environment = submission.environment
    return {
        "submission": submission,
        "organization": submission.organization,
        "state": block,
        # At an end the heading names who or what accepted or rejected it.
        "heading_word": replace(block.word, word=refusal.heading) if refusal else evidence.state_word(submission),
        "acceptance": acceptance.acceptance_basis(submission, entries) if is_accepted else None,
        "next_steps": steps,
        "steps_need_edit": any(step.needs_edit for step in steps),
        "rejection": refusal,
        "edit_block_reason": block_reason(user, Right.EDIT, environment),
        "cancel_block_reason": "" if is_author else block_reason(user, right_to_send(environment), environment, CANCEL),
        "ask_block_reason": block_reason(user, Right.EDIT, environment, ASK),
    }


def _decision_panel(
    submission: Submission, user: User, entries: list[AuditEntry], form: DecisionForm | None
) -> DecisionPanel | None:
    """What a person compares to decide, or that the directory must be asked first."""
    if submission.state != State.NEEDS_PERSON:
        return None
    asked = query_result(attempts.last_query(entries), submission)
    options = decision_choices.decision_options(submission, asked)
    refusal = block_reason(user, Right.RESOLVE, submission.environment)
    return DecisionPanel(
        options=options,
        last_asked=asked,
        form=form or (decision_form(options, user) if options else None),
        block_reason=refusal,
        who_decides=decision_choices.who_decides(user.display_name, may=not refusal),
        was_typed=form is not None,
        asks_automatically=form is None and decision_choices.asks_automatically(submission, asked) and not refusal,
    )


def _what_it_changed(submission: Submission, entries: list[AuditEntry]) -> dict[str, Any]:
    suspects = rejection.suspected(submission)
    changes = [each._replace(suspected=suspects.get(each.label, "")) for each in submitted_changes(submission)]
    proved_by = acceptance.evidence_entry(submission, entries)
    return {
        "name_in_message": name_in_message(submission),
        "changes": changes,
        "changes_title": changes_title(submission),
        "changes_note": changes_note(submission),
        "before_heading": before_heading(submission),
        "after_heading": _AFTER_HEADING.get(State(submission.state), "In this message"),
        "table": acceptance.proof_table(submission, changes, proved_by),
        "proof_steps": proof.proof_steps(submission, entries),
        "asked": _asked(submission, entries, proved_by),
        "warnings": accepted_warnings(submission),
        "approval": approval_note(entries),
    }


def _asked(submission: Submission, entries: list[AuditEntry], proved_by: AuditEntry | None) -> QueryResult | None:
    """The last answer of the directory since the last attempt, unless the page shows it elsewhere."""
    entry = attempts.last_query(entries)
    if entry is None or attempts.was_sent_after(entry, entries):
        return None
    is_evidence = submission.evidence in BY_QUERY and entry == proved_by
    return None if is_evidence or submission.state == State.NEEDS_PERSON else query_result(entry, submission)


def _exchange(submission: Submission, entries: list[AuditEntry]) -> dict[str, Any]:
    answer = attempts.last_answer(entries)
    response = None
    if answer is not None:
        content = submission_story.stored_bytes(answer)
        size = answer.facts.get("raw_bytes", 0)
        response = attempts.raw_exchange(content, http_status=answer.http_status, sequence=answer.pk, size=size)
    return {
        "entries": entries,
        "exchanges": exchanges.exchanges(submission, entries, acceptance.evidence_entry(submission, entries)),
        "request_raw": attempts.raw_exchange(bytes(submission.message)),
        "response_raw": response,
        "response_redacted": answer is not None and answer.facts.get("exchange", {}).get("redacted", False),
        "as_written_heading": f"As Redox wrote it, HTTP {submission.http_status}",
        "took": attempts.seconds(submission.duration_ms),
        "support": answers.support_block(submission, entries),
    }


def _links(submission: Submission) -> dict[str, Any]:
    return {
        "previous": submission_story.previous_submission(submission),
        "next": submission_story.next_submission(submission),
        "switch_url": environment_url("submissions", Environment(submission.environment).other),
    }
