"""All submissions of an environment, the newest first."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page as PageOfIds

from organizations.models import Environment, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.filter_controls import FilterChip
from organizations.pages.submission.state import SubmissionRow, submission_rows
from organizations.queries import submissions
from organizations.queries.capped import MOST_COUNTED, counted_rows
from organizations.text import vocabulary

CHOICES = [
    ("", "All"),
    (submissions.OPEN, "Open"),
    *((state, word.word) for state, word in vocabulary.SUBMISSION_STATE.items()),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPage(Page):
    """`state` and `mine` are the filters in force. `is_unused`: the environment has no submission at all."""

    template = "submissions/outbox.html"

    page: PageOfIds[int]
    rows: list[SubmissionRow]
    choices: list[tuple[str, str]]
    state: str
    mine: bool
    summary: str
    chips: list[FilterChip]
    all_url: str
    is_unused: bool
    switch_url: str


def build(environment: Environment, user: User, *, state: str, mine: bool, number: str | None) -> OutboxPage:
    """The page of that number. `state` is a state of a submission or "open"; any other text filters nothing."""
    state = state if state in dict(CHOICES) else ""
    page = submissions.page_of(environment, state=state, submitter=user if mine else None, number=number)
    total = counted_rows(page)
    return OutboxPage(
        page=page,
        rows=submission_rows(submissions.submissions_of(page)),
        choices=CHOICES,
        state=state,
        mine=mine,
        summary=vocabulary.count(total, "submission", most=MOST_COUNTED)
        + (f" {'matches' if total == 1 else 'match'}" if state or mine else ""),
        chips=_chips(environment, state, mine),
        all_url=environment_url("submissions", environment),
        is_unused=not total and not submissions.has_any(environment),
        switch_url=environment_url("submissions", environment.other),
    )


def _chips(environment: Environment, state: str, mine: bool) -> list[FilterChip]:
    address = environment_url("submissions", environment)
    chips = []
    if state:
        chips.append(FilterChip(f"State: {dict(CHOICES)[state]}", address + ("?mine=1" if mine else "")))
    if mine:
        chips.append(FilterChip("Submitted by me", address + ("?" + urlencode({"state": state}) if state else "")))
    return chips
