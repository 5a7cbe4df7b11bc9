"""Which records of the list are chosen: those that the address names, or all on the page with unsent changes."""

from collections.abc import Iterable
from typing import NamedTuple

from django.http import QueryDict

from organizations.models import Organization
from organizations.posted_numbers import read_numbers

UNSENT = "changes_not_sent"


class TickedRecords(NamedTuple):
    """The records that an address ticks: these ids, or with `all_unsent` all on the page with unsent changes."""

    ids: frozenset[int] = frozenset()
    all_unsent: bool = False


def read(params: QueryDict) -> TickedRecords:
    return TickedRecords(frozenset(ids_in(params)), params.get("choose") == "unsent")


def ids_in(params: QueryDict) -> tuple[int, ...]:
    """The ids that an address names. One value can hold several, such as "1.2.3"; other texts are left out."""
    return read_numbers(text for value in params.getlist("record") for text in value.split("."))


def existing(environment: str, ids: Iterable[int]) -> tuple[int, ...]:
    """The ids among these that belong to a record of this environment, in the order of their OIDs."""
    id_list = list(ids)
    if not id_list:
        return ()
    records = Organization.objects.in_environment(environment).filter(pk__in=id_list)
    return tuple(records.order_by("oid_key").values_list("pk", flat=True))
