"""The addresses of pages about a record or a submission, and the path from the list of organizations to a page."""

from django.urls import reverse

from organizations.models import Organization, Submission, tree


def record_url(organization: Organization, name: str = "record") -> str:
    return reverse(name, args=[organization.environment, organization.oid])


def counterpart_url(organization: Organization) -> str:
    """Where the switch of environments leads: to the counterpart, or to the page on which one is chosen or made."""
    counterpart = organization.counterpart
    return record_url(counterpart) if counterpart else record_url(organization, "counterpart")


def submission_url(submission: Submission) -> str:
    return reverse("submission", args=[submission.environment, submission.pk])


def path_to(organization: Organization, page: str) -> list[tuple[str, str]]:
    """The links from the list of organizations down to a page of a record; the page itself has no address."""
    records = [*tree.path_of(organization), organization]
    list_url = reverse("organizations", args=[organization.environment])
    return [("Organizations", list_url), *((record.name, record_url(record)) for record in records), (page, "")]
