"""The tabs of a record: its summary, its submissions and its history."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page as Slice
from django.core.paginator import Paginator
from django.utils import timezone

from organizations.models import Organization, Submission, User
from organizations.pages import Page, counterpart_box
from organizations.pages.addresses import counterpart_url
from organizations.pages.audit import stories
from organizations.pages.audit.stories import Stories
from organizations.pages.counterpart_box import CounterpartBox
from organizations.pages.record import summary
from organizations.pages.record.statement import STATE
from organizations.pages.record.summary import RecordHead, RecordSidebar, RecordValues
from organizations.permissions import ASK, Right, block_reason, right_to_send
from organizations.queries.record_context import submissions_of
from organizations.queries.record_entries import entries_of
from organizations.text import evidence, vocabulary

ROWS_A_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTab(Page):
    """The head of the record above each tab, and why this person cannot act on it."""

    organization: Organization
    head: RecordHead
    tab: str
    edit_block_reason: str
    send_block_reason: str
    deactivate_block_reason: str
    state_block_reason: str
    switch_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTab(RecordTab):
    """Every field as saved here, as accepted and as the directory shows it, beside children and last events."""

    template = "record/page.html"

    values: RecordValues
    around: RecordSidebar
    beside: CounterpartBox
    ask_block_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionsTab(RecordTab):
    """The submissions of the record with their states, the newest first."""

    template = "record/submissions.html"

    page: Slice
    rows: list[tuple[Submission, vocabulary.Word]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTab(RecordTab):
    """The history of the record as stories, the newest first; `before` is the entry that the page ends before."""

    template = "record/history.html"

    before: int | None
    stories: Stories


def build(organization: Organization, user: User) -> SummaryTab:
    return SummaryTab(
        **_tab(organization, user, "record"),
        values=summary.record_values(organization),
        around=summary.record_sidebar(organization),
        beside=counterpart_box.counterpart_box(organization),
        ask_block_reason=block_reason(user, Right.EDIT, organization.environment, ASK),
    )


def build_submissions(organization: Organization, user: User, number: str | None) -> SubmissionsTab:
    """The submissions on the page with this number."""
    page = Paginator(submissions_of(organization), ROWS_A_PAGE).get_page(number)
    return SubmissionsTab(
        **_tab(organization, user, "record-submissions"),
        page=page,
        rows=[(submission, evidence.state_word(submission)) for submission in page],
    )


def build_history(organization: Organization, user: User, before: int | None) -> HistoryTab:
    return HistoryTab(
        **_tab(organization, user, "record-history"),
        before=before,
        stories=stories.read(entries_of(organization), before, timezone.get_current_timezone()),
    )


def _tab(organization: Organization, user: User, tab: str) -> dict[str, Any]:
    environment = organization.environment
    act = "reactivate records" if organization.confirmed_active is False else "deactivate records"
    return {
        "organization": organization,
        "head": summary.record_head(organization),
        "tab": tab,
        "edit_block_reason": block_reason(user, Right.EDIT, environment),
        "send_block_reason": block_reason(user, right_to_send(environment), environment, "send a branch"),
        "deactivate_block_reason": block_reason(user, right_to_send(environment), environment, act),
        "state_block_reason": block_reason(user, Right.RESOLVE, environment, STATE),
        "switch_url": counterpart_url(organization),
    }
