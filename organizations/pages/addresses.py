"""Where the pages of a record are, and the way from the list of organizations down to one of them."""

from django.urls import reverse

from organizations.models import Organization, Submission, tree


def record_url(organization: Organization, name: str = "record") -> str:
    return reverse(name, args=[organization.environment, organization.oid])


def counterpart_url(organization: Organization) -> str:
    """Where the switch of environments leads from a record: to its counterpart, or to the ways to one."""
    counterpart = organization.counterpart
    return record_url(counterpart) if counterpart else record_url(organization, "counterpart")


def submission_url(submission: Submission) -> str:
    return reverse("submission", args=[submission.environment, submission.pk])


def path_to(organization: Organization, page: str) -> list[tuple[str, str]]:
    """From the list of organizations by way of the record to a page of it, which has no address there."""
    above = [*tree.path_of(organization), organization]
    organizations = reverse("organizations", args=[organization.environment])
    return [("Organizations", organizations), *((each.name, record_url(each)) for each in above), (page, "")]
