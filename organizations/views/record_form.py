"""The form of a record: open it from a request, show it, save it."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from organizations.forms.record import RecordForm
from organizations.models import Environment, Organization
from organizations.pages.addresses import record_url
from organizations.pages.record_form import page as form_page
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.first_question import AboutOid, OidAnswer
from organizations.pages.record_form.page import FilledFrom
from organizations.services.errors import ActionRefused, Circle
from organizations.services.records import organizations
from organizations.services.records.prepare import FormBasis, source_of
from organizations.views import prepare

from .access import actor, posted_version, user_of
from .rendering import render_page

SAVED = "Saved. Nothing was sent."


def editing_of_request(
    request: HttpRequest,
    environment: Environment,
    organization: Organization | None = None,
    staging: Organization | None = None,
) -> Editing:
    """The record and version that the form of this request edits."""
    version = organization.version if organization else 0
    if organization and request.method == "POST":
        version = posted_version(request, organization)
    return Editing(environment=environment, organization=organization, version=version, staging=staging)


def show_form(
    request: HttpRequest,
    editing: Editing,
    form: RecordForm,
    *,
    status: int = 200,
    notes: Sequence[str] = (),
    oid_note: str = "",
    answer: OidAnswer | None = None,
) -> HttpResponse:
    page = form_page.build(
        editing,
        form,
        user_of(request),
        filled=_basis_of_form(request, editing.staging),
        notes=notes,
        oid=AboutOid(oid_note, request.POST.get("registered", ""), answer),
        is_unsaved=request.method == "POST",
    )
    return render_page(request, page, status=status)


def show_refusal(request: HttpRequest, editing: Editing, form: RecordForm, error: ActionRefused) -> HttpResponse:
    """The form, with the reason why the service refused it."""
    show_error(form, error)
    return show_form(request, editing, form, status=422)


def show_error(form: RecordForm, error: ActionRefused) -> None:
    """Show a refusal at its field: the parent, or else the OID."""
    if isinstance(error, Circle):
        form.main.refuse_parent(str(error))
    else:
        form.main.add_error("oid", str(error))


def save_edit(request: HttpRequest, organization: Organization, version: int, form: RecordForm) -> Organization:
    """Save a valid form of an existing record, if the record still has this version."""
    return organizations.edit(
        organization.pk,
        version,
        form.record(),
        stands_for=form.stands_for,
        destination_source=form.destination_source,
        actor=actor(request),
    )


def after_saving(request: HttpRequest, form: RecordForm, saved: Organization, act: str = "save") -> HttpResponse:
    """Redirect to the record, or to its review if `act` is "review", and say what the readers changed."""
    if act == "save":
        messages.success(request, SAVED)
    if form.changes_sentence:
        messages.info(request, form.changes_sentence)
    return redirect(saved_url(saved, act))


def saved_url(saved: Organization, act: str) -> str:
    """The address to which the button `act` leads after saving."""
    return record_url(saved, "record" if act == "save" else "review")


def _basis_of_form(request: HttpRequest, staging: Organization | None) -> FilledFrom | None:
    """The values that filled the form: as posted, or else those of the STAGING record now."""
    if staging is None:
        return None
    source = source_of(staging)
    basis = FormBasis(source.record, doubt=source.doubt)
    if request.method == "POST":
        basis = prepare.basis_of(request)
    basis_now = FormBasis(basis.filled, source.record, source.doubt)
    return FilledFrom(source, basis, prepare.sign_basis(staging, basis_now))
