"""The addresses of pages about a record or a submission, and the path from the list of organizations to a page."""

from functools import cache

from django.urls import reverse

from organizations.models import Organization, Submission, tree
from organizations.text.links import numbered_url

_ANY_OID = "0.0"


def record_url(organization: Organization, name: str = "record") -> str:
    """The address of a page of a record. A list has hundreds, so the pattern is resolved once."""
    beginning, end = _around_oid(name, organization.environment)
    return f"{beginning}{organization.oid}{end}"


@cache
def _around_oid(name: str, environment: str) -> tuple[str, str]:
    beginning, _, end = reverse(name, args=[environment, _ANY_OID]).rpartition(_ANY_OID)
    return beginning, end


@cache
def environment_url(name: str, environment: str) -> str:
    """The address of a page of an environment, such as its list of organizations."""
    return reverse(name, args=[environment])


def counterpart_url(organization: Organization) -> str:
    """Where the switch of environments leads: to the counterpart, or to the page on which one is chosen or made."""
    counterpart = organization.counterpart
    return record_url(counterpart) if counterpart else record_url(organization, "counterpart")


def submission_url(submission: Submission) -> str:
    return numbered_url("submission", submission.environment, submission.pk)


def path_to(organization: Organization, page: str) -> list[tuple[str, str]]:
    """The links from the list of organizations down to a page of a record; the page itself has no address."""
    records = [*tree.path_of(organization), organization]
    list_url = environment_url("organizations", organization.environment)
    return [("Organizations", list_url), *((record.name, record_url(record)) for record in records), (page, "")]
