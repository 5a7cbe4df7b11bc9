"""The search of the directory over HTTP: one Query, its results, the next page; nothing about others is stored."""

import pytest
from django.utils.timezone import localtime

from organizations.models import Action, AuditEntry, Organization
from organizations.views.directory import TOO_OLD
from tests import factories
from tests.factories import BASE
from tests.services.directory.test_search import OTHER, listed
from tests.views.pages import text_of

pytestmark = pytest.mark.one_database

PAGE = "/staging/directory/"


def search(client, **typed):
    answer = client.post(PAGE, typed)
    assert answer.status_code == 200
    return answer


def searches():
    return [
        entry.facts["details"] for entry in AuditEntry.objects.filter(action=Action.DIRECTORY_SEARCHED).order_by("pk")
    ]


def rows_of(answer):
    return [row.name for group in answer.context["results"].groups for row in group.rows]


def test_opening_the_page_sends_nothing(client, practice):
    answer = client.get(PAGE)
    assert (answer.status_code, practice.requests, searches()) == (200, [], [])
    assert 'aria-current="true">Directory</a>' in answer.content.decode()
    assert 'href="/production/directory/"' in answer.content.decode()
    assert "Results are not kept" not in text_of(answer)


def test_a_search_shows_the_groups_and_keeps_what_was_typed(client, with_base, editor):
    here = factories.accepted_organization(f"{BASE}.1", user=editor)
    with_base.register("staging", listed(f"{BASE}.1", "Lakeside 1"))
    with_base.register("staging", listed(f"{BASE}.2", "Lakeside Harbor"))
    with_base.register("staging", listed(OTHER, "Lakeside Dental"))

    answer = search(client, name="Lakeside", active="true")

    assert rows_of(answer) == ["Lakeside Harbor", "Lakeside 1", "Lakeside Dental"]
    html = answer.content.decode()
    assert f'<a href="/staging/organizations/{here.oid}/">Lakeside 1</a>' in html
    assert 'value="Lakeside"' in html
    assert '<option value="true" selected>yes</option>' in html
    assert with_base.effects == []
    assert Organization.objects.count() == 1


def test_an_organization_that_cannot_be_read_is_named_at_once_if_it_is_the_only_result(client, practice):
    practice.register("staging", listed(OTHER, Name=["Lakeside"]))
    answer = search(client, oid=OTHER)
    assert answer.context["results"].headline == "No organization that can be read."
    assert '<details class="fold" open>' in answer.content.decode()
    assert f"The directory shows {OTHER}, but its Name cannot be read." in text_of(answer)


def test_the_address_of_a_page_with_results_fills_the_form_again_and_asks_nothing(client, practice):
    answer = search(client, name="Lakeside & Söhne", active="false", changed_since="2026-11-01")
    address = answer.context["address"]
    assert address == f"{PAGE}?name=Lakeside+%26+S%C3%B6hne&active=false&changed_since=2026-11-01"
    asked = len(practice.requests)

    again = client.get(address)

    assert (again.status_code, again.context["results"], again.context["address"]) == (200, None, address)
    html = again.content.decode()
    for typed in ('value="Lakeside &amp; Söhne"', 'value="2026-11-01"', '<option value="false" selected>'):
        assert typed in html
    assert "Results are not kept, so search again to see them." in text_of(again)
    assert len(practice.requests) == asked


def test_the_address_of_a_refused_or_continued_search_has_what_was_typed(client, practice):
    refused = client.post(PAGE, {"name": "Lakeside", "oid": "2.16.x"})
    assert refused.context["address"] == f"{PAGE}?name=Lakeside&oid=2.16.x"
    for number in range(101):
        practice.register("staging", listed(f"{OTHER}.{number + 1}", f"Lakeside {number}"))
    first = search(client, name="Lakeside")
    assert search(client, so_far=first.context["results"].go_on).context["address"] == f"{PAGE}?name=Lakeside"


def test_texts_that_are_too_long_for_an_address_are_left_out_of_it(client, practice):
    assert client.post(PAGE, {"name": "x" * 4000}).context["address"] == PAGE


def test_a_record_that_a_search_showed_was_seen_then(client, practice, editor):
    row = factories.accepted_organization(user=editor)
    practice.register("staging", listed(row.oid, "Lakeside Harbor"))
    before = text_of(client.get(f"/staging/organizations/{row.oid}/"))
    assert "No Query for this record has been answered." in before
    page = search(client, name="Lakeside")
    assert page.context["results"].total == 1
    after = text_of(client.get(f"/staging/organizations/{row.oid}/"))
    row.refresh_from_db()
    assert row.seen_at is not None
    assert f"Directory asked {localtime(row.seen_at):%H:%M}" in after


def test_a_wrong_field_is_refused_and_everything_typed_stays(client, practice):
    answer = client.post(PAGE, {"name": "Lakeside", "oid": "2.16.x", "zip_code": "53704", "radius": "", "state": "WI"})
    assert answer.status_code == 422
    assert sorted(answer.context["form"].errors) == ["oid", "radius"]
    html = answer.content.decode()
    assert "<title>Error: Directory | STAGING | orgportal</title>" in " ".join(html.split()).replace(" | ", " | ")
    for typed in ('value="Lakeside"', 'value="2.16.x"', 'value="53704"', '<option value="WI" selected>'):
        assert typed in html
    assert 'aria-describedby="id_oid_error"' in html
    assert 'href="#id_radius"' in html
    assert (practice.requests, searches()) == ([], [])


def test_a_continued_search_shows_all_results(client, practice):
    for number in range(103):
        practice.register("staging", listed(f"{OTHER}.{number + 1}", f"Lakeside {number}"))
    first = search(client, name="Lakeside")
    assert "100 so far. There may be more." in text_of(first)

    second = search(client, so_far=first.context["results"].go_on)

    assert len(rows_of(second)) == len(set(rows_of(second))) == 103
    assert "103 organizations. The directory shows no more." in text_of(second)
    assert 'value="Lakeside"' in second.content.decode()
    assert [each["index"] for each in searches()] == [0, 100]


def test_a_search_that_broke_off_can_be_continued_later(client, practice):
    for number in range(101):
        practice.register("staging", listed(f"{OTHER}.{number + 1}", f"Lakeside {number}"))
    first = search(client, name="Lakeside")

    practice.behaviour = "gateway-error"
    broken_off = search(client, so_far=first.context["results"].go_on)
    assert "100 so far. Then no answer came: " in text_of(broken_off)
    assert len(rows_of(broken_off)) == 100

    practice.behaviour = "answers"
    assert len(rows_of(search(client, so_far=broken_off.context["results"].go_on))) == 101


@pytest.mark.parametrize("signed_text", ["", "x", "eyJhIjoxfQ:1abc:signature"])
def test_a_search_with_changed_hidden_results_is_not_continued(client, practice, signed_text):
    answer = client.post(PAGE, {"so_far": signed_text, "name": "Lakeside"})
    assert (answer.status_code, answer.context["notes"]) == (422, (TOO_OLD,))
    assert 'value="Lakeside"' in answer.content.decode()
    assert practice.requests == []
