"""The hits of the search box: records by an exact OID, and records that contain all words."""

from typing import NamedTuple

from organizations.models import Environment, Organization
from organizations.queries import record_rows, record_tree
from organizations.queries.capped import MOST_FOUND
from organizations.services import search_index, search_text

MOST_HITS = 25
"""How many hits of each environment are shown."""
MOST_TOTAL = MOST_FOUND
"""How many hits of each environment are counted, and listed by the page of all hits."""


class SearchHits(NamedTuple):
    """The first hits in one environment, and the names above each hit by its OID, the top first.

    `total` counts all hits, as `count_up_to` counts. `misses_records`: there may be more, because not all records were
    searched.
    """

    organizations: list[Organization]
    total: int
    paths: dict[str, list[str]]
    misses_records: bool


def records_with_oid(text: str, first: Environment) -> list[Organization]:
    """The records with exactly this OID; the one of the environment `first` comes first."""
    oid = search_text.oid_in(text)
    if not oid:
        return []
    records = Organization.objects.filter(oid=oid).only("environment", "oid", "name")
    return sorted(records, key=lambda record: record.environment != first)


def records_with_words(environment: Environment, text: str) -> SearchHits:
    """The records that contain each word of the text."""
    search = search_index.search_records(environment, text)
    # One query finds the hits and their number: a count would search again.
    ids = list(search.records.order_by("oid_key").values_list("pk", flat=True)[: MOST_TOTAL + 1])
    organizations = record_rows.organizations_of(ids[:MOST_HITS], search_text.query_words(text))
    paths = record_tree.paths_above(environment, [each.oid for each in organizations])
    return SearchHits(organizations, len(ids), paths, search.is_partial and len(ids) <= MOST_TOTAL)
