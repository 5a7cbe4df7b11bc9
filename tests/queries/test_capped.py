"""Counts and pages that stop at a number of rows."""

import pytest
from django.test import RequestFactory

from organizations.models import Organization, User
from organizations.queries.capped import CappedPaginator, count_up_to, counted_rows
from tests import factories
from tests.factories import BASE
from tests.test_templates import component

pytestmark = pytest.mark.django_db


@pytest.fixture
def five_records(editor: User) -> None:
    for number in range(5):
        factories.organization(f"{BASE}.{number}", user=editor)


@pytest.mark.parametrize(("most", "counted"), [(3, 4), (4, 5), (5, 5), (6, 5)])
@pytest.mark.usefixtures("five_records")
def test_a_count_stops_one_above_its_limit(most: int, counted: int) -> None:
    records = Organization.objects.order_by("name")
    assert count_up_to(records, most) == counted
    for ids in (records.values_list("pk", flat=True), list(range(5))):
        assert counted_rows(CappedPaginator(ids, 2, most=most).get_page(1)) == counted


@pytest.mark.parametrize(("most", "pages", "is_capped"), [(3, [2, 1], True), (4, [2, 2], True), (5, [2, 2, 1], False)])
@pytest.mark.usefixtures("five_records")
def test_pages_show_the_first_rows_and_no_page_is_behind_them(most: int, pages: list[int], is_capped: bool) -> None:
    paginator = CappedPaginator(Organization.objects.order_by("pk").values_list("pk", flat=True), 2, most=most)
    assert [len(page) for page in paginator] == pages
    assert paginator.is_capped is is_capped
    assert paginator.get_page("10000000").number == len(pages)


def test_the_last_page_says_how_to_find_the_others() -> None:
    request = RequestFactory().get("/")
    first, last = CappedPaginator(list(range(5)), 2, most=4)
    assert "1 to 2 of more than 4" in component("pagination", page=first, request=request)
    assert "Filter the list to see the others." not in component("pagination", page=first, request=request)
    assert "Filter the list to see the others." in component("pagination", page=last, request=request)
    (_, _, end) = CappedPaginator(list(range(5)), 2, most=5)
    html = component("pagination", page=end, request=request)
    assert ("5 to 5 of 5" in html, "Filter the list" in html) == (True, False)
