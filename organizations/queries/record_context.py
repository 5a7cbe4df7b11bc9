"""The rows around a record: its children, its submissions, and the record with an OID."""

from collections.abc import Collection

from django.db.models import QuerySet

from organizations.models import Environment, Intent, Organization, State, Submission


def children_of(organization: Organization) -> QuerySet[Organization]:
    """The records directly below a record, by OID."""
    below = Organization.objects.in_environment(organization.environment).filter(part_of_oid=organization.oid)
    return below.order_by("oid_key")


def child_count(organization: Organization) -> int:
    return children_of(organization).count()


def has_records(environment: Environment) -> bool:
    return Organization.objects.in_environment(environment).exists()


def record_at(environment: Environment, oid: str, *, without: Collection[int] = ()) -> Organization | None:
    """The record with this OID, unless its id is one of `without`; None for an empty OID."""
    if not oid:
        return None
    return Organization.objects.in_environment(environment).exclude(pk__in=without).with_oid(oid)


def has_record(environment: str, oid: str) -> bool:
    """Whether a record has this OID now."""
    return Organization.objects.in_environment(environment).filter(oid=oid).exists()


def record_now(organization: Organization) -> Organization | None:
    """The record as it is saved now; None if it was withdrawn."""
    return Organization.objects.filter(pk=organization.pk).first()


def submissions_of(organization: Organization) -> QuerySet[Submission]:
    """The submissions of a record with who submitted them, the newest first."""
    of_record = Submission.objects.filter(organization=organization).select_related("submitter")
    return of_record.defer("message").order_by("-pk")


def submission_count(organization: Organization) -> int:
    return Submission.objects.filter(organization=organization).count()


def last_attempted_submission(organization: Organization) -> Submission | None:
    """The newest submission that was attempted; a newer one may still wait."""
    attempted = Submission.objects.filter(organization=organization, attempt__gt=0)
    return attempted.defer("message").order_by("-pk").first()


def last_accepted_active_change(organization: Organization) -> Submission | None:
    """The newest accepted deactivation or reactivation, with who submitted it."""
    accepted = Submission.objects.filter(
        organization=organization, intent__in=(Intent.DEACTIVATE, Intent.REACTIVATE), state=State.ACCEPTED
    )
    return accepted.select_related("submitter").order_by("-pk").first()


def accepted_after(submission: Submission) -> list[Submission]:
    """The submissions of the same record that were made later and accepted."""
    of_record = Submission.objects.filter(organization_id=submission.organization_id)
    return list(of_record.filter(state=State.ACCEPTED, pk__gt=submission.pk))
