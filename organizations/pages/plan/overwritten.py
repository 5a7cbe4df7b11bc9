"""The values of the directory that a plan overwrites, to tick one by one below the name of their record."""

from collections.abc import Collection
from typing import NamedTuple

from django.urls import reverse

from organizations.models import Organization
from organizations.pages.review.message import TICK_OVERWRITE
from organizations.queries import parents
from organizations.records import spoken
from organizations.services.directory import differences
from organizations.services.review.plan_draft import Draft
from organizations.text.markup import plain


class OverwrittenValue(NamedTuple):
    """One value that the directory shows, what is sent instead, and the box to tick."""

    key: str
    label: str
    directory: str
    sent: str
    ticked: bool
    error: str


class OverwrittenRecord(NamedTuple):
    """A record with its overwritten values, and the page where they can be kept instead."""

    organization: Organization
    values: tuple[OverwrittenValue, ...]
    step: str
    url: str

    @property
    def box_errors(self) -> list[tuple[str, str]]:
        """(id, error) of each box that must still be ticked."""
        return [
            (f"id_tick-{value.key}", f"{plain(self.organization.name)}, {value.label}: {value.error}")
            for value in self.values
            if value.error
        ]


def overwritten_records(
    draft: Draft, ticked: Collection[str], missing: Collection[str]
) -> tuple[OverwrittenRecord, ...]:
    """One group for each record of which something is overwritten, in the order of sending, in at most one query."""
    found = [
        (question.records[0], question.key, question.overwritten)
        for question in draft.questions
        if question.overwritten is not None
    ]
    named = parents.named(draft.environment, [difference for _, _, difference in found])
    below: dict[int, tuple[Organization, list[OverwrittenValue]]] = {}
    for (organization, key, _), shown in zip(found, named, strict=True):
        error = TICK_OVERWRITE if key in missing else ""
        value = OverwrittenValue(key, spoken(shown.label), shown.before, shown.after, key in ticked, error)
        below.setdefault(organization.pk, (organization, []))[1].append(value)
    return tuple(OverwrittenRecord(each, tuple(values), *_way_out(each)) for each, values in below.values())


def _way_out(organization: Organization) -> tuple[str, str]:
    """Where the directory's values can be kept. By an edit where they cannot be taken."""
    place = [organization.environment, organization.oid]
    if differences.why_not_take(organization):
        return "Edit", reverse("edit", args=place)
    return "Take theirs", reverse("differences", args=place)
