"""The directory of one environment. Opening the page sends nothing; searching sends a Query, which writes nothing."""

from collections.abc import Collection
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods

from organizations.forms.directory import FIELDS, DirectorySearchForm
from organizations.models import Environment
from organizations.pages.directory import page as directory_page
from organizations.pages.directory.earlier_results import EarlierResults
from organizations.pages.directory.results import SearchResults, results_of
from organizations.permissions import ASK, Right
from organizations.services.directory import search
from organizations.services.directory.search import SearchFilters
from organizations.views import expired_session

from .access import actor, needs, require, user_of
from .rendering import render_page

TOO_OLD = "This search is too old to be continued. Search again. Nothing was sent."


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The search. A POST begins a search, or continues the one that it names. A GET can fill the form."""
    if request.method != "POST":
        return _show(request, environment, DirectorySearchForm(initial=_texts(request.GET)))
    require(request, Right.EDIT, environment=environment, act=ASK)
    if expired_session.must_restore_form(request):
        return _show(request, environment, _typed(request, environment), notes=[expired_session.NOTICE], status=422)
    return _search(request, environment)


def _search(request: HttpRequest, environment: Environment) -> HttpResponse:
    earlier = (
        EarlierResults.opened(request.POST["so_far"], environment) if "so_far" in request.POST else EarlierResults()
    )
    if earlier is None:
        return _show(request, environment, _typed(request, environment), notes=[TOO_OLD], status=422)
    form = DirectorySearchForm(earlier.typed or request.POST)
    if not form.is_valid():
        return _show(request, environment, form, status=422)
    return _show(request, environment, form, _results(request, environment, form, earlier))


def _results(
    request: HttpRequest, environment: Environment, form: DirectorySearchForm, earlier: EarlierResults
) -> SearchResults:
    found = search.search_directory(
        environment,
        SearchFilters(**form.filters),
        actor=actor(request),
        position=earlier.position,
        known_oids=earlier.listed_oids,
    )
    return results_of(environment, found, replace(earlier, typed=form.typed))


def _typed(request: HttpRequest, environment: Environment) -> DirectorySearchForm:
    """The form as it was posted, not checked."""
    earlier = EarlierResults.opened(request.POST.get("so_far", ""), environment)
    return DirectorySearchForm(initial=earlier.typed if earlier else _texts(request.POST))


def _texts(given: QueryDict) -> dict[str, str]:
    return {name: given.get(name, "") for name in FIELDS}


def _show(
    request: HttpRequest,
    environment: Environment,
    form: DirectorySearchForm,
    results: SearchResults | None = None,
    *,
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    page_data = directory_page.build(environment, user_of(request), form, results, notes)
    return render_page(request, page_data, status=status)
