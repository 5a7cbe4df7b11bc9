"""The results of a search in groups, and whether all, some, none, or no answer came."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from organizations.models import Environment
from organizations.pages.addresses import record_url
from organizations.pages.directory.earlier_results import MOST_ROWS, MOST_UNREADABLE, EarlierResults, HitRow
from organizations.pages.submission.state import cause_of
from organizations.queries import parents
from organizations.services.directory.page_query import MAY_MISS_SOME
from organizations.services.directory.search import Compared, Completeness, End, Hit, Ownership, SearchPage
from organizations.text.vocabulary import count, name_some

LONGEST_NAME = 200
MOST_LABELS = 3

OURS, HERE, NOT_OURS = "ours", "here", "not_ours"
GROUPS: Mapping[str, str] = {
    OURS: "Ours, not in the portal",
    HERE: "In the portal",
    NOT_OURS: "Not ours",
}
"""The groups of the results, in their order, with their headings."""

_COMPARED: Mapping[Compared, str] = {
    Compared.AS_ACCEPTED: "the same",
    Compared.AS_SHOWN: "the same as the last Query showed",
    Compared.AS_SENT: "as its open submission sends it",
    Compared.FOREIGN: "in the portal; a person decided that the OID belongs to another organization",
    Compared.NOT_KNOWN: "in the portal; nothing was accepted or shown yet",
}
MAY_HIDE_DEACTIVATED = (
    "Redox does not say whether a search also finds deactivated organizations. Search again with Active set to “no”."
)
THREE_QUERIES = (
    "The directory answered and shows no organization with this OID: without Active, with Active = true, and with"
    " Active = false."
)
ONLY_AN_OID = "Only a search for an OID tells whether the directory has this OID."


class Group(NamedTuple):
    """Rows of one kind. `key` is a key of `GROUPS`."""

    key: str
    heading: str
    rows: tuple[HitRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResults:
    """`headline` and `sentences` say how much came. `unreadable` names the organizations that cannot be read.

    `has_repeated`: the directory showed an organization more than once, so its pages may have skipped others.
    `go_on` is the text that a page posts to continue the search, or "" if it cannot be continued.
    """

    completeness: Completeness
    has_repeated: bool
    headline: str
    sentences: tuple[str, ...]
    unreadable_words: str
    unreadable: tuple[str, ...]
    groups: tuple[Group, ...]
    go_on: str

    @property
    def is_broken_off(self) -> bool:
        """Whether there may be more than what is shown."""
        return self.has_repeated or self.completeness in (Completeness.NO_ANSWER, Completeness.PARTIAL)

    @property
    def total(self) -> int:
        return sum(len(group.rows) for group in self.groups)

    @property
    def can_choose(self) -> bool:
        """Whether an organization among the results can be taken over."""
        return any(row.group == OURS for group in self.groups for row in group.rows)


def results_of(environment: Environment, page: SearchPage, before: EarlierResults) -> SearchResults:
    """Everything that a search has shown: the earlier pages, and this one."""
    rows = (*before.rows, *_rows(environment, page))
    earlier = EarlierResults(
        typed=before.typed,
        position=page.position,
        rows=rows,
        unreadable=(*before.unreadable, *(each.sentence for each in page.unreadable))[:MOST_UNREADABLE],
        unreadable_count=before.unreadable_count + len(page.unreadable),
        doubled=before.doubled + page.doubled,
    )
    can_go_on = page.can_continue and page.completeness == Completeness.PARTIAL and len(rows) < MOST_ROWS
    headline, sentences = _words(page, earlier)
    if earlier.doubled:
        sentences = (*sentences, f"Left out: {count(earlier.doubled, 'repeated organization')}.")
    if page.can_continue and len(rows) >= MOST_ROWS:
        sentences = (*sentences, "This page cannot show more. Narrow the search.")
    return SearchResults(
        completeness=page.completeness,
        has_repeated=earlier.doubled > 0,
        headline=headline,
        sentences=sentences,
        unreadable_words=f"{count(earlier.unreadable_count, 'organization')} cannot be read",
        unreadable=earlier.unreadable,
        groups=tuple(_groups(rows)),
        go_on=earlier.signed_text(environment) if can_go_on else "",
    )


def _words(page: SearchPage, results: EarlierResults) -> tuple[str, tuple[str, ...]]:
    """Headline and sentences. `results`: everything that came, with this page."""
    took = f"The answer took {_seconds(page.seconds)}."
    match page.completeness:
        case Completeness.NO_ANSWER:
            headline = "No usable answer." if page.is_answered else "No answer."
            return headline, (_sentence(page.cause), "So it is not known what the directory has.")
        case Completeness.NOTHING:
            is_oid_alone = page.filters.is_oid_alone
            hidden = (MAY_HIDE_DEACTIVATED,) if page.filters.active is None and not is_oid_alone else ()
            other = () if page.filters.oid else (ONLY_AN_OID,)
            return "No organization matches.", (
                THREE_QUERIES if is_oid_alone else "The directory answered and shows no organization.",
                *hidden,
                *other,
                took,
            )
        case Completeness.WHOLE:
            nothing_read = not results.rows and results.unreadable_count
            shown = "No organization that can be read" if nothing_read else count(len(results.rows), "organization")
            return f"{shown}.", (MAY_MISS_SOME if results.doubled else "The directory shows no more.", took)
    return _partial_words(page, len(results.rows), took)


def _partial_words(page: SearchPage, shown: int, took: str) -> tuple[str, tuple[str, ...]]:
    counts = page.total if page.total is not None and page.total > page.position.received else 0
    headline = f"{shown:,} of about {counts:,}." if counts else f"{shown:,} so far."
    if page.cause:
        answer = "no usable answer" if page.is_answered else "no answer"
        return headline, (f"Then {answer} came: {cause_of(page.cause)}.", "The page shows what came before.")
    if page.end == End.REPEATED_PAGE:
        repeated = "The directory showed the same page again, so the others cannot be read. Narrow the search."
        return headline, (repeated,)
    if page.end == End.EMPTY_PAGE:
        return headline, ("The directory counts more organizations than it shows.", took)
    return headline, ("There may be more.", took)


def _sentence(cause: str) -> str:
    text = cause_of(cause)
    return f"{text[:1].upper()}{text[1:]}."


def _seconds(seconds: float) -> str:
    return "less than a second" if seconds < 1 else count(round(seconds), "second")


def _groups(rows: Iterable[HitRow]) -> Iterable[Group]:
    by_key: dict[str, list[HitRow]] = {key: [] for key in GROUPS}
    for row in rows:
        by_key[row.group].append(row)
    return (Group(key, GROUPS[key], tuple(each)) for key, each in by_key.items() if each)


def _rows(environment: Environment, page: SearchPage) -> Iterable[HitRow]:
    names = {hit.record.oid: hit.record.name for hit in page.hits}
    names |= parents.names(environment, {hit.record.part_of_oid for hit in page.hits})
    return [_row(hit, names, page.asked_at.isoformat()) for hit in page.hits]


def _row(hit: Hit, names: Mapping[str, str], asked_at: str) -> HitRow:
    group = HERE if hit.organization is not None else OURS if hit.ownership.is_ours else NOT_OURS
    said, more, icon, tone = _said(hit)
    return HitRow(
        group=group,
        name=hit.record.name[:LONGEST_NAME],
        oid=hit.record.oid,
        listed_oid=hit.listed_oid,
        active=hit.record.active,
        part_of_oid=hit.record.part_of_oid[:LONGEST_NAME],
        part_of=names.get(hit.record.part_of_oid, "")[:LONGEST_NAME],
        url=record_url(hit.organization) if hit.organization is not None else "",
        said=said,
        more=more,
        icon=icon,
        tone=tone,
        compared_at=asked_at if hit.compared in (Compared.AS_ACCEPTED, Compared.AS_SHOWN, Compared.DIFFERS) else "",
    )


def _said(hit: Hit) -> tuple[str, str, str, str]:
    """What the page says in the column "In the portal", what follows, and an icon and a tone if it needs attention."""
    if hit.compared == Compared.DIFFERS:
        labels = name_some(hit.differing, MOST_LABELS, "other")
        fields = "field differs" if len(hit.differing) == 1 else "fields differ"
        return f"{len(hit.differing)} {fields}", f": {labels}", "differs", "is-unsure"
    if hit.compared is not None:
        return _COMPARED[hit.compared], "", "", ""
    if not hit.ownership.is_ours:
        return "not ours", "", "", ""
    part = ", part of your records" if hit.ownership == Ownership.PART_OF_OURS else ""
    return "Not in the portal", part, "plus", "is-ink"
