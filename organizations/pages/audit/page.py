"""The history: a page of it, and one entry."""

from dataclasses import dataclass

from organizations.models import AuditEntry, User
from organizations.pages import Page
from organizations.pages.audit import csv_export, history_page
from organizations.permissions import Right, why_not
from organizations.queries.audit_filters import Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage(Page):
    """`problems` are (field, sentence) of filters that cannot be meant, `exports` (format, filters as an address)."""

    template = "audit/page.html"

    audit: history_page.Page
    problems: list[tuple[str, str]]
    exports: list[tuple[str, str]]
    why_not_export: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage(Page):
    """One entry with everything that is stored of it."""

    template = "audit/entry.html"

    audit: history_page.Entry


def build(user: User, filters: Filters, faults: dict[str, str], *, before: int | None) -> AuditPage:
    """The entries before that sequence, or the newest."""
    return AuditPage(
        audit=history_page.page(filters, faults, before),
        # A submission is named by a link, not in a field of the form that could take the focus.
        problems=[("" if name == "submission" else name, fault) for name, fault in faults.items()],
        exports=[(form.upper(), filters.address(format=form)) for form in csv_export.FORMATS],
        why_not_export=why_not(user, Right.EXPORT),
    )


def build_entry(entry: AuditEntry) -> EntryPage:
    return EntryPage(audit=history_page.entry(entry))
