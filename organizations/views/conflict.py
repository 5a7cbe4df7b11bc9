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
from organizations.services.faults import EditConflict, NotDone

from . import lost
from .access import actor, record_url
from .form_page import FormPage


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
    chosen = _choices(page)
    rows = [
        _Question(
            row, chosen.get(row.key, row.chosen), f"Choose a value for {row.label}." if row.key in missing else ""
        )
        for row in merging.compare(*versions)
    ]
    context: dict[str, Any] = {
        "organization": organization,
        "who": editing.last_editor(organization),
        "section": "organizations",
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
    if page.request.POST.get("theirs") != str(organization.version):
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
    versions, choices = _versions(page, form, organization), _choices(page)
    missing = {row.key for row in merging.compare(*versions) if row.key not in choices}
    if missing:
        return show(page, form, organization, missing=missing, status=422)
    merged = merging.merge(*versions, choices)
    try:
        saved = organizations.edit(
            organization.pk,
            organization.version,
            merged.record,
            stands_for=merged.stands_for,
            actor=actor(page.request),
        )
    except EditConflict as fault:
        return show(page, form, fault.organization)
    except NotDone as fault:
        return show(page, form, organization, note=str(fault), status=422)
    messages.success(page.request, "Saved. Nothing was sent.")
    if form.changed:
        messages.info(page.request, form.changed)
    return redirect(record_url(saved))


def _versions(page: FormPage, form: RecordForm, organization: Organization) -> _Versions:
    theirs = Version(organization.record(), organization.stands_for)
    base = organizations.base_of(organization, page.version)
    # Without a beginning every difference counts as ours, and is shown as such.
    before = Version(base, organizations.base_stands_for(organization, page.version)) if base else theirs
    return _Versions(before, theirs, Version(form.record(), form.stands_for))


def _choices(page: FormPage) -> dict[str, Side]:
    posted = page.request.POST
    return {
        name.removeprefix("choice-"): Side(posted[name])
        for name in posted
        if name.startswith("choice-") and posted[name] in Side.__members__.values()
    }
