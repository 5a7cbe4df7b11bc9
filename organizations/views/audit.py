"""The history: its pages, one entry, the raw bytes of an entry, and the export."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from organizations.models import AuditEntry, clock
from organizations.pages.audit import export as audit_export
from organizations.pages.audit import page as audit_page
from organizations.permissions import Right
from organizations.queries import audit_filters
from organizations.services.accounts import accounts

from .access import actor, needs, sequence_before, user_of
from .downloads import download
from .rendering import render_page


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    filters, problems = audit_filters.read(request.GET)
    page = audit_page.build(user_of(request), filters, problems, before=sequence_before(request))
    return render_page(request, page, status=422 if problems else 200)


@require_safe
@needs(Right.VIEW)
def entry(request: HttpRequest, sequence: int) -> HttpResponse:
    return render_page(request, audit_page.build_entry(_entry_or_404(sequence)))


@require_safe
@needs(Right.VIEW)
def raw(request: HttpRequest, sequence: int) -> HttpResponse:
    entry = _entry_or_404(sequence)
    if entry.raw is None:
        raise Http404(f"Entry {sequence} keeps no request and no response.")
    headers = {"Content-Disposition": f'attachment; filename="entry-{sequence}.bin"'}
    return HttpResponse(bytes(entry.raw), content_type="application/octet-stream", headers=headers)


@require_safe
@needs(Right.EXPORT)
def export(request: HttpRequest) -> StreamingHttpResponse:
    filters, problems = audit_filters.read(request.GET)
    file_format = request.GET.get("format", "csv")
    if problems or file_format not in audit_export.FORMATS:
        raise BadRequest("This export cannot be made.")
    history = audit_export.export(filters, clock.now(), actor(request).name)
    count = history.entries.count()
    title = f"the history as {file_format.upper()}, narrowed to {'; '.join(history.narrowed_to)}"
    accounts.note_export(request, title, environment=filters.environment, count=count)
    lines = history.lines(file_format, count)
    return download(request, lines, name=history.name(file_format), content_type=audit_export.FORMATS[file_format])


def _entry_or_404(sequence: int) -> AuditEntry:
    entry = AuditEntry.objects.filter(sequence=sequence).first()
    if entry is None:
        raise Http404(f"The history has no entry {sequence}.")
    return entry
