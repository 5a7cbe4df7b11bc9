"""Searches the directory for organizations with the name or address of a record. Redox may reject duplicates."""

import datetime
from dataclasses import replace
from typing import NamedTuple

from organizations.countries import is_american
from organizations.folding import name_key
from organizations.models import Organization
from organizations.records import OrganizationRecord
from organizations.redox.directory_query import SearchFilters
from organizations.services import search_text
from organizations.services.actors import Actor
from organizations.services.directory.search import search_directory

RADIUS = "1"
"""The radius around the ZIP code. Redox does not document its unit."""


class PossibleDuplicate(NamedTuple):
    """An organization in the directory, and what it shares with the record."""

    record: OrganizationRecord
    has_name: bool
    has_address: bool


class Duplicates(NamedTuple):
    """The results of the searches. `causes`: why an answer is missing. `received`: how many organizations were shown.

    `is_whole`: whether the directory showed all that it has. `asked_zip`: whether it was asked for the ZIP too.
    """

    asked_at: datetime.datetime
    found: tuple[PossibleDuplicate, ...]
    received: int
    is_whole: bool
    causes: tuple[str, ...]
    asked_zip: bool


def look_for_duplicates(organization: Organization, *, actor: Actor) -> Duplicates:
    """Search by name and by an American ZIP, one page each. Must not be called inside a transaction."""
    record = organization.record()
    filters = _filters(record)
    pages = [search_directory(organization.environment, each, actor=actor) for each in filters]
    shown = {hit.record.oid: hit.record for page in pages for hit in page.hits}
    compared = (compare(record, each) for each in shown.values())
    return Duplicates(
        asked_at=pages[0].asked_at,
        found=tuple(each for each in compared if each.has_name or each.has_address),
        received=len(shown),
        is_whole=all(page.is_whole for page in pages),
        causes=tuple(dict.fromkeys(page.cause for page in pages if page.cause)),
        asked_zip=any(each.zip_code for each in filters),
    )


def compare(record: OrganizationRecord, other: OrganizationRecord) -> PossibleDuplicate:
    """Whether two organizations have the same name or address, in any spelling."""
    name, address = name_key(record.name), _address_key(record)
    has_name = bool(name) and name == name_key(other.name)
    return PossibleDuplicate(other, has_name, bool(address) and address == _address_key(other))


def _filters(record: OrganizationRecord) -> list[SearchFilters]:
    address, by_name = record.address, SearchFilters(name=record.name)
    if not address.zip_code or not is_american(address.country):
        return [by_name]
    return [by_name, SearchFilters(zip_code=address.zip_code[:5], radius=RADIUS)]


def _address_key(record: OrganizationRecord) -> str:
    """A key that is equal for the same street and place; "" without a street."""
    return search_text.record_near_duplicate_key(replace(record, name="")) if record.address.street else ""
