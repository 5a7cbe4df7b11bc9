"""Which records of the list are chosen: those that the address names, and if it says so all with unsent changes."""

from collections.abc import Iterable
from typing import NamedTuple

from django.http import QueryDict

from organizations.models import Organization
from organizations.numbers import read_numbers
from organizations.pages.organizations.rows import RecordRow, work_key

UNSENT = "changes_not_sent"


class Ticks(NamedTuple):
    """What an address ticks: the records with these ids, and if it says so all on its page that have unsent changes."""

    ids: frozenset[int] = frozenset()
    all_unsent: bool = False


def read(params: QueryDict) -> Ticks:
    """The ticks that an address sets."""
    return Ticks(frozenset(ids_in(params)), params.get("choose") == "unsent")


def ids_in(params: QueryDict) -> tuple[int, ...]:
    """The ids that an address names, several in one value as "1.2.3"; what is not a number is not an id."""
    return read_numbers(text for value in params.getlist("record") for text in value.split("."))


def tick(rows: Iterable[RecordRow], ticks: Ticks) -> None:
    """Mark the rows that are chosen."""
    for row in rows:
        is_unsent = not row.is_ancestor_only and work_key(row.organization) == UNSENT
        row.is_chosen = row.organization.pk in ticks.ids or (ticks.all_unsent and is_unsent)


def elsewhere(environment: str, rows: Iterable[RecordRow], ticks: Ticks) -> tuple[int, ...]:
    """The ids of the chosen records that have no row on the page. One query if there may be any."""
    missing = ticks.ids - {row.organization.pk for row in rows}
    if not missing:
        return ()
    found = Organization.objects.in_environment(environment).filter(pk__in=missing)
    return tuple(found.order_by("oid_key").values_list("pk", flat=True))
