"""The page that searches the directory: the number of results, their groups, and continuing the search."""

import datetime
import re
from typing import Any

import pytest
from django.test import override_settings

from organizations.forms.directory import NO_UNIT, DirectorySearchForm
from organizations.models import Environment, Organization, TakeOverKind, User
from organizations.pages.directory import page as directory_page
from organizations.pages.directory import results as results_page
from organizations.pages.directory.earlier_results import MOST_ROWS, EarlierResults
from organizations.pages.directory.results import (
    MAY_HIDE_DEACTIVATED,
    ONLY_AN_OID,
    THREE_QUERIES,
    SearchResults,
    results_of,
)
from organizations.redox.environment import GATEWAY_OID
from organizations.services.directory.page_query import MAY_MISS_SOME
from organizations.services.directory.search import (
    Compared,
    End,
    Hit,
    Ownership,
    Position,
    SearchFilters,
    SearchPage,
    UnreadableEntry,
)
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.page_text import controls_in, html_of_page, text_of_page

pytestmark = pytest.mark.django_db

STAGING = Environment.STAGING
OTHER = "2.16.840.1.113883.3.6147.458.88888.1.1.1.1"
ASKED_AT = datetime.datetime(2026, 11, 27, 20, 2, 9, tzinfo=datetime.UTC)
TOOK = "The answer took 1 second."


def hit(oid: str = OTHER, ownership: Ownership = Ownership.NOT_OURS, **values: Any) -> Hit:
    organization = values.pop("organization", None)
    compared = {name: values.pop(name) for name in ("compared", "differing") if name in values}
    record = factories.record(oid, destination_known=False, **values)
    return Hit(listed_oid=oid, record=record, ownership=ownership, organization=organization, **compared)


def found(*hits: Hit, received: int | None = None, **values: Any) -> SearchPage:
    """A page of results with these hits; it is the last page unless `values` override that."""
    facts: dict[str, Any] = {
        "filters": SearchFilters(name="Lakeside"),
        "asked_at": ASKED_AT,
        "position": Position(index=len(hits), pages=1, received=len(hits) if received is None else received),
        "hits": hits,
        "end": End.SHORT_PAGE,
        "is_whole": True,
        "seconds": 1.234,
    }
    return SearchPage(**(facts | values))


def going_on(*hits: Hit, **values: Any) -> SearchPage:
    more: dict[str, Any] = {"end": None, "is_whole": False}
    return found(*hits, **(more | values))


def results(page: SearchPage, before: EarlierResults | None = None) -> SearchResults:
    return results_of(STAGING, page, before or EarlierResults())


def words(page: SearchPage) -> str:
    shown = results(page)
    return " ".join((shown.headline, *shown.sentences))


def kept(shown: SearchResults) -> EarlierResults:
    opened = EarlierResults.opened(shown.go_on, STAGING)
    assert opened is not None
    return opened


# The number of results ----------------------------------------------------------------------------------------


def test_no_answer_no_result_some_and_all_results_have_four_sentences() -> None:
    no_answer = found(received=0, end=None, is_whole=False, cause="Gateway Time-out")
    assert words(no_answer) == "No answer. Gateway Time-out. So it is not known what the directory has."
    assert words(found()).startswith("No organization matches. The directory answered and shows no organization.")
    assert words(going_on(hit())) == f"1 so far. There may be more. {TOOK}"
    assert words(found(hit())) == f"1 organization. The directory shows no more. {TOOK}"
    shown = [results(page) for page in (no_answer, found(), going_on(hit()), found(hit()))]
    assert [each.is_broken_off for each in shown] == [True, False, True, False]
    assert [bool(each.go_on) for each in shown] == [False, False, True, False]


def test_a_search_that_broke_off_shows_earlier_results_and_can_be_continued() -> None:
    page = going_on(hit(), hit(f"{OTHER}.2"), cause="Gateway Time-out", total=120)
    expected = "2 of about 120. Then no answer came: Gateway Time-out. The page shows what came before."
    assert words(page) == expected
    assert kept(results(page)).position == page.position


def test_a_web_page_instead_of_an_answer_is_not_quoted() -> None:
    page = found(received=0, end=None, is_whole=False, cause="<html>Bad gateway</html>")
    assert words(page).startswith("No answer. A web page came instead.")


def test_an_answer_that_came_but_cannot_be_used_is_not_called_no_answer() -> None:
    values: dict[str, Any] = {"is_answered": True, "cause": "The directory's answer was not understood."}
    assert results(going_on(received=0, **values)).headline == "No usable answer."
    later = results(going_on(hit(), **values))
    assert later.sentences[0].startswith("Then no usable answer came: ")


def test_a_search_that_was_not_sent_because_redox_asked_to_wait_got_no_answer() -> None:
    cause = "Redox asked the portal to wait. Nothing is sent to STAGING until 09:30 UTC, for another 5 minutes."
    assert results(going_on(received=0, cause=cause)).headline == "No answer."


def test_an_empty_result_says_what_it_does_not_prove() -> None:
    assert words(found()) == (
        "No organization matches. The directory answered and shows no organization."
        f" {MAY_HIDE_DEACTIVATED} {ONLY_AN_OID} {TOOK}"
    )
    assert words(found(filters=SearchFilters(oid=OTHER))) == f"No organization matches. {THREE_QUERIES} {TOOK}"
    by_oid = found(filters=SearchFilters(oid=OTHER, active=False))
    assert words(by_oid) == f"No organization matches. The directory answered and shows no organization. {TOOK}"


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"total": 250}, f"1 of about 250. There may be more. {TOOK}"),
        ({"total": 1}, f"1 so far. There may be more. {TOOK}"),
        ({"seconds": 38.4}, "1 so far. There may be more. The answer took 38 seconds."),
        ({"seconds": 0.04}, "1 so far. There may be more. The answer took less than a second."),
        ({"end": End.MOST_PAGES}, f"1 so far. There may be more. {TOOK}"),
        (
            {"end": End.EMPTY_PAGE, "total": 5},
            f"1 of about 5. The directory counts more organizations than it shows. {TOOK}",
        ),
        (
            {"end": End.REPEATED_PAGE},
            "1 so far. The directory showed the same page again, so the others cannot be read. Narrow the search.",
        ),
    ],
    ids=str,
)
def test_a_partial_result_says_why_it_is_partial(values: dict[str, Any], sentences: str) -> None:
    assert words(going_on(hit(), **values)) == sentences


def test_a_search_that_got_a_repeated_page_cannot_be_continued() -> None:
    assert results(going_on(hit(), end=End.REPEATED_PAGE)).go_on == ""


def test_repeated_and_unreadable_organizations_are_counted() -> None:
    unreadable = tuple(
        UnreadableEntry("", f"Organization {number} of the page cannot be read.") for number in range(25)
    )
    shown = results(found(hit(), unreadable=unreadable, doubled=3))
    assert "Left out: 3 repeated organizations." in shown.sentences
    assert (shown.unreadable_words, len(shown.unreadable)) == ("25 organizations cannot be read", 20)


def test_repeated_organizations_are_a_sign_that_others_may_be_missing() -> None:
    before = kept(results(going_on(hit(), doubled=1)))
    shown = results(found(hit(f"{OTHER}.2")), before)
    assert (shown.headline, shown.sentences[0]) == ("2 organizations.", MAY_MISS_SOME)
    assert "The directory shows no more." not in shown.sentences
    assert shown.is_broken_off


def test_a_result_of_unreadable_organizations_only_does_not_say_that_there_is_none() -> None:
    shown = results(found(received=1, unreadable=(UnreadableEntry("", "Organization 1 cannot be read."),)))
    assert (shown.headline, shown.unreadable_words) == (
        "No organization that can be read.",
        "1 organization cannot be read",
    )


# Groups and rows ----------------------------------------------------------------------------------------------


@pytest.fixture
def here(editor: User) -> Organization:
    return factories.organization(f"{BASE}.1", user=editor)


def test_ours_that_are_not_in_the_portal_come_first_and_others_last(here: Organization) -> None:
    shown = results(
        found(
            hit(),
            hit(f"{BASE}.1", Ownership.BELOW_BASE, organization=here, compared=Compared.AS_ACCEPTED),
            hit(f"{BASE}.2", Ownership.BELOW_BASE),
            hit(f"{OTHER}.3", Ownership.PART_OF_OURS),
        )
    )
    assert [(group.heading, [row.oid for row in group.rows]) for group in shown.groups] == [
        ("Ours, not in the portal", [f"{BASE}.2", f"{OTHER}.3"]),
        ("In the portal", [f"{BASE}.1"]),
        ("Not ours", [OTHER]),
    ]
    assert shown.total == 4
    assert [row.said + row.more for row in shown.groups[0].rows] == [
        "Not in the portal",
        "Not in the portal, part of your records",
    ]


@pytest.mark.parametrize(
    ("values", "said", "is_compared"),
    [
        ({"compared": Compared.AS_ACCEPTED}, "the same", True),
        ({"compared": Compared.AS_SHOWN}, "the same as the last Query showed", True),
        ({"compared": Compared.AS_SENT}, "as its open submission sends it", False),
        ({"compared": Compared.DIFFERS, "differing": ("ZIP",)}, "1 field differs: ZIP", True),
        ({"compared": Compared.DIFFERS, "differing": ("Name", "ZIP")}, "2 fields differ: Name, ZIP", True),
        (
            {"compared": Compared.FOREIGN},
            "in the portal; a person decided that the OID belongs to another organization",
            False,
        ),
        ({"compared": Compared.NOT_KNOWN}, "in the portal; nothing was accepted or shown yet", False),
    ],
    ids=str,
)
def test_a_record_in_the_portal_says_how_it_compares(
    here: Organization, values: dict[str, Any], said: str, is_compared: bool
) -> None:
    shown = results(found(hit(here.oid, Ownership.BELOW_BASE, organization=here, **values)))
    ((row,),) = (group.rows for group in shown.groups)
    assert (row.said + row.more, row.compared) == (said, ASKED_AT if is_compared else None)
    assert row.url == f"/staging/organizations/{here.oid}/"


def test_a_parent_is_named_if_the_portal_or_the_results_have_its_name(here: Organization) -> None:
    shown = results(
        found(
            hit(OTHER, name="Lakeside Dental", part_of_oid=GATEWAY_OID),
            hit(f"{OTHER}.1", part_of_oid=OTHER),
            hit(f"{OTHER}.2", part_of_oid=here.oid),
            hit(f"{OTHER}.3", part_of_oid="2.999.1"),
        )
    )
    ((*rows,),) = (group.rows for group in shown.groups)
    assert [row.part_of for row in rows] == ["the Redox gateway", "Lakeside Dental", here.name, ""]
    assert rows[3].part_of_oid == "2.999.1"


# Continuing the search ----------------------------------------------------------------------------------------


def test_a_continued_search_shows_all_earlier_results() -> None:
    strange, other = (UnreadableEntry("", f"Organization {number} cannot be read.") for number in (2, 7))
    first = results(
        going_on(hit(name="First"), unreadable=(strange,), doubled=2), EarlierResults(typed={"name": "Lakeside"})
    )
    earlier = kept(first)
    assert (earlier.typed, set(earlier.listed_oids)) == ({"name": "Lakeside"}, {OTHER})

    second = results(found(hit(f"{OTHER}.2", name="Second"), unreadable=(other,), doubled=1, received=3), earlier)
    ((*rows,),) = (group.rows for group in second.groups)
    assert [row.name for row in rows] == ["First", "Second"]
    assert (second.headline, second.unreadable_words) == ("2 organizations.", "2 organizations cannot be read")
    assert second.unreadable == (strange.sentence, other.sentence)
    assert "Left out: 3 repeated organizations." in second.sentences


def test_earlier_results_can_be_neither_changed_nor_used_in_the_other_environment() -> None:
    signed_text = results(going_on(hit())).go_on
    assert EarlierResults.opened(signed_text, Environment.PRODUCTION) is None
    assert EarlierResults.opened(signed_text[:-1] + ("a" if signed_text[-1] != "a" else "b"), STAGING) is None
    assert EarlierResults.opened("", STAGING) is None


def test_a_page_holds_a_limited_number_of_organizations() -> None:
    row = kept(results(going_on(hit()))).rows[0]
    full = EarlierResults(rows=tuple(row._replace(listed_oid=f"2.999.{number}") for number in range(MOST_ROWS - 1)))
    shown = results(going_on(hit(f"{OTHER}.2")), full)
    assert (shown.total, shown.go_on) == (MOST_ROWS, "")
    assert "This page cannot show more. Narrow the search." in shown.sentences
    whole = results(found(hit(f"{OTHER}.2")), full)
    assert (whole.total, whole.headline) == (MOST_ROWS, "2,000 organizations.")
    assert "This page cannot show more. Narrow the search." not in whole.sentences


def test_the_largest_page_can_be_posted(settings: Any) -> None:
    row = kept(results(going_on(hit(name="x" * 200)))).rows[0]
    rows = tuple(
        row._replace(
            name=f"{number} Long name {number * 7919 % 10007}", oid=f"{OTHER}.{number}", listed_oid=str(number)
        )
        for number in range(MOST_ROWS - 1)
    )
    assert len(EarlierResults(rows=rows).signed_text(STAGING)) < settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 2


def test_a_long_name_is_cut() -> None:
    shown = results(found(hit(name="x" * 100_000, part_of_oid="y" * 100_000)))
    ((row,),) = (group.rows for group in shown.groups)
    assert (len(row.name), len(row.part_of_oid)) == (results_page.LONGEST_NAME, results_page.LONGEST_NAME)


# The page -----------------------------------------------------------------------------------------------------


def test_the_page_shows_the_search_and_says_that_redox_does_not_name_the_unit(editor: User) -> None:
    page = directory_page.build(STAGING, editor, DirectorySearchForm())
    text = text_of_page(page, STAGING)
    assert text.startswith("Directory | STAGING | orgportal ")
    assert f"Name OID ZIP Within {NO_UNIT} State" in text
    assert controls_in(html_of_page(page, STAGING))["Search"] == ""


def test_the_page_leads_to_find_ours_and_says_what_it_found(editor: User) -> None:
    def page() -> str:
        return text_of_page(directory_page.build(STAGING, editor, DirectorySearchForm()), STAGING)

    assert "Find ours: not done yet" in page()
    run = factories.take_over(user=editor, kind=TakeOverKind.SCAN, seen={f"{BASE}.1": factories.record(f"{BASE}.1")})
    assert re.search(r"Find ours: \w+ \d+, 1 found, 1 not in the portal", page())
    assert f"/take-over/{run.pk}/" in html_of_page(
        directory_page.build(STAGING, editor, DirectorySearchForm()), STAGING
    )


def test_a_viewer_reads_who_can_search() -> None:
    viewer = factories.UserFactory(role="viewer")
    page = directory_page.build(STAGING, viewer, DirectorySearchForm(), results(going_on(hit())))
    html = html_of_page(page, STAGING)
    assert "You cannot ask the directory in STAGING. Editors and Approvers can: nobody yet." in html
    assert {controls_in(html)[name] for name in ("Search", "Continue the search")} == {None}


def test_the_page_says_what_counts_as_ours_without_a_base_oid(editor: User) -> None:
    page = directory_page.build(STAGING, editor, DirectorySearchForm(), results(found(hit())))
    hint = "REDOX_STAGING_BASE_OIDS is not set. So only what is part of records in the portal counts as yours."
    assert hint in text_of_page(page, STAGING)
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=BASE)):
        page = directory_page.build(STAGING, editor, DirectorySearchForm(), results(found(hit())))
    assert "BASE_OIDS" not in text_of_page(page, STAGING)


def test_names_from_the_directory_are_shown_as_text(editor: User) -> None:
    strange = hit(name="<b>\u202ebold", part_of_oid="<i>")
    html = html_of_page(directory_page.build(STAGING, editor, DirectorySearchForm(), results(found(strange))), STAGING)
    assert "&lt;b&gt;\\u202Ebold" in html
    assert "<b>\u202e" not in html
    assert "<i>" not in html


def test_the_results_are_in_groups_with_headings(here: Organization, editor: User) -> None:
    ours = hit(f"{BASE}.2", Ownership.BELOW_BASE, name="Lakeside Harbor", active=False, part_of_oid=here.oid)
    same = hit(here.oid, Ownership.BELOW_BASE, name="Lakeside 1", organization=here, compared=Compared.AS_ACCEPTED)
    page = directory_page.build(STAGING, editor, DirectorySearchForm(), results(going_on(ours, same)))
    text = text_of_page(page, STAGING)
    assert "Ours, not in the portal 1 Lakeside Harbor …458.99999.1.1.1.1.2 no Lakeside 1 Not in the portal" in text
    assert "1 Lakeside 1 …458.99999.1.1.1.1.1 yes the Redox gateway the same, compared Nov 27, 14:02" in text
    assert controls_in(html_of_page(page, STAGING))["Continue the search"] == ""


def test_another_organization_is_called_not_ours() -> None:
    shown = results(found(hit(OTHER, name="Boston General")))
    assert [(group.key, group.rows[0].said, group.rows[0].url) for group in shown.groups] == [
        ("not_ours", "not ours", "")
    ]
