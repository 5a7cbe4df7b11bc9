"""Counts with a limit, so that a page does not read a whole table to say how many rows it has."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import IntegerField, QuerySet, Subquery

MOST_COUNTED = 10_000
"""How many rows a list counts, and shows on its pages. If there are more, it says so."""
MOST_FOUND = 2_000
"""The same for the hits of a search. Each is compared with the words, and few people open forty pages."""


def count_up_to(rows: QuerySet[Any, Any], most: int = MOST_COUNTED) -> int:
    """How many rows there are; `most + 1` means more than `most`. The database stops reading there."""
    return rows.order_by()[: most + 1].count()


class CountUpTo(Subquery):
    """The number of rows of a queryset, as `count_up_to` counts, for `annotate()`."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
    most = MOST_COUNTED

    def __init__(self, rows: QuerySet[Any, Any], most: int | None = None) -> None:
        super().__init__(rows.order_by().values("pk")[: (self.most if most is None else most) + 1])


def counted_rows(page: Page[int]) -> int:
    """How many rows the pages of a list have together, as `count_up_to` counts."""
    return page.paginator.counted if isinstance(page.paginator, CappedPaginator) else page.paginator.count


def misses_rows(page: Page[int]) -> bool:
    """Whether there may be more rows than the page counts, because a search did not read all."""
    paginator = page.paginator
    return isinstance(paginator, CappedPaginator) and paginator.of_part and not paginator.is_capped


class CappedPaginator(Paginator):
    """Pages of the first `most` ids. `counted` is the number of all, as `count_up_to` counts.

    `of_part`: the ids come from a part of the rows, because a search did not read all.
    """

    def __init__(
        self, ids: QuerySet[Any, int] | Sequence[int], size: int, *, most: int = MOST_COUNTED, of_part: bool = False
    ) -> None:
        super().__init__(ids, size)
        self.most = most
        self.of_part = of_part

    @cached_property
    def counted(self) -> int:
        ids = self.object_list
        return count_up_to(ids, self.most) if isinstance(ids, QuerySet) else min(len(ids), self.most + 1)

    @cached_property
    def count(self) -> int:
        return min(self.counted, self.most)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than these pages show."""
        return self.counted > self.most
