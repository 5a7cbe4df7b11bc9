"""The form of a record: how it is opened from a request, and shown."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from organizations.forms.record import RecordForm
from organizations.models import Environment, Organization
from organizations.pages.record_form import page as form_page
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.page import FilledFrom
from organizations.services.errors import ActionRefused, Circle
from organizations.services.records import organizations
from organizations.services.records.prepare import Basis, source_of

from . import preparing
from .access import actor, record_url, user_of
from .showing import show

SAVED = "Saved. Nothing was sent."


def posted_number(request: HttpRequest, name: str) -> int:
    """A number that was posted; 0, which is no record and no version, for anything else."""
    posted = request.POST.get(name, "")
    return int(posted) if posted.isascii() and posted.isdigit() and len(posted) < 10 else 0


def posted_version(request: HttpRequest, organization: Organization) -> int:
    """The version of this record that a form was opened with; 0 for that of another one: an OID may be free again."""
    of_this_record = posted_number(request, "record") == organization.pk
    return posted_number(request, "version") if of_this_record else 0


def open_form(
    request: HttpRequest,
    environment: Environment,
    organization: Organization | None = None,
    staging: Organization | None = None,
) -> Editing:
    """What the form of this request is about."""
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
) -> HttpResponse:
    page = form_page.build(
        editing,
        form,
        user_of(request),
        filled=_filled(request, editing.staging),
        notes=notes,
        oid_note=oid_note,
        is_unsaved=request.method == "POST",
    )
    return show(request, page, status=status)


def show_refused(request: HttpRequest, editing: Editing, form: RecordForm, fault: ActionRefused) -> HttpResponse:
    """The form with what the service refused."""
    refuse(form, fault)
    return show_form(request, editing, form, status=422)


def refuse(form: RecordForm, fault: ActionRefused) -> None:
    """Say what the service refused at its field: a parent, or else the OID."""
    if isinstance(fault, Circle):
        form.main.refuse_parent(str(fault))
    else:
        form.main.add_error("oid", str(fault))


def save_edit(request: HttpRequest, organization: Organization, version: int, form: RecordForm) -> Organization:
    """Save a valid form of a record that is there already, if the record is still at this version."""
    record, by = form.record(), actor(request)
    return organizations.edit(organization.pk, version, record, stands_for=form.stands_for, actor=by)


def after_saving(request: HttpRequest, form: RecordForm, saved: Organization, act: str = "save") -> HttpResponse:
    """Lead to the record, or to its review if `act` is that, with what the readers changed."""
    if act == "save":
        messages.success(request, SAVED)
    if form.changed:
        messages.info(request, form.changed)
    return redirect(saved_url(saved, act))


def saved_url(saved: Organization, act: str) -> str:
    """Where the button `act` leads once the record is saved."""
    return record_url(saved, "record" if act == "save" else "review")


def _filled(request: HttpRequest, staging: Organization | None) -> FilledFrom | None:
    """From what the form was filled: as it was posted, or else as the record of STAGING is now."""
    if staging is None:
        return None
    source = source_of(staging)
    basis = Basis(source.record, doubt=source.doubt)
    if request.method == "POST":
        basis = preparing.basis_of(request)
    shown = Basis(basis.filled, source.record, source.doubt)
    return FilledFrom(source, basis, preparing.signed(staging, shown))
