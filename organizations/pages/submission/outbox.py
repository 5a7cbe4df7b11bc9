"""All submissions of an environment, the newest first."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page as Slice
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.urls import reverse

from organizations.models import Environment, Submission, User
from organizations.pages import Page
from organizations.pages.submission.state import SubmissionRow, submission_rows
from organizations.text import vocabulary

ROWS = 50
OPEN = "open"
CHOICES = [("", "All"), (OPEN, "Open"), *((state, word.word) for state, word in vocabulary.SUBMISSION_STATE.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPage(Page):
    """`state` and `mine` are the filters in force; a chip takes one of them away."""

    template = "submissions/outbox.html"

    page: Slice
    rows: list[SubmissionRow]
    choices: list[tuple[str, str]]
    state: str
    mine: bool
    summary: str
    chips: list[tuple[str, str]]
    all_url: str
    none_at_all: bool
    switch_url: str


def build(environment: Environment, user: User, *, state: str, mine: bool, number: str | None) -> OutboxPage:
    """The page of that number; `state` is a state of a submission or "open", anything else filters nothing."""
    state = state if state in dict(CHOICES) else ""
    # Ids alone come from an index, however many messages stand before a page.
    page = Paginator(_filtered(environment, user, state, mine).values_list("pk", flat=True), ROWS).get_page(number)
    listed = Submission.objects.filter(pk__in=list(page)).select_related("organization", "submitter")
    return OutboxPage(
        page=page,
        rows=submission_rows(list(listed.defer("message", "before").order_by("-id"))),
        choices=CHOICES,
        state=state,
        mine=mine,
        summary=vocabulary.count(page.paginator.count, "submission") + (" fit" if state or mine else ""),
        chips=_chips(environment, state, mine),
        all_url=reverse("submissions", args=[environment]),
        none_at_all=not page.paginator.count and not Submission.objects.in_environment(environment).exists(),
        switch_url=reverse("submissions", args=[environment.other]),
    )


def _filtered(environment: Environment, user: User, state: str, mine: bool) -> QuerySet[Submission]:
    found = Submission.objects.in_environment(environment).order_by("-id")
    if state:
        found = found.open() if state == OPEN else found.filter(state=state)
    return found.filter(submitter=user) if mine else found


def _chips(environment: Environment, state: str, mine: bool) -> list[tuple[str, str]]:
    """Each filter in force, with the address without it."""
    address = reverse("submissions", args=[environment])
    chips = []
    if state:
        chips.append((f"State: {dict(CHOICES)[state]}", address + ("?mine=1" if mine else "")))
    if mine:
        chips.append(("Asked by me", address + ("?" + urlencode({"state": state}) if state else "")))
    return chips
