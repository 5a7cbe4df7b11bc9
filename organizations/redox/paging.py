"""The pages of a search: where the next page begins, and when the search ends.

Pure. A directory may repeat or skip organizations between two pages, give a wrong total, or repeat a page. So the end
of a search never proves that an OID is absent; only a Query for this OID can.
"""

import re
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self

FIRST_LIMIT = 100
"""How many organizations a page asks for. It is halved if the answer is too large to be read."""
MOST_PAGES = 5_000
"""The most pages of one search, for a directory that never ends."""

_FINGERPRINT = re.compile(r"(?:[0-9a-f]{64})?")
_LARGEST = 10**8


class End(StrEnum):
    """Why a search ends."""

    SHORT_PAGE = "short_page"
    EMPTY_PAGE = "empty_page"
    REPEATED_PAGE = "repeated_page"
    MOST_PAGES = "most_pages"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the next page begins, and how many organizations to ask for.

    `pages` and `received` count the pages and organizations before it; `fingerprint` is that of the last page.
    """

    index: int = 0
    limit: int = FIRST_LIMIT
    pages: int = 0
    received: int = 0
    fingerprint: str = ""

    def __post_init__(self) -> None:
        counts = (self.index, self.limit, self.pages, self.received)
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError("a position counts from 0")
        if not 1 <= self.limit <= FIRST_LIMIT:
            raise ValueError(f"a page has 1 to {FIRST_LIMIT} organizations")
        if not isinstance(self.fingerprint, str) or not _FINGERPRINT.fullmatch(self.fingerprint):
            raise ValueError("the fingerprint is not a SHA-256")

    def to_json(self) -> dict[str, Any]:
        """The position as a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The position from which `to_json` made `data`. Raises ValueError for anything else."""
        if not isinstance(data, dict) or data.keys() != asdict(cls()).keys():
            raise ValueError("this is not a position")
        position = cls(**data)
        if max(position.index, position.pages, position.received) > _LARGEST:
            raise ValueError("no search reaches this position")
        return position


class Step(NamedTuple):
    """The step after an answer: the next position, and why the search ends, or None if it continues there.

    `is_whole`: by its own answers, the directory has shown everything.
    """

    position: Position
    end: End | None = None
    is_whole: bool = False


def after_page(
    position: Position,
    *,
    received: int,
    distinct: int,
    total: int | None,
    fingerprint: str,
    most_pages: int = MOST_PAGES,
    trusts_short_page: bool = True,
) -> Step:
    """The step after a page with `received` organizations. `total` is Paging.Count, if the page has one.

    The next page begins after the `distinct` ones. Redox does not say whether Index counts an organization that a page
    repeats, so the search may read some again, but skips none.

    A page with fewer organizations than its limit is the last one, unless the total is larger than the number received.

    Redox documents no largest Limit, so a directory may use a smaller one than `position` has. Without
    `trusts_short_page`, only an empty page is the last one, or a short one whose total counts more than this page.
    """
    following = replace(
        position,
        index=position.index + distinct,
        pages=position.pages + 1,
        received=position.received + received,
        fingerprint=fingerprint,
    )
    is_total_reached = total is None or total <= following.index
    if received == 0:
        return Step(following, End.EMPTY_PAGE, is_whole=is_total_reached)
    if fingerprint == position.fingerprint:
        return Step(following, End.REPEATED_PAGE)
    is_end_shown = trusts_short_page or (total is not None and total > received)
    if received < position.limit and is_total_reached and is_end_shown:
        return Step(following, End.SHORT_PAGE, is_whole=True)
    return Step(following, End.MOST_PAGES if following.pages >= most_pages else None)


def after_cut_off(position: Position) -> Step:
    """The step after an answer that was too large to be read: the same page with half as many organizations."""
    if position.limit == 1:
        return Step(position, End.UNREADABLE)
    return Step(replace(position, limit=position.limit // 2))


def after_unreadable(position: Position) -> Step:
    """The step after an answer that cannot be read as a page: the search ends at the same position."""
    return Step(position, End.UNREADABLE)
