"""The list of records: list and tree in one, a branch of it, and its export."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from organizations import permissions
from organizations.models import Environment
from organizations.permissions import Right, why_not
from organizations.presentation import choosing, exporting, filters, listing, tree
from organizations.services import gateway, people

from .access import needs, organization_or_404, user_of
from .files import download


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """All records of an environment."""
    wanted = filters.read(request.GET, environment)
    why_not_edit = why_not(user_of(request), Right.EDIT, environment)
    why_not_send = why_not(user_of(request), permissions.sending(environment), environment)
    shown = listing.read(
        environment,
        wanted,
        request.GET.get("page", ""),
        request.GET.get("open", ""),
        listing.NOTHING_CHOSEN if why_not_send else choosing.read(request.GET),
        can_choose=not why_not_send,
    )
    context = {
        "listing": shown,
        "section": "organizations",
        "why_not_edit": why_not_edit,
        "why_not_send": why_not_send,
    }
    if not shown.total:
        is_connected = gateway.connection(environment).is_connected
        context["empty"] = listing.empty(environment, is_connected=is_connected, may_edit=not why_not_edit)
    return render(request, "organizations/page.html", context)


@require_safe
@needs(Right.VIEW)
def branch(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The children of one record as rows of the tree; without a script the tree with this branch open."""
    organization = organization_or_404(environment, oid)
    if "HX-Request" not in request.headers:
        return redirect(reverse("organizations", args=[environment]) + f"?open={oid}")
    context = {
        "rows": tree.branch(organization, request.GET.get("page", "")),
        "may_edit": permissions.may(user_of(request), Right.EDIT),
        "may_send": permissions.may(user_of(request), permissions.sending(environment)),
        "other_environment": environment.other,
    }
    response = render(request, "organizations/_rows.html", context)
    response["Vary"] = "HX-Request"
    return response


@require_safe
@needs(Right.VIEW)
def export(request: HttpRequest, environment: Environment) -> StreamingHttpResponse:
    """The list with its filters as a CSV file; the export is noted in the history."""
    wanted = filters.read(request.GET, environment)
    found = filters.narrowed(environment, wanted).order_by(*wanted.order())
    what, count = f"organizations in {environment.label}", found.count()
    people.export_made(request, what, str(count), environment=environment, count=count)
    name = f"organizations-{environment}.csv"
    return download(request, exporting.csv_lines(found), name=name, content_type="text/csv; charset=utf-8")
