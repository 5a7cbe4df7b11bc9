"""One record: its fields, submissions and history, and the two acts that only this portal sees."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from organizations import knowledge
from organizations.models import AuditEntry, Environment, Organization, Submission, tree
from organizations.permissions import Right, sending
from organizations.presentation import comparing, comparison, editing, parents, record, sentences
from organizations.records import difference
from organizations.services import organizations
from organizations.services.faults import EditConflict, Gone, NotDone
from organizations.words import SUBMISSION_STATE

from .access import actor, counterpart_url, needs, organization_or_404, record_url, require, why_not
from .form_page import posted_version

ROWS_A_PAGE = 50
type Context = dict[str, object]


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The summary: every field as wanted and as accepted, and what lies around the record."""
    organization = organization_or_404(environment, oid)
    accepted = organization.confirmed_record()
    groups = comparing.groups(knowledge.sendable(organization.record()), accepted)
    only_differing = request.GET.get("rows") == "differing" and accepted is not None
    context = {
        "groups": comparing.differing(groups) if only_differing else groups,
        "only_differing": only_differing,
        "differing": organization.changes,
        "was_accepted": accepted is not None,
        "part_of": record.part_of(organization),
        "was_part_of": record.was_part_of(organization, accepted),
        "around": record.around(organization),
        "drift": comparison.drift(organization),
    }
    return render(request, "record/page.html", _frame(request, organization, "record") | context)


@require_safe
@needs(Right.VIEW)
def submissions(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Every submission of this record, the newest first."""
    organization = organization_or_404(environment, oid)
    of_record = Submission.objects.filter(organization=organization).select_related("submitter").defer("message")
    shown = Paginator(of_record.order_by("-pk"), ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": shown, "rows": [(each, SUBMISSION_STATE[each.state]) for each in shown]}
    return render(request, "record/submissions.html", _frame(request, organization, "record-submissions") | context)


@require_safe
@needs(Right.VIEW)
def history(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Every entry of the history about this record, the newest first."""
    organization = organization_or_404(environment, oid)
    entries = AuditEntry.objects.of_organization(organization.pk).defer("raw")
    shown = Paginator(entries, ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": shown, "rows": [sentences.tell(entry) for entry in shown]}
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
    messages.success(request, "The record is again as Redox last accepted it. Nothing was sent.")
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
        "why_not_edit": why_not(request, Right.EDIT, environment),
        "why_not_send": why_not(request, sending(environment), environment, "send a branch"),
        "why_not_deactivate": why_not(request, sending(environment), environment, act),
        "switch_url": counterpart_url(organization),
    }


def _act(organization: Organization, act: str) -> Context:
    """What stands around an act, whose path leads back to the record."""
    above = [*tree.path_of(organization), organization]
    records = [(each.name, record_url(each)) for each in above]
    counterpart = organization.counterpart
    return {
        "organization": organization,
        "path": [("Organizations", reverse("organizations", args=[organization.environment])), *records, (act, "")],
        "section": "organizations",
        "switch_url": record_url(counterpart) if counterpart else "",
    }


def _ask_discard(request: HttpRequest, organization: Organization, problem: str = "") -> HttpResponse:
    fault = organizations.why_not_discard(organization)
    accepted = organization.confirmed_record()
    found = difference(accepted, knowledge.sendable(organization.record())) if accepted and not fault else ()
    changes = parents.named(organization.environment, found)
    context = _act(organization, "Discard") | {"changes": changes, "fault": fault, "problem": problem}
    return render(request, "record/discard.html", context, status=409 if problem else 200)


def _ask_withdraw(request: HttpRequest, organization: Organization, problem: str = "") -> HttpResponse:
    fault = organizations.why_not_withdraw(organization)
    context = _act(organization, "Withdraw") | {"fault": fault, "problem": "" if fault else problem}
    return render(request, "record/withdraw.html", context, status=409 if problem else 200)
