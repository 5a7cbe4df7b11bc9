"""The rows that tell the story of one submission: its entries, its edits, and the submissions before and after it."""

from django.db.models import QuerySet

from organizations.models import Action, AuditEntry, Event, Intent, State, Submission
from organizations.models.audit import AuditQuerySet


def entries_of(submission: Submission) -> list[AuditEntry]:
    """Its entries in the history without the stored exchanges, oldest first."""
    return list(AuditEntry.objects.of_submission(submission.pk).defer("raw"))


def stored_bytes(entry: AuditEntry) -> bytes:
    """The exchange that is stored with an entry."""
    content = AuditEntry.objects.values_list("raw", flat=True).get(pk=entry.pk)
    return bytes(content or b"")


def previous_submission(submission: Submission) -> Submission | None:
    """The submission of the same record that was made before this one."""
    return _of_record(submission).filter(pk__lt=submission.pk).order_by("-pk").first()


def next_submission(submission: Submission) -> Submission | None:
    """The submission of the same record that was made after this one."""
    return _of_record(submission).filter(pk__gt=submission.pk).order_by("pk").first()


def last_accepted_before(submission: Submission) -> Submission | None:
    """The submission of the same record that was accepted before this one was made."""
    return _accepted_before(submission).order_by("-pk").first()


def included_edits(submission: Submission) -> AuditQuerySet:
    """The edits that a submission includes, oldest first: those since the last acceptance, and for a New all.

    A deactivation or reactivation includes none: it sends the accepted record.
    """
    if submission.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        return AuditEntry.objects.none()
    earlier = _accepted_before(submission).exclude(intent__in=(Intent.DEACTIVATE, Intent.REACTIVATE))
    last = None if submission.event == Event.NEW else earlier.order_by("-pk").first()
    edits = AuditEntry.objects.edits_since(submission.organization_id, last.record_version if last else 0)
    return edits.filter(version_after__lte=submission.record_version).defer("raw")


def was_taken_before(submission: Submission) -> bool:
    """Whether somebody took values from the directory before this submission was made."""
    entries = AuditEntry.objects.filter(
        organization_id=submission.organization_id, action=Action.ORGANIZATION_TAKEN, at__lt=submission.created_at
    )
    return entries.exists()


def _of_record(submission: Submission) -> QuerySet[Submission]:
    return Submission.objects.filter(organization_id=submission.organization_id)


def _accepted_before(submission: Submission) -> QuerySet[Submission]:
    return _of_record(submission).filter(pk__lt=submission.pk, state=State.ACCEPTED)
