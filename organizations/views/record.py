"""One record: its fields, submissions and history, and the two acts that only this portal sees."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from organizations import knowledge
from organizations.models import AuditEntry, Environment, Organization, Submission, tree
from organizations.permissions import Right, sending, why_not
from organizations.presentation import counterpart, editing, evidence, parents, record, stories
from organizations.records import difference
from organizations.services import organizations
from organizations.services.faults import EditConflict, Gone, NotDone

from .access import actor, counterpart_url, needs, organization_or_404, record_url, require, user_of
from .audit import sequence_in
from .form_page import posted_version

ROWS_A_PAGE = 50
ASK = "ask the directory"
type Context = dict[str, object]


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The summary: every field as saved here, as accepted and as the directory shows it, and what lies around."""
    organization = organization_or_404(environment, oid)
    context = {
        "values": record.values(organization),
        "around": record.around(organization),
        "beside": counterpart.beside(organization),
        "why_not_ask": why_not(user_of(request), Right.EDIT, environment, ASK),
    }
    return render(request, "record/page.html", _frame(request, organization, "record") | context)


@require_safe
@needs(Right.VIEW)
def submissions(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Every submission of this record, the newest first."""
    organization = organization_or_404(environment, oid)
    of_record = Submission.objects.filter(organization=organization).select_related("submitter").defer("message")
    shown = Paginator(of_record.order_by("-pk"), ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": shown, "rows": [(each, evidence.state_word(each)) for each in shown]}
    return render(request, "record/submissions.html", _frame(request, organization, "record-submissions") | context)


@require_safe
@needs(Right.VIEW)
def history(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The history of this record as stories, the newest first."""
    organization = organization_or_404(environment, oid)
    before = sequence_in(request, "before")
    entries = AuditEntry.objects.of_organization(organization.pk)
    context = {"before": before, "stories": stories.read(entries, before, timezone.get_current_timezone())}
    return render(request, "record/history.html", _frame(request, organization, "record-history") | context)


@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask, and then throw saved changes away."""
    require(request, Right.EDIT, environment=environment, oid=oid)
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return _ask_discard(request, organization)
    try:
        organizations.discard(organization.pk, posted_version(request, organization), actor=actor(request))
    except EditConflict as conflict:
        problem = editing.saved_sentence(conflict.organization)
        return _ask_discard(request, organization_or_404(environment, oid), problem=problem)
    except Gone as gone:
        raise Http404(str(gone)) from gone
    except NotDone as fault:
        return _ask_discard(request, organization, problem=str(fault))
    messages.success(request, f"The record is again as it was last {_last(organization)}. Nothing was sent.")
    return redirect(record_url(organization))


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask, and then take away a record that was never sent."""
    require(request, Right.EDIT, environment=environment, oid=oid)
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return _ask_withdraw(request, organization)
    parent = organization.parent()
    try:
        organizations.withdraw(organization.pk, posted_version(request, organization), actor=actor(request))
    except EditConflict as conflict:
        problem = editing.saved_sentence(conflict.organization)
        return _ask_withdraw(request, organization_or_404(environment, oid), problem=problem)
    except Gone as gone:
        raise Http404(str(gone)) from gone
    except NotDone as fault:
        return _ask_withdraw(request, organization, problem=str(fault))
    messages.success(request, f"{organization.name} was withdrawn. Nothing was sent; its OID is free again.")
    return redirect(record_url(parent) if parent else reverse("organizations", args=[environment]))


def _frame(request: HttpRequest, organization: Organization, tab: str) -> Context:
    environment = organization.environment
    act = "reactivate records" if organization.confirmed_active is False else "deactivate records"
    return {
        "head": record.head(organization),
        "organization": organization,
        "tab": tab,
        "section": "organizations",
        "why_not_edit": why_not(user_of(request), Right.EDIT, environment),
        "why_not_send": why_not(user_of(request), sending(environment), environment, "send a branch"),
        "why_not_deactivate": why_not(user_of(request), sending(environment), environment, act),
        "switch_url": counterpart_url(organization),
    }


def _act(organization: Organization, act: str) -> Context:
    """What stands around an act, whose path leads back to the record."""
    above = [*tree.path_of(organization), organization]
    records = [(each.name, record_url(each)) for each in above]
    return {
        "organization": organization,
        "path": [("Organizations", reverse("organizations", args=[organization.environment])), *records, (act, "")],
        "section": "organizations",
        "switch_url": counterpart_url(organization),
    }


def _ask_discard(request: HttpRequest, organization: Organization, problem: str = "") -> HttpResponse:
    fault = organizations.why_not_discard(organization)
    baseline = organization.baseline_record()
    wanted = knowledge.sendable(organization.record())
    found = knowledge.in_form(difference(baseline, wanted)) if baseline and not fault else ()
    context = _act(organization, "Discard") | {
        "changes": parents.named(organization.environment, found),
        "last": _last(organization),
        "last_at": organization.known_at if organization.taken else organization.confirmed_at,
        "fault": fault,
        "problem": problem,
    }
    return render(request, "record/discard.html", context, status=409 if problem else 200)


def _last(organization: Organization) -> str:
    """What the saved changes are counted from."""
    return "taken from the directory" if organization.taken else "accepted"


def _ask_withdraw(request: HttpRequest, organization: Organization, problem: str = "") -> HttpResponse:
    fault = organizations.why_not_withdraw(organization)
    context = _act(organization, "Withdraw") | {"fault": fault, "problem": "" if fault else problem}
    return render(request, "record/withdraw.html", context, status=409 if problem else 200)
