"""The record of the other environment: choose it, compare the two, link them, remove the link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from organizations.forms.counterpart import CounterpartForm
from organizations.models import Environment, Organization
from organizations.permissions import Right, why_not
from organizations.presentation import choices, counterpart
from organizations.presentation.addresses import path_to
from organizations.services import counterparts
from organizations.services.counterparts import Seen
from organizations.services.faults import EditConflict, NotDone

from .access import actor, needs, organization_or_404, record_url, require, user_of
from .form_page import posted_number

CHOOSE = "Choose a record, and compare the two."


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Without a counterpart the ways to one; with one both records side by side."""
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return _show(request, organization)
    require(request, Right.EDIT, environment=environment, oid=oid)
    other = Organization.objects.in_environment(environment.other).filter(pk=posted_number(request, "other")).first()
    act = {"link": _linked, "unlink": _unlinked}.get(request.POST.get("act", ""))
    if other is None or act is None or posted_number(request, "record") != organization.pk:
        return _show(request, organization, problem=f"{CHOOSE} Nothing was changed.")
    try:
        said = act(request, organization, other)
    except EditConflict as conflict:
        return _show(request, organization, other, problem=_saved_meanwhile(conflict.organization))
    except NotDone as fault:
        return _show(request, organization_or_404(environment, oid), problem=str(fault))
    messages.success(request, said)
    return redirect(record_url(organization))


def _linked(request: HttpRequest, organization: Organization, other: Organization) -> str:
    here = Seen(organization.pk, posted_number(request, "version"))
    there = Seen(other.pk, posted_number(request, "other_version"))
    staging, production = (here, there) if organization.environment == Environment.STAGING else (there, here)
    counterparts.link(staging, production, actor=actor(request))
    word = Environment(other.environment).label
    return f"Linked with {other.name} in {word}. Nothing was sent."


def _unlinked(request: HttpRequest, organization: Organization, other: Organization) -> str:
    counterparts.unlink(organization.pk, other.pk, actor=actor(request))
    return f"The link with {other.name} was removed. Both records stay as they are. Nothing was sent."


def _saved_meanwhile(saved: Organization) -> str:
    word = Environment(saved.environment).label
    return f"{saved.name} in {word} was saved while this page was open. Compare again. Nothing was changed."


def _show(
    request: HttpRequest, organization: Organization, other: Organization | None = None, *, problem: str = ""
) -> HttpResponse:
    """`other` is a record that was chosen already."""
    environment = Environment(organization.environment)
    form = _form(request, environment)
    linked = organization.counterpart
    if linked is None and other is None and form.is_bound and form.is_valid():
        other = Organization.objects.in_environment(environment.other).get(oid=form.oid)
    shown = linked or other
    staging, production = (organization, shown) if environment is Environment.STAGING else (shown, organization)
    fault = counterparts.why_not_link(staging, production) if staging and production and not linked else ""
    context = {
        "organization": organization,
        "section": "organizations",
        "path": path_to(organization, environment.other.label),
        "form": form,
        "linked": linked,
        "other": shown,
        "sides": counterpart.sides(organization, shown) if shown else [],
        "fault": fault,
        "prepare_url": "" if linked else counterpart.prepare_url(organization),
        "why_not_edit": why_not(user_of(request), Right.EDIT, environment),
        "problem": problem,
        "switch_url": record_url(linked) if linked else "",
    }
    return render(request, "counterpart/page.html", context, status=409 if problem else 200)


def _form(request: HttpRequest, environment: Environment) -> CounterpartForm:
    """Bound once somebody named a record."""
    other = environment.other
    given = request.GET if "counterpart" in request.GET else None
    form = CounterpartForm(given, word=other.label, record_called=lambda typed: choices.record_called(other, typed))
    form.fields["counterpart"].widget.attrs |= choices.suggesting(other)
    return form
