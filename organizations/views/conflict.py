"""Two people edited one record at the same time: both versions side by side, or what was typed of one withdrawn."""

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

from .form_page import after_saving, open_form, posted_number, save_edit, show_form, show_refused
from .showing import show


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
    """The page of a conflict with the record as it is now."""
    conflict = _conflict(request, editing, form, organization)
    return show(request, conflict_page.build(editing, form, conflict, missing=missing, note=note), status=status)


def settled(request: HttpRequest, editing: Editing) -> HttpResponse:
    """Save what was chosen, or show again what is still to choose; or lead back to the form."""
    typed, organization = Typed.from_post(request.POST), editing.organization
    if request.POST.get("act") == "back" or organization is None:
        return show_form(request, editing, editing.form(typed))
    form = editing.form(typed, checked=True)
    if not form.is_valid():
        return show_form(request, editing, form, status=422)
    if expired_session.came_back(request):
        return show_conflict(request, editing, form, organization, note=expired_session.SENTENCE, status=422)
    if posted_number(request, "theirs") != organization.version:
        return show_conflict(request, editing, form, organization)
    return _settled(request, editing, form, organization)


def withdrawal_of(environment: Environment, number: int) -> AuditEntry | None:
    """The entry that tells of the record with this number that it was withdrawn; None for one that never was there."""
    entries = AuditEntry.objects.filter(environment=environment, organization_id=number)
    return entries.filter(action=Action.ORGANIZATION_WITHDRAWN).first()


def show_withdrawn(request: HttpRequest, environment: Environment, withdrawal: AuditEntry) -> HttpResponse:
    """The form of a new record with what was typed into that of one which is gone. Nothing was saved."""
    editing = open_form(request, environment)
    form = editing.form(Typed.from_post(request.POST).after(request.POST.get("act", "")))
    return show_form(request, editing, form, status=409, notes=[withdrawn_sentence(withdrawal)])


def _settled(request: HttpRequest, editing: Editing, form: RecordForm, organization: Organization) -> HttpResponse:
    """Ask for the choices that are missing, or save what follows from them."""
    conflict = _conflict(request, editing, form, organization)
    if conflict.missing:
        return show_conflict(request, editing, form, organization, missing=conflict.missing, status=422)
    both = editing.form(editing.typed(*conflict.merged()), checked=True)
    if not both.is_valid():
        return show_form(request, editing.at_newest_version(), both, status=422)
    return _save(request, editing, form, organization, both)


def _save(
    request: HttpRequest, editing: Editing, form: RecordForm, organization: Organization, both: RecordForm
) -> HttpResponse:
    """Save both versions as one; `form` holds what was typed."""
    try:
        saved = save_edit(request, organization, organization.version, both)
    except EditConflict as fault:
        return show_conflict(request, editing, form, fault.organization)
    except RecordWithdrawn:
        raise  # what was typed becomes the form of a new record
    except ActionRefused as fault:
        return show_refused(request, editing.at_newest_version(), both, fault)
    return after_saving(request, form, saved)


def _conflict(request: HttpRequest, editing: Editing, form: RecordForm, organization: Organization) -> VersionConflict:
    return VersionConflict.of(editing, form, organization, request.POST, posted_number(request, "theirs"))
