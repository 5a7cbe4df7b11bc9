"""The words of the portal, the first steps, and what to do when something is unclear: on one page."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from organizations.pages import help as help_page

from .rendering import render_page


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return render_page(request, help_page.build())
