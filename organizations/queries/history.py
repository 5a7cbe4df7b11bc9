"""Entries of the history: those that match, their number, and the neighbours of one entry."""

from django.db.models import QuerySet

from organizations.models import AuditEntry, AuditHead
from organizations.queries import audit_filters
from organizations.queries.audit_filters import AuditFilters


def last_sequence() -> int:
    """The number of the newest entry. Numbers have no gap, so this is also how many entries there are."""
    return AuditHead.objects.get(pk=1).sequence


def newest_sequences(entries: QuerySet[AuditEntry], environment: str, before: int | None, most: int) -> list[int]:
    """The numbers of the newest of these entries, at most `most`.

    If they are given, only entries of `environment` and entries before the entry `before`.
    """
    if environment:
        entries = entries.filter(environment=environment)
    if before is not None:
        entries = entries.filter(sequence__lt=before)
    return list(entries.order_by("-sequence").values_list("sequence", flat=True)[:most])


def count_up_to(filters: AuditFilters, most: int) -> int:
    """How many entries match; the database stops counting at `most`."""
    return audit_filters.matching(filters).order_by()[:most].count()


def entries_of(sequences: list[int]) -> list[AuditEntry]:
    """These entries, the newest first, without their raw bytes."""
    entries = AuditEntry.objects.filter(sequence__in=sequences)
    return list(entries.order_by("-sequence").defer("raw", "search_text"))


def entries_to_export(filters: AuditFilters, last: int) -> QuerySet[AuditEntry]:
    """The entries that match up to this one, the oldest first, without their raw bytes."""
    return audit_filters.matching(filters, last).order_by("sequence").defer("raw", "search_text")


def neighbours(sequence: int) -> tuple[int | None, int | None]:
    """The numbers of the entries before and after this one, if they exist."""
    numbers = (sequence - 1, sequence + 1)
    existing = set(AuditEntry.objects.filter(sequence__in=numbers).values_list("sequence", flat=True))
    before, after = (number if number in existing else None for number in numbers)
    return before, after
