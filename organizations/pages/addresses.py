"""The addresses of pages about a record, submission or plan, and the path from the list of organizations to a page."""

from functools import cache

from django.urls import reverse

from organizations.models import Organization, Plan, Submission, tree
from organizations.text.links import numbered_url

_ANY_OID = "0.0"


def record_url(organization: Organization, name: str = "record") -> str:
    """The address of a page of a record."""
    return url_of_oid(organization.environment, organization.oid, name)


def url_of_oid(environment: str, oid: str, name: str = "record") -> str:
    """The address of a page of the record with this OID. A list has hundreds, so the pattern is resolved once."""
    beginning, end = _around_oid(name, environment)
    return f"{beginning}{oid}{end}"


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


def plan_url(plan: Plan) -> str:
    return numbered_url("plan", plan.environment, plan.pk)


def path_to(
    organization: Organization, page: str = "", *, above: list[Organization] | None = None
) -> list[tuple[str, str]]:
    """The links from the list of organizations down to a page of a record, or to the record itself.

    The last one is the page that is shown, so it has no address. `above`: the ancestors, if they are known.
    """
    ancestors = tree.path_of(organization) if above is None else above
    list_link = ("Organizations", environment_url("organizations", organization.environment))
    links = [list_link, *((record.name, record_url(record)) for record in ancestors)]
    if not page:
        return [*links, (organization.name, "")]
    return [*links, (organization.name, record_url(organization)), (page, "")]
