"""The search box of every page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from organizations.models import Environment, Organization
from organizations.pages.addresses import record_url
from organizations.pages.search import hits
from organizations.pages.search import page as search_page
from organizations.permissions import Right
from organizations.queries import search
from organizations.services import search_text

from .access import needs
from .rendering import render_page


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    """An exact OID opens its record, and the number of a submission opens that; other texts give a list of hits.

    "#" before a number means a submission, even if a record contains the number too.
    """
    text = search_text.clean_query(request.GET.get("q", ""))
    name = request.GET.get("environment", "")
    current = Environment(name) if name in Environment.values else None
    records = search.records_with_oid(text, current or Environment.STAGING)
    if records:
        return _open(request, *records)
    page = search_page.build(text, current)
    return redirect(page.opens) if page.opens else render_page(request, page)


def _open(request: HttpRequest, record: Organization, *others: Organization) -> HttpResponse:
    for other in others:
        messages.info(request, hits.also_in(other))
    return redirect(record_url(record))
