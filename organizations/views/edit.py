"""Add and edit records, and suggest records while somebody types."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe

from organizations.forms.record import RecordForm
from organizations.forms.typed import Typed
from organizations.models import Environment, Organization
from organizations.oid import Oid, OidError
from organizations.pages.addresses import record_url
from organizations.pages.record_form import initial_values
from organizations.pages.record_form import suggestions as suggestions_page
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.initial_values import FormStart
from organizations.permissions import Right
from organizations.services import search_text
from organizations.services.errors import ActionRefused, CounterpartExists, EditConflict, RecordWithdrawn, SourceChanged
from organizations.services.records import organizations
from organizations.services.records import prepare as preparation
from organizations.views import conflict, expired_session, first_question, prepare

from .access import actor, needs, organization_or_404, posted_number
from .record_form import after_saving, editing_of_request, save_edit, saved_url, show_form, show_refusal
from .rendering import render_page


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.EDIT)
def new(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The form of a new record. `below`, `like` or `from` in the address fills fields from another record.

    `oid` fills the OID.
    """
    try:
        editing = editing_of_request(request, environment, staging=prepare.staging_record(request, environment))
        if request.method != "POST":
            return _show_new(request, editing)
        return first_question.respond(request, editing) or _handle_post(request, editing)
    except RecordWithdrawn:
        editing = editing_of_request(request, environment)
        form = editing.form(Typed.from_post(request.POST))
        return show_form(request, editing, form, status=409, notes=[prepare.GONE])


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.EDIT)
def edit(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The form of a record, with its saved values."""
    if request.method == "POST":
        return _handle_edit(request, environment, oid)
    editing = editing_of_request(request, environment, organization_or_404(environment, oid, with_parts=True))
    return show_form(request, editing, editing.form())


@require_safe
@needs(Right.VIEW)
def suggestions(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Records of ours that match what was typed, as choices of the list beside the field."""
    field = next((field for field in suggestions_page.FIELDS if field in request.GET), "")
    response = render_page(request, suggestions_page.build(environment, field, request.GET.get(field, "")))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _show_new(request: HttpRequest, editing: Editing) -> HttpResponse:
    """The form of a new record. If the STAGING record already has a counterpart, redirect to that."""
    if editing.staging is not None and (counterpart := editing.staging.counterpart):
        sentence = f"{counterpart.name} is already the PRODUCTION counterpart of {editing.staging.name}."
        messages.info(request, sentence)
        return redirect(record_url(counterpart))
    typed, oid_note, notes = _initial_values(request, editing)
    if oid := search_text.oid_in(request.GET.get("oid", "")):
        typed, oid_note = typed.having(oid=oid), ""
    return show_form(request, editing, editing.form(typed), oid_note=oid_note, notes=notes)


def _handle_edit(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Save or show a posted form. It belongs to the record that it was opened for, even if that has another OID now."""
    number = posted_number(request, "record")
    opened_for = Organization.objects.in_environment(environment).filter(pk=number).first()
    if opened_for is None and (withdrawal := conflict.withdrawal_of(environment, number)):
        return conflict.show_withdrawn(request, environment, withdrawal)
    organization = organization_or_404(environment, opened_for.oid if opened_for else oid)
    editing = editing_of_request(request, environment, organization)
    try:
        is_conflict = "theirs" in request.POST
        return conflict.resolve(request, editing) if is_conflict else _handle_post(request, editing)
    except RecordWithdrawn:  # withdrawn since the query above
        return _handle_edit(request, environment, oid)


def _handle_post(request: HttpRequest, editing: Editing) -> HttpResponse:
    """Carry out the pressed button. Only "save" and "review" save."""
    typed, act = Typed.from_post(request.POST), request.POST.get("act", "")
    if expired_session.must_restore_form(request):
        return show_form(request, editing, editing.form(typed), status=422, notes=[expired_session.NOTICE])
    typed, parent = editing.with_prepared_parent(typed)
    saves = act in ("review", "save")
    notes = [_parent_note(parent, saves=saves)] if parent else []
    if saves:
        return _save_if_valid(request, editing, editing.form(typed, checked=True), notes)
    oid_note = ""
    if act == "suggest-oid":
        typed, oid_note = editing.with_suggested_oid(typed)
    return show_form(request, editing, editing.form(typed.after_button(act)), oid_note=oid_note, notes=notes)


def _parent_note(parent: str, *, saves: bool) -> str:
    """The note about the parent that the portal filled in. `saves`: the person pressed a button that saves."""
    again = " again" if saves else ""
    return f"{parent} is in PRODUCTION now; it is filled in. Check and save{again}."


def _save_if_valid(request: HttpRequest, editing: Editing, form: RecordForm, notes: list[str]) -> HttpResponse:
    """Save the form if it is valid. If the portal filled in a value (`notes`), a person checks it first."""
    if form.is_valid() and not notes:
        return _save(request, editing, form)
    return _redirect_second_click(request, editing, form) or show_form(request, editing, form, status=422, notes=notes)


def _save(request: HttpRequest, editing: Editing, form: RecordForm) -> HttpResponse:
    try:
        saved = _create_or_edit(request, editing, form)
    except EditConflict as error:
        return conflict.show_conflict(request, editing, form, error.organization)
    except RecordWithdrawn:
        raise  # the caller shows the typed values in the form of a new record
    except (CounterpartExists, SourceChanged):
        editing = editing.read_again()
        return _redirect_second_click(request, editing, form) or show_form(request, editing, form, status=409)
    except ActionRefused as error:
        return show_refusal(request, editing, form, error)
    return after_saving(request, form, saved, request.POST["act"])


def _create_or_edit(request: HttpRequest, editing: Editing, form: RecordForm) -> Organization:
    if editing.organization is not None:
        return save_edit(request, editing.organization, editing.version, form)
    record, stands_for, by = form.record(), form.stands_for, actor(request)
    if editing.staging is None:
        return organizations.create(record, editing.environment, stands_for=stands_for, actor=by)
    basis = prepare.basis_of(request)
    return preparation.prepare(record, editing.staging.pk, basis=basis, stands_for=stands_for, actor=by)


def _redirect_second_click(request: HttpRequest, editing: Editing, form: RecordForm) -> HttpResponse | None:
    """Redirect a second click on the same button to the record that the first one saved; None for a first click.

    The OID is taken after the first click, so the form of the second one may be refused.
    """
    if editing.staging is None or not (form.lacks_only_the_oid or form.is_valid()):
        return None
    record, stands_for = form.record(), form.stands_for
    earlier = preparation.prepared_before(record, editing.staging, stands_for=stands_for, actor=actor(request))
    if earlier is None:
        return None
    messages.info(request, f"{earlier.name} was already saved. It was not saved twice.")
    return redirect(saved_url(earlier, request.POST["act"]))


def _initial_values(request: HttpRequest, editing: Editing) -> FormStart:
    """The initial values of a new form, by its address."""
    if editing.staging is not None:
        return initial_values.start_prepared(editing, editing.staging)
    if below := request.GET.get("below"):
        return initial_values.start_below(editing, _record_named(editing.environment, below))
    if like := request.GET.get("like"):
        return initial_values.start_like(editing, _record_named(editing.environment, like))
    return initial_values.start_blank(editing)


def _record_named(environment: Environment, oid: str) -> Organization:
    try:
        return organization_or_404(environment, Oid(oid).text)
    except OidError:
        raise Http404(f"No such record in {environment.label}.") from None
