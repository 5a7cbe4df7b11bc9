"""The list of records as list and tree, one branch of the tree, and the export."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from organizations.models import Environment
from organizations.pages.addresses import environment_url
from organizations.pages.organizations import csv_export
from organizations.pages.organizations import page as organizations_page
from organizations.permissions import Right
from organizations.queries import chosen_records, record_filters
from organizations.services.accounts import accounts

from .access import needs, organization_or_404, user_of
from .downloads import download
from .rendering import render_page


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """All records of an environment."""
    page = organizations_page.build(
        environment,
        user_of(request),
        record_filters.read(request.GET, environment),
        number=request.GET.get("page", ""),
        opening=request.GET.get("open", ""),
        chosen=chosen_records.read(request.GET),
    )
    return render_page(request, page)


@require_safe
@needs(Right.VIEW)
def branch(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The children of one record as rows of the tree; without JavaScript, the tree with this branch open."""
    organization = organization_or_404(environment, oid)
    if "HX-Request" not in request.headers:
        return redirect(environment_url("organizations", environment) + f"?open={oid}")
    page = organizations_page.build_branch(organization, user_of(request), request.GET.get("page", ""))
    response = render_page(request, page)
    response["Vary"] = "HX-Request"
    return response


@require_safe
@needs(Right.VIEW)
def export(request: HttpRequest, environment: Environment) -> StreamingHttpResponse:
    """The list with its filters as a CSV file. The export is logged."""
    organizations = record_filters.in_order(environment, record_filters.read(request.GET, environment))
    what, count = f"organizations in {environment.label}", organizations.count()
    accounts.note_export(request, what, str(count), environment=environment, count=count)
    name = f"organizations-{environment}.csv"
    return download(request, csv_export.csv_lines(organizations), name=name, content_type="text/csv; charset=utf-8")
