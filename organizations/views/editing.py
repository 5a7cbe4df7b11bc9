"""Add a record and edit one; what the form offers while somebody types."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe

from organizations.forms.record import RecordForm
from organizations.forms.typed import Typed
from organizations.models import Environment, Organization
from organizations.oid import Oid, OidError
from organizations.pages.record_form import beginning
from organizations.pages.record_form import suggestions as suggestions_page
from organizations.pages.record_form.beginning import FormStart
from organizations.pages.record_form.editing import Editing
from organizations.permissions import Right
from organizations.services.errors import ActionRefused, CounterpartExists, EditConflict, RecordWithdrawn, SourceChanged
from organizations.services.records import organizations
from organizations.services.records import prepare as preparation
from organizations.views import conflict, expired_session, preparing

from .access import actor, needs, organization_or_404, record_url
from .form_page import after_saving, open_form, posted_number, save_edit, saved_url, show_form, show_refused
from .showing import show


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.comes_back
@needs(Right.EDIT)
def new(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The form of a record that is not there yet; `below`, `like` or `from` in the address fills in what is known."""
    try:
        editing = open_form(request, environment, staging=preparing.staging_record(request, environment))
        return _posted(request, editing) if request.method == "POST" else _begun(request, editing)
    except RecordWithdrawn:
        editing = open_form(request, environment)
        form = editing.form(Typed.from_post(request.POST))
        return show_form(request, editing, form, status=409, notes=[preparing.GONE])


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.comes_back
@needs(Right.EDIT)
def edit(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The form of a record with what is saved."""
    if request.method == "POST":
        return _edited(request, environment, oid)
    organization = organization_or_404(environment, oid)
    editing = open_form(request, environment, organization)
    form = editing.form(editing.typed(organization.record(), organization.stands_for))
    return show_form(request, editing, form)


@require_safe
@needs(Right.VIEW)
def suggestions(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Records of ours that fit what was typed where one is named, as choices of the list beside it."""
    field = next((field for field in suggestions_page.FIELDS if field in request.GET), "")
    response = show(request, suggestions_page.build(environment, field, request.GET.get(field, "")))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _begun(request: HttpRequest, editing: Editing) -> HttpResponse:
    """The form of a new record as it is opened; a record of STAGING with a counterpart leads to that."""
    if editing.staging is not None and (counterpart := editing.staging.counterpart):
        said = f"{counterpart.name} is already the PRODUCTION counterpart of {editing.staging.name}."
        messages.info(request, said)
        return redirect(record_url(counterpart))
    typed, oid_note, notes = _beginning(request, editing)
    return show_form(request, editing, editing.form(typed), oid_note=oid_note, notes=notes)


def _edited(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """A form is about the record that it was opened for, whatever became of its OID meanwhile."""
    number = posted_number(request, "record")
    opened_for = Organization.objects.in_environment(environment).filter(pk=number).first()
    if opened_for is None and (withdrawal := conflict.withdrawal_of(environment, number)):
        return conflict.show_withdrawn(request, environment, withdrawal)
    organization = organization_or_404(environment, opened_for.oid if opened_for else oid)
    editing = open_form(request, environment, organization)
    try:
        return conflict.settled(request, editing) if "theirs" in request.POST else _posted(request, editing)
    except RecordWithdrawn:  # withdrawn in this very moment
        return _edited(request, environment, oid)


def _posted(request: HttpRequest, editing: Editing) -> HttpResponse:
    """Carry out the button that was pressed. Only two of them save."""
    typed, act = Typed.from_post(request.POST), request.POST.get("act", "")
    if expired_session.came_back(request):
        return show_form(request, editing, editing.form(typed), status=422, notes=[expired_session.SENTENCE])
    typed, parent = editing.with_prepared_parent(typed)
    saves = act in ("review", "save")
    notes = [f"{parent} is in PRODUCTION now; it is filled in. Check and save{' again' * saves}."] if parent else []
    if saves:
        return _checked(request, editing, editing.form(typed, checked=True), notes)
    oid_note = ""
    if act == "suggest-oid":
        typed, oid_note = editing.with_suggested_oid(typed)
    return show_form(request, editing, editing.form(typed.after(act)), oid_note=oid_note, notes=notes)


def _checked(request: HttpRequest, editing: Editing, form: RecordForm, notes: list[str]) -> HttpResponse:
    """Save the form if it is valid. What was just filled in (`notes`) is looked at by a person first."""
    if form.is_valid() and not notes:
        return _save(request, editing, form)
    return _made_before(request, editing, form) or show_form(request, editing, form, status=422, notes=notes)


def _save(request: HttpRequest, editing: Editing, form: RecordForm) -> HttpResponse:
    try:
        saved = _saved(request, editing, form)
    except EditConflict as fault:
        return conflict.show_conflict(request, editing, form, fault.organization)
    except RecordWithdrawn:
        raise  # what was typed becomes the form of a new record
    except (CounterpartExists, SourceChanged):
        editing = editing.read_again()
        return _made_before(request, editing, form) or show_form(request, editing, form, status=409)
    except ActionRefused as fault:
        return show_refused(request, editing, form, fault)
    return after_saving(request, form, saved, request.POST["act"])


def _saved(request: HttpRequest, editing: Editing, form: RecordForm) -> Organization:
    if editing.organization is not None:
        return save_edit(request, editing.organization, editing.version, form)
    record, stands_for, by = form.record(), form.stands_for, actor(request)
    if editing.staging is None:
        return organizations.create(record, editing.environment, stands_for=stands_for, actor=by)
    basis = preparing.basis_of(request)
    return preparation.prepare(record, editing.staging.pk, basis=basis, stands_for=stands_for, actor=by)


def _made_before(request: HttpRequest, editing: Editing, form: RecordForm) -> HttpResponse | None:
    """Where a second press of the same button leads; None after a first press."""
    if editing.staging is None or not (form.lacks_only_the_oid or form.is_valid()):
        return None
    record, stands_for = form.record(), form.stands_for
    made = preparation.prepared_before(record, editing.staging, stands_for=stands_for, actor=actor(request))
    if made is None:
        return None
    messages.info(request, f"{made.name} was saved already. It was not saved twice.")
    return redirect(saved_url(made, request.POST["act"]))


def _beginning(request: HttpRequest, editing: Editing) -> FormStart:
    """What a new form begins with, by its address."""
    if editing.staging is not None:
        return beginning.start_prepared(editing, editing.staging)
    if below := request.GET.get("below"):
        return beginning.start_below(editing, _named(editing.environment, below))
    if like := request.GET.get("like"):
        return beginning.start_like(editing, _named(editing.environment, like))
    return beginning.start_blank(editing)


def _named(environment: Environment, oid: str) -> Organization:
    try:
        return organization_or_404(environment, Oid(oid).text)
    except OidError:
        raise Http404(f"No such record in {environment.label}.") from None
