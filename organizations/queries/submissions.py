"""Submissions: those of an environment, those that a number names, and what came before one."""

from collections.abc import Iterable

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from organizations.models import AuditEntry, Event, Intent, State, Submission, User
from organizations.numbers import read_number

ROWS_A_PAGE = 50
OPEN = "open"
"""The choice of all open states in place of one state."""


def page_of(environment: str, *, state: str, submitter: User | None, number: str | None) -> Page[int]:
    """A page of the ids of submissions, the newest first. `state` is a state, OPEN or "" for all."""
    submissions = Submission.objects.in_environment(environment).order_by("-id")
    if state:
        submissions = submissions.open() if state == OPEN else submissions.filter(state=state)
    if submitter:
        submissions = submissions.filter(submitter=submitter)
    # Ids alone come from an index, however many messages precede a page.
    return Paginator(submissions.values_list("pk", flat=True), ROWS_A_PAGE).get_page(number)


def submissions_of(ids: Iterable[int]) -> list[Submission]:
    """These submissions with their records and submitters but without their messages, the newest first."""
    submissions = Submission.objects.filter(pk__in=list(ids)).select_related("organization", "submitter")
    return list(submissions.defer("message", "before").order_by("-id"))


def has_any(environment: str) -> bool:
    return Submission.objects.in_environment(environment).exists()


def numbered(text: str, most: int) -> list[Submission]:
    """The submissions that a text names by their number or by one of Redox's IDs, the newest first."""
    named = Q(redox_message_id=text) | Q(redox_log_id=text)
    if number := read_number(text.removeprefix("#")):
        named |= Q(pk=number)
    submissions = Submission.objects.filter(named).select_related("organization").defer("message")
    return list(submissions.order_by("-pk")[:most])


def last_accepted_before(submission: Submission, *, with_active_only: bool = True) -> Submission | None:
    """The last accepted submission of the same record before this one.

    `with_active_only=False` leaves out those that only deactivated or reactivated the record.
    """
    earlier = Submission.objects.filter(organization_id=submission.organization_id, id__lt=submission.pk)
    accepted = earlier.filter(state=State.ACCEPTED)
    if not with_active_only:
        accepted = accepted.exclude(intent__in=(Intent.DEACTIVATE, Intent.REACTIVATE))
    return accepted.order_by("-id").first()


def edits_of(submission: Submission) -> QuerySet[AuditEntry]:
    """The edits that a submission carried: up to its own version, after the last accepted one; of a New all edits."""
    if submission.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        return AuditEntry.objects.none()
    last = None if submission.event == Event.NEW else last_accepted_before(submission, with_active_only=False)
    edits = AuditEntry.objects.edits_since(submission.organization_id, last.record_version if last else 0)
    return edits.filter(version_after__lte=submission.record_version)
