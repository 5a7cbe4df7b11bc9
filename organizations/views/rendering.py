"""Render a page object, or tell htmx to reload the page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from organizations.pages import Page


def render_page(request: HttpRequest, page: Page, *, status: int = 200) -> HttpResponse:
    """The response with this page."""
    return render(request, page.template, page.names, status=status)


def reload_page() -> HttpResponse:
    """An empty response that makes htmx reload the page."""
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})
