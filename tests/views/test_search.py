"""The search box of every page: when a record opens at once, and what the list of hits shows."""

import pytest

from organizations.models import Environment, Submission
from organizations.pages.search import page as search_page
from organizations.queries import search
from tests import bulk, factories
from tests.factories import BASE
from tests.page_text import html_of_page, text_of_page

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SEARCH = "/search/"


def test_an_exact_oid_opens_its_record_and_links_to_the_other_environment(client, editor):
    for environment in Environment:
        factories.organization(user=editor, environment=environment)
    for typed in (BASE, f"urn:oid:{BASE}", f"  {BASE} "):
        assert client.get(SEARCH, {"q": typed})["Location"] == f"/staging/organizations/{BASE}/"
    page = client.get(SEARCH, {"q": BASE, "environment": "production"}, follow=True)
    assert page.redirect_chain == [(f"/production/organizations/{BASE}/", 302)]
    assert f'Also in STAGING: <a href="/staging/organizations/{BASE}/">open</a>.' in page.content.decode()


def test_an_oid_among_other_words_does_not_open_a_record(editor):
    factories.organization(user=editor)
    assert search.records_with_oid(f"{BASE} lakeside", Environment.STAGING) == []
    assert search.records_with_oid(f"{BASE}.1", Environment.STAGING) == []


def test_a_submission_is_found_by_its_number_and_by_redox_ids(editor, client):
    submission = factories.submission(factories.organization(user=editor), user=editor)
    Submission.objects.filter(pk=submission.pk).update(redox_message_id="0f1e-message", redox_log_id="0f1e-log")
    address = f"/staging/submissions/{submission.pk}/"
    pages = {typed: search_page.build(typed, None) for typed in (f"#{submission.pk}", "0f1e-message", "0f1e-log")}
    assert {page.opens for page in pages.values()} == {address}
    words = [page.results.submissions[0].found_by for page in pages.values() if page.results]
    assert words == ["submission number", "Redox message ID", "Redox log ID"]
    assert client.get(SEARCH, {"q": "0f1e-log"})["Location"] == address


def test_an_ambiguous_number_lists_submissions_and_records(editor, client):
    submission = factories.submission(factories.organization(user=editor), user=editor)
    factories.organization(f"{BASE}.1", user=editor, name=f"Clinic {submission.pk}")
    page = search_page.build(str(submission.pk), None)
    assert page.opens == ""
    text = text_of_page(page)
    assert f"Submission {submission.pk} New of Lakeside 1 Queued STAGING submission number" in text
    assert "Records in STAGING" in text
    assert search_page.build(f"#{submission.pk}", None).opens != ""
    assert client.get(SEARCH, {"q": str(submission.pk)}).status_code == 200


def test_a_hit_names_environment_path_and_field(editor):
    factories.organization(user=editor, name="Lakeside Clinics")
    factories.organization(f"{BASE}.1", user=editor, name="Quarry Road", part_of_oid=BASE, aliases=("Old Harbor",))
    factories.organization(user=editor, name="Harbor Point", environment="production")
    page = search_page.build("harbor", None)
    assert page.results is not None
    assert [(section.environment, section.total) for section in page.results.environments] == [
        ("staging", 1),
        ("production", 1),
    ]
    html = html_of_page(page)
    assert "alias: Old <mark>Harbor</mark>" in html
    assert "<mark>Harbor</mark> Point" in html
    assert '<span class="muted small">Lakeside Clinics</span>' in html
    by_mail = html_of_page(search_page.build("clinics desk@lakeside.example", None))
    assert "e-mail: <mark>desk@lakeside.example</mark>" in by_mail


def test_many_hits_link_to_the_list(db):
    bulk.records(27)
    html = html_of_page(search_page.build("lakeside", None))
    assert '<a href="/staging/organizations/?q=lakeside&amp;view=list">All 27 in STAGING</a>' in html
    assert html.count("<tr>") == 1 + search.MOST_HITS


def test_counting_the_hits_stops(db, monkeypatch):
    bulk.records(27)
    monkeypatch.setattr(search, "MOST_TOTAL", 26)
    html = html_of_page(search_page.build("lakeside", None))
    assert "More than 26 found for “lakeside”." in html
    assert '<span class="muted num">more than 26</span>' in html
    assert '<a href="/staging/organizations/?q=lakeside&amp;view=list">The first 26 in STAGING</a>' in html


def test_an_empty_search_no_hits_and_too_many_words_are_explained(editor):
    assert "Type what you know." in text_of_page(search_page.build("", None))
    assert "Nothing was found in STAGING or PRODUCTION." in text_of_page(search_page.build("xyz", None))
    factories.organization(user=editor, name="a b c d e f g h i j")
    note = "Only the first 10 words are searched for."
    assert note not in text_of_page(search_page.build("a b c d e f g h i j", None))
    assert f"1 found for “a b c d e f g h i j xyz”. {note}" in text_of_page(
        search_page.build("a b c d e f g h i j xyz", None)
    )


def test_the_search_page_has_its_own_search_field(db):
    """On a phone the header only links to this page. The field keeps the text and the environment."""
    form = (
        html_of_page(search_page.build("lakeside", Environment.PRODUCTION))
        .partition("<form")[2]
        .partition("</form>")[0]
    )
    assert f'action="{SEARCH}"' in form
    assert 'name="q" value="lakeside"' in form
    assert '<input type="hidden" name="environment" value="production">' in form
