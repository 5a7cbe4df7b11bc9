"""The list and the tree of organizations: rows, what is folded, what a folded branch says, and what is chosen."""

import pytest
from django.http import QueryDict

from organizations.models import Environment, Organization, State, Submission
from organizations.pages.organizations import listing, tree_rows
from organizations.pages.organizations.listing import Listing
from organizations.pages.organizations.page import no_records
from organizations.pages.organizations.rows import RecordRow
from organizations.queries import chosen_records, record_filters
from tests import bulk
from tests.factories import BASE

pytestmark = pytest.mark.django_db
NORTH, SOUTH = f"{BASE}.1", f"{BASE}.2"


@pytest.fixture
def regions(db: None) -> list[Organization]:
    """A company with two regions, each with thirty locations; all of it is as Redox accepted it."""
    made = bulk.records(63)
    Organization.objects.update(changes=0, presence="present", presence_basis="accepted", confirmed_active=True)
    return made


def shown(query: str = "", *, can_choose: bool = True) -> Listing:
    asked = QueryDict(query)
    wanted = record_filters.read(asked, "staging")
    place = (asked.get("page", ""), asked.get("open", ""))
    return listing.build(Environment.STAGING, wanted, *place, chosen_records.read(asked), can_choose=can_choose)


def open_rows(page: Listing) -> list[str]:
    return [row.organization.oid for row in page.rows if row.is_open]


def row_of(page: Listing, oid: str) -> RecordRow:
    return next(row for row in page.rows if row.organization.oid == oid)


def change(*oids: str) -> None:
    Organization.objects.filter(oid__in=oids).update(changes=2)


class TestFolding:
    def test_a_tree_that_fits_a_short_screen_is_open(self, db):
        bulk.records(20)
        page = shown()
        assert [row.level for row in page.rows] == [1, 2] + [3] * 18
        assert [row.children for row in page.rows[:3]] == [1, 18, 0]
        assert (page.folded, page.unfold_url) == (0, "")

    def test_regions_of_a_larger_tree_are_folded_and_counted(self, regions):
        page = shown()
        assert open_rows(page) == [BASE]
        assert [row.organization.oid for row in page.rows] == [BASE, NORTH, SOUTH]
        assert (page.summary, page.folded, page.fold_url) == ("63 records", 60, "")

    def test_the_path_in_the_address_is_open_and_can_be_closed(self, regions):
        page = shown(f"open={NORTH}")
        assert (open_rows(page), len(page.rows)) == ([BASE, NORTH], 33)
        assert row_of(page, NORTH).toggle_url == f"/staging/organizations/?open={BASE}"
        assert len(shown("open=none").rows) == 1

    def test_all_can_be_unfolded_and_folded_again(self, regions):
        unfolded = shown(shown().unfold_url.partition("?")[2])
        assert (len(unfolded.rows), unfolded.folded, unfolded.unfold_url) == (63, 0, "")
        assert open_rows(shown(unfolded.fold_url.partition("?")[2])) == [BASE]

    def test_records_behind_more_here_are_counted_and_their_region_says_so(self, regions):
        Organization.objects.filter(part_of_oid=SOUTH).exclude(oid__endswith="1").update(part_of_oid=NORTH)
        page = shown(f"open={NORTH}")
        assert (row_of(page, NORTH).children, page.rows[-2].more) == (57, 7)
        assert (row_of(page, NORTH).unshown, row_of(page, BASE).unshown) == (7, 0)
        assert (page.folded, page.unshown) == (3, 7)

    def test_a_page_that_would_be_too_long_is_not_offered(self, regions, monkeypatch):
        monkeypatch.setattr(tree_rows, "MOST_UNFOLDED", 62)
        page = shown()
        assert (page.folded, page.unfold_url) == (60, "")

    def test_the_path_can_lead_past_the_first_children(self, regions):
        below = [bulk.row(f"{SOUTH}.{number}", SOUTH, "staging") for number in range(31, 121)]
        Organization.objects.bulk_create(below)
        page = shown(f"open={SOUTH}")
        assert (page.rows[-1].more, page.rows[-1].more_url) == (70, f"/staging/organizations/{SOUTH}/branch/?page=2")
        last = shown(f"open={SOUTH}.120").rows[-1]
        assert (last.organization.oid, last.more, last.more_url) == (f"{SOUTH}.120", 69, "")

    def test_a_record_whose_parent_is_not_ours_is_at_the_top_of_its_page(self, db):
        alone = [bulk.row(f"{BASE}.{number}", "2.999.1", "staging") for number in range(1, 61)]
        Organization.objects.bulk_create(alone)
        page = shown(f"open={BASE}.60")
        assert page.page.number == 2
        assert row_of(page, f"{BASE}.60").level == 1

    def test_a_hit_is_shown_below_its_ancestors(self, regions):
        change(f"{SOUTH}.7")
        page = shown("open_work=changes_not_sent")
        assert [row.organization.oid for row in page.rows] == [BASE, SOUTH, f"{SOUTH}.7"]
        assert [row.is_ancestor_only for row in page.rows] == [True, True, False]
        assert (page.folded, page.fold_url) == (0, "")
        assert page.summary == "1 of 63 records fits, and 2 parents"


class TestList:
    def test_it_sorts_both_ways_and_pages(self, regions):
        first, last = shown("view=list"), shown("view=list&page=2&sort=-oid")
        assert (len(first.rows), len(last.rows)) == (50, 13)
        assert (first.columns["oid"].aria_sort, last.columns["oid"].aria_sort) == ("ascending", "descending")
        assert first.columns["name"].aria_sort == ""
        assert first.columns["oid"].url == "/staging/organizations/?view=list&sort=-oid"
        assert last.rows[-1].organization.oid == BASE

    def test_if_nothing_fits_the_filter_to_remove_is_named(self, regions):
        one = shown("q=lakeside&standing=unknown").nothing_fits()
        assert one.text == "Nothing fits all filters. Without 'Directory status: Unknown' there are 63."
        assert (one.url, one.step) == ("/staging/organizations/?q=lakeside", "Remove it")
        none = shown("q=xyz&standing=unknown").nothing_fits()
        assert (none.text, none.url) == ("Nothing fits all filters.", "/staging/organizations/?")


class TestNoRecords:
    @pytest.mark.parametrize(
        ("environment", "is_connected", "says", "url", "connection_url"),
        [
            ("staging", False, "You can prepare records now", "/staging/organizations/new/", "/staging/connection/"),
            ("staging", True, "The portal cannot take them over yet.", "/staging/organizations/new/", ""),
            ("production", True, "test in STAGING, then repeat here.", "/staging/organizations/", ""),
        ],
    )
    def test_an_environment_without_records_says_what_to_do(self, environment, is_connected, says, url, connection_url):
        words = no_records(Environment(environment), is_connected=is_connected, may_edit=True)
        assert says in words.text
        assert (words.url, words.connection_url) == (url, connection_url)
        assert no_records(Environment(environment), is_connected=is_connected, may_edit=False).url == ""


@pytest.mark.both_databases
class TestWorkBelow:
    def test_a_folded_branch_shows_its_work_the_most_urgent_first(self, regions, editor):
        unclear, queued = Organization.objects.filter(oid__in=[f"{NORTH}.1", f"{NORTH}.2"])
        for made, state in ((unclear, State.NEEDS_PERSON), (queued, State.QUEUED)):
            (submission,) = bulk.sent([made], [editor])
            Submission.objects.filter(pk=submission.pk).update(state=state)
            Organization.objects.filter(pk=made.pk).update(last_submission=submission)
        change(f"{NORTH}.3", f"{NORTH}.4", SOUTH)
        Organization.objects.filter(oid=f"{NORTH}.4").update(differs=1)
        page = shown()
        assert [text for _, text in row_of(page, NORTH).work_below] == [
            "1 needs a decision",
            "1 differs",
            "1 queued",
            "2 not sent",
        ]
        assert row_of(page, SOUTH).work_below == []  # its own work does not count as work below

    def test_an_open_branch_counts_all_records_below_it(self, regions):
        change(f"{NORTH}.3", f"{SOUTH}.3", SOUTH)
        top = row_of(shown(), BASE)
        assert (top.below.records, [text for _, text in top.work_below]) == (62, ["3 not sent"])

    def test_it_is_one_query_for_any_number_of_branches(self, regions, django_assert_max_num_queries):
        with django_assert_max_num_queries(17) as few:
            shown()
        heads = [bulk.row(f"{BASE}.{number}", BASE, "staging") for number in range(3, 10)]
        Organization.objects.bulk_create([*heads, *(bulk.row(f"{head.oid}.1", head.oid, "staging") for head in heads)])
        with django_assert_max_num_queries(len(few)):
            assert len(shown().rows) == 10

    def test_records_that_form_a_circle_end_the_count(self, regions):
        Organization.objects.filter(oid=NORTH).update(part_of_oid=f"{NORTH}.1")
        (north,) = tree_rows.branch(Organization.objects.get(oid=f"{NORTH}.1"), "")
        assert north.below.records == 31


@pytest.mark.one_database
class TestAddingBelow:
    @pytest.mark.parametrize("view", ["tree", "list"])
    def test_no_record_can_be_added_below_a_deactivated_one(self, regions, view):
        Organization.objects.filter(oid=NORTH).update(confirmed_active=False)
        page = shown(f"open={NORTH}" if view == "tree" else "view=list")
        offered = [oid for oid in (BASE, NORTH, f"{NORTH}.1", SOUTH) if row_of(page, oid).can_add_below]
        assert offered == [BASE, SOUTH]


class TestChoosing:
    def test_all_with_unsent_changes_are_shown_and_ticked(self, regions):
        change(f"{NORTH}.3", f"{SOUTH}.3")
        page = shown()
        assert (page.unsent, page.choose_label) == (2, "Choose all 2 with unsent changes")
        chosen = shown(page.choose_url.partition("?")[2])
        assert [row.organization.oid for row in chosen.rows if row.is_chosen] == [f"{NORTH}.3", f"{SOUTH}.3"]
        assert chosen.chosen == 2

    def test_all_that_are_chosen_at_once_are_on_one_page(self, regions):
        Organization.objects.update(changes=1)
        assert shown(shown().choose_url.partition("?")[2]).chosen == 63

    def test_only_as_many_as_a_plan_holds_are_chosen_at_once(self, regions, monkeypatch):
        Organization.objects.update(changes=1)
        monkeypatch.setattr(listing, "MOST_RECORDS", 60)
        page = shown()
        assert page.choose_label == "Choose 60 of 63 with unsent changes"
        assert shown(page.choose_url.partition("?")[2]).chosen == 60

    def test_the_filters_in_force_still_narrow(self, regions):
        change(f"{NORTH}.3", f"{SOUTH}.3")
        assert shown(f"below={NORTH}").unsent == 1
        found = shown("q=lakeside&view=list")
        assert found.unsent == 0  # a search reads every record, and is not made twice
        assert found.rows[0].match is not None

    def test_records_with_an_open_submission_are_not_chosen(self, regions, editor):
        change(NORTH)
        made = Organization.objects.get(oid=NORTH)
        (submission,) = bulk.sent([made], [editor])
        Submission.objects.filter(pk=submission.pk).update(state=State.QUEUED)
        Organization.objects.filter(pk=made.pk).update(last_submission=submission)
        assert shown().unsent == 0

    def test_people_who_cannot_send_choose_nothing(self, regions):
        change(NORTH)
        assert shown(can_choose=False).unsent == 0

    def test_chosen_records_without_a_row_are_kept_and_counted(self, regions):
        north, folded = (Organization.objects.get(oid=oid).pk for oid in (NORTH, f"{SOUTH}.3"))
        page = shown(f"record={north}&record={folded}.999999&record=x")
        assert row_of(page, NORTH).is_chosen
        assert (page.chosen_elsewhere, page.chosen) == ((folded,), 2)


@pytest.mark.one_database
class TestFilters:
    def test_two_selects_are_always_shown_and_the_others_behind_more_filters(self, regions):
        page = shown()
        assert [select.label for select in page.selects] == ["Directory status", "To do"]
        assert [select.label for select in page.more_selects] == ["Kind of record", "State", "Contact"]

    @pytest.mark.parametrize(
        ("query", "is_set"), [("standing=active", False), ("state=WI", True), (f"below={NORTH}", True)]
    )
    def test_more_filters_are_open_while_one_of_them_is_set(self, regions, query, is_set):
        assert shown(query).is_more_set is is_set

    def test_deactivated_records_are_left_out_by_a_link_that_keeps_the_filters(self, regions):
        assert shown("state=WI").hide_url == "/staging/organizations/?state=WI&hide_deactivated=1"
        assert [shown(query).hide_url for query in ("hide_deactivated=1", "standing=deactivated")] == ["", ""]
