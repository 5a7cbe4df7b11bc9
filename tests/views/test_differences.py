"""The page of the differences over HTTP, and the question to the directory from each page that has its button."""

import json
from typing import Any

import pytest

from organizations.models import Organization, Submission, User
from organizations.services.review import reviews
from tests import factories
from tests.changes import foreign, shown
from tests.factories import BASE
from tests.views.typing import edit_url

PAGE = f"/staging/organizations/{BASE}/differences/"


@pytest.fixture
def made(editor: User) -> Organization:
    """An accepted record. The directory shows another name."""
    return shown(factories.confirmed(factories.organization(user=editor)), name="Lakeside (One)")


@pytest.fixture
def claimable(editor: User) -> Organization:
    """A record that was never sent, whose OID the directory shows with another name."""
    return shown(factories.organization(user=editor), name="Boston")


def posted(made: Organization, **values: Any) -> dict[str, Any]:
    asked_at = made.seen_at.isoformat() if made.seen_at else ""
    given = {"record": made.pk, "version": made.version, "asked_at": asked_at, "reason": "Ticket 9"}
    return given | values


def assert_kept(answer: Any, status: int = 200) -> None:
    assert (answer.status_code, b"Ticket 9" in answer.content) == (status, True)


def test_the_values_are_taken_and_nothing_is_sent(client, made):
    assert "Lakeside 1: 1 value differs in the directory" in client.get(PAGE).content.decode()
    answer = client.post(PAGE, posted(made, take="1", reason=" "))
    assert (answer.status_code, answer.context["form"].errors) == (422, {"reason": ["Enter a reason."]})
    answer = client.post(PAGE, posted(made, take="1"))
    assert (answer.status_code, answer["Location"]) == (302, edit_url(made, "record"))
    assert Organization.objects.get().name == "Lakeside (One)"
    assert not Submission.objects.exists()


def test_an_outdated_page_takes_nothing_and_keeps_the_reason(client, made):
    for values in ({"asked_at": "2020-01-01T00:00:00+00:00"}, {"asked_at": "x"}, {"version": "7"}):
        answer = client.post(PAGE, posted(made, take="1", **values))
        assert_kept(answer, 409)
        assert "Nothing was" in answer.context["notes"][0]
    assert_kept(client.post(PAGE, posted(made, take="1") | {"came-back": "1"}), 422)
    assert Organization.objects.get().name == "Lakeside 1"


def test_the_page_decides_whose_an_oid_is(client_of, claimable):
    client = client_of("approver")
    decision = posted(claimable, decide="1", whose="foreign")
    for missing in ("whose", "reason"):
        answer = client.post(PAGE, decision | {missing: ""})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [missing])
    assert client.post(PAGE, decision | {"asked_at": ""}).status_code == 409
    assert client.post(PAGE, decision)["Location"] == edit_url(claimable, "record")
    assert Organization.objects.get().foreign_name == "Boston"


def test_a_decision_is_reopened_only_by_a_new_answer(client_of, claimable):
    client, decided = client_of("approver"), foreign(claimable)
    refused = client.post(PAGE, posted(decided, decide="1", whose="ours"))
    assert (refused.status_code, refused.context["notes"][0].endswith("Nothing was changed.")) == (409, True)
    assert client.post(PAGE, posted(shown(claimable), decide="1", whose="ours")).status_code == 302
    assert not Organization.objects.get().is_foreign


def test_an_editor_does_not_decide_whose_an_oid_is(client, claimable):
    for whose in ("ours", "foreign"):
        assert client.post(PAGE, posted(claimable, decide="1", whose=whose)).status_code == 403
    assert not Organization.objects.get().is_foreign


# What was shown ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["review", "deactivate"])
def test_a_sender_learns_of_an_answer_newer_than_the_page(client, made, page):
    url = edit_url(made, page)
    context = client.get(url).context
    sha256 = context["review"].sha256
    given = {"sha256": sha256, "seen": "0", "asked_at": posted(made)["asked_at"]}
    assert "after this page was made" not in client.post(url, given).content.decode()
    shown(made, name="Lakeside (One)")
    answer = client.post(url, given)
    assert (answer.status_code, Submission.objects.exists()) == (422, False)
    assert "after this page was made. Nothing was sent." in answer.content.decode()


def test_a_value_of_the_directory_is_overwritten_only_when_ticked(client, made):
    url = edit_url(made, "review")
    page = client.get(url).context["content"]
    given = {"sha256": page.review.sha256, "seen": "0", "version": str(made.version)}
    refused = client.post(url, given)
    assert refused.status_code == 422
    assert [anchor for anchor, _ in refused.context["content"].box_errors] == [f"id_tick-{page.overwritten[0].tick}"]
    assert client.post(url, given | {"tick": page.overwritten[0].tick}).status_code == 302


# Asking -----------------------------------------------------------------------------------------------------


def test_a_question_keeps_what_was_typed_and_leads_back_to_its_page(client, made, practice):
    (there,) = json.loads(reviews.review(made).message)["Organizations"]
    practice.register("staging", there | {"Name": "By hand"})
    for page, typed in (("differences", "reason"), ("review", "reason"), ("deactivate", "in_words")):
        before = Organization.objects.get().seen_at
        assert_kept(client.post(edit_url(made, page), {"ask": "1", typed: "Ticket 9"}))
        assert Organization.objects.get().seen_at > before  # type: ignore[operator]
    for back, to in (("review", "review"), ("differences", "differences"), ("//x.test", "record")):
        answer = client.post(edit_url(made, "record-ask"), {"back": back})
        assert (answer.status_code, answer["Location"]) == (302, edit_url(made, to))
    seen = Organization.objects.get().seen_record()
    assert seen is not None
    assert seen.name == "By hand"


def test_what_came_instead_of_an_answer_is_named_on_the_page_that_asked(client, made, practice):
    practice.register("staging", {"Name": "Lakeside", "Identifiers": [{"ID": BASE, "IDType": "OID"}], "Active": True})
    for page in ("differences", "record-ask"):
        practice.behaviour = "shows-twice"
        (message,) = client.post(edit_url(made, page), {"ask": "1"}, follow=True).context["messages"]
        assert str(message).startswith("The directory was asked, and its answer decides nothing: ")
    practice.behaviour = "too-many"
    (message,) = client.post(PAGE, {"ask": "1"}).context["messages"]
    assert message.level_tag == "error"
    assert Organization.objects.get().seen_at == made.seen_at
