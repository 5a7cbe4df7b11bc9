"""Two people edited one record at the same time: both versions side by side, or what was typed of one withdrawn."""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from organizations.forms.record import RecordForm
from organizations.forms.typed import Typed
from organizations.models import Action, AuditEntry, Environment, Organization
from organizations.presentation import editing, merging
from organizations.presentation.merging import Row, Side, Version
from organizations.services import organizations
from organizations.services.faults import EditConflict, Gone, NotDone

from . import lost
from .access import actor, counterpart_url, record_url
from .form_page import FormPage, posted_number


class _Versions(NamedTuple):
    before: Version
    theirs: Version
    mine: Version


class _Question(NamedTuple):
    row: Row
    chosen: Side | None
    error: str


def show(
    page: FormPage,
    form: RecordForm,
    organization: Organization,
    *,
    missing: Collection[str] = (),
    note: str = "",
    status: int = 409,
) -> HttpResponse:
    """The page of a conflict. What was typed goes round with it, so that the way back to the form is open."""
    versions = _versions(page, form, organization)
    chosen = _choices(page, versions, organization)
    if "theirs" in page.request.POST and not _is_newest(page, organization):
        note = note or editing.saved_again_sentence(organization)
    rows = [
        _Question(
            row, chosen.get(row.key, row.chosen), f"Choose a value for {row.spoken}." if row.key in missing else ""
        )
        for row in merging.compare(*versions)
    ]
    context: dict[str, Any] = {
        "organization": organization,
        "who": editing.last_editor(organization),
        "section": "organizations",
        "switch_url": counterpart_url(organization),
        "path": page.path("Conflict"),
        "rows": rows,
        "errors": [(f"id_choice-{each.row.key}", each.error) for each in rows if each.error],
        "equal": merging.equal_fields(versions.theirs, versions.mine),
        "typed": form.typed.as_post(),
        "version": page.version,
        "note": note,
        "edit_url": record_url(organization, "edit"),
    }
    return render(page.request, "editing/conflict.html", context, status=status)


def settled(page: FormPage) -> HttpResponse:
    """Save what was chosen, or show again what is still to choose; or lead back to the form."""
    typed = Typed.from_post(page.request.POST)
    form = page.form(typed, checked=True)
    organization = page.organization
    if page.request.POST.get("act") == "back" or organization is None:
        return page.show(page.form(typed))
    if not form.is_valid():
        return page.show(form, status=422)
    if lost.came_back(page.request):
        return show(page, form, organization, note=lost.SENTENCE, status=422)
    if not _is_newest(page, organization):
        return show(page, form, organization)
    return _save(page, form, organization)


def withdrawal_of(environment: Environment, number: int) -> AuditEntry | None:
    """The entry that tells of the record with this number that it was withdrawn; None for one that never was there."""
    entries = AuditEntry.objects.filter(environment=environment, organization_id=number)
    return entries.filter(action=Action.ORGANIZATION_WITHDRAWN).first()


def withdrawn(page: FormPage, withdrawal: AuditEntry) -> HttpResponse:
    """The form of a new record with what was typed into that of one which is gone. Nothing was saved."""
    posted = page.request.POST
    typed = Typed.from_post(posted).after(posted.get("act", ""))
    return page.show(page.form(typed), status=409, notes=[editing.withdrawn_sentence(withdrawal)])


def _save(page: FormPage, form: RecordForm, organization: Organization) -> HttpResponse:
    versions = _versions(page, form, organization)
    choices = _choices(page, versions, organization)
    missing = {row.key for row in merging.compare(*versions) if row.key not in choices}
    if missing:
        return show(page, form, organization, missing=missing, status=422)
    merged = merging.merge(*versions, choices)
    together = page.form(page.typed(*merged), checked=True)
    version = organization.version
    if not together.is_valid():
        return page.show(together, status=422, version=version)
    record, by = together.record(), actor(page.request)
    try:
        saved = organizations.edit(organization.pk, version, record, stands_for=merged.stands_for, actor=by)
    except EditConflict as fault:
        return show(page, form, fault.organization)
    except Gone:
        raise  # what was typed becomes the form of a new record
    except NotDone as fault:
        return page.refused(together, fault, version=version)
    messages.success(page.request, "Saved. Nothing was sent.")
    if form.changed:
        messages.info(page.request, form.changed)
    return redirect(record_url(saved))


def _versions(page: FormPage, form: RecordForm, organization: Organization) -> _Versions:
    theirs = Version(organization.record(), organization.stands_for)
    # Without a beginning every difference counts as ours, and is shown as such.
    before = _version_at(organization, page.version) or theirs
    return _Versions(before, theirs, Version(form.record(), form.stands_for))


def _version_at(organization: Organization, version: int) -> Version | None:
    record = organizations.base_of(organization, version)
    return Version(record, organizations.base_stands_for(organization, version)) if record else None


def _is_newest(page: FormPage, organization: Organization) -> bool:
    """Whether nobody saved the record since the values were shown between which was chosen."""
    return posted_number(page.request, "theirs") == organization.version


def _choices(page: FormPage, versions: _Versions, organization: Organization) -> dict[str, Side]:
    """The side chosen for each row. A choice between values of which one is another by now is none."""
    posted = page.request.POST
    chosen = {
        name.removeprefix("choice-"): Side(posted[name])
        for name in posted
        if name.startswith("choice-") and posted[name] in Side.__members__.values()
    }
    if not chosen or _is_newest(page, organization):
        return chosen
    theirs = _version_at(organization, posted_number(page.request, "theirs"))
    seen = merging.compare(versions.before, theirs, versions.mine) if theirs else ()
    return {row.key: chosen[row.key] for row in merging.compare(*versions) if row.key in chosen and row in seen}
