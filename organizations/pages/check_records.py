"""What the current rules find in stored records, on pages."""

from dataclasses import dataclass

from django.core.paginator import Page as PageOfIds

from organizations.forms.check_records import read_by_form
from organizations.models import Environment, User
from organizations.pages import Page
from organizations.permissions import Right, block_reason
from organizations.queries import record_rows
from organizations.services.review import check_records
from organizations.services.review.check_records import RecordFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecordsPage(Page):
    """`record_page`: the name of the address to which a finding leads."""

    template = "organizations/check.html"

    page: PageOfIds[int]
    findings: list[RecordFinding]
    record_page: str


def build(environment: Environment, user: User, number: str) -> CheckRecordsPage:
    """Two hundred records in the order of their OIDs, with the findings of today's rules."""
    page = record_rows.page_of(check_records.stored_records(environment), number, check_records.BATCH_SIZE)
    return CheckRecordsPage(
        page=page,
        findings=check_records.check_stored_records(environment, list(page), read_by_form),
        record_page="record" if block_reason(user, Right.EDIT, environment) else "edit",
    )
