"""The counterpart of a record: choose it, compare both, link them, or remove the link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from organizations.models import Environment, Organization
from organizations.pages.addresses import record_url
from organizations.pages.counterpart import page as counterpart_page
from organizations.permissions import Right
from organizations.services.errors import ActionRefused, EditConflict
from organizations.services.records import counterparts
from organizations.services.records.counterparts import SeenVersion

from .access import actor, needs, organization_or_404, posted_number, require, user_of
from .rendering import render_page

CHOOSE = "Choose a record, and compare the two."


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Both records side by side, or the ways to find or make a counterpart."""
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return _show(request, organization)
    require(request, Right.EDIT, environment=environment, oid=oid)
    other = Organization.objects.in_environment(environment.other).filter(pk=posted_number(request, "other")).first()
    if other is None or posted_number(request, "record") != organization.pk:
        return _show(request, organization, problem=f"{CHOOSE} Nothing was changed.")
    return _change_link(request, organization, other)


def _change_link(request: HttpRequest, organization: Organization, other: Organization) -> HttpResponse:
    try:
        sentence = _link_or_unlink(request, organization, other)
    except EditConflict as conflict:
        return _show(request, organization, other, problem=_saved_sentence(conflict.organization))
    except ActionRefused as error:
        current = organization_or_404(Environment(organization.environment), organization.oid)
        return _show(request, current, problem=str(error))
    messages.success(request, sentence)
    return redirect(record_url(organization))


def _link_or_unlink(request: HttpRequest, organization: Organization, other: Organization) -> str:
    """Link the records or remove their link. Returns a sentence for the person."""
    match request.POST.get("act"):
        case "link":
            return _link(request, organization, other)
        case "unlink":
            return _unlink(request, organization, other)
    raise ActionRefused(f"{CHOOSE} Nothing was changed.")


def _link(request: HttpRequest, organization: Organization, other: Organization) -> str:
    here = SeenVersion(organization.pk, posted_number(request, "version"))
    there = SeenVersion(other.pk, posted_number(request, "other_version"))
    staging, production = (here, there) if organization.environment == Environment.STAGING else (there, here)
    counterparts.link(staging, production, actor=actor(request))
    environment_name = Environment(other.environment).label
    return f"Linked with {other.name} in {environment_name}. Nothing was sent."


def _unlink(request: HttpRequest, organization: Organization, other: Organization) -> str:
    counterparts.unlink(organization.pk, other.pk, actor=actor(request))
    return f"The link with {other.name} was removed. Both records stay as they are. Nothing was sent."


def _saved_sentence(saved: Organization) -> str:
    environment_name = Environment(saved.environment).label
    return f"{saved.name} in {environment_name} was saved while this page was open. Compare again. Nothing was changed."


def _show(
    request: HttpRequest, organization: Organization, other: Organization | None = None, *, problem: str = ""
) -> HttpResponse:
    """The page with the counterpart that the address names, or with `other` if it was chosen."""
    named = request.GET.get("counterpart")
    page = counterpart_page.build(organization, user_of(request), named, other, problem=problem)
    return render_page(request, page, status=409 if problem else 200)
