"""A sign-in that ended while somebody typed: the form comes back filled, and nothing is done in between."""

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import Organization, Submission, User
from organizations.services import reviews
from organizations.views import lost
from tests import factories
from tests.views.typing import edit_url, form_of

SENTENCE = "Your sign-in had ended. Check and press the button again; nothing was lost and nothing was sent."


@pytest.fixture
def made(editor):
    return factories.organization(user=editor)


@pytest.fixture
def strict(editor):
    """A browser that is signed in, on a server that checks the tokens of forms."""
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(editor)
    return visitor


def kept(response):
    return dict(response.context["fields"])


def test_the_sentence_is_the_one_of_the_pages():
    assert lost.SENTENCE == SENTENCE


def test_without_a_sign_in_what_was_typed_is_kept_and_not_saved(visitor, client_of, editor, made):
    typed = form_of(client_of(user=editor), made, name="Typed", **{"contacts-0-name": "Desk\nTwo"})
    response = visitor.post(edit_url(made), typed)
    assert response.status_code == 403
    assert kept(response) == typed
    page = response.content.decode()
    assert "Nothing was saved and nothing was sent." in page
    assert f'action="{edit_url(made)}"' in page
    assert reverse("sign-in") in page
    assert Organization.objects.get().name == "Lakeside 1"


def test_after_the_sign_in_the_form_is_back_filled_and_waits_for_its_button(visitor, client_of, editor, made):
    typed = form_of(client_of(user=editor), made, name="Typed")
    first = visitor.post(edit_url(made), typed)
    visitor.force_login(editor)
    response = visitor.post(edit_url(made), kept(first) | {"came-back": "1"})
    assert response.status_code == 422
    assert SENTENCE in response.content.decode()
    form = response.context["form"]
    assert form.main["name"].value() == "Typed"
    assert Organization.objects.get().name == "Lakeside 1"
    hidden = {"record": str(made.pk), "version": str(response.context["version"])}
    again = form.typed.as_post() | hidden | {"act": "save"}
    assert visitor.post(edit_url(made), again).status_code == 302
    assert Organization.objects.get().name == "Typed"


def test_a_stale_token_brings_the_form_back_filled(strict, editor, client_of, made):
    typed = form_of(client_of(user=editor), made, name="Typed", csrfmiddlewaretoken="a" * 64)
    response = strict.post(edit_url(made), typed)
    assert response.status_code == 422
    assert SENTENCE in response.content.decode()
    assert response.context["form"].main["name"].value() == "Typed"
    assert "csrfmiddlewaretoken" in response.content.decode()
    assert Organization.objects.get().name == "Lakeside 1"


def test_a_stale_token_shows_nothing_before_the_password_is_changed(strict, editor, made):
    User.objects.filter(pk=editor.pk).update(must_change_password=True)
    assert strict.post(edit_url(made), {"name": "Typed"})["Location"] == reverse("account")
    fragment = strict.post(edit_url(made), {"name": "Typed"}, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, reverse("account"))


def test_a_new_record_comes_back_as_well(strict, editor, client_of, made):
    typed = form_of(client_of(user=editor), made, name="Typed")
    response = strict.post(reverse("organization-new", args=["staging"]), typed)
    assert response.status_code == 422
    assert SENTENCE in response.content.decode()
    assert Organization.objects.count() == 1


def test_a_review_keeps_reason_and_ticks_and_sends_nothing(strict, editor, made):
    made = factories.organization(f"{factories.BASE}.9", user=editor, contacts=())
    review = reviews.review(made, actor=factories.acting(editor))
    sent = {"sha256": review.sha256, "seen": "0", "version": "1", "reason": "Ticket 118", "tick": "contact-x"}
    response = strict.post(edit_url(made, "review"), sent)
    assert response.status_code == 422
    assert SENTENCE in response.content.decode()
    assert "Ticket 118" in response.content.decode()
    assert not Submission.objects.exists()


def test_a_conflict_comes_back_as_well(strict, editor, client_of, made):
    sent = form_of(client_of(user=editor), made, name="Typed") | {"theirs": "1", "choice-name": "mine"}
    response = strict.post(edit_url(made), sent)
    assert response.status_code == 422
    assert SENTENCE in response.content.decode()
    assert Organization.objects.get().name == "Lakeside 1"


def test_a_request_of_another_site_is_refused(strict, editor, client_of, made):
    typed = form_of(client_of(user=editor), made, name="Typed")
    response = strict.post(edit_url(made), typed, headers={"Origin": "https://elsewhere.example"})
    assert response.status_code == 403
    assert "Typed" not in response.content.decode()


def test_an_act_without_a_form_is_never_carried_out_after_the_sign_in(strict, visitor, editor, made):
    submission = factories.submission(made, user=editor)
    address = reverse("submission-cancel", args=["staging", submission.pk])
    assert strict.post(address).status_code == 403
    page = reverse("submission", args=["staging", submission.pk])
    response = visitor.post(address, headers={"Referer": f"http://testserver{page}?a=1"})
    assert response["Location"] == f"{reverse('sign-in')}?next={page}%3Fa%3D1"
    assert Submission.objects.get().state == "queued"


def test_a_page_without_a_sign_in_leads_to_it(visitor, made):
    assert visitor.get(edit_url(made))["Location"] == f"{reverse('sign-in')}?next={edit_url(made)}"


def test_a_fragment_without_a_sign_in_sends_the_whole_page_there(visitor):
    address = reverse("suggestions", args=["staging"])
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/staging/organizations/new/?below=1.2"}
    response = visitor.get(address, headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"{reverse('sign-in')}?next=/staging/organizations/new/%3Fbelow%3D1.2"
    assert response["Cache-Control"] == "private, no-store"


def test_a_filter_that_was_set_without_a_sign_in_is_set_after_it(visitor):
    address = reverse("organizations", args=["staging"])
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}?record=1"}
    response = visitor.get(f"{address}?standing=active&record=1.2", headers=headers)
    assert response["HX-Redirect"] == f"{reverse('sign-in')}?next={address}%3Fstanding%3Dactive%26record%3D1.2"


@pytest.mark.parametrize("url", ["", "http://[", "https://elsewhere.example"])
def test_a_page_that_cannot_be_read_leads_home(visitor, url):
    response = visitor.get(
        reverse("suggestions", args=["staging"]), headers={"HX-Request": "true", "HX-Current-URL": url}
    )
    assert response["HX-Redirect"] == f"{reverse('sign-in')}?next=/"
