"""The first page: what the reader can do, what waits for others, and the state of both environments."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from organizations.pages.home import page as home_page
from organizations.permissions import Right

from .access import needs, user_of
from .rendering import render_page


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    return render_page(request, home_page.build(user_of(request)))
