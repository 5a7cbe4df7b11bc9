"""Submissions of an environment, and submissions with a number or an ID from Redox."""

from collections.abc import Iterable

from django.core.paginator import Page
from django.db.models import Q

from organizations.models import Submission, User
from organizations.posted_numbers import read_number
from organizations.queries.capped import CappedPaginator

ROWS_A_PAGE = 50
OPEN = "open"
"""The choice of all open states in place of one state."""
COLUMNS = (
    "oid",
    "intent",
    "plan",
    "state",
    "state_reason",
    "attempt",
    "not_before",
    "created_at",
    "http_status",
    "evidence",
    "decided_by",
    "organization__name",
    "submitter__username",
    "submitter__first_name",
    "submitter__last_name",
)
"""The columns that a row of the list shows, with those that say why a queued submission waits."""


def page_of(environment: str, *, state: str, submitter: User | None, number: str | None) -> Page[int]:
    """A page of the ids of submissions, the newest first. `state` is a state, OPEN or "" for all."""
    submissions = Submission.objects.in_environment(environment).order_by("-id")
    if state:
        submissions = submissions.open() if state == OPEN else submissions.filter(state=state)
    if submitter:
        submissions = submissions.filter(submitter=submitter)
    # Only ids, which are read from an index, however many messages precede a page.
    return CappedPaginator(submissions.values_list("pk", flat=True), ROWS_A_PAGE).get_page(number)


def submissions_of(ids: Iterable[int]) -> list[Submission]:
    """These submissions with COLUMNS, the newest first."""
    submissions = Submission.objects.filter(pk__in=list(ids)).select_related("organization", "submitter")
    return list(submissions.only(*COLUMNS).order_by("-id"))


def has_any(environment: str) -> bool:
    return Submission.objects.in_environment(environment).exists()


def submissions_named(text: str, most: int) -> list[Submission]:
    """The submissions with this number, or with this ID from Redox, the newest first."""
    condition = Q(redox_message_id=text) | Q(redox_log_id=text)
    if number := read_number(text.removeprefix("#")):
        condition |= Q(pk=number)
    submissions = Submission.objects.filter(condition).select_related("organization").defer("message")
    return list(submissions.order_by("-pk")[:most])
