"""The filters of the list of organizations, and the chips that name and remove each."""

import pytest
from django.http import QueryDict

from organizations.models import Environment, Organization, User
from organizations.pages.organizations import filter_words, listing
from organizations.pages.search import hits
from organizations.queries import choices, record_filters, search
from organizations.queries.filters import most_restrictive
from organizations.queries.record_filters import RecordFilters
from organizations.records import AddressRecord, ContactRecord
from organizations.services import search_index
from tests import factories
from tests.factories import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases, pytest.mark.usefixtures("unreachable_redox")]

NIGHT = ContactRecord(purpose="Technical", email_addresses=("night@lakeside.example",), work_phone="+16085550199")


@pytest.fixture(autouse=True)
def records(editor: User) -> None:
    """An active record, its child that was never sent, and a location in Illinois without a contact."""
    factories.accepted_organization(user=editor, name="North Region")
    factories.organization(f"{BASE}.1", user=editor, name="Quarry Road", part_of_oid=BASE, contacts=(NIGHT,))
    address = AddressRecord(state="IL", country="USA")
    alone = factories.organization(f"{BASE}.7", user=editor, name="Alone", contacts=(), address=address)
    Organization.objects.filter(pk=alone.pk).update(stands_for="location")


def filters_of(query: str) -> RecordFilters:
    return record_filters.read(QueryDict(query), "staging")


def names(query: str = "") -> list[str]:
    filters = filters_of(query)
    return [record.name for record in record_filters.matching("staging", filters).order_by(*filters.order())]


NARROWED = {
    "": ["North Region", "Quarry Road", "Alone"],
    "q=QUARRY (608) 555-0199": ["Quarry Road"],
    "q=quarry nowhere": [],
    "standing=active": ["North Region"],
    "standing=not_registered": ["Quarry Road", "Alone"],
    "open_work=changes_not_sent": ["Quarry Road", "Alone"],
    "open_work=rejected": [],
    "stands_for=location": ["Alone"],
    "stands_for=not_said": ["North Region", "Quarry Road"],
    "state=IL": ["Alone"],
    "contact=none": ["Alone"],
    "contact=no_phone": ["Alone"],
    "contact=no_email": ["Alone"],
    f"below={BASE}": ["Quarry Road"],
    "below=north region": ["Quarry Road"],
    "below=Nowhere": [],
    "state=XX&standing=x": ["North Region", "Quarry Road", "Alone"],
    "sort=-oid": ["Alone", "Quarry Road", "North Region"],
    "sort=name": ["Alone", "North Region", "Quarry Road"],
    "sort=-accepted": ["North Region", "Quarry Road", "Alone"],
}


def test_each_filter_narrows_and_each_order_sorts():
    assert {query: names(query) for query in NARROWED} == NARROWED


def test_oids_sort_by_their_arcs(editor):
    for number in (10, 9):
        factories.organization(f"{BASE}.{number}", user=editor, name=str(number))
    assert names() == ["North Region", "Quarry Road", "Alone", "9", "10"]


def test_deactivated_records_can_be_left_out():
    Organization.objects.filter(oid=BASE).update(confirmed_active=False)
    assert names("hide_deactivated=1") == ["Quarry Road", "Alone"]
    assert names("standing=deactivated") == ["North Region"]


def test_the_filter_saved_by_finds_records_that_these_people_saved_last(editor):
    other = factories.editor(username="other")
    Organization.objects.filter(name="Alone").update(edited_by=other)
    Organization.objects.filter(name="Quarry Road").update(edited_by=None)
    names_found = [
        len(names(f"saved_by={text}")) for text in (f"{other.pk}", "0", f"{other.pk},0", f"{editor.pk}", "x", "1,")
    ]
    assert names_found == [1, 1, 2, 1, 3, 3]
    [chip] = filter_words.chips("staging", filters_of(f"saved_by={other.pk}"))
    assert chip.text == "Saved by: Editor One"


def test_a_chip_names_its_filter_and_removes_it():
    chips = filter_words.chips("staging", filters_of(f"stands_for=location&state=IL&below={BASE}&view=list"))
    assert [chip.text for chip in chips] == ["Kind of record: Physical location", "State: IL", "Below: North Region"]
    assert chips[1].url == f"?stands_for=location&below={BASE}&view=list"


def test_the_words_of_the_page_name_every_choice():
    for name, options in filter_words.OPTIONS.items():
        assert tuple(options) == record_filters.CHOICES[name], name
    assert tuple(filter_words.LABELS) == RecordFilters.NARROWING


def test_if_nothing_matches_the_most_restrictive_filter_is_named():
    def worst(query: str) -> tuple[str, int]:
        return most_restrictive(filters_of(query), lambda fewer: record_filters.count_matching("staging", fewer))

    assert worst("q=road&standing=deactivated") == ("standing", 1)
    assert worst("q=xyz&standing=active") == ("q", 1)


@pytest.mark.parametrize(("number", "note"), [(3, ""), (2, filter_words.ONLY_FIRST_RECORDS)])
def test_a_page_searches_short_words_in_the_first_records_only_and_says_so(monkeypatch, number, note):
    monkeypatch.setattr(search_index, "MOST_SEARCHED", number)
    for query in ("q=n&view=tree", "q=n&view=list&sort=-oid", "q=n&view=list&sort=name"):
        page = listing.build(Environment.STAGING, filters_of(query), "", "")
        assert (page.fitting, page.note) == (number, note)
        assert {row.organization.name for row in page.rows} == set(["North Region", "Quarry Road", "Alone"][:number])
    found = hits.find("n")
    assert (found.total, found.note) == (number, note)
    assert len(choices.parents("staging", "n").choices) == number
    assert record_filters.count_matching("staging", filters_of("q=n")) == number


def test_a_search_that_found_more_than_it_counts_does_not_say_which_records_it_read(monkeypatch):
    monkeypatch.setattr(search_index, "MOST_SEARCHED", 2)
    monkeypatch.setattr(record_filters, "MOST_FOUND", 1)
    monkeypatch.setattr(search, "MOST_TOTAL", 1)
    assert listing.build(Environment.STAGING, filters_of("q=n&view=list"), "", "").note == ""
    assert hits.find("n").note == ""
    monkeypatch.setattr(choices, "MOST_PARENTS", 2)
    assert choices.parents("staging", "n").misses_records is False


def test_an_export_and_a_search_with_a_longer_word_read_all_records(monkeypatch):
    monkeypatch.setattr(search_index, "MOST_SEARCHED", 1)
    assert len(record_filters.in_order("staging", filters_of("q=n"))) == 3
    longer = listing.build(Environment.STAGING, filters_of("q=n quarry&view=list"), "", "")
    assert ([row.organization.name for row in longer.rows], longer.note) == (["Quarry Road"], "")


def test_a_search_counts_and_turns_over_fewer_records_than_a_list(monkeypatch):
    monkeypatch.setattr(record_filters, "MOST_FOUND", 2)
    searched = listing.build(Environment.STAGING, filters_of("q=840&view=list"), "", "")
    assert (searched.summary, len(searched.rows)) == ("more than 2 records match", 2)
    whole = listing.build(Environment.STAGING, filters_of("hide_deactivated=1&view=list"), "", "")
    assert (whole.summary, len(whole.rows)) == ("3 of 3 records match", 3)
    none = filter_words.nothing_fits(Environment.STAGING, filters_of("q=840&standing=seen"), "")
    assert none.text.endswith("Without 'Directory status: Seen' there are more than 2.")
