"""The record in a form, and the form with what was typed."""

from dataclasses import dataclass, replace
from typing import Self

from organizations.forms.organization import FormContext
from organizations.forms.record import RecordForm
from organizations.forms.typed import GATEWAY, OTHER, OURS, Typed
from organizations.models import Environment, Organization
from organizations.oid import OidError
from organizations.pages import record_choices
from organizations.pages.addresses import environment_url, path_to, record_url
from organizations.pages.record_form import notices
from organizations.queries import choices
from organizations.queries.record_context import has_record, record_now
from organizations.records import OrganizationRecord
from organizations.services import search_text
from organizations.services.connection import redox_settings
from organizations.services.errors import OidTaken
from organizations.services.records import organizations, prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Editing:
    """One record in its form; a new one without `organization`.

    `version` is the one that the person started from; 0 if it is not known. `staging` is the record from which a new
    record of PRODUCTION is filled.
    """

    environment: Environment
    organization: Organization | None = None
    version: int = 0
    staging: Organization | None = None

    @property
    def post_url(self) -> str:
        """The URL to which the form posts, by the record's present OID."""
        if self.organization:
            return record_url(self.organization, "edit")
        new = environment_url("organization-new", self.environment)
        return f"{new}?from={self.staging.oid}" if self.staging else new

    def at_newest_version(self) -> Self:
        """The same form, as if the person had started from the saved version."""
        return replace(self, version=self.organization.version) if self.organization else self

    def read_again(self) -> Self:
        """The same form with the record of STAGING as it is now."""
        staging = record_now(self.staging) if self.staging else None
        return replace(self, staging=staging)

    def path(self, here: str) -> list[tuple[str, str]]:
        """From the list of organizations down to this page."""
        if self.organization:
            return path_to(self.organization, here)
        return [("Organizations", environment_url("organizations", self.environment)), (here, "")]

    def form(self, typed: Typed | None = None, *, checked: bool = False) -> RecordForm:
        """The form with these texts; without any, with those of the saved record."""
        form_context = self._form_context()
        form = RecordForm(typed or form_context.stored or Typed(), form_context, checked=checked)
        form.main.fields["parent"].widget.attrs |= record_choices.suggestion_attributes(self.environment)
        return form

    def texts_of(self, record: OrganizationRecord, stands_for: str) -> Typed:
        """The texts of the form for a stored record."""
        parent_kind = OTHER  # also for the second gateway: the choice "gateway" means the usual one
        if record.part_of_oid == redox_settings.environment(self.environment).gateway_oid:
            parent_kind = GATEWAY
        elif has_record(self.environment, record.part_of_oid):
            parent_kind = OURS
        return Typed.from_record(record, stands_for=stands_for, parent_kind=parent_kind)

    def parent_of(self, typed: Typed) -> str:
        """The OID of the chosen parent; "" if there is none."""
        text = {OURS: "parent", OTHER: "other_oid"}.get(typed.fields.get("place", ""), "")
        wanted = typed.fields.get(text, "")
        return search_text.oid_in(wanted) or (choices.oid_named(self.environment, wanted) if text == "parent" else "")

    def parent_notes(self, typed: Typed) -> list[str]:
        """Why the parent in a new form cannot be a parent."""
        parent = self.parent_of(typed)
        error = organizations.parent_error(self.environment, "", parent) if parent else ""
        return [error] if error else []

    def with_suggested_oid(self, typed: Typed) -> tuple[Typed, str]:
        """The same texts with the next OID below the chosen parent, and a note on that OID."""
        parent = self.parent_of(typed)
        if typed.fields["place"] == GATEWAY or parent in redox_settings.gateway_oids(self.environment):
            return self._with_base_oid(typed)
        if not parent:
            return typed, "Choose first what this record is part of. Then the next OID below it can be found."
        try:
            oid = organizations.suggest_oid(self.environment, parent).text
        except OidError as error:
            return typed, str(error)
        sentence = f"{oid} is the lowest OID below {parent} that is free here. Redox issues OIDs (Redox dashboard, your"
        return typed.having(oid=oid), f"{sentence} organization): use it only if Redox agreed to your own numbering."

    def with_prepared_parent(self, typed: Typed) -> tuple[Typed, str]:
        """The same texts with the counterpart of the parent in STAGING, and its name; "" if nothing is filled in.

        That counterpart may have been added while the form was open.
        """
        is_empty = typed.fields.get("place") == OURS and not typed.fields.get("parent", "").strip()
        parent = prepare.parent_of(prepare.source_of(self.staging)) if self.staging and is_empty else None
        if parent is None or parent.staging is None or not parent.oid:
            return typed, ""
        return typed.having(parent=parent.oid), parent.staging.name

    def _with_base_oid(self, typed: Typed) -> tuple[Typed, str]:
        base = next(iter(redox_settings.environment(self.environment).base_oids), "")
        if not base or base in redox_settings.gateway_oids(self.environment) or self._oid_error(base):
            return typed, "Redox issues the OID of a top-level record: see the Redox dashboard, your organization."
        return typed.having(oid=base), f"{base} is your base OID in {self.environment.label}."

    def _form_context(self) -> FormContext:
        redox = redox_settings.environment(self.environment)
        organization = self.organization
        return FormContext(
            environment_name=self.environment.label,
            gateway_oid=redox.gateway_oid,
            gateways=redox_settings.gateway_oids(self.environment),
            routing_names=redox_settings.routing_names(),
            own_ids=redox_settings.source_and_client_ids(),
            oid_named=lambda typed: choices.oid_named(self.environment, typed),
            other_environment_sentence=lambda typed: record_choices.other_environment_sentence(self.environment, typed),
            oid_error=self._oid_error,
            parent_error=self._parent_error,
            fixed_oid=organization.oid if organization and notices.fixed_oid_sentence(organization) else "",
            destination_known=organization.destination_known if organization else True,
            stored=self.texts_of(organization.record(), organization.stands_for) if organization else None,
        )

    def _oid_error(self, oid: str) -> str:
        if self._is_own(oid):
            return ""
        try:
            organizations.check_oid_free(oid, self.environment)
        except OidTaken as error:
            return str(error)
        return prepare.other_base_error(self.environment, oid)

    def _is_own(self, oid: str) -> bool:
        """Whether this is the record's OID now, or was when the form was opened: then the conflict page asks."""
        organization = self.organization
        if organization is None or oid == organization.oid:
            return organization is not None
        before = organizations.record_at(organization, self.version) if self.version != organization.version else None
        return before is not None and oid == before.oid

    def _parent_error(self, oid: str, part_of_oid: str) -> str:
        organization = self.organization
        if organization and part_of_oid == organization.part_of_oid:
            return ""  # unchanged: the review says what is wrong with the parent now
        return organizations.parent_error(self.environment, organization.oid if organization else oid, part_of_oid)
