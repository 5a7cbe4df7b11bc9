"""The search box of every page: what opens at once, and what a list of hits says."""

import pytest

from organizations.models import Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import delivery
from organizations.services.actors import Actor
from tests import bulk, factories
from tests.factories import BASE

SEARCH = "/search/"


def test_an_exact_oid_opens_its_record(client_of, editor):
    factories.organization(user=editor, name="Lakeside Clinics")
    client = client_of("viewer")
    for typed in (BASE, f"urn:oid:{BASE}", f"  {BASE} "):
        assert client.get(SEARCH, {"q": typed}).url == f"/staging/organizations/{BASE}/"


def test_an_oid_of_both_environments_opens_the_current_one_and_names_the_other(client_of, editor):
    for environment in ("staging", "production"):
        factories.organization(user=editor, environment=environment)
    client = client_of("viewer")
    assert client.get(SEARCH, {"q": BASE}).url == f"/staging/organizations/{BASE}/"
    page = client.get(SEARCH, {"q": BASE, "environment": "production"}, follow=True)
    assert page.redirect_chain == [(f"/production/organizations/{BASE}/", 302)]
    assert f'Also in STAGING: <a href="/staging/organizations/{BASE}/">open</a>.' in page.content.decode()


def test_a_hit_names_environment_path_and_field(client_of, editor):
    factories.organization(user=editor, name="Lakeside Clinics")
    factories.organization(f"{BASE}.1", user=editor, name="Quarry Road", part_of_oid=BASE, aliases=("Old Harbor",))
    factories.organization(user=editor, name="Harbor Point", environment="production")
    response = client_of("viewer").get(SEARCH, {"q": "harbor"})
    text = response.content.decode()
    assert [(section.environment, section.total) for section in response.context["found"].sections] == [
        ("staging", 1),
        ("production", 1),
    ]
    assert "alias: Old <mark>Harbor</mark>" in text
    assert "<mark>Harbor</mark> Point" in text
    assert '<span class="muted small">Lakeside Clinics</span>' in text
    assert "Records in STAGING" in text
    assert "Records in PRODUCTION" in text


def test_of_several_words_all_must_fit_and_a_phone_is_one(client_of, editor):
    factories.organization(user=editor, name="Lakeside Clinics")
    client = client_of("viewer")
    totals = {
        typed: client.get(SEARCH, {"q": typed}).context["found"].total
        for typed in ("clinics desk@lakeside.example", "clinics nowhere", "(608) 555-0100", "+1 608 555 0100")
    }
    assert list(totals.values()) == [1, 0, 1, 1]


def test_a_submission_is_found_by_its_number_and_by_redoxs_ids(
    client_of, practice: PracticeDirectory, editor: User, worker: Actor
):
    made = factories.submission(factories.organization(user=editor, name="Lakeside Clinics"), user=editor)
    delivery.deliver_next("staging", actor=worker)
    sent = Submission.objects.get(pk=made.pk)
    assert sent.redox_message_id
    client = client_of("viewer")
    for typed in (f"#{sent.pk}", sent.redox_message_id):
        assert client.get(SEARCH, {"q": typed}).url == f"/staging/submissions/{sent.pk}/"


def test_what_could_be_a_submission_or_a_record_is_listed(client_of, practice: PracticeDirectory, editor: User):
    made = factories.submission(factories.organization(user=editor), user=editor)
    factories.organization(f"{BASE}.1", user=editor, name=f"Clinic {made.pk}")
    text = client_of("viewer").get(SEARCH, {"q": str(made.pk)}).content.decode()
    assert f'<a href="/staging/submissions/{made.pk}/">Submission {made.pk}</a>' in text
    assert "submission number" in text
    assert "Records in STAGING" in text


def test_many_hits_lead_to_the_list(client_of, db):
    bulk.records(40)
    text = client_of("viewer").get(SEARCH, {"q": "lakeside"}).content.decode()
    assert '<a href="/staging/organizations/?q=lakeside&amp;view=list">All 40 in STAGING</a>' in text


def test_nothing_found_and_nothing_typed_are_said(client_of, db):
    client = client_of("viewer")
    assert "Type what you know." in client.get(SEARCH).content.decode()
    assert "Nothing was found in STAGING or PRODUCTION." in client.get(SEARCH, {"q": "xyz"}).content.decode()


@pytest.mark.parametrize("address", [SEARCH, "/staging/organizations/"])
def test_a_search_for_many_words_says_that_only_the_first_ten_count(client_of, editor, address):
    factories.organization(user=editor, name="a b c d e f g h i j")
    client = client_of("viewer")
    note = "Only the first 10 words are searched for."
    assert note not in client.get(address, {"q": "a b c d e f g h i j"}).content.decode()
    page = client.get(address, {"q": "a b c d e f g h i j xyz"}).content.decode()
    assert note in page
    assert f"{BASE}/" in page


@pytest.mark.usefixtures("long_addresses")
@pytest.mark.parametrize("text", ["\x00", "\u202ea", "9" * 5000, "<script>", "a" * 10_000, "%", "'", "2.1." + "9" * 80])
def test_nothing_that_is_typed_breaks_the_search(client_of, db, text):
    response = client_of("viewer").get(SEARCH, {"q": text, "environment": text})
    assert response.status_code == 200
    body = response.content.decode().partition("<main")[2]
    assert not {"\x00", "\u202e"} & set(body)
    assert "<script>" not in body


def test_it_is_for_those_with_a_role_and_for_reading(client_of, db):
    assert client_of().get(SEARCH, {"q": "x"}).status_code == 403
    assert client_of("viewer").post(SEARCH, {"q": "x"}).status_code == 405


def test_the_page_has_a_search_field_of_its_own(client_of, editor):
    """On a phone the frame has only a link to it. It keeps what was typed, and the environment that it came from."""
    factories.organization(user=editor, name="Lakeside Clinics")
    client = client_of("viewer")
    response = client.get(SEARCH, {"q": "lakeside", "environment": "production"})
    form = response.content.decode().partition("<main")[2].partition("<form")[2].partition("</form>")[0]
    assert f'action="{SEARCH}"' in form
    assert 'name="q" value="lakeside"' in form
    assert '<input type="hidden" name="environment" value="production">' in form


def test_the_frame_leads_to_the_search_of_its_environment(client_of, editor):
    client = client_of("viewer")
    links = {url: client.get(url).content.decode() for url in ("/", "/production/connection/")}
    assert 'class="find-link" href="/search/" aria-label="Search the portal"' in links["/"]
    assert 'class="find-link" href="/search/?environment=production"' in links["/production/connection/"]
