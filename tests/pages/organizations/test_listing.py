"""The list and the tree of organizations: rows, folding, counts of folded branches, and chosen records."""

from dataclasses import replace

import pytest
from django.http import QueryDict

from organizations.models import Environment, Organization, State
from organizations.pages.organizations import listing, tree_rows
from organizations.pages.organizations.listing import Listing
from organizations.pages.organizations.page import no_records
from organizations.pages.organizations.rows import RecordRow
from organizations.queries import chosen_records, record_filters, record_rows, record_tree
from tests import bulk, factories
from tests.factories import BASE

pytestmark = pytest.mark.django_db
NORTH, SOUTH = f"{BASE}.1", f"{BASE}.2"


@pytest.fixture
def regions(db: None) -> list[Organization]:
    """A company with two regions of thirty locations each, all accepted by Redox."""
    organizations = bulk.records(63)
    Organization.objects.update(changes=0, presence="present", presence_basis="accepted", confirmed_active=True)
    return organizations


def listing_of(query: str = "", *, can_choose: bool = True) -> Listing:
    parameters = QueryDict(query)
    filters = record_filters.read(parameters, "staging")
    place = (parameters.get("page", ""), parameters.get("open", ""))
    return listing.build(Environment.STAGING, filters, *place, chosen_records.read(parameters), can_choose=can_choose)


def open_rows(page: Listing) -> list[str]:
    return [row.organization.oid for row in page.rows if row.is_open]


def row_of(page: Listing, oid: str) -> RecordRow:
    return next(row for row in page.rows if row.organization.oid == oid)


def change(*oids: str) -> None:
    Organization.objects.filter(oid__in=oids).update(changes=2)


class TestFolding:
    def test_a_small_tree_is_unfolded(self, db):
        bulk.records(20)
        page = listing_of()
        assert [row.level for row in page.rows] == [1, 2] + [3] * 18
        assert [row.children for row in page.rows[:3]] == [1, 18, 0]
        assert (page.folded, page.unfold_url) == (0, "")

    def test_regions_of_a_larger_tree_are_folded_and_counted(self, regions):
        page = listing_of()
        assert open_rows(page) == [BASE]
        assert [row.organization.oid for row in page.rows] == [BASE, NORTH, SOUTH]
        assert (page.summary, page.folded, page.fold_url) == ("63 records", 60, "")

    def test_the_path_in_the_url_is_unfolded_and_can_be_folded(self, regions):
        page = listing_of(f"open={NORTH}")
        assert (open_rows(page), len(page.rows)) == ([BASE, NORTH], 33)
        assert row_of(page, NORTH).toggle_url == f"/staging/organizations/?open={BASE}"
        assert len(listing_of("open=none").rows) == 1

    def test_all_branches_can_be_unfolded_and_folded(self, regions):
        unfolded = listing_of(listing_of().unfold_url.partition("?")[2])
        assert (len(unfolded.rows), unfolded.folded, unfolded.unfold_url) == (63, 0, "")
        assert open_rows(listing_of(unfolded.fold_url.partition("?")[2])) == [BASE]

    def test_records_that_a_branch_leaves_out_are_counted(self, regions):
        Organization.objects.filter(part_of_oid=SOUTH).exclude(oid__endswith="1").update(part_of_oid=NORTH)
        page = listing_of(f"open={NORTH}")
        assert (row_of(page, NORTH).children, page.rows[-2].more) == (57, 7)
        assert (row_of(page, NORTH).unshown, row_of(page, BASE).unshown) == (7, 0)
        assert page.hidden == ", 3 in folded branches, 7 behind “more here”"

    def test_beyond_the_limit_records_below_are_not_counted(self, regions, monkeypatch):
        monkeypatch.setattr(record_tree, "MOST_COUNTED", 62)
        page = listing_of(f"open={NORTH}")
        assert page.hidden == ", others in folded branches"
        assert row_of(page, SOUTH).below_text == ""

    def test_beyond_the_limit_work_below_is_not_added_up_and_the_page_says_so(self, regions, monkeypatch):
        change(f"{NORTH}.3", f"{NORTH}.4")
        assert [text for _, text in row_of(listing_of(), NORTH).work_below] == ["2 not sent"]
        assert not listing_of().note
        monkeypatch.setattr(record_tree, "MOST_WITH_WORK", 1)
        page = listing_of()
        assert (row_of(page, NORTH).work_below, page.note) == ([], listing.LEFT_OUT)

    def test_children_are_counted_up_to_a_limit(self, regions, monkeypatch):
        Organization.objects.filter(part_of_oid=SOUTH).update(part_of_oid=NORTH)
        page = listing_of(f"open={NORTH}")
        assert (row_of(page, NORTH).children_text, page.rows[-2].more_text) == ("60", "10 more here")
        monkeypatch.setattr(record_rows, "MOST_CHILDREN", 58)
        page = listing_of(f"open={NORTH}")
        assert (row_of(page, NORTH).children_text, page.rows[-2].more_text) == ("58+", "More here")

    def test_unfolding_all_is_not_offered_if_the_page_is_too_long(self, regions, monkeypatch):
        monkeypatch.setattr(tree_rows, "MOST_UNFOLDED", 62)
        page = listing_of()
        assert (page.folded, page.unfold_url) == (60, "")

    def test_the_path_can_contain_a_child_that_is_otherwise_left_out(self, regions):
        below = [bulk.row(f"{SOUTH}.{number}", SOUTH, "staging") for number in range(31, 121)]
        Organization.objects.bulk_create(below)
        page = listing_of(f"open={SOUTH}")
        assert (page.rows[-1].more, page.rows[-1].more_url) == (70, f"/staging/organizations/{SOUTH}/branch/?page=2")
        last = listing_of(f"open={SOUTH}.120").rows[-1]
        assert (last.organization.oid, last.more, last.more_url) == (f"{SOUTH}.120", 69, "")

    def test_a_record_whose_parent_is_not_ours_is_at_the_top_level(self, db):
        alone = [bulk.row(f"{BASE}.{number}", "2.999.1", "staging") for number in range(1, 61)]
        Organization.objects.bulk_create(alone)
        page = listing_of(f"open={BASE}.60")
        assert page.page.number == 2
        assert row_of(page, f"{BASE}.60").level == 1

    def test_a_record_that_fits_the_filter_is_shown_below_its_ancestors(self, regions):
        change(f"{SOUTH}.7")
        page = listing_of("open_work=changes_not_sent")
        assert [row.organization.oid for row in page.rows] == [BASE, SOUTH, f"{SOUTH}.7"]
        assert [row.is_ancestor_only for row in page.rows] == [True, True, False]
        assert (page.folded, page.fold_url) == (0, "")
        assert page.summary == "1 of 63 records matches, and 2 parents"

    def test_a_count_that_stopped_at_its_limit_says_more_than(self, regions):
        page = listing_of("open_work=changes_not_sent")
        many, few = replace(page, total=10_001, fitting=10_001), replace(page, total=10_001, fitting=10_000)
        assert many.summary == "more than 10,000 records match"
        assert few.summary == "10,000 of more than 10,000 records match"
        assert replace(listing_of(), total=10_001).summary == "more than 10,000 records"


class TestList:
    def test_the_list_has_pages_and_sorts_both_ways(self, regions):
        first, last = listing_of("view=list"), listing_of("view=list&page=2&sort=-oid")
        assert (len(first.rows), len(last.rows)) == (50, 13)
        assert (first.columns["oid"].aria_sort, last.columns["oid"].aria_sort) == ("ascending", "descending")
        assert first.columns["name"].aria_sort == ""
        assert first.columns["oid"].url == "/staging/organizations/?view=list&sort=-oid"
        assert last.rows[-1].organization.oid == BASE

    def test_if_nothing_matches_the_filter_to_remove_is_named(self, regions):
        one = listing_of("q=lakeside&standing=unknown").nothing_fits()
        assert one.text == "No record matches all filters. Without 'Directory status: Unknown' there are 63."
        assert (one.url, one.step) == ("/staging/organizations/?q=lakeside", "Remove it")
        none = listing_of("q=xyz&standing=unknown").nothing_fits()
        assert (none.text, none.url) == ("No record matches all filters.", "/staging/organizations/?")


class TestNoRecords:
    @pytest.mark.parametrize(
        ("environment", "is_connected", "says", "url", "other_url"),
        [
            ("staging", False, "You can prepare records now", "/staging/organizations/new/", "/staging/connection/"),
            (
                "staging",
                True,
                "Have you registered organizations with Redox before",
                "/staging/directory/take-over/",
                "/staging/organizations/new/",
            ),
            ("production", True, "test in STAGING, then repeat here.", "/staging/organizations/", ""),
        ],
    )
    def test_an_environment_without_records_says_what_to_do(self, environment, is_connected, says, url, other_url):
        words = no_records(Environment(environment), is_connected=is_connected, may_edit=True)
        assert says in words.text
        assert (words.url, words.other_url) == (url, other_url)
        assert no_records(Environment(environment), is_connected=is_connected, may_edit=False).url == ""


@pytest.mark.both_databases
class TestWorkBelow:
    def test_a_folded_branch_shows_its_work_the_most_urgent_first(self, regions, editor):
        unclear, queued = Organization.objects.filter(oid__in=[f"{NORTH}.1", f"{NORTH}.2"])
        for organization, state in ((unclear, State.NEEDS_PERSON), (queued, State.QUEUED)):
            (submission,) = bulk.sent([organization], [editor])
            Organization.objects.filter(pk=organization.pk).update(last_submission=submission)
            factories.change_submission(submission, state=state)
        change(f"{NORTH}.3", f"{NORTH}.4", SOUTH)
        Organization.objects.filter(oid=f"{NORTH}.4").update(differs=1)
        page = listing_of()
        assert [text for _, text in row_of(page, NORTH).work_below] == [
            "1 needs a decision",
            "1 differs",
            "1 queued",
            "2 not sent",
        ]
        assert row_of(page, SOUTH).work_below == []  # its own work does not count as work below

    def test_an_open_branch_counts_all_records_below_it(self, regions):
        change(f"{NORTH}.3", f"{SOUTH}.3", SOUTH)
        top = row_of(listing_of(), BASE)
        assert (top.below.records, [text for _, text in top.work_below]) == (62, ["3 not sent"])

    def test_all_branches_are_counted_in_one_query(self, regions, django_assert_max_num_queries):
        with django_assert_max_num_queries(17) as few:
            listing_of()
        heads = [bulk.row(f"{BASE}.{number}", BASE, "staging") for number in range(3, 10)]
        Organization.objects.bulk_create([*heads, *(bulk.row(f"{head.oid}.1", head.oid, "staging") for head in heads)])
        with django_assert_max_num_queries(len(few)):
            assert len(listing_of().rows) == 10

    def test_counting_ends_if_records_form_a_circle(self, regions):
        Organization.objects.filter(oid=NORTH).update(part_of_oid=f"{NORTH}.1")
        (north,) = tree_rows.branch(Organization.objects.get(oid=f"{NORTH}.1"), "")
        assert north.below.records == 31


@pytest.mark.one_database
class TestAddingBelow:
    @pytest.mark.parametrize("view", ["tree", "list"])
    def test_no_record_can_be_added_below_a_deactivated_record(self, regions, view):
        Organization.objects.filter(oid=NORTH).update(confirmed_active=False)
        page = listing_of(f"open={NORTH}" if view == "tree" else "view=list")
        offered = [oid for oid in (BASE, NORTH, f"{NORTH}.1", SOUTH) if row_of(page, oid).can_add_below]
        assert offered == [BASE, SOUTH]


class TestChoosing:
    def test_all_with_unsent_changes_are_shown_and_ticked(self, regions):
        change(f"{NORTH}.3", f"{SOUTH}.3")
        page = listing_of()
        assert (page.unsent, page.choose_label) == (2, "Choose all 2 with unsent changes")
        listing = listing_of(page.choose_url.partition("?")[2])
        assert [row.organization.oid for row in listing.rows if row.is_chosen] == [f"{NORTH}.3", f"{SOUTH}.3"]
        assert listing.chosen == 2

    def test_all_records_chosen_at_once_are_on_one_page(self, regions):
        Organization.objects.update(changes=1)
        assert listing_of(listing_of().choose_url.partition("?")[2]).chosen == 63

    def test_only_as_many_as_a_plan_holds_are_chosen_at_once(self, regions, monkeypatch):
        Organization.objects.update(changes=1)
        monkeypatch.setattr(listing, "MOST_RECORDS", 60)
        page = listing_of()
        assert page.choose_label == "Choose the first 60 with unsent changes"
        assert listing_of(page.choose_url.partition("?")[2]).chosen == 60

    def test_choosing_respects_the_other_filters(self, regions):
        change(f"{NORTH}.3", f"{SOUTH}.3")
        assert listing_of(f"below={NORTH}").unsent == 1
        listing = listing_of("q=lakeside&view=list")
        assert listing.unsent == 0  # a search reads every record and does not run twice
        assert listing.rows[0].match is not None

    def test_records_with_an_open_submission_are_not_chosen(self, regions, editor):
        change(NORTH)
        organization = Organization.objects.get(oid=NORTH)
        (submission,) = bulk.sent([organization], [editor])
        Organization.objects.filter(pk=organization.pk).update(last_submission=submission)
        factories.change_submission(submission, state=State.QUEUED)
        assert listing_of().unsent == 0

    def test_people_who_cannot_send_choose_nothing(self, regions):
        change(NORTH)
        assert listing_of(can_choose=False).unsent == 0

    def test_chosen_records_without_a_row_are_kept_and_counted(self, regions):
        north, folded = (Organization.objects.get(oid=oid).pk for oid in (NORTH, f"{SOUTH}.3"))
        page = listing_of(f"record={north}&record={folded}.999999&record=x")
        assert row_of(page, NORTH).is_chosen
        assert (page.chosen_elsewhere, page.chosen) == ((folded,), 2)


@pytest.mark.one_database
class TestFilters:
    def test_two_filters_are_always_shown_and_the_others_below_more_filters(self, regions):
        page = listing_of()
        assert [select.label for select in page.selects] == ["Directory status", "To do"]
        assert [select.label for select in page.more_selects] == ["Kind of record", "State", "Contact"]

    @pytest.mark.parametrize(
        ("query", "is_set"), [("standing=active", False), ("state=WI", True), (f"below={NORTH}", True)]
    )
    def test_more_filters_are_open_while_one_of_them_is_set(self, regions, query, is_set):
        assert listing_of(query).is_more_set is is_set

    def test_a_link_hides_deactivated_records_and_keeps_the_filters(self, regions):
        assert listing_of("state=WI").hide_url == "/staging/organizations/?state=WI&hide_deactivated=1"
        assert [listing_of(query).hide_url for query in ("hide_deactivated=1", "standing=deactivated")] == ["", ""]
