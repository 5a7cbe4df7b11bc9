"""How a view answers: with a page, or with a word to the page that is open."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from organizations.pages import Page


def render_page(request: HttpRequest, page: Page, *, status: int = 200) -> HttpResponse:
    """The page, rendered."""
    return render(request, page.template, page.names, status=status)


def reload_page() -> HttpResponse:
    """Nothing but the word that makes htmx load the page anew."""
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})
