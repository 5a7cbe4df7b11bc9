"""The help page: words of the portal, first steps, and what to do if something is unclear."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from organizations.pages import help as help_page

from .rendering import render_page


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return render_page(request, help_page.build())
