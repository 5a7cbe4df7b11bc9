"""The history: a page of it, one entry, its raw bytes, and all that fits as a file."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from organizations.models import AuditEntry, clock
from organizations.pages.audit import csv_export
from organizations.pages.audit import page as audit_page
from organizations.permissions import Right
from organizations.queries import audit_filters
from organizations.services.accounts import accounts

from .access import actor, needs, user_of
from .files import download
from .showing import show


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    filters, problems = audit_filters.read(request.GET)
    page = audit_page.build(user_of(request), filters, problems, before=sequence_in(request, "before"))
    return show(request, page, status=422 if problems else 200)


@require_safe
@needs(Right.VIEW)
def entry(request: HttpRequest, sequence: int) -> HttpResponse:
    return show(request, audit_page.build_entry(_entry(sequence)))


@require_safe
@needs(Right.VIEW)
def raw(request: HttpRequest, sequence: int) -> HttpResponse:
    found = _entry(sequence)
    if found.raw is None:
        raise Http404(f"Entry {sequence} keeps no request and no response.")
    headers = {"Content-Disposition": f'attachment; filename="entry-{sequence}.bin"'}
    return HttpResponse(bytes(found.raw), content_type="application/octet-stream", headers=headers)


@require_safe
@needs(Right.EXPORT)
def export(request: HttpRequest) -> StreamingHttpResponse:
    filters, problems = audit_filters.read(request.GET)
    form = request.GET.get("format", "csv")
    if problems or form not in csv_export.FORMATS:
        raise BadRequest("This export cannot be made.")
    export = csv_export.export(filters, clock.now(), actor(request).name)
    count = export.entries.count()
    what = f"the history as {form.upper()}, narrowed to {'; '.join(export.narrowed_to)}"
    accounts.export_made(request, what, environment=filters.environment, count=count)
    lines = export.lines(form, count)
    return download(request, lines, name=export.name(form), content_type=csv_export.FORMATS[form])


def _entry(sequence: int) -> AuditEntry:
    found = AuditEntry.objects.filter(sequence=sequence).first()
    if found is None:
        raise Http404(f"The history has no entry {sequence}.")
    return found


def sequence_in(request: HttpRequest, parameter: str) -> int | None:
    """The number of an entry in the address; None if there is none."""
    text = request.GET.get(parameter, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
