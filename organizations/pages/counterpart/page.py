"""The page of a counterpart: choose a record, compare the two, link them, or remove the link."""

from dataclasses import dataclass

from organizations.forms.counterpart import CounterpartForm
from organizations.models import Environment, Organization, User
from organizations.pages import Page, counterpart_box, record_choices
from organizations.pages.addresses import path_to, record_url
from organizations.pages.counterpart_box import CounterpartFact
from organizations.permissions import Right, block_reason
from organizations.queries import choices
from organizations.queries.record_context import record_at
from organizations.services.records import counterparts


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterpartPage(Page):
    """`linked` is the counterpart; `other` is the counterpart or a record chosen for comparison.

    `block_reason` is why the two cannot be linked; `problem` is why the last action did nothing.
    """

    template = "counterpart/page.html"

    organization: Organization
    path: list[tuple[str, str]]
    form: CounterpartForm
    linked: Organization | None
    other: Organization | None
    sides: list[CounterpartFact]
    block_reason: str
    prepare_url: str
    edit_block_reason: str
    problem: str
    switch_url: str


def build(
    organization: Organization,
    user: User,
    named: str | None = None,
    other: Organization | None = None,
    *,
    problem: str = "",
) -> CounterpartPage:
    """`named` is the typed name or OID of a record to compare with; `other` is a record that was already chosen."""
    environment = Environment(organization.environment)
    form = _form(environment.other, named)
    linked = organization.counterpart
    if linked is None and other is None and form.is_bound and form.is_valid():
        other = record_at(environment.other, form.oid)
    counterpart = linked or other
    return CounterpartPage(
        organization=organization,
        path=path_to(organization, environment.other.label),
        form=form,
        linked=linked,
        other=counterpart,
        sides=counterpart_box.counterpart_facts(organization, counterpart) if counterpart else [],
        block_reason=_link_block_reason(organization, counterpart) if counterpart and not linked else "",
        prepare_url="" if linked else counterpart_box.prepare_url(organization),
        edit_block_reason=block_reason(user, Right.EDIT, environment),
        problem=problem,
        switch_url=record_url(linked) if linked else "",
    )


def _link_block_reason(here: Organization, there: Organization) -> str:
    in_staging = here.environment == Environment.STAGING
    return counterparts.link_block_reason(here, there) if in_staging else counterparts.link_block_reason(there, here)


def _form(other: Environment, named: str | None) -> CounterpartForm:
    """The form, bound if somebody named a record."""
    data = None if named is None else {"counterpart": named}
    form = CounterpartForm(data, environment_name=other.label, oid_named=lambda typed: choices.oid_named(other, typed))
    form.fields["counterpart"].widget.attrs |= record_choices.suggestion_attributes(other)
    return form
