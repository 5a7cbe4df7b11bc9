"""One record: summary, submissions and history; discard and withdraw, which send nothing."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from organizations.models import Environment
from organizations.pages.addresses import environment_url, record_url
from organizations.pages.record import act_pages
from organizations.pages.record import page as record_page
from organizations.pages.record_form import notices
from organizations.permissions import Right
from organizations.services.errors import ActionRefused, EditConflict, RecordWithdrawn
from organizations.services.records import organizations

from .access import actor, needs, organization_or_404, posted_version, require, sequence_before, user_of
from .rendering import render_page


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The summary."""
    organization = organization_or_404(environment, oid, with_parts=True)
    return render_page(request, record_page.build(organization, user_of(request)))


@require_safe
@needs(Right.VIEW)
def submissions(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The submissions of this record, the newest first."""
    organization, number = organization_or_404(environment, oid), request.GET.get("page")
    return render_page(request, record_page.build_submissions(organization, user_of(request), number))


@require_safe
@needs(Right.VIEW)
def history(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The history of this record as stories, the newest first."""
    organization, before = organization_or_404(environment, oid), sequence_before(request)
    return render_page(request, record_page.build_history(organization, user_of(request), before))


@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask for confirmation, then discard saved changes."""
    require(request, Right.EDIT, environment=environment, oid=oid)
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return render_page(request, act_pages.build_discard(organization))
    seen, by = posted_version(request, organization), actor(request)
    problem = _refusal(lambda: organizations.discard(organization.pk, seen, actor=by))
    if problem:
        return render_page(request, act_pages.build_discard(organization_or_404(environment, oid), problem), status=409)
    last = act_pages.last(organization)
    messages.success(request, f"The record is again as it was last {last}. Nothing was sent.")
    return redirect(record_url(organization))


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask for confirmation, then withdraw a record that was never sent."""
    require(request, Right.EDIT, environment=environment, oid=oid)
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return render_page(request, act_pages.build_withdraw(organization))
    parent, seen, by = organization.parent(), posted_version(request, organization), actor(request)
    problem = _refusal(lambda: organizations.withdraw(organization.pk, seen, actor=by))
    if problem:
        return render_page(
            request, act_pages.build_withdraw(organization_or_404(environment, oid), problem), status=409
        )
    messages.success(request, f"{organization.name} was withdrawn. Nothing was sent; its OID is free again.")
    return redirect(record_url(parent) if parent else environment_url("organizations", environment))


def _refusal(act: Callable[[], object]) -> str:
    """Call `act`. Returns why the service refused it, as a sentence; "" if it was done.

    Raises:
        Http404: the record was withdrawn.
    """
    try:
        act()
    except EditConflict as conflict:
        return notices.saved_sentence(conflict.organization)
    except RecordWithdrawn as gone:
        raise Http404(str(gone)) from gone
    except ActionRefused as error:
        return str(error)
    return ""
