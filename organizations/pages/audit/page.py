"""The pages of the history and of one entry."""

from collections.abc import Mapping
from dataclasses import dataclass

from organizations.models import AuditEntry, User
from organizations.pages import Page
from organizations.pages.audit import entry_facts, filter_words, history_page
from organizations.pages.audit import export as audit_export
from organizations.pages.audit.entry_facts import EntryFacts
from organizations.pages.audit.history_page import HistoryPage
from organizations.permissions import Right, block_reason
from organizations.queries.audit_filters import AuditFilters, FilterProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage(Page):
    """`problems` are (field, sentence) of filters that cannot be read, `exports` (format, filters as an address)."""

    template = "audit/page.html"

    audit: HistoryPage
    problems: list[tuple[str, str]]
    exports: list[tuple[str, str]]
    export_block_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage(Page):
    template = "audit/entry.html"

    audit: EntryFacts


def build(user: User, filters: AuditFilters, problems: Mapping[str, FilterProblem], *, before: int | None) -> AuditPage:
    """The entries before this one, or the newest."""
    errors = {name: filter_words.problem_text(problem) for name, problem in problems.items()}
    return AuditPage(
        audit=history_page.build(filters, errors, before),
        # Links name a submission; the form has no field for it that could take the focus.
        problems=[("" if name == "submission" else name, error) for name, error in errors.items()],
        exports=[(form.upper(), filters.address(format=form)) for form in audit_export.FORMATS],
        export_block_reason=block_reason(user, Right.EXPORT),
    )


def build_entry(entry: AuditEntry) -> EntryPage:
    return EntryPage(audit=entry_facts.build(entry))
