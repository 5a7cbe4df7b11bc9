"""The differences page over HTTP, and the Query button of each page that has one."""

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages

from organizations.models import Organization, Submission, User
from organizations.services.review import reviews
from tests import factories
from tests.changes import mark_foreign, store_reading_with
from tests.factories import BASE
from tests.views.typing import edit_url

PAGE = f"/staging/organizations/{BASE}/differences/"


@pytest.fixture
def organization(editor: User) -> Organization:
    """An accepted record. The directory shows another name."""
    return store_reading_with(factories.accept(factories.organization(user=editor)), name="Lakeside (One)")


@pytest.fixture
def claimable(editor: User) -> Organization:
    """A record that was never sent, whose OID the directory shows with another name."""
    return store_reading_with(factories.organization(user=editor), name="Boston")


def form_inputs(organization: Organization, **values: Any) -> dict[str, Any]:
    asked_at = organization.seen_at.isoformat() if organization.seen_at else ""
    inputs = {"record": organization.pk, "version": organization.version, "asked_at": asked_at, "reason": "Ticket 9"}
    return inputs | values


def assert_kept(answer: Any, status: int = 200) -> None:
    assert (answer.status_code, b"Ticket 9" in answer.content) == (status, True)


def test_directory_values_are_saved_and_nothing_is_sent(client, organization):
    assert "Lakeside 1: 1 value differs in the directory" in client.get(PAGE).content.decode()
    answer = client.post(PAGE, form_inputs(organization, take="1", reason=" "))
    assert (answer.status_code, answer.context["form"].errors) == (422, {"reason": ["Enter a reason."]})
    answer = client.post(PAGE, form_inputs(organization, take="1"))
    assert (answer.status_code, answer["Location"]) == (302, edit_url(organization, "record"))
    assert Organization.objects.get().name == "Lakeside (One)"
    assert not Submission.objects.exists()


def test_an_outdated_page_changes_nothing_and_keeps_the_reason(client, organization):
    for values in ({"asked_at": "2020-01-01T00:00:00+00:00"}, {"asked_at": "x"}, {"version": "7"}):
        answer = client.post(PAGE, form_inputs(organization, take="1", **values))
        assert_kept(answer, 409)
        assert "Nothing was" in answer.context["notes"][0]
    assert_kept(client.post(PAGE, form_inputs(organization, take="1") | {"came-back": "1"}), 422)
    assert Organization.objects.get().name == "Lakeside 1"


def test_an_approver_decides_the_owner_of_an_oid(client_of, claimable):
    client = client_of("approver")
    decision = form_inputs(claimable, decide="1", whose="foreign")
    for missing in ("whose", "reason"):
        answer = client.post(PAGE, decision | {missing: ""})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [missing])
    assert client.post(PAGE, decision | {"asked_at": ""}).status_code == 409
    assert client.post(PAGE, decision)["Location"] == edit_url(claimable, "record")
    assert Organization.objects.get().foreign_name == "Boston"


def test_a_decision_is_reopened_only_by_a_new_answer(client_of, claimable):
    client, decided = client_of("approver"), mark_foreign(claimable)
    refused = client.post(PAGE, form_inputs(decided, decide="1", whose="ours"))
    assert (refused.status_code, refused.context["notes"][0].endswith("Nothing was changed.")) == (409, True)
    assert client.post(PAGE, form_inputs(store_reading_with(claimable), decide="1", whose="ours")).status_code == 302
    assert not Organization.objects.get().is_foreign


def test_an_editor_cannot_decide_the_owner_of_an_oid(client, claimable):
    for whose in ("ours", "foreign"):
        assert client.post(PAGE, form_inputs(claimable, decide="1", whose=whose)).status_code == 403
    assert not Organization.objects.get().is_foreign


# Newer answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["review", "deactivate"])
def test_nothing_is_sent_if_the_directory_answered_after_the_page_was_opened(client, organization, page):
    url = edit_url(organization, page)
    context = client.get(url).context
    sha256 = context["review"].sha256
    inputs = {"sha256": sha256, "seen": "0", "asked_at": form_inputs(organization)["asked_at"]}
    assert "after this page was made" not in client.post(url, inputs).content.decode()
    store_reading_with(organization, name="Lakeside (One)")
    answer = client.post(url, inputs)
    assert (answer.status_code, Submission.objects.exists()) == (422, False)
    assert "after this page was made. Nothing was sent." in answer.content.decode()


def test_a_value_of_the_directory_is_overwritten_only_when_ticked(client, organization):
    url = edit_url(organization, "review")
    page = client.get(url).context["content"]
    inputs = {"sha256": page.review.sha256, "seen": "0", "version": str(organization.version)}
    refused = client.post(url, inputs)
    assert refused.status_code == 422
    assert [anchor for anchor, _ in refused.context["content"].box_errors] == [f"id_tick-{page.overwritten[0].tick}"]
    assert client.post(url, inputs | {"tick": page.overwritten[0].tick}).status_code == 302


# Queries ----------------------------------------------------------------------------------------------------


def test_a_query_keeps_the_input_and_leads_back_to_its_page(client, organization, practice):
    (there,) = json.loads(reviews.review(organization).message)["Organizations"]
    practice.register("staging", there | {"Name": "By hand"})
    for page, typed in (("differences", "reason"), ("review", "reason"), ("deactivate", "in_words")):
        before = Organization.objects.get().seen_at
        assert_kept(client.post(edit_url(organization, page), {"ask": "1", typed: "Ticket 9"}))
        assert Organization.objects.get().seen_at > before  # type: ignore[operator]
    for back, to in (("review", "review"), ("differences", "differences"), ("//x.test", "record")):
        answer = client.post(edit_url(organization, "record-ask"), {"back": back})
        assert (answer.status_code, answer["Location"]) == (302, edit_url(organization, to))
    directory_record = Organization.objects.get().seen_record()
    assert directory_record is not None
    assert directory_record.name == "By hand"


def test_a_failed_query_is_explained_on_its_page(client, organization, practice):
    practice.register("staging", {"Name": "Lakeside", "Identifiers": [{"ID": BASE, "IDType": "OID"}], "Active": True})
    for page in ("differences", "record-ask"):
        practice.behaviour = "shows-twice"
        (message,) = get_messages(client.post(edit_url(organization, page), {"ask": "1"}, follow=True).wsgi_request)
        assert str(message).startswith("The directory was asked, and its answer decides nothing: ")
    practice.behaviour = "too-many"
    (message,) = get_messages(client.post(PAGE, {"ask": "1"}).wsgi_request)
    assert message.level_tag == "error"
    assert Organization.objects.get().seen_at == organization.seen_at
