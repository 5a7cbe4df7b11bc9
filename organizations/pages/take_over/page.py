"""The pages of a take-over: where it begins, and the list of what was found, from which records are made."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.paginator import Page as Slice
from django.core.paginator import Paginator
from django.utils.safestring import SafeString

from organizations.forms.problems import problems
from organizations.forms.take_over import DestinationForAllForm, DestinationForm, FindForm, OtherForm, TakeOverForm
from organizations.models import (
    Candidate,
    CandidateState,
    Environment,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
    clock,
)
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.queue_reasons import environment_reason
from organizations.pages.take_over import scan
from organizations.pages.take_over.rows import (
    CHOOSABLE,
    GROUPS,
    CandidateRow,
    GroupWords,
    RowsState,
    ValueRow,
    build_rows,
    grouped,
    values_of,
)
from organizations.pages.take_over.scan import LastScan
from organizations.permissions import Right, block_reason
from organizations.queries import take_overs
from organizations.queries.environments import gate_of
from organizations.queries.take_overs import CandidateLine
from organizations.services.connection import redox_settings
from organizations.services.directory import ownership_here
from organizations.services.directory.page_query import MAY_MISS_SOME
from organizations.services.directory.unlinked_pairs import unlinked_pairs
from organizations.text.vocabulary import count

TAKE_OVER = "take over organizations"
ENTER_BASE = "enter the base OID"
CALL_OURS = "take over an organization that is not below the base OID"
ROWS = 25
MOST_REMARKS = 50
_REMARKS_HEADINGS: Mapping[str, str] = {
    TakeOverKind.SCAN: "Left out",
    TakeOverKind.MESSAGES: "Remarks on the old messages",
    TakeOverKind.OIDS: "Remarks on the list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginPage(Page):
    """The page to enter OIDs and old messages, or to begin the search through the whole directory.

    `needs_base`: no base OID is known yet.
    """

    template = "take_over/begin.html"

    form: TakeOverForm
    find_form: FindForm
    last_scan: LastScan | None
    probes_sentence: str
    base_oids: Sequence[str]
    needs_base: bool
    block_reason: str
    base_block_reason: str
    latest: list[tuple[TakeOver, str]]
    is_unsaved: bool
    notes: Collection[str]
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the worker is. `held` says why nothing is asked now. `token` changes with every step."""

    state: str
    heading: str
    sentence: str
    held: SafeString | str
    done: int
    total: int
    poll_seconds: int
    token: str


class Remarks(NamedTuple):
    """What is odd about the entered texts, or what a search left out: at most `MOST_REMARKS`, and how many more."""

    heading: str
    rows: Sequence[Mapping[str, str]]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverPage(Page):
    """`rows`: the rows of this page of the list. The first row of a group has the group's words.

    `added_url`: where the list begins with the records that were added; "" if there is none.

    `unlinked_count`: how many added records the other environment may have too, without a link.
    """

    template = "take_over/page.html"

    take_over: TakeOver
    progress: Progress
    remarks: Remarks
    rows: list[tuple[GroupWords | None, CandidateRow]]
    page: Slice
    counts: list[tuple[str, int]]
    choosable: int
    without_destination_count: int
    for_all: DestinationForAllForm
    other: Candidate | None
    other_form: OtherForm | None
    block_reason: str
    again_label: str
    can_act: bool
    has_forms: bool
    added_url: str
    unlinked_count: int
    errors: list[tuple[str, str]]
    notes: Collection[str]
    is_unsaved: bool
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What a person entered on the page before it is shown again. `fields`: the posted texts, or None if nothing was
    posted. `chosen`: the ticked OIDs of the posted page. `unticked`: the numbers of the candidates that the address
    names, which count if nothing was posted.

    `other_oid`: the organization that an approver takes over alone. `opened`: the one whose values are shown.
    """

    fields: Mapping[str, Any] | None = None
    chosen: frozenset[str] | None = None
    unticked: frozenset[int] = frozenset()
    for_all: DestinationForAllForm | None = None
    other_oid: str = ""
    other_form: OtherForm | None = None
    opened: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressFragment(Page):
    """The part of an open page that shows how far the worker is."""

    template = "take_over/_progress.html"

    take_over: TakeOver
    progress: Progress
    block_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesFragment(Page):
    """The values of one organization, for an open page."""

    template = "take_over/_values.html"

    values: list[ValueRow]


def build_values(take_over: TakeOver, oid: str) -> ValuesFragment:
    return ValuesFragment(values=values_of(take_over, oid))


def find_form(typed: Mapping[str, Any] | None = None) -> FindForm:
    return FindForm(typed, prefix="find")


def build_begin(
    environment: Environment,
    user: User,
    form: TakeOverForm,
    *,
    find: FindForm | None = None,
    notes: Collection[str] = (),
    is_unsaved: bool = False,
) -> BeginPage:
    base_oids = known_base_oids(environment)
    return BeginPage(
        form=form,
        find_form=find or find_form(),
        last_scan=scan.last_scan(environment),
        probes_sentence=scan.probes_sentence(environment, base_oids),
        base_oids=base_oids,
        needs_base=not base_oids,
        block_reason=block_reason(user, Right.EDIT, environment, TAKE_OVER),
        base_block_reason="" if base_oids else block_reason(user, Right.RESOLVE, environment, ENTER_BASE),
        latest=[(each, TakeOverState(each.state).label) for each in take_overs.latest(environment)],
        is_unsaved=is_unsaved,
        notes=notes,
        switch_url=environment_url("take-over", environment.other),
    )


def known_base_oids(environment: Environment) -> Sequence[str]:
    """The OIDs below which an organization is ours: from the settings, else those that an approver entered last."""
    return redox_settings.environment(environment).base_oids or take_overs.base_oids_of_earlier(environment)


def build(
    take_over: TakeOver, user: User, *, number: str | None, entered: Entered, notes: Collection[str] = ()
) -> TakeOverPage:
    """The list with the rows of one page."""
    environment = Environment(take_over.environment)
    lines = take_overs.lines(take_over)
    pairs = grouped(lines, ownership_here.own_oids(take_over))
    page = Paginator(pairs, ROWS).get_page(number)
    listed = _with_candidates(page)
    choosable = sum(group == CHOOSABLE for group, _ in pairs)
    is_ready = take_over.state == TakeOverState.READY
    forms = destination_forms(_not_records(listed), entered.fields) if is_ready else {}
    can_decide = is_ready and not block_reason(user, Right.RESOLVE, environment, CALL_OURS)
    state = _rows_state(entered, forms, can_decide=can_decide)
    is_other = ("others", entered.other_oid) in {(group, line.oid) for group, line in pairs}
    other = take_overs.with_values(take_over, entered.other_oid) if is_other else None
    return TakeOverPage(
        take_over=take_over,
        progress=_progress(take_over, Counter(line.state for line in lines), choosable=choosable),
        remarks=_remarks(take_over),
        rows=_with_headings(build_rows(take_over, listed, state)),
        page=page,
        counts=_counts(pairs),
        choosable=choosable,
        without_destination_count=sum(group == CHOOSABLE and not line.destination_source for group, line in pairs),
        for_all=entered.for_all or DestinationForAllForm(prefix="all", **_ids_to_refuse()),
        other=other if can_decide else None,
        other_form=(entered.other_form or OtherForm()) if other and can_decide else None,
        block_reason=block_reason(user, Right.EDIT, environment, TAKE_OVER),
        again_label=scan.again_label(take_over),
        can_act=is_ready,
        has_forms=bool(forms),
        unlinked_count=len(unlinked_pairs(take_over)) if is_ready else 0,
        added_url=_added_url(pairs),
        errors=problems(*forms.values(), *filter(None, [entered.for_all, entered.other_form])),
        notes=notes,
        is_unsaved=entered.fields is not None,
        switch_url=environment_url("take-over", environment.other),
    )


def _rows_state(entered: Entered, forms: Mapping[int, DestinationForm], *, can_decide: bool) -> RowsState:
    return RowsState(
        forms=forms,
        chosen=entered.chosen,
        unticked=entered.unticked,
        opened=entered.opened,
        can_decide=can_decide,
    )


def _with_candidates(page: Slice) -> list[tuple[str, Candidate]]:
    candidates = take_overs.candidates([line.pk for _, line in page])
    return [(group, candidates[line.pk]) for group, line in page]


def _not_records(listed: Sequence[tuple[str, Candidate]]) -> list[Candidate]:
    """Those that the directory showed and that are not records here: their destination ID can be entered."""
    return [candidate for group, candidate in listed if group in (CHOOSABLE, "others")]


def build_progress(take_over: TakeOver, user: User) -> ProgressFragment:
    return ProgressFragment(
        take_over=take_over,
        progress=_progress(take_over, take_overs.state_counts(take_over)),
        block_reason=block_reason(user, Right.EDIT, take_over.environment, TAKE_OVER),
    )


def destination_forms(
    candidates: Sequence[Candidate], typed: Mapping[str, Any] | None = None
) -> dict[int, DestinationForm]:
    """A form for the destination ID of each organization, by the id of the candidate."""
    refused = _ids_to_refuse()
    return {
        each.pk: DestinationForm(
            typed,
            prefix=f"c{each.pk}",
            initial={"destination_id": each.destination_id, "source": each.destination_source},
            **refused,
        )
        for each in candidates
    }


def for_all_form(typed: Mapping[str, Any]) -> DestinationForAllForm:
    return DestinationForAllForm(typed, prefix="all", **_ids_to_refuse())


def _ids_to_refuse() -> dict[str, Mapping[str, str]]:
    """The IDs that are not destinations of ours: Redox's routing IDs, and our source and client IDs."""
    return {
        "routing_names": redox_settings.routing_names(),
        "own_ids": redox_settings.source_and_client_ids(),
    }


def _remarks(take_over: TakeOver) -> Remarks:
    heading = _REMARKS_HEADINGS[take_over.kind]
    problems = [each for each in take_over.problems if each["sentence"] != MAY_MISS_SOME]  # part of the progress
    return Remarks(heading, problems[:MOST_REMARKS], max(len(problems) - MOST_REMARKS, 0))


def _with_headings(rows: Sequence[CandidateRow]) -> list[tuple[GroupWords | None, CandidateRow]]:
    before = ""
    headed = []
    for row in rows:
        headed.append((GROUPS[row.group] if row.group != before else None, row))
        before = row.group
    return headed


def _counts(pairs: Sequence[tuple[str, CandidateLine]]) -> list[tuple[str, int]]:
    numbers = Counter(group for group, _ in pairs)
    return [(words.heading, numbers[key]) for key, words in GROUPS.items() if numbers[key]]


def _added_url(pairs: Sequence[tuple[str, CandidateLine]]) -> str:
    place = next((place for place, (group, _) in enumerate(pairs) if group == CandidateState.TAKEN), None)
    return "" if place is None else f"?page={place // ROWS + 1}#group-{CandidateState.TAKEN}"


def _progress(take_over: TakeOver, numbers: Counter[str], *, choosable: int = 0) -> Progress:
    """`numbers`: how many OIDs have each state."""
    heading, sentence, done, total = _how_far(take_over, numbers, choosable)
    held: SafeString | str = ""
    if take_over.state == TakeOverState.ASKING:
        reason = environment_reason(gate_of(take_over.environment), clock.now())
        held = reason.sentence if reason else ""
    if take_over.end_reason:
        sentence = f"{sentence} {take_over.end_reason}"
    is_going = take_over.state != TakeOverState.READY
    return Progress(
        state=take_over.state,
        heading=heading,
        sentence=sentence,
        held=held,
        done=done,
        total=total,
        poll_seconds=2 if is_going else 0,
        token=f"{take_over.state}-{done}-{bool(held)}",
    )


def _how_far(take_over: TakeOver, numbers: Counter[str], choosable: int) -> tuple[str, str, int, int]:
    """Heading and sentence of the progress, how much is done, and of how much.

    An OID that was a record here at the beginning is never asked about, so it does not count.
    """
    total, taken = numbers.total() - numbers[CandidateState.HERE], numbers[CandidateState.TAKEN]
    asked = total - numbers[CandidateState.WAITING]
    if take_over.state == TakeOverState.TAKING:
        total = taken + numbers[CandidateState.CHOSEN]
        return "Adding records", f"{taken:,} of {count(total, 'record')} added. Nothing is sent.", taken, total
    if take_over.kind == TakeOverKind.SCAN:
        progress = scan.build_progress(take_over)
        if take_over.state == TakeOverState.ASKING or not taken:
            return progress
        sentence = f"{_can_become_records(choosable, taken)} {progress.heading}: {progress.sentence}"
        return f"{count(taken, 'record')} added", sentence, progress.done, progress.total
    if take_over.state == TakeOverState.ASKING:
        sentence = f"Asked about {asked:,} of {count(total, 'OID')}. {scan.FIRST}"
        return "Asking the directory", sentence, asked, total
    unanswered = numbers[CandidateState.UNANSWERED]
    heading = "No OID got an answer" if unanswered == total else "The directory was asked"
    if not total:
        heading = "Every OID is in the portal already"
    sentence = _can_become_records(choosable, taken)
    if unanswered:
        sentence += f" {scan.unanswered_words(unanswered, 'OID')}"
    return f"{count(taken, 'record')} added" if taken else heading, sentence, asked, total


def _can_become_records(choosable: int, taken: int) -> str:
    records = "a record" if choosable == 1 else "records"
    return f"{count(choosable, 'organization')} can {'still ' if taken else ''}become {records} here."
