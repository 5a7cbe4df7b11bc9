"""The outbox, and one submission from review to its end."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from organizations import words
from organizations.forms.decision import DecisionForm
from organizations.models import AuditEntry, Environment, EnvironmentGate, Intent, Organization, State, Submission
from organizations.permissions import Right, may, sending
from organizations.presentation import (
    acceptance,
    attempts,
    deciding,
    evidence,
    exchanges,
    proof,
    rejection,
)
from organizations.presentation import submission as shown
from organizations.presentation.deciding import Decision
from organizations.services import answers, asking, submissions
from organizations.services.faults import NotDone

from .access import actor, needs, require, submission_or_404, submission_url, user_of, why_not

ROWS = 50
ASK, CANCEL = "ask the directory", "cancel a submission"


@require_safe
@needs(Right.VIEW)
def outbox(request: HttpRequest, environment: Environment) -> HttpResponse:
    """All submissions of an environment, the newest first, filtered by the address."""
    state = request.GET.get("state", "")
    state = state if state == "open" or state in State.values else ""
    mine = request.GET.get("mine") == "1"
    found = _filtered(request, environment, state, mine)
    # Ids alone come from an index, however many messages stand before a page.
    page = Paginator(found.values_list("pk", flat=True), ROWS).get_page(request.GET.get("page"))
    listed = Submission.objects.filter(pk__in=list(page)).select_related("organization", "submitter")
    context = {
        "section": "submissions",
        "page": page,
        "rows": shown.rows(list(listed.defer("message", "before").order_by("-id"))),
        "choices": [("", "All"), ("open", "Open"), *((key, word.word) for key, word in words.SUBMISSION_STATE.items())],
        "state": state,
        "mine": mine,
        "summary": words.count(page.paginator.count, "submission") + (" fit" if state or mine else ""),
        "chips": _chips(environment, state, mine),
        "all_url": reverse("submissions", args=[environment]),
        "none_at_all": not page.paginator.count and not Submission.objects.in_environment(environment).exists(),
        "switch_url": reverse("submissions", args=[environment.other]),
    }
    return render(request, "submissions/outbox.html", context)


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """One submission."""
    return show(request, submission_or_404(environment, number))


def show(
    request: HttpRequest, submission: Submission, form: DecisionForm | None = None, *, status: int = 200
) -> HttpResponse:
    """The page, with what was typed into its one form where that comes back."""
    entries = list(AuditEntry.objects.of_submission(submission.pk).defer("raw"))
    context = _state_context(request, submission, entries) | _answer_context(submission, entries)
    context |= _around(submission, entries) | _decision_context(request, submission, entries, form)
    return render(request, "submissions/page.html", context, status=status)


def show_typed(request: HttpRequest, submission: Submission, *, status: int = 200) -> HttpResponse:
    """The page with what was typed into the form of a decision, before anything of it is checked."""
    found = _decision(submission)
    typed = {name: request.POST.get(name, "") for name in ("verdict", "reason")}
    return show(request, submission, _form(request, found, typed=typed) if found else None, status=status)


def decision_form(request: HttpRequest, submission: Submission) -> DecisionForm:
    """The form of a decision with what was posted."""
    found = _decision(submission)
    return _form(request, found, request.POST) if found else DecisionForm(request.POST, choices=[])


def why_compare_again(request: HttpRequest, submission: Submission) -> str:
    """Why the posted decision does not count, as a sentence: its answer is not the newest one, or is too old."""
    found = _decision(submission)
    if found is not None and not found.choices:
        return found.why_not_now
    if found is None or request.POST.get("sequence") != str(found.sequence):
        return "The directory was asked again after this page was made. Compare with its newest answer, then confirm."
    return ""


def _decision(submission: Submission) -> Decision | None:
    entries = list(AuditEntry.objects.of_submission(submission.pk).defer("raw"))
    return deciding.decision(submission, shown.asked(attempts.last_asked(entries), submission))


@require_safe
@needs(Right.VIEW)
def state(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """The state for a page that stands open; with everything on the page that speaks of it when it changed.

    Nothing (204) while the page says what is so: putting the same there anew would close what somebody opened in it and
    take the focus from where it stands.
    """
    submission = submission_or_404(environment, number)
    entries = list(AuditEntry.objects.of_submission(number).defer("raw"))
    context = _state_context(request, submission, entries)
    since, block = request.GET.get("since", ""), context["state"]
    if since == block.since:
        response = HttpResponse(status=204)
    elif submission.state == State.NEEDS_PERSON:
        # There is now something to compare and to choose from, which only the whole page has.
        response = HttpResponse(status=204, headers={"HX-Refresh": "true"})
    else:
        context["changed"] = not since.startswith(f"{block.stage}-")
        context |= _answer_context(submission, entries) | _around(submission, entries)
        response = render(request, "submissions/state.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@needs(Right.EDIT, CANCEL)
def cancel(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """Take back what was not attempted yet: its authors may, and whoever may send to the environment."""
    submission = submission_or_404(environment, number)
    if user_of(request).pk not in submission.authors:
        require(request, sending(environment), environment=environment, oid=submission.oid, act=CANCEL)
    try:
        submissions.cancel(submission.pk, actor=actor(request))
        messages.success(request, f"Nothing was sent. {_what_stays(submission)}")
    except NotDone as fault:
        messages.error(request, str(fault))
    return redirect(submission_url(submission))


@require_POST
@needs(Right.EDIT, ASK)
def ask(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """Ask what the directory shows now. It reads; the state of the submission stays as it is."""
    submission = submission_or_404(environment, number)
    if submission.state not in shown.ASKED:
        messages.error(request, f"Submission {number} is at its end or not under way; there is nothing to find out.")
        return redirect(submission_url(submission))
    asking.ask_about(submission, actor=actor(request))
    if request.headers.get("HX-Request") == "true":
        # The page asked by itself when it was opened: it is loaded anew with the answer.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect(submission_url(submission) + "#asked")


def _what_stays(submission: Submission) -> str:
    if submission.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        return evidence.active_again(Organization.objects.get(pk=submission.organization_id))
    return "Your changes stay saved on the record."


def _filtered(request: HttpRequest, environment: Environment, state: str, mine: bool) -> QuerySet[Submission]:
    found = Submission.objects.in_environment(environment).order_by("-id")
    if state:
        found = found.open() if state == "open" else found.filter(state=state)
    return found.filter(submitter=user_of(request)) if mine else found


def _chips(environment: Environment, state: str, mine: bool) -> list[tuple[str, str]]:
    """Each filter in force, with the address without it."""
    address = reverse("submissions", args=[environment])
    chips = []
    if state:
        label = "Open" if state == "open" else words.SUBMISSION_STATE[state].word
        chips.append((f"State: {label}", address + ("?mine=1" if mine else "")))
    if mine:
        chips.append(("Asked by me", address + ("?" + urlencode({"state": state}) if state else "")))
    return chips


def _state_context(request: HttpRequest, submission: Submission, entries: list[AuditEntry]) -> dict[str, Any]:
    """What the state block shows, and what this person may do about it."""
    sends = sending(submission.environment)
    is_author = user_of(request).pk in submission.authors and may(user_of(request), Right.EDIT)
    block = shown.state_block(submission, EnvironmentGate.objects.get(pk=submission.environment))
    is_rejected, is_accepted = submission.state == State.REJECTED, submission.state == State.ACCEPTED
    refusal = rejection.rejection(submission, entries, block.explanation) if is_rejected else None
    steps = acceptance.next_steps(submission) if is_accepted else ()
    return {
        "section": "submissions",
        "submission": submission,
        "organization": submission.organization,
        "state": block,
        "acceptance": acceptance.basis(submission, entries) if is_accepted else None,
        "next_steps": steps,
        "steps_need_edit": any(step.needs_edit for step in steps),
        "rejection": refusal,
        # At an end the heading names who or what accepted or rejected it.
        "heading_word": replace(block.word, word=refusal.heading) if refusal else evidence.state_word(submission),
        "as_written_heading": f"As Redox wrote it, HTTP {submission.http_status}",
        "edit_why_not": why_not(request, Right.EDIT, submission.environment),
        "carried_name": shown.carried_name(submission),
        "took": attempts.seconds(submission.duration_ms),
        "cancel_why_not": "" if is_author else why_not(request, sends, submission.environment, CANCEL),
        "ask_why_not": why_not(request, Right.EDIT, submission.environment, ASK),
        "support": answers.support_block(submission, entries),
    }


def _decision_context(
    request: HttpRequest, submission: Submission, entries: list[AuditEntry], form: DecisionForm | None
) -> dict[str, Any]:
    """What a person decides by the answer at hand, or that the directory must be asked first."""
    if submission.state != State.NEEDS_PERSON:
        return {}
    asked = shown.asked(attempts.last_asked(entries), submission)
    found = deciding.decision(submission, asked)
    why, user = why_not(request, Right.RESOLVE, submission.environment), user_of(request)
    return {
        "decision": found,
        "last_asked": asked,
        "decision_form": form or (_form(request, found) if found else None),
        "decide_why_not": why,
        "who_decides": deciding.who_decides(user.get_full_name() or user.get_username(), may=not why),
        "was_typed": form is not None,
        "asks_by_itself": form is None and deciding.must_ask(submission, asked) and not why,
    }


def _form(
    request: HttpRequest, found: Decision, data: QueryDict | None = None, typed: dict[str, str] | None = None
) -> DecisionForm:
    choices = [(each.value, each.label) for each in found.choices]
    initial = {**(typed or {}), "sequence": found.sequence}
    return DecisionForm(data, choices=choices, initial=initial, is_open=may(user_of(request), Right.RESOLVE))


def _answer_context(submission: Submission, entries: list[AuditEntry]) -> dict[str, Any]:
    answer = attempts.last_answer(entries)
    response = None
    if answer is not None:
        content = AuditEntry.objects.values_list("raw", flat=True).get(pk=answer.pk)
        size = answer.facts.get("raw_bytes", 0)
        response = attempts.raw(bytes(content or b""), http_status=answer.http_status, sequence=answer.pk, size=size)
    return {
        "entries": entries,
        "exchanges": exchanges.exchanges(submission, entries, acceptance.evidence_entry(submission, entries)),
        "request_raw": attempts.raw(bytes(submission.message)),
        "response_raw": response,
        "response_redacted": answer is not None and answer.facts.get("exchange", {}).get("redacted", False),
        "asked": _asked_panel(submission, entries),
    }


def _asked_panel(submission: Submission, entries: list[AuditEntry]) -> shown.Asked | None:
    """The last answer of the directory since the last attempt, unless it is shown: to decide by, or as evidence."""
    entry = attempts.last_asked(entries)
    if entry is None or attempts.is_before_last_attempt(entry, entries):
        return None
    evidence = acceptance.evidence_entry(submission, entries)
    is_evidence = submission.evidence in acceptance.BY_QUERY and entry == evidence
    return None if is_evidence or submission.state == State.NEEDS_PERSON else shown.asked(entry, submission)


def _around(submission: Submission, entries: list[AuditEntry]) -> dict[str, Any]:
    """What the page holds beside the state and the answer."""
    of_record = Submission.objects.filter(organization_id=submission.organization_id)
    suspects = rejection.suspected(submission)
    changes = [each._replace(suspected=suspects.get(each.label, "")) for each in shown.changes(submission)]
    return {
        "changes": changes,
        "table": acceptance.table(submission, changes, acceptance.evidence_entry(submission, entries)),
        "steps": proof.steps(submission, entries),
        "changes_title": shown.changes_title(submission),
        "changes_note": shown.changes_note(submission),
        "before_heading": shown.before_heading(submission),
        "after_heading": "Sent and accepted" if submission.state == State.ACCEPTED else "Sent",
        "warnings": shown.warnings(submission),
        "approval": shown.approval(entries),
        "previous": of_record.filter(pk__lt=submission.pk).order_by("-pk").first(),
        "next": of_record.filter(pk__gt=submission.pk).order_by("pk").first(),
        "switch_url": reverse("submissions", args=[Environment(submission.environment).other]),
    }
