"""The search of the directory over HTTP: one Query, its results, the next page; nothing about others is stored."""

import pytest

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
