"""Look up a list of OIDs and own identifiers. Nothing is stored, and the directory is not asked."""

from collections.abc import Collection

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from organizations.forms.roll_call import RollCallForm
from organizations.models import Environment
from organizations.pages.roll_call import csv_export, rows
from organizations.pages.roll_call import page as roll_call_page
from organizations.permissions import Right
from organizations.services.accounts import accounts
from organizations.views import expired_session

from .access import needs, user_of
from .downloads import download
from .rendering import render_page


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponseBase:
    """The form, and with a posted list what the portal knows about each line, or the same as a CSV file."""
    if request.method != "POST":
        return _show(request, environment, RollCallForm())
    if expired_session.must_restore_form(request):
        form = RollCallForm(initial=request.POST.dict())
        return _show(request, environment, form, notes=[expired_session.NOTICE], status=422)
    form = RollCallForm(request.POST)
    if not form.is_valid():
        return _show(request, environment, form, status=422)
    return _export(request, form) if request.POST.get("act") == "export" else _show(request, environment, form)


def _export(request: HttpRequest, form: RollCallForm) -> HttpResponseBase:
    accounts.note_export(request, "roll-call", count=len(form.entered))
    lines = csv_export.csv_lines(rows.build_rows(form.entered))
    return download(request, lines, name="roll-call.csv", content_type="text/csv; charset=utf-8")


def _show(
    request: HttpRequest,
    environment: Environment,
    form: RollCallForm,
    *,
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    return render_page(request, roll_call_page.build(environment, user_of(request), form, notes=notes), status=status)
