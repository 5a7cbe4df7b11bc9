"""The page with the form of a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from organizations.forms.record import RecordForm
from organizations.models import Organization, User
from organizations.pages import Page, record_choices
from organizations.pages.addresses import counterpart_url, environment_url, record_url
from organizations.pages.counterpart import prepare
from organizations.pages.counterpart.prepare import PreparedNotes
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.first_question import (
    NOTHING_ABOUT_OID,
    AboutOid,
    FirstQuestion,
    first_question,
)
from organizations.pages.record_form.notices import changeable_oid_sentence, fixed_oid_sentence, notices
from organizations.queries import choices
from organizations.queries.choices import Choice, Place
from organizations.queries.record_context import record_at
from organizations.records import MOST_ROWS
from organizations.services.records.prepare import FormBasis, StagingSource


class FilledFrom(NamedTuple):
    """What a form of PRODUCTION was filled from. `signed` is a hidden field that the form posts."""

    source: StagingSource
    basis: FormBasis
    signed: str

    def prepared(self) -> PreparedNotes:
        """What the page says about its source."""
        return prepare.prepared_notes(self.source, self.basis.filled, shown_doubt=self.basis.doubt)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage(Page):
    """An existing or a new record in its form. `notices` are about the record, or about what was just done."""

    template = "editing/form.html"

    form: RecordForm
    organization: Organization | None
    post_url: str
    version: int
    is_unsaved: bool
    notices: list[str]
    # The OID, and the choices that are offered. A new record has the first question.
    fixed_oid: str
    changeable_oid: str
    oid_note: str
    question: FirstQuestion | None
    taken_by: Organization | None
    parents: list[Choice]
    parent_place: Place | None
    destinations: list[Choice]
    most_rows: int
    # The record of STAGING that it was filled from.
    prepared: PreparedNotes | None
    basis: str
    # Where else to go.
    path: list[tuple[str, str]]
    leave_url: str
    switch_url: str


def build(
    editing: Editing,
    form: RecordForm,
    user: User,
    *,
    filled: FilledFrom | None = None,
    notes: Sequence[str] = (),
    oid: AboutOid = NOTHING_ABOUT_OID,
    is_unsaved: bool = False,
) -> FormPage:
    """The page with this form. `notes` come first. `is_unsaved`: the form holds what somebody typed."""
    organization = editing.organization
    prepared = filled.prepared() if filled else None
    return FormPage(
        form=form,
        organization=organization,
        post_url=editing.post_url,
        version=editing.version,
        is_unsaved=is_unsaved,
        notices=[*notes, *(notices(organization, user.pk) if organization else [])],
        fixed_oid=fixed_oid_sentence(organization) if organization else "",
        changeable_oid=changeable_oid_sentence(organization) if organization else "",
        oid_note=oid.note or (prepared.oid_note if prepared else ""),
        question=None if organization else first_question(editing.environment, form.typed, oid),
        taken_by=_taken_by(editing, form),
        **_offered(editing, form),
        prepared=prepared,
        basis=filled.signed if filled else "",
        **_links(editing),
    )


def _offered(editing: Editing, form: RecordForm) -> dict[str, Any]:
    environment, parent = editing.environment, editing.parent_of(form.typed)
    return {
        "parents": choices.parents(environment, form.typed.fields.get("parent", "")).choices,
        "parent_place": choices.place_of(environment, parent),
        "destinations": record_choices.destinations(environment, parent),
        "most_rows": MOST_ROWS,
    }


def _links(editing: Editing) -> dict[str, Any]:
    organization, staging = editing.organization, editing.staging
    switch_url = record_url(staging) if staging else ""
    list_url = environment_url("organizations", editing.environment)
    return {
        "path": editing.path("Edit" if organization else "Add organization"),
        "leave_url": record_url(organization) if organization else list_url,
        "switch_url": counterpart_url(organization) if organization else switch_url,
    }


def _taken_by(editing: Editing, form: RecordForm) -> Organization | None:
    """The other record that already has the refused OID."""
    if not form.checked or "oid" not in form.main.errors:
        return None
    holder = record_at(editing.environment, form.main.values["oid"])
    return None if holder == editing.organization else holder
