"""The organizations page and a branch of its tree, for each role."""

import pytest
from django.http import QueryDict

from organizations.models import Environment, Organization, User
from organizations.pages.organizations import page as organizations_page
from organizations.queries import chosen_records, record_filters
from tests import bulk, factories
from tests.factories import BASE
from tests.page_text import compact, html_of_page, text_of_page
from tests.views.pages import text_of

pytestmark = pytest.mark.one_database

STAGING = "/staging/organizations/"


def page(user: User, query: str = "", environment: str = "staging") -> organizations_page.OrganizationsPage:
    parameters = QueryDict(query)
    filters, chosen = record_filters.read(parameters, environment), chosen_records.read(parameters)
    return organizations_page.build(Environment(environment), user, filters, number="", opening="", chosen=chosen)


def test_an_editor_adds_chooses_and_sends(client, family):
    response = client.get(STAGING)
    text = text_of(response)
    assert text.startswith("Organizations | STAGING | orgportal ")
    assert "Organizations in STAGING Export CSV Check all records Add organization" in text
    assert "5 records" in text
    assert text.count("Not linked") == 5
    assert "You cannot" not in text.partition("Go to ")[2]
    assert response.content.decode().count('type="checkbox" name="record"') == 5
    assert response.content.decode().count("Add a record below ") == 5


def test_a_viewer_reads_why_the_buttons_are_missing(client_of, editor, family):
    response = client_of("viewer").get(STAGING)
    assert "You cannot send to STAGING. " in text_of(response)
    html = response.content.decode()
    assert 'disabled aria-describedby="edit-block-reason"' in html
    assert ("+ below" in html, 'name="record"' in html) == (False, False)


def test_a_viewer_chooses_nothing(editor, family):
    query, viewer = f"record={family['North Region'].pk}", factories.UserFactory(role="viewer")
    listings = [page(user, query).listing for user in (editor, viewer)]
    assert [(each.chosen, each.unsent) for each in listings] == [(1, len(family)), (0, 0)]


def test_the_url_holds_filters_page_open_branches_and_chosen_records(client, editor):
    bulk.records(80)
    north, south = (Organization.objects.get(oid=f"{BASE}.{number}") for number in (1, 2))
    tree = compact(client.get(f"{STAGING}?open={south.oid}&record={north.pk}").content.decode())
    assert f'value="{north.pk}" form="send" checked' in tree
    assert f'<a class="name" href="{STAGING}{south.oid}.1/">' in tree
    second = text_of(client.get(f"{STAGING}?view=list&below={BASE}&page=2"))
    assert "79 of 80 records match" in second
    assert "51 to 79 of 79" in second


def test_a_branch_is_rows_for_htmx_and_a_redirect_without_it(client, client_of, family):
    address, headers = f"{STAGING}{BASE}.1/branch/", {"HX-Request": "true"}
    response = client.get(address, headers=headers)
    rows = response.content.decode()
    assert (response["Cache-Control"], response["Vary"]) == ("private, no-store", "HX-Request, Cookie")
    assert rows.count("<tr") == rows.count('data-level="3"') == rows.count("+ below") == 2
    assert "<html" not in rows
    assert "+ below" not in client_of("viewer").get(address, headers=headers).content.decode()
    assert client.get(address)["Location"] == f"{STAGING}?open={BASE}.1"


def test_a_search_hit_shows_why_it_matches(editor, family):
    html = html_of_page(page(editor, "q=harbor"), "staging")
    assert "alias: Old <mark>Harbor</mark> Pediatrics" in html
    assert "<mark>Harbor</mark> Region" in html
    assert "2 of 5 records match, and 2 parents" in text_of_page(page(editor, "q=harbor"), "staging")


def test_the_filter_form_keeps_hidden_filters_and_suggests_parents(editor, family):
    html = html_of_page(page(editor, f"saved_by={editor.pk}&below=north region"), "staging")
    assert f'<input type="hidden" name="saved_by" value="{editor.pk}">' in html
    assert f'<input class="form-control" type="text" id="below" name="below" value="{BASE}.1"' in html
    assert f'data-hx-get="{STAGING}suggestions/"' in html


def test_deactivated_records_are_shown_and_can_be_hidden(editor, family):
    values = {"presence": "present", "presence_basis": "accepted", "confirmed_active": False}
    Organization.objects.filter(oid=f"{BASE}.2").update(**values)
    html = html_of_page(page(editor), "staging")
    assert html.count('class="is-gone"') == 1
    assert f'<a href="{STAGING}?hide_deactivated=1">Hide deactivated</a>' in html


def test_an_empty_list_offers_one_step(editor, family):
    nothing = html_of_page(page(editor, "q=region&standing=active"), "staging")
    assert f'href="{STAGING}?q=region">Remove it</a>' in nothing
    empty = html_of_page(page(editor, environment="production"), "production")
    assert '<a class="btn" href="/staging/organizations/">Open a record in STAGING to prepare it here</a>' in empty
    assert 'href="/production/connection/">See Connection</a>' in empty
