"""Today's rules, applied to stored records: a part of them on each page."""

from dataclasses import dataclass

from django.core.paginator import Page as Slice
from django.core.paginator import Paginator

from organizations.forms.check_records import read_by_form
from organizations.models import Environment, User
from organizations.permissions import Right, why_not
from organizations.services.review import check_records
from organizations.services.review.check_records import RecordFinding

from . import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecordsPage(Page):
    """`record_page` is the name of the address that a finding leads to."""

    template = "organizations/check.html"

    page: Slice
    findings: list[RecordFinding]
    record_page: str


def build(environment: Environment, user: User, number: str) -> CheckRecordsPage:
    """Two hundred records, in the order of their OIDs, and what today's rules say of them."""
    ids = check_records.records(environment).values_list("pk", flat=True)
    page = Paginator(ids, check_records.AT_ONCE).get_page(number)
    return CheckRecordsPage(
        page=page,
        findings=check_records.check(environment, list(page), read_by_form),
        record_page="record" if why_not(user, Right.EDIT, environment) else "edit",
    )
