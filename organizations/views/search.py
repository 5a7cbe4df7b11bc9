"""The search box of every page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from organizations.models import Environment
from organizations.permissions import Right
from organizations.presentation import finding
from organizations.services import searching

from .access import needs, record_url


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    """An exact OID opens its record, a submission's number the submission; anything else gives a list of hits.

    A number with # in front is meant for the submission, although a record may hold it too.
    """
    text = searching.typed(request.GET.get("q", ""))
    given = request.GET.get("environment", "")
    current = Environment(given) if given in Environment.values else None
    by_oid = finding.by_oid(text, current or Environment.STAGING)
    if by_oid:
        for other in by_oid[1:]:
            messages.info(request, finding.also_in(other))
        return redirect(record_url(by_oid[0]))
    found = finding.find(text) if text else None
    if found and found.submissions and (found.total == 1 or text.startswith("#")):
        return redirect(found.submissions[0].url)
    return render(request, "search/page.html", {"text": text, "found": found, "current": current})
