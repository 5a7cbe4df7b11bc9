"""A session that expired while somebody typed: the form is shown again, and nothing is carried out."""

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import Organization, Submission, User
from organizations.views.expired_session import NOTICE
from tests import factories
from tests.factories import BASE
from tests.views.typing import edit_url, inputs_of

SIGN_IN = reverse("sign-in")
SUGGESTIONS = reverse("suggestions", args=["staging"])


@pytest.fixture
def csrf_client(editor):
    """A browser that is signed in, on a server that checks the tokens of forms."""
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(editor)
    return visitor


def test_input_is_kept_without_a_sign_in_and_saved_only_by_a_button_after_it(visitor, editor, organization):
    inputs = inputs_of(organization, name="Typed", **{"contacts-0-name": "Desk\nTwo"})
    first = visitor.post(edit_url(organization), inputs)
    assert (first.status_code, dict(first.context["fields"])) == (403, inputs)
    assert f'action="{edit_url(organization)}"' in first.content.decode()
    stale = Client(enforce_csrf_checks=True).post(edit_url(organization), inputs)  # neither a sign-in nor a token
    assert (stale.status_code, dict(stale.context["fields"])) == (403, inputs)
    visitor.force_login(editor)
    response = visitor.post(edit_url(organization), inputs | {"came-back": "1"})
    assert (response.status_code, response.context["notices"]) == (422, [NOTICE])
    form = response.context["form"]
    assert Organization.objects.get().name == "Lakeside 1"
    hidden = {"record": str(organization.pk), "version": str(response.context["version"])}
    again = form.typed.as_post() | hidden | {"act": "save", "contacts-0-name": "Desk Two"}
    assert visitor.post(edit_url(organization), again).status_code == 302
    assert Organization.objects.get().name == "Typed"


def test_a_stale_token_shows_each_form_again_filled_and_saves_nothing(csrf_client, organization):
    inputs = inputs_of(organization, name="Typed", csrfmiddlewaretoken="a" * 64)
    for address in (edit_url(organization), reverse("organization-new", args=["staging"])):
        response = csrf_client.post(address, inputs)
        assert (response.status_code, response.context["notices"]) == (422, [NOTICE]), address
        assert response.context["form"].main["name"].value() == "Typed"
        assert "csrfmiddlewaretoken" in response.content.decode()
    conflict = csrf_client.post(edit_url(organization), inputs | {"theirs": "1", "choice-name": "mine"})
    assert (conflict.status_code, conflict.context["note"]) == (422, NOTICE)
    assert [each.name for each in Organization.objects.all()] == ["Lakeside 1"]


def test_a_stale_token_shows_nothing_before_the_password_is_changed(csrf_client, editor, organization):
    User.objects.filter(pk=editor.pk).update(must_change_password=True)
    assert csrf_client.post(edit_url(organization), {"name": "Typed"})["Location"] == reverse("account")
    fragment = csrf_client.post(edit_url(organization), {"name": "Typed"}, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, reverse("account"))


def test_a_review_keeps_reason_and_ticks_and_sends_nothing(csrf_client, editor):
    organization = factories.organization(user=editor, contacts=())
    page = csrf_client.get(edit_url(organization, "review")).context
    (question,) = page["content"].questions
    inputs = {
        "sha256": page["review"].sha256,
        "seen": "0",
        "version": "1",
        "reason": "Ticket 118",
        "tick": question.key,
    }
    response = csrf_client.post(edit_url(organization, "review"), inputs)
    assert (response.status_code, response.context["notes"]) == (422, [NOTICE])
    assert response.context["form"]["reason"].value() == "Ticket 118"
    assert [each.ticked for each in response.context["content"].questions] == [True]
    assert not Submission.objects.exists()


def test_an_action_without_a_form_is_not_carried_out_after_the_sign_in(csrf_client, visitor, editor, organization):
    submission = factories.submission(organization, user=editor)
    address = reverse("submission-cancel", args=["staging", submission.pk])
    assert csrf_client.post(address).status_code == 403
    page = reverse("submission", args=["staging", submission.pk])
    response = visitor.post(address, headers={"Referer": f"http://testserver{page}?a=1"})
    assert response["Location"] == f"{SIGN_IN}?next={page}%3Fa%3D1"
    assert Submission.objects.get().state == "queued"


@pytest.mark.parametrize(
    ("address", "page", "then"),
    [
        (SUGGESTIONS, f"http://testserver/staging/organizations/new/?below={BASE}", "new/%3Fbelow%3D" + BASE),
        # A filter requests the list that it is on, so it applies after the sign-in.
        (
            "/staging/organizations/?standing=active&record=1.2",
            "http://testserver/staging/organizations/?record=1",
            "%3Fstanding%3Dactive%26record%3D1.2",
        ),
    ],
)
def test_a_fragment_without_a_sign_in_redirects_the_whole_page(visitor, address, page, then):
    response = visitor.get(address, headers={"HX-Request": "true", "HX-Current-URL": page})
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"{SIGN_IN}?next=/staging/organizations/{then}"


@pytest.mark.parametrize("url", ["", "https://elsewhere.example"])
def test_after_an_unknown_page_the_sign_in_leads_home(visitor, url):
    response = visitor.get(SUGGESTIONS, headers={"HX-Request": "true", "HX-Current-URL": url})
    assert response["HX-Redirect"] == f"{SIGN_IN}?next=/"
