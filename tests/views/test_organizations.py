"""The list and the tree of records, their filters, and a branch."""

import pytest

from organizations.models import Action, AuditEntry, Organization, User
from organizations.practice import PracticeDirectory
from organizations.records import AddressRecord, ContactRecord
from organizations.services import delivery
from organizations.services.actors import Actor
from tests import bulk, factories
from tests.factories import BASE

STAGING = "/staging/organizations/"
PRODUCTION = "/production/organizations/"


def names(response) -> list[str]:
    return [row.organization.name for row in response.context["listing"].rows]


# the tree


def test_the_tree_is_open_as_far_as_it_fits(client_of, family):
    response = client_of("viewer").get(STAGING)
    rows = response.context["listing"].rows
    assert [(row.level, row.organization.name, row.children) for row in rows] == [
        (1, "Lakeside Clinics", 2),
        (2, "North Region", 2),
        (3, "Lakeside North", 0),
        (3, "Quarry Road", 0),
        (2, "Harbor Region", 0),
    ]
    text = response.content.decode()
    assert "<h1>Organizations in STAGING</h1>" in text
    assert "<title>Organizations | STAGING | orgportal</title>" in text
    assert "5 records" in text
    assert text.count("No record") == 5


@pytest.mark.slow
def test_a_large_tree_shows_its_top_and_opens_the_way_that_was_asked_for(client_of, db):
    bulk.records(300)
    client = client_of("viewer")
    response = client.get(STAGING)
    assert [row.level for row in response.context["listing"].rows] == [1] + [2] * 10
    assert "300 records<span data-folded>, 289 in folded regions</span>" in response.content.decode()

    opened = client.get(STAGING, {"open": f"{BASE}.3"}).context["listing"].rows
    assert [row.organization.oid for row in opened if row.is_open] == [BASE, f"{BASE}.3"]
    assert len(opened) == 11 + 30

    closed = next(row for row in opened if row.organization.oid == f"{BASE}.3").toggle_url
    assert closed == f"{STAGING}?open={BASE}"
    assert len(client.get(closed).context["listing"].rows) == 11
    assert len(client.get(STAGING, {"open": "none"}).context["listing"].rows) == 1


def test_a_parent_with_many_children_shows_the_first_and_the_way_leads_past_them(client_of, db):
    bulk.records(1)
    bulk.records(1, base=f"{BASE}.9")
    Organization.objects.filter(oid=f"{BASE}.9").update(part_of_oid=BASE)
    made = [bulk.row(f"{BASE}.9.{number}", f"{BASE}.9", "staging") for number in range(1, 121)]
    Organization.objects.bulk_create(made)
    client = client_of("viewer")

    rows = client.get(STAGING, {"open": f"{BASE}.9"}).context["listing"].rows
    assert len(rows) == 2 + 50
    assert (rows[-1].more, rows[-1].more_url) == (70, f"{STAGING}{BASE}.9/branch/?page=2")

    last = client.get(STAGING, {"open": f"{BASE}.9.120"}).context["listing"].rows
    assert last[-1].organization.oid == f"{BASE}.9.120"
    assert (last[-1].more, last[-1].more_url) == (69, "")


def test_a_record_whose_parent_is_not_ours_is_at_the_top_of_its_page(client_of, db):
    for number in range(1, 61):
        bulk.records(1, base=f"{BASE}.{number}")
    response = client_of("viewer").get(STAGING, {"open": f"{BASE}.60"})
    assert response.context["listing"].page.number == 2
    assert f"{BASE}.60" in [row.organization.oid for row in response.context["listing"].rows]


def test_a_branch_comes_as_rows_for_htmx_and_as_the_open_tree_without(client_of, family):
    client = client_of("viewer")
    address = f"{STAGING}{BASE}.1/branch/"
    response = client.get(address, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert (response["Cache-Control"], response["Vary"]) == ("private, no-store", "HX-Request, Cookie")
    assert text.count("<tr") == 2
    assert text.count('data-level="3"') == 2
    assert "<html" not in text
    assert "+ below" not in text
    assert "+ below" in client_of("editor").get(address, headers={"HX-Request": "true"}).content.decode()
    assert client.get(address).url == f"{STAGING}?open={BASE}.1"


# filters


def test_a_hit_shows_why_it_fits_and_is_framed_by_what_stands_above(client_of, family):
    response = client_of("viewer").get(STAGING, {"q": "harbor"})
    listing = response.context["listing"]
    assert [(row.level, row.organization.name, row.is_frame) for row in listing.rows] == [
        (1, "Lakeside Clinics", True),
        (2, "North Region", True),
        (3, "Quarry Road", False),
        (2, "Harbor Region", False),
    ]
    assert listing.summary == "2 of 5 records fit, and 2 parents"
    text = response.content.decode()
    assert "alias: Old <mark>Harbor</mark> Pediatrics" in text
    assert "<mark>Harbor</mark> Region" in text
    assert "Search: harbor" in text
    assert "2 of 2" not in text


@pytest.mark.parametrize(
    "typed",
    ["quarry road", "QUARRY", "pediatrics old", f"{BASE}.1.2", "…458.99999.1.1.1.1.1.2", f"urn:oid:{BASE}.1.2"],
)
def test_a_search_finds_by_each_field_in_any_form(client_of, family, typed):
    found = names(client_of("viewer").get(STAGING, {"q": typed, "view": "list"}))
    assert found == ["Quarry Road"]


def test_a_search_finds_contacts_and_every_word_must_fit(client_of, editor):
    desk = ContactRecord(purpose="Technical", email_addresses=("night@lakeside.example",), work_phone="+16085550199")
    factories.organization(user=editor, name="Found", contacts=(desk,))
    factories.organization(f"{BASE}.1", user=editor, name="Other")
    client = client_of("viewer")
    for typed in ("NIGHT@lakeside.example", "(608) 555-0199", "5550199", "found night"):
        assert names(client.get(STAGING, {"q": typed, "view": "list"})) == ["Found"], typed
    assert names(client.get(STAGING, {"q": "other night", "view": "list"})) == []
    assert "e-mail: <mark>night</mark>@lakeside.example" in client.get(STAGING, {"q": "night"}).content.decode()


def test_each_filter_narrows_and_takes_itself_away(client_of, editor, family):
    alone = factories.organization(
        f"{BASE}.7", user=editor, name="Alone", contacts=(), address=AddressRecord(state="IL", country="USA")
    )
    Organization.objects.filter(pk=alone.pk).update(stands_for="location")
    client = client_of("viewer")
    filters = {"stands_for": "location", "state": "IL", "contact": "none"}
    for name, value in filters.items():
        assert names(client.get(STAGING, {name: value, "view": "list"})) == ["Alone"], name
    listing = client.get(STAGING, filters | {"view": "list"}).context["listing"]
    assert [chip.text for chip in listing.chips] == [
        "Kind of record: Physical location",
        "State: IL",
        "Contact: No contact",
    ]
    assert listing.chips[1].url == "?stands_for=location&contact=none&view=list"
    assert listing.all_url == f"{STAGING}?view=list"


def test_saved_by_is_what_these_people_saved_last(client_of, family, editor):
    other = factories.editor(username="other")
    Organization.objects.filter(oid=f"{BASE}.1").update(edited_by=other)
    Organization.objects.filter(oid=f"{BASE}.2").update(edited_by=None)
    client = client_of("viewer")

    def fitting(saved_by: str) -> int:
        return client.get(STAGING, {"saved_by": saved_by, "view": "list"}).context["listing"].fitting

    everybody = Organization.objects.in_environment("staging").count()
    assert [fitting(str(other.pk)), fitting("0"), fitting(f"{other.pk},0")] == [1, 1, 2]
    assert [fitting(f"{editor.pk}"), fitting("x"), fitting("1,")] == [everybody - 2, everybody, everybody]
    page = client.get(STAGING, {"saved_by": str(other.pk)}).content.decode()
    assert "Saved by: Editor One" in page
    assert f'<input type="hidden" name="saved_by" value="{other.pk}">' in page


def test_below_is_the_branch_without_its_head(client_of, family):
    listing = client_of("viewer").get(STAGING, {"below": f"{BASE}.1", "view": "list"}).context["listing"]
    assert [row.organization.name for row in listing.rows] == ["Lakeside North", "Quarry Road"]
    assert listing.chips[0].text == "Below: North Region"


def test_below_takes_a_name_and_says_what_is_no_record(client_of, family):
    client = client_of("viewer")
    response = client.get(STAGING, {"below": "north region", "view": "list"})
    assert [row.organization.name for row in response.context["listing"].rows] == ["Lakeside North", "Quarry Road"]
    page = response.content.decode()
    assert f'<input class="form-control" type="text" id="below" name="below" value="{BASE}.1"' in page
    assert f'data-hx-get="{STAGING}suggestions/"' in page
    text = client.get(STAGING, {"below": "Nowhere"}).content.decode()
    assert "Nothing fits all filters. Without &#x27;Below: Nowhere&#x27; there are " in text


def test_no_hit_names_the_filter_to_drop(client_of, family):
    text = client_of("viewer").get(STAGING, {"q": "region", "standing": "active"}).content.decode()
    assert "Nothing fits all filters. Without &#x27;Directory status: Active&#x27; there are 2." in text
    assert f'href="{STAGING}?q=region">Remove it</a>' in text
    text = client_of("viewer").get(STAGING, {"q": "xyz", "standing": "active"}).content.decode()
    assert "Nothing fits all filters." in text
    assert "there are 0" not in text


def test_directory_status_and_open_work_are_filters_of_the_one_rule(
    client_of, practice: PracticeDirectory, editor: User, worker: Actor
):
    active = factories.organization(user=editor, name="Sent")
    factories.submission(active, user=editor)
    delivery.deliver_next("staging", actor=worker)
    factories.organization(f"{BASE}.1", user=editor, name="Never")
    client = client_of("viewer")
    for query, expected in [
        ({"standing": "active"}, ["Sent"]),
        ({"standing": "not_registered"}, ["Never"]),
        ({"open_work": "changes_not_sent"}, ["Never"]),
        ({"open_work": "rejected"}, []),
    ]:
        assert names(client.get(STAGING, query | {"view": "list"})) == expected, query


def test_deactivated_records_are_shown_and_can_be_taken_away(client_of, family):
    gone = Organization.objects.filter(oid=f"{BASE}.2")
    gone.update(presence="present", presence_basis="accepted", confirmed_active=False)
    client = client_of("viewer")
    text = client.get(STAGING).content.decode()
    assert 'class="is-gone"' in text
    assert f'<a href="{STAGING}?hide_deactivated=1">Hide deactivated</a>' in text
    hidden = client.get(STAGING, {"hide_deactivated": "1", "view": "list"}).context["listing"]
    assert "Harbor Region" not in [row.organization.name for row in hidden.rows]
    assert [chip.text for chip in hidden.chips] == ["Hide deactivated"]


def test_nothing_is_offered_below_a_deactivated_record(client_of, family):
    gone = Organization.objects.filter(oid=f"{BASE}.1")
    gone.update(presence="present", presence_basis="accepted", confirmed_active=False)
    text = client_of("editor").get(STAGING).content.decode()
    offered = [name for name in family if f'aria-label="Add a record below {name}"' in text]
    assert offered == ["Lakeside Clinics", "Harbor Region"]


# the list


@pytest.mark.slow
def test_the_list_sorts_both_ways_and_pages(client_of, db):
    bulk.records(120)
    client = client_of("viewer")
    first = client.get(STAGING, {"view": "list"}).context["listing"]
    assert len(first.rows) == 50
    assert first.columns["oid"].aria_sort == "ascending"
    last = client.get(STAGING, {"view": "list", "page": "3", "sort": "-oid"})
    assert len(last.context["listing"].rows) == 20
    assert names(last)[-1] == f"Lakeside {BASE.rpartition('.')[2]}"
    assert "101 to 120 of 120" in last.content.decode()


def test_oids_sort_by_their_arcs(client_of, db):
    for number in (10, 9, 2):
        bulk.records(1, base=f"{BASE}.{number}")
    shown = client_of("viewer").get(STAGING, {"view": "list"}).context["listing"]
    assert [row.organization.oid for row in shown.rows] == [f"{BASE}.{number}" for number in (2, 9, 10)]


# states and roles


def test_an_empty_environment_says_what_to_do(client_of, db):
    client = client_of("editor")
    staging = client.get(STAGING).content.decode()
    assert "No records in STAGING yet, and STAGING is not connected." in staging
    assert "You can prepare records now and send them later." in staging
    assert "See Connection" in staging
    production = client.get(PRODUCTION).content.decode()
    assert "PRODUCTION is empty." in production
    assert '<a class="btn" href="/staging/organizations/">Open a record in STAGING to prepare it here</a>' in production
    assert "test in STAGING, then repeat here." in production


def test_an_empty_environment_that_is_connected_asks_what_was_registered_before(client_of, practice):
    page = client_of("editor").get(STAGING).content.decode()
    assert "No records in STAGING yet." in page
    assert "Have you registered organizations with Redox before, with curl or Postman?" in page
    assert "The portal cannot take them over yet." in page
    assert "No: add your top-level record</a>" in page


def test_who_may_not_edit_sees_the_button_disabled_with_the_reason(client_of, editor, family):
    text = client_of("viewer").get(STAGING).content.decode()
    assert "You cannot edit records in STAGING. Editors and Approvers can: Editor One." in text
    assert 'disabled aria-describedby="why-not-edit"' in text
    assert "You cannot" not in client_of("editor").get(STAGING).content.decode().partition("</header>")[2]


def test_who_has_no_role_gets_the_sentence_and_an_entry(client_of, family):
    response = client_of().get(STAGING)
    assert response.status_code == 403
    assert AuditEntry.objects.filter(action=Action.PERMISSION_REFUSED).exists()


def test_other_environments_and_methods_are_refused(client_of, family):
    client = client_of("editor")
    assert client.get("/test/organizations/").status_code == 404
    assert client.get(f"{PRODUCTION}{BASE}/branch/").status_code == 404
    assert client.post(STAGING).status_code == 405
    assert client.post(f"{STAGING}{BASE}/branch/").status_code == 405
    assert client.post(f"{STAGING}export/").status_code == 405


@pytest.mark.slow
@pytest.mark.usefixtures("long_addresses")
@pytest.mark.parametrize("name", ["q", "standing", "below", "page", "sort", "view", "open", "contact", "state"])
def test_no_address_can_break_the_page(client_of, db, name):
    bulk.records(3)
    client = client_of("viewer")
    for value in ("\x00", "\u202e<b>x</b>", "a" * 10_000, "-1", "%", "2.16.840.99999999999999"):
        response = client.get(STAGING, {name: value})
        assert response.status_code == 200
        assert "<b>x</b>" not in response.content.decode()
