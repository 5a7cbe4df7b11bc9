"""The page to choose between two versions of a record that two people edited at the same time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

from organizations.forms.record import RecordForm
from organizations.forms.typed import Typed
from organizations.models import Organization
from organizations.pages import Page
from organizations.pages.addresses import counterpart_url, record_url
from organizations.pages.comparison import conflict_rows
from organizations.pages.comparison.conflict_rows import ConflictRow, ConflictSide, FormVersion
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.notices import last_editor, saved_again_sentence
from organizations.services.records import organizations


class ConflictQuestion(NamedTuple):
    """One field that differs, with the side chosen so far and its error."""

    row: ConflictRow
    chosen: ConflictSide | None
    error: str


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """What was typed, what somebody else saved, and the choices between the two.

    If `before` is not known, every difference counts as ours. `is_overtaken`: the record was saved again after the
    choices were shown.
    """

    organization: Organization
    before: FormVersion
    theirs: FormVersion
    mine: FormVersion
    choices: Mapping[str, ConflictSide]
    is_overtaken: bool

    @classmethod
    def of(
        cls, editing: Editing, form: RecordForm, organization: Organization, posted: Mapping[str, str], seen: int
    ) -> Self:
        """`posted` holds the choices that were made while version `seen` of the record was shown."""
        theirs = FormVersion(organization.record(), organization.stands_for)
        mine = FormVersion(form.record(), form.stands_for)
        before = _version_at(organization, editing.version) or theirs
        chosen = {
            name.removeprefix("choice-"): ConflictSide(side)
            for name, side in posted.items()
            if name.startswith("choice-") and side in ConflictSide.__members__.values()
        }
        is_newest = seen == organization.version
        if chosen and not is_newest:
            then = _version_at(organization, seen)
            rows_then = conflict_rows.conflict_rows(before, then, mine) if then else ()
            # A choice is dropped if either value has changed since.
            unchanged = [row.key for row in conflict_rows.conflict_rows(before, theirs, mine) if row in rows_then]
            chosen = {key: chosen[key] for key in unchanged if key in chosen}
        return cls(organization, before, theirs, mine, chosen, "theirs" in posted and not is_newest)

    @property
    def rows(self) -> tuple[ConflictRow, ...]:
        return conflict_rows.conflict_rows(self.before, self.theirs, self.mine)

    @property
    def missing(self) -> set[str]:
        """The keys of the fields for which no side is chosen."""
        return {row.key for row in self.rows} - set(self.choices)

    def merged(self) -> FormVersion:
        """The record that results from the choices."""
        return conflict_rows.merge_versions(self.before, self.theirs, self.mine, self.choices)


def merged_texts(editing: Editing, form: RecordForm, conflict: VersionConflict) -> Typed:
    """The texts of the record that results from the choices. Only `form` says how the destination ID is known."""
    return editing.texts_of(*conflict.merged()).having(destination_source=form.destination_source)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictPage(Page):
    """Each field that differs, to choose a side. The page also posts what was typed, so that one can go back."""

    template = "editing/conflict.html"

    organization: Organization
    who: str
    note: str
    rows: list[ConflictQuestion]
    errors: list[tuple[str, str]]
    equal: list[str]
    typed: Mapping[str, str]
    version: int
    edit_url: str
    path: list[tuple[str, str]]
    switch_url: str


def build(
    editing: Editing, form: RecordForm, conflict: VersionConflict, *, missing: Collection[str] = (), note: str = ""
) -> ConflictPage:
    """The page; `missing` are the keys of the fields that need a choice."""
    organization = conflict.organization
    if conflict.is_overtaken:
        note = note or saved_again_sentence(organization)
    rows = [_question(row, conflict.choices, is_missing=row.key in missing) for row in conflict.rows]
    return ConflictPage(
        organization=organization,
        who=last_editor(organization),
        note=note,
        rows=rows,
        errors=[(f"id_choice-{each.row.key}", each.error) for each in rows if each.error],
        equal=conflict_rows.equal_labels(conflict.theirs, conflict.mine),
        typed=form.typed.as_post(),
        version=editing.version,
        edit_url=record_url(organization, "edit"),
        path=editing.path("Conflict"),
        switch_url=counterpart_url(organization),
    )


def _question(row: ConflictRow, choices: Mapping[str, ConflictSide], *, is_missing: bool) -> ConflictQuestion:
    error = f"Choose a value for {row.spoken}." if is_missing else ""
    return ConflictQuestion(row, choices.get(row.key, row.chosen), error)


def _version_at(organization: Organization, version: int) -> FormVersion | None:
    record = organizations.record_at(organization, version)
    return FormVersion(record, organizations.stands_for_at(organization, version)) if record else None
