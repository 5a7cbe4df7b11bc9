"""Today's rules, applied to all stored records: a part of them on a page, all of them as a file."""

from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from organizations.csv_cells import BYTE_ORDER_MARK
from organizations.forms.checking import read_by_form
from organizations.models import Environment
from organizations.permissions import Right, why_not
from organizations.services import checking, people

from .access import needs, user_of
from .files import download


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Two hundred records, in the order of their OIDs, and what today's rules say of them."""
    ids = checking.records(environment).values_list("pk", flat=True)
    part = Paginator(ids, checking.AT_ONCE).get_page(request.GET.get("page", ""))
    context = {
        "section": "organizations",
        "page": part,
        "findings": checking.check(environment, list(part), read_by_form),
        "record_page": "record" if why_not(user_of(request), Right.EDIT, environment) else "edit",
    }
    return render(request, "organizations/check.html", context)


@require_safe
@needs(Right.VIEW)
def export(request: HttpRequest, environment: Environment) -> StreamingHttpResponse:
    """Everything that is found, as a CSV file that is made while it is read; noted in the history."""
    total = checking.records(environment).count()
    people.export_made(request, f"check of all records in {environment.label}", environment=environment, count=total)
    name = f"check-{environment}.csv"
    return download(request, _file(environment), name=name, content_type="text/csv; charset=utf-8")


def _file(environment: Environment) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from checking.csv_lines(environment, read_by_form)
