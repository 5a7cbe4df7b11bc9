"""Two people edited one record at the same time, or one of them withdrew it."""

from collections.abc import Collection

from django.http import HttpRequest, HttpResponse

from organizations.forms.record import RecordForm
from organizations.forms.typed import Typed
from organizations.models import Action, AuditEntry, Environment, Organization
from organizations.pages.record_form import conflict as conflict_page
from organizations.pages.record_form.conflict import VersionConflict
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.notices import withdrawn_sentence
from organizations.services.errors import ActionRefused, EditConflict, RecordWithdrawn
from organizations.views import expired_session

from .access import posted_number
from .record_form import after_saving, editing_of_request, save_edit, show_form, show_refusal
from .rendering import render_page


def show_conflict(
    request: HttpRequest,
    editing: Editing,
    form: RecordForm,
    organization: Organization,
    *,
    missing: Collection[str] = (),
    note: str = "",
    status: int = 409,
) -> HttpResponse:
    """Both versions side by side, with the record as it is now."""
    conflict = _conflict(request, editing, form, organization)
    return render_page(request, conflict_page.build(editing, form, conflict, missing=missing, note=note), status=status)


def resolve(request: HttpRequest, editing: Editing) -> HttpResponse:
    """Save the chosen values, show the choices that are missing, or go back to the form."""
    typed, organization = Typed.from_post(request.POST), editing.organization
    if request.POST.get("act") == "back" or organization is None:
        return show_form(request, editing, editing.form(typed))
    form = editing.form(typed, checked=True)
    if not form.is_valid():
        return show_form(request, editing, form, status=422)
    if expired_session.must_restore_form(request):
        return show_conflict(request, editing, form, organization, note=expired_session.NOTICE, status=422)
    if posted_number(request, "theirs") != organization.version:
        return show_conflict(request, editing, form, organization)
    return _save_choices(request, editing, form, organization)


def withdrawal_of(environment: Environment, number: int) -> AuditEntry | None:
    """The history entry of the withdrawal of the record with this id; None if it was not withdrawn."""
    entries = AuditEntry.objects.filter(environment=environment, organization_id=number)
    return entries.filter(action=Action.ORGANIZATION_WITHDRAWN).first()


def show_withdrawn(request: HttpRequest, environment: Environment, withdrawal: AuditEntry) -> HttpResponse:
    """The form of a new record, with the values that were typed for a withdrawn one. Nothing was saved."""
    editing = editing_of_request(request, environment)
    form = editing.form(Typed.from_post(request.POST).after_button(request.POST.get("act", "")))
    return show_form(request, editing, form, status=409, notes=[withdrawn_sentence(withdrawal)])


def _save_choices(request: HttpRequest, editing: Editing, form: RecordForm, organization: Organization) -> HttpResponse:
    """Ask for the missing choices, or save the result."""
    conflict = _conflict(request, editing, form, organization)
    if conflict.missing:
        return show_conflict(request, editing, form, organization, missing=conflict.missing, status=422)
    merged = editing.form(conflict_page.merged_texts(editing, form, conflict), checked=True)
    if not merged.is_valid():
        return show_form(request, editing.at_newest_version(), merged, status=422)
    return _save_merged(request, editing, form, organization, merged)


def _save_merged(
    request: HttpRequest, editing: Editing, form: RecordForm, organization: Organization, merged: RecordForm
) -> HttpResponse:
    """Save both versions as one. `form` has the typed values."""
    try:
        saved = save_edit(request, organization, organization.version, merged)
    except EditConflict as error:
        return show_conflict(request, editing, form, error.organization)
    except RecordWithdrawn:
        raise  # the caller shows the typed values in the form of a new record
    except ActionRefused as error:
        return show_refusal(request, editing.at_newest_version(), merged, error)
    return after_saving(request, form, saved)


def _conflict(request: HttpRequest, editing: Editing, form: RecordForm, organization: Organization) -> VersionConflict:
    return VersionConflict.of(editing, form, organization, request.POST, posted_number(request, "theirs"))
