"""Check stored records by today's rules: some on each page, all in a file."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from organizations.csv_cells import BYTE_ORDER_MARK
from organizations.forms.check_records import read_by_form
from organizations.models import Environment
from organizations.pages import check_records as checking_page
from organizations.permissions import Right
from organizations.services.accounts import accounts
from organizations.services.review import check_records

from .access import needs, user_of
from .downloads import download
from .rendering import render_page


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The findings in two hundred records, in the order of their OIDs."""
    return render_page(request, checking_page.build(environment, user_of(request), request.GET.get("page", "")))


@require_safe
@needs(Right.VIEW)
def export(request: HttpRequest, environment: Environment) -> StreamingHttpResponse:
    """All findings as a CSV file, written while it is downloaded. The export is logged."""
    total = check_records.stored_records(environment).count()
    accounts.note_export(request, f"check of all records in {environment.label}", environment=environment, count=total)
    name = f"check-{environment}.csv"
    return download(request, _csv_lines(environment), name=name, content_type="text/csv; charset=utf-8")


def _csv_lines(environment: Environment) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from check_records.csv_lines(environment, read_by_form)
