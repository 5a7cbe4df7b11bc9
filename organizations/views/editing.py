"""Add a record and edit one; what the form offers while somebody types."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe

from organizations.forms.record import RecordForm
from organizations.forms.typed import GATEWAY, OURS, Typed
from organizations.models import Environment, Organization
from organizations.oid import Oid, OidError
from organizations.permissions import Right
from organizations.presentation import choices, editing
from organizations.presentation.preparing import beginning
from organizations.services import organizations
from organizations.services import preparing as preparation
from organizations.services.faults import CounterpartExists, EditConflict, Gone, NotDone, SourceChanged

from . import conflict, lost, preparing
from .access import actor, needs, organization_or_404, record_url
from .form_page import FormPage, posted_number

SAVED = "Saved. Nothing was sent."
# The fields in which a record is named: PartOf of the form, a filter of the list, what replaces a closed location, the
# counterpart of a record.
SUGGESTS_FOR = ("parent", "below", "replaced_by", "counterpart")


@require_http_methods(["GET", "HEAD", "POST"])
@lost.comes_back
@needs(Right.EDIT)
def new(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The form of a record that is not there yet; `below`, `like` or `from` in the address fills in what is known."""
    try:
        page = FormPage(request, environment, staging=preparing.staging_record(request, environment))
        if request.method == "POST":
            return _posted(page)
    except Gone:
        page = FormPage(request, environment)
        return page.show(page.form(Typed.from_post(request.POST)), status=409, notes=[preparing.GONE])
    if page.staging is not None and (counterpart := page.staging.counterpart):
        messages.info(request, f"{counterpart.name} is already the PRODUCTION counterpart of {page.staging.name}.")
        return redirect(record_url(counterpart))
    typed, note, filled = _beginning(page)
    return page.show(page.form(typed), oid_note=note, notes=[*page.parent_notes(typed), *filled])


@require_http_methods(["GET", "HEAD", "POST"])
@lost.comes_back
@needs(Right.EDIT)
def edit(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The form of a record with what is saved."""
    if request.method == "POST":
        return _edited(request, environment, oid)
    organization = organization_or_404(environment, oid)
    page = FormPage(request, environment, organization)
    return page.show(page.form(page.typed(organization.record(), organization.stands_for)))


@require_safe
@needs(Right.VIEW)
def suggestions(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Records of ours that fit what was typed where one is named, as choices of the list beside it.

    At PartOf also which record the text means so far, and where that stands.
    """
    name = next((name for name in SUGGESTS_FOR if name in request.GET), "")
    typed = request.GET.get(name, "")
    context: dict[str, object] = {
        "parents": choices.parents(environment, typed, with_deactivated=name in ("below", "counterpart")),
    }
    if "parent" in request.GET:
        context["with_place"] = True
        context["parent_place"] = choices.place_of(environment, choices.record_called(environment, typed))
    response = render(request, "editing/suggestions.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _edited(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """A form is about the record that it was opened for, whatever became of its OID meanwhile."""
    number = posted_number(request, "record")
    opened_for = Organization.objects.in_environment(environment).filter(pk=number).first()
    if opened_for is None and (withdrawal := conflict.withdrawal_of(environment, number)):
        return conflict.withdrawn(FormPage(request, environment), withdrawal)
    page = FormPage(request, environment, organization_or_404(environment, opened_for.oid if opened_for else oid))
    try:
        return conflict.settled(page) if "theirs" in request.POST else _posted(page)
    except Gone:  # withdrawn in this very moment
        return _edited(request, environment, oid)


def _posted(page: FormPage) -> HttpResponse:
    """Carry out the button that was pressed. Only two of them save."""
    typed, act = Typed.from_post(page.request.POST), page.request.POST.get("act", "")
    if lost.came_back(page.request):
        return page.show(page.form(typed), status=422, notes=[lost.SENTENCE])
    saves = act in ("review", "save")
    typed, parent = page.with_prepared_parent(typed)
    notes = [f"{parent} is in PRODUCTION now; it is filled in. Check and save{' again' * saves}."] if parent else []
    if act == "suggest-oid":
        typed, note = page.with_suggested_oid(typed)
        return page.show(page.form(typed), oid_note=note, notes=notes)
    if not saves:
        return page.show(page.form(typed.after(act)), notes=notes)
    form = page.form(typed, checked=True)
    if form.is_valid() and not parent:
        return _save(page, form, act)
    return _made_before(page, form, act) or page.show(form, status=422, notes=notes)


def _save(page: FormPage, form: RecordForm, act: str) -> HttpResponse:
    try:
        organization = _saved(page, form)
    except EditConflict as fault:
        return conflict.show(page, form, fault.organization)
    except Gone:
        raise  # what was typed becomes the form of a new record
    except (CounterpartExists, SourceChanged):
        page = page.read_again()
        return _made_before(page, form, act) or page.show(form, status=409)
    except NotDone as fault:
        return page.refused(form, fault)
    if act == "save":
        messages.success(page.request, SAVED)
    if form.changed:
        messages.info(page.request, form.changed)
    return _after(act, organization)


def _made_before(page: FormPage, form: RecordForm, act: str) -> HttpResponse | None:
    """Where a second press of the same button leads; None after a first press."""
    made = page.made_before(form)
    if made is None:
        return None
    messages.info(page.request, f"{made.name} was saved already. It was not saved twice.")
    return _after(act, made)


def _after(act: str, saved: Organization) -> HttpResponse:
    return redirect(record_url(saved, "record" if act == "save" else "review"))


def _saved(page: FormPage, form: RecordForm) -> Organization:
    record, by = form.record(), actor(page.request)
    if page.staging is not None:
        basis, stands_for = preparing.basis_of(page.request), form.stands_for
        return preparation.prepare(record, page.staging.pk, basis=basis, stands_for=stands_for, actor=by)
    if page.organization is None:
        return organizations.create(record, page.environment, stands_for=form.stands_for, actor=by)
    return organizations.edit(page.organization.pk, page.version, record, stands_for=form.stands_for, actor=by)


def _beginning(page: FormPage) -> tuple[Typed, str, list[str]]:
    """What a new form begins with, what is to be said of the OID in it, and of what is filled in."""
    if page.staging is not None:
        record = beginning(preparation.source_of(page.staging))
        typed = page.typed(record, page.staging.stands_for)
        return typed if record.part_of_oid else typed.having(place=OURS), "", []
    below, like = page.request.GET.get("below"), page.request.GET.get("like")
    if below or like:
        other = _named(page.environment, below or like or "")
        begun = editing.beginning_below(other) if below else editing.beginning_like(other)
        typed, note = page.with_suggested_oid(page.typed(begun, "" if below else other.stands_for))
        return typed, note, list(filter(None, [editing.filled_sentence(begun, other)]))
    blank = Typed(fields={"country": "USA", "stands_for": ""})
    if Organization.objects.in_environment(page.environment).exists():
        return blank.having(place=OURS), "", []
    return *page.with_suggested_oid(blank.having(place=GATEWAY)), []


def _named(environment: Environment, oid: str) -> Organization:
    try:
        return organization_or_404(environment, Oid(oid).text)
    except OidError:
        raise Http404(f"No such record in {environment.label}.") from None
