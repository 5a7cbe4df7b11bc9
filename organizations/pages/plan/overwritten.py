"""The directory's values that a plan overwrites, each with a box, by record."""

from collections.abc import Collection
from typing import NamedTuple

from organizations.models import Organization
from organizations.pages import parent_names
from organizations.pages.addresses import record_url
from organizations.pages.review.message import TICK_OVERWRITE
from organizations.records import label_in_sentence
from organizations.services.directory import differences
from organizations.services.review.plan_draft import PlanDraft
from organizations.text.markup import plain


class OverwrittenValue(NamedTuple):
    """One value of the directory, what is sent instead, and its box."""

    key: str
    label: str
    directory: str
    sent: str
    ticked: bool
    error: str


class OverwrittenRecord(NamedTuple):
    """A record with its overwritten values, and a link to the page where they can be kept."""

    organization: Organization
    values: tuple[OverwrittenValue, ...]
    step: str
    url: str

    @property
    def box_errors(self) -> list[tuple[str, str]]:
        """The id and error of each box that must still be ticked."""
        return [
            (f"id_tick-{value.key}", f"{plain(self.organization.name)}, {value.label}: {value.error}")
            for value in self.values
            if value.error
        ]


def overwritten_records(
    draft: PlanDraft, ticked: Collection[str], missing: Collection[str]
) -> tuple[OverwrittenRecord, ...]:
    """Each record with overwritten values, in the order of sending; at most one query."""
    overwrites = [
        (question.records[0], question.key, question.overwritten)
        for question in draft.questions
        if question.overwritten is not None
    ]
    named = parent_names.with_parent_names(draft.environment, [difference for _, _, difference in overwrites])
    by_record: dict[int, tuple[Organization, list[OverwrittenValue]]] = {}
    for (organization, key, _), change in zip(overwrites, named, strict=True):
        error = TICK_OVERWRITE if key in missing else ""
        label = label_in_sentence(change.label)
        value = OverwrittenValue(key, label, change.before, change.after, key in ticked, error)
        by_record.setdefault(organization.pk, (organization, []))[1].append(value)
    return tuple(OverwrittenRecord(each, tuple(values), *_way_out(each)) for each, values in by_record.values())


def _way_out(organization: Organization) -> tuple[str, str]:
    """The label and address of the page where the directory's values can be kept: the form if they cannot be taken."""
    if differences.take_block_reason(organization):
        return "Edit", record_url(organization, "edit")
    return "Take the directory’s value", record_url(organization, "differences")
