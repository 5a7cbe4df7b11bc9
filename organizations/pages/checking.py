"""What the current rules find in stored records, on pages."""

from dataclasses import dataclass

from django.core.paginator import Page as PageOfIds

from organizations.forms.checking import read_by_form
from organizations.models import Environment, User
from organizations.pages import Page
from organizations.permissions import Right, why_not
from organizations.queries import record_rows
from organizations.services.review import check_stored
from organizations.services.review.check_stored import RecordFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckingPage(Page):
    """`record_page` is the name of the address behind each finding: the record, or its form for people who can edit."""

    template = "organizations/check.html"

    page: PageOfIds[int]
    findings: list[RecordFinding]
    record_page: str


def build(environment: Environment, user: User, number: str) -> CheckingPage:
    """The page of that number. Its records are in the order of their OIDs."""
    page = record_rows.page_of(check_stored.records(environment), number, check_stored.AT_ONCE)
    return CheckingPage(
        page=page,
        findings=check_stored.check(environment, list(page), read_by_form),
        record_page="record" if why_not(user, Right.EDIT, environment) else "edit",
    )
