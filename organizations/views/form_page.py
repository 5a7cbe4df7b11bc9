"""The page with the form of a record: what the form must know, what stands around it, how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from organizations.forms.organization import Surroundings
from organizations.forms.record import RecordForm
from organizations.forms.typed import GATEWAY, MOST_ROWS, OTHER, OURS, Typed
from organizations.models import Environment, Organization, tree
from organizations.oid import OidError
from organizations.presentation import choices, editing
from organizations.presentation.preparing import prepared
from organizations.records import OrganizationRecord
from organizations.services import gateway, organizations, searching
from organizations.services import preparing as preparation
from organizations.services.faults import Circle, NotDone, OidTaken
from organizations.services.preparing import Basis, other_base_fault, source_of

from . import preparing
from .access import actor, counterpart_url, record_url, user_of


def posted_number(request: HttpRequest, name: str) -> int:
    """A number that was posted; 0, which is no record and no version, for anything else."""
    posted = request.POST.get(name, "")
    return int(posted) if posted.isascii() and posted.isdigit() and len(posted) < 10 else 0


def posted_version(request: HttpRequest, organization: Organization) -> int:
    """The version of this record that a form was opened with; 0 for that of another one: an OID may be free again."""
    of_this_record = posted_number(request, "record") == organization.pk
    return posted_number(request, "version") if of_this_record else 0


def suggesting(environment: str) -> dict[str, str]:
    """What a field in which a record is named needs to offer what fits, in the list `parents` beside it."""
    return {
        "data-hx-get": reverse("suggestions", args=[environment]),
        "data-hx-trigger": "input changed delay:250ms",
        "data-hx-target": "#parents",
    }


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of one record, or of a new one when there is no organization yet.

    `staging` is the record that a new one of PRODUCTION is filled from.
    """

    request: HttpRequest
    environment: Environment
    organization: Organization | None = None
    staging: Organization | None = None

    @property
    def version(self) -> int:
        """The version that the person started from; 0 where none was sent along."""
        if self.organization is None:
            return 0
        return posted_version(self.request, self.organization) if self.is_posted else self.organization.version

    @property
    def is_posted(self) -> bool:
        return self.request.method == "POST"

    @property
    def address(self) -> str:
        """Where the form posts to, also when it was opened under an OID that the record had before."""
        if self.organization:
            return record_url(self.organization, "edit")
        new = reverse("organization-new", args=[self.environment])
        return f"{new}?from={self.staging.oid}" if self.staging else new

    def read_again(self) -> "FormPage":
        """The same with the record of STAGING as it is now."""
        staging = Organization.objects.filter(pk=self.staging.pk).first() if self.staging else None
        return replace(self, staging=staging)

    def surroundings(self) -> Surroundings:
        redox = gateway.environment(self.environment)
        made = self.organization
        return Surroundings(
            word=self.environment.label,
            gateway_oid=redox.gateway_oid,
            gateways=gateway.gateways(self.environment),
            routing_names=gateway.routing_names(),
            own_ids=gateway.own_ids(),
            record_called=lambda typed: choices.record_called(self.environment, typed),
            elsewhere=lambda typed: choices.other_environments(self.environment, typed),
            oid_fault=self._oid_fault,
            parent_fault=self._parent_fault,
            fixed_oid=made.oid if made and editing.fixed_oid_sentence(made) else "",
            destination_known=made.destination_known if made else True,
            stored=self.typed(made.record(), made.stands_for) if made else None,
        )

    def form(self, typed: Typed, *, checked: bool = False) -> RecordForm:
        form = RecordForm(typed, self.surroundings(), checked=checked)
        form.main.fields["parent"].widget.attrs |= suggesting(self.environment)
        return form

    def typed(self, record: OrganizationRecord, stands_for: str) -> Typed:
        """A record as this page shows it."""
        place = OTHER  # also the other gateway: the choice of that name would move the record
        if record.part_of_oid == gateway.environment(self.environment).gateway_oid:
            place = GATEWAY
        elif Organization.objects.in_environment(self.environment).filter(oid=record.part_of_oid).exists():
            place = OURS
        typed = Typed.from_record(record, stands_for=stands_for, place=place)
        return typed.having(destination_none="on" if record.destination_known and not record.destination_id else "")

    def with_suggested_oid(self, typed: Typed) -> tuple[Typed, str]:
        """The same with the next OID below the parent that was chosen, and what is to be said of it."""
        parent = self.parent_of(typed)
        if typed.fields["place"] == GATEWAY or parent in gateway.gateways(self.environment):
            return self._with_base_oid(typed)
        if not parent:
            return typed, "Choose first what this record is part of; then the next OID below it can be found."
        try:
            oid = organizations.suggest_oid(self.environment, parent).text
        except OidError as fault:
            return typed, str(fault)
        sentence = f"{oid} is the lowest OID below {parent} that is free here. Redox issues OIDs (Redox dashboard, your"
        return typed.having(oid=oid), f"{sentence} organization): use it only if Redox agreed to your own numbering."

    def _with_base_oid(self, typed: Typed) -> tuple[Typed, str]:
        base = next(iter(gateway.environment(self.environment).base_oids), "")
        if not base or base in gateway.gateways(self.environment) or self._oid_fault(base):
            return typed, "Redox issues the OID of a top-level record: see the Redox dashboard, your organization."
        return typed.having(oid=base), f"{base} is your base OID in {self.environment.label}."

    def with_prepared_parent(self, typed: Typed) -> tuple[Typed, str]:
        """The same with the counterpart of the parent in STAGING, and the parent's name; "" if nothing is filled in.

        It may have been prepared while the form was open.
        """
        is_empty = typed.fields.get("place") == OURS and not typed.fields.get("parent", "").strip()
        parent = preparation.parent_of(source_of(self.staging)) if self.staging and is_empty else None
        if parent is None or parent.staging is None or not parent.oid:
            return typed, ""
        return typed.having(parent=parent.oid), parent.staging.name

    def parent_of(self, typed: Typed) -> str:
        """The OID of the parent that was chosen; "" when it is none."""
        text = {OURS: "parent", OTHER: "other_oid"}.get(typed.fields.get("place", ""), "")
        wanted = typed.fields.get(text, "")
        return searching.oid_in(wanted) or (choices.record_called(self.environment, wanted) if text == "parent" else "")

    def made_before(self, form: RecordForm) -> Organization | None:
        """The record of PRODUCTION that a first press of the same button made; None after a first press."""
        if self.staging is None or not (form.lacks_only_the_oid or form.is_valid()):
            return None
        by, stands_for = actor(self.request), form.stands_for
        return preparation.prepared_before(form.record(), self.staging, stands_for=stands_for, actor=by)

    def parent_notes(self, typed: Typed) -> list[str]:
        """Why the parent that a new form begins with cannot be one."""
        parent = self.parent_of(typed)
        fault = organizations.parent_faults(self.environment, "", parent) if parent else ""
        return [fault] if fault else []

    def refused(self, form: RecordForm, fault: NotDone, *, version: int | None = None) -> HttpResponse:
        """The form with what the service refused, at its field: a parent, or else the OID."""
        if isinstance(fault, Circle):
            form.main.refuse_parent(str(fault))
        else:
            form.main.add_error("oid", str(fault))
        return self.show(form, status=422, version=version)

    def show(
        self,
        form: RecordForm,
        *,
        status: int = 200,
        notes: Sequence[str] = (),
        oid_note: str = "",
        version: int | None = None,
    ) -> HttpResponse:
        """`version` is what the texts are based on, where it is no longer the one that was posted."""
        made = self.organization
        parent = self.parent_of(form.typed)
        around = self._prepared()
        context: dict[str, Any] = {
            "form": form,
            "organization": made,
            "section": "organizations",
            "switch_url": counterpart_url(made) if made else around.get("switch_url", ""),
            "path": self.path("Edit" if made else "Add organization"),
            "version": self.version if version is None else version,
            "notices": [*notes, *(editing.notices(made, user_of(self.request).pk) if made else [])],
            "fixed_oid": editing.fixed_oid_sentence(made) if made else "",
            "open_oid": editing.open_oid_sentence(made) if made else "",
            "oid_note": oid_note or around.get("oid_note", ""),
            "prepared": around.get("prepared"),
            "basis": around.get("basis", ""),
            "taken_by": self._taken_by(form),
            "parents": choices.parents(self.environment, form.typed.fields.get("parent", "")),
            "parent_place": choices.place_of(self.environment, parent),
            "destinations": choices.destinations(self.environment, parent),
            "most_rows": MOST_ROWS,
            "is_unsaved": self.is_posted,
            "address": self.address,
            "leave_url": record_url(made) if made else reverse("organizations", args=[self.environment]),
        }
        return render(self.request, "editing/form.html", context, status=status)

    def _prepared(self) -> dict[str, Any]:
        """What the page says of the record of STAGING, if there is one."""
        if self.staging is None:
            return {}
        source = source_of(self.staging)
        basis = Basis(source.record, doubt=source.doubt)
        if self.is_posted:
            basis = preparing.basis_of(self.request)
        page = prepared(source, basis.filled, shown_doubt=basis.doubt)
        return {
            "prepared": page,
            "basis": preparing.signed(self.staging, Basis(basis.filled, source.record, source.doubt)),
            "oid_note": page.oid_note,
            "switch_url": record_url(self.staging),
        }

    def path(self, here: str) -> list[tuple[str, str]]:
        """From the list of organizations down to this page."""
        path = [("Organizations", reverse("organizations", args=[self.environment]))]
        if self.organization:
            above = [*tree.path_of(self.organization), self.organization]
            path += [(each.name, record_url(each)) for each in above]
        return [*path, (here, "")]

    def _oid_fault(self, oid: str) -> str:
        if self._is_own(oid):
            return ""
        try:
            organizations.check_oid_free(oid, self.environment)
        except OidTaken as fault:
            return str(fault)
        return other_base_fault(self.environment, oid)

    def _is_own(self, oid: str) -> bool:
        """Whether this is the record's OID, or was when the form was opened: of that the page of the conflict asks."""
        made = self.organization
        if made is None or oid == made.oid:
            return made is not None
        before = organizations.base_of(made, self.version) if self.version != made.version else None
        return before is not None and oid == before.oid

    def _parent_fault(self, oid: str, part_of_oid: str) -> str:
        made = self.organization
        if made and part_of_oid == made.part_of_oid:
            return ""  # as it is saved: what became of the parent since is for the review to say
        return organizations.parent_faults(self.environment, made.oid if made else oid, part_of_oid)

    def _taken_by(self, form: RecordForm) -> Organization | None:
        if not form.checked or "oid" not in form.main.errors:
            return None
        holder = Organization.objects.in_environment(self.environment).filter(oid=form.main.values["oid"]).first()
        return None if holder == self.organization else holder
