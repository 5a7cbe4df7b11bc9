"""Why queued submissions wait: their plans, and the submissions that must be accepted first."""

from collections.abc import Sequence

from django.db.models import Prefetch, prefetch_related_objects

from organizations.models import State, Submission

_RECORD_COLUMNS = tuple(
    f"organization__{name}"
    for name in ("environment", "oid", "name", "part_of_oid", "confirmed_part_of_oid", "shown_part_of_oid")
)


def fetch_holds(submissions: Sequence[Submission]) -> None:
    """Read the plans of these submissions and the submissions that must be accepted before them; two queries."""
    not_accepted = Submission.objects.exclude(state=State.ACCEPTED).select_related("organization")
    before = not_accepted.only("event", "intent", "oid", *_RECORD_COLUMNS)
    prefetch_related_objects(submissions, "plan", Prefetch("waits_for", before.order_by("pk"), to_attr="waits_now_for"))


def waits_now_for(submission: Submission) -> list[Submission]:
    """The submissions that must be accepted before this one and are not yet. The caller has called `fetch_holds`."""
    submissions: list[Submission] = submission.waits_now_for  # type: ignore[attr-defined]  # set by fetch_holds
    return submissions
