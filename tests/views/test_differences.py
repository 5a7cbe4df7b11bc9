"""The page of the differences and the button that asks again, over HTTP."""

from dataclasses import replace

import pytest

from organizations.models import Organization, Submission, clock
from organizations.services import known, organizations
from tests import factories
from tests.factories import BASE, acting
from tests.services.test_directory import NOT_UNDERSTOOD
from tests.views.typing import edit_url


@pytest.fixture
def made(editor):
    """An accepted record of which the directory shows another name."""
    made = factories.confirmed(factories.organization(user=editor))
    row = Organization.objects.get(pk=made.pk)
    known.keep_reading(row, replace(made.record(), name="Lakeside (One)"), clock.now())
    return Organization.objects.get(pk=made.pk)


def posted(made, **values):
    given = {"record": made.pk, "version": made.version, "asked_at": made.seen_at.isoformat(), "reason": "Theirs"}
    return given | values


def test_the_values_are_taken_and_nothing_is_sent(client_of, editor, made):
    client = client_of(user=editor)
    answer = client.post(edit_url(made, "differences"), posted(made, take="1"))
    assert (answer.status_code, answer["Location"]) == (302, edit_url(made, "record"))
    assert Organization.objects.get(pk=made.pk).name == "Lakeside (One)"
    assert not Submission.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "auditor", "administrator"])
def test_who_cannot_edit_takes_nothing(client_of, made, role):
    assert client_of(role).post(edit_url(made, "differences"), posted(made, take="1")).status_code == 403
    assert Organization.objects.get(pk=made.pk).name == "Lakeside 1"


def test_without_a_reason_nothing_is_taken(client_of, editor, made):
    answer = client_of(user=editor).post(edit_url(made, "differences"), posted(made, take="1", reason=" "))
    assert (answer.status_code, answer.context["form"].errors) == (422, {"reason": ["Enter a reason."]})


@pytest.mark.parametrize("values", [{"asked_at": "2020-01-01T00:00:00+00:00"}, {"asked_at": "x"}, {"version": "7"}])
def test_what_is_not_so_any_more_takes_nothing_and_keeps_the_reason(client_of, editor, made, values):
    answer = client_of(user=editor).post(edit_url(made, "differences"), posted(made, take="1", **values))
    assert answer.status_code == 409
    assert "Nothing was" in answer.context["notes"][0]
    assert b">Theirs</textarea>" in answer.content.replace(b">\nTheirs", b">Theirs")
    assert Organization.objects.get(pk=made.pk).name == "Lakeside 1"


def test_an_open_submission_keeps_the_values(client_of, editor, made):
    organizations.edit(
        made.pk, made.version, replace(made.record(), aliases=("LC",)), stands_for="", actor=acting(editor)
    )
    sent = factories.submission(made, user=editor)
    page = client_of(user=editor).get(edit_url(made, "differences"))
    assert f"Submission {sent.pk} of this record must end first." in page.content.decode()
    now = Organization.objects.get(pk=made.pk)
    assert client_of(user=editor).post(edit_url(made, "differences"), posted(now, take="1")).status_code == 409


def test_an_editor_does_not_decide_whose_an_oid_is(client_of, editor):
    made = factories.organization(user=editor)
    for whose in ("ours", "foreign"):
        posted = {"decide": "1", "whose": whose, "reason": "x"}
        assert client_of(user=editor).post(edit_url(made, "differences"), posted).status_code == 403


def test_whose_an_oid_is_is_decided_on_the_page(client_of, editor, practice):
    made = factories.organization(user=editor)
    practice.register("staging", {"Name": "Boston", "Identifiers": [{"ID": BASE, "IDType": "OID"}], "Active": True})
    client, url = client_of("approver"), edit_url(made, "differences")
    page = client.post(url, {"ask": "1", "reason": "Ticket 9"})
    assert page.context["page"].asks_whose
    assert b"Ticket 9" in page.content
    decision = {"decide": "1", "whose": "foreign", "reason": "Ticket 9"}
    asked_at = {"asked_at": page.context["organization"].seen_at.isoformat()}
    for missing in ("whose", "reason"):
        answer = client.post(url, decision | asked_at | {missing: ""})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [missing])
    assert client.post(url, decision).status_code == 409
    assert client.post(url, decision | asked_at).status_code == 302
    assert Organization.objects.get(pk=made.pk).foreign_name == "Boston"


def test_a_decision_is_reopened_only_by_a_new_answer(client_of, editor, practice):
    made = factories.organization(user=editor)
    practice.register("staging", {"Name": "Boston", "Identifiers": [{"ID": BASE, "IDType": "OID"}], "Active": True})
    Organization.objects.update(foreign_since=clock.now(), foreign_name="Boston", presence="absent")
    client, url = client_of("approver"), edit_url(made, "differences")
    decision = {"decide": "1", "whose": "ours", "reason": "Ours"}
    assert client.post(url, decision).status_code == 409
    page = client.post(url, {"ask": "1", "reason": "Ours"})
    asked_at = page.context["organization"].seen_at.isoformat()
    answer = client.post(url, decision | {"asked_at": asked_at})
    assert answer.status_code == 302
    assert not Organization.objects.get(pk=made.pk).is_foreign


def test_the_review_asks_again_and_keeps_what_was_typed(client_of, editor, made, practice):
    client, url = client_of(user=editor), edit_url(made, "review")
    page = client.get(url).context["page"]
    (tick,) = [row.tick for row in page.overwritten]
    before = made.seen_at
    answer = client.post(url, {"ask": "1", "tick": tick, "reason": "Ticket 9"})
    assert answer.status_code == 200
    assert b"Ticket 9" in answer.content
    assert Organization.objects.get(pk=made.pk).seen_at > before


@pytest.mark.parametrize("page", ["review", "deactivate"])
def test_who_sends_is_told_of_an_answer_that_came_after_the_page(client_of, editor, made, page):
    client, url = client_of(user=editor), edit_url(made, page)
    shown = client.get(url)
    sha256 = (shown.context.get("made") or shown.context["review"]).sha256
    posted = {"sha256": sha256, "seen": "0", "asked_at": made.seen_at.isoformat()}
    assert "after this page was made" not in client.post(url, posted).content.decode()
    known.keep_reading(Organization.objects.get(pk=made.pk), made.seen_record(), clock.now())
    answer = client.post(url, posted)
    assert (answer.status_code, Submission.objects.exclude(pk=made.confirmed_submission_id).count()) == (422, 0)
    assert "after this page was made. Nothing was sent." in answer.content.decode()


@pytest.mark.parametrize(("back", "to"), [("review", "review"), ("differences", "differences"), ("//x.test", "record")])
def test_a_question_leads_back_to_its_page(client_of, editor, made, practice, back, to):
    answer = client_of(user=editor).post(edit_url(made, "record-ask"), {"back": back})
    assert (answer.status_code, answer["Location"]) == (302, edit_url(made, to))
    assert Organization.objects.get(pk=made.pk).is_missing


@pytest.mark.parametrize("page", ["differences", "record-ask", "review", "deactivate"])
def test_an_answer_that_was_not_understood_is_named_on_the_page_that_asked(client_of, editor, made, practice, page):
    practice.register("staging", {"Name": "Lakeside", "Identifiers": [{"ID": BASE, "IDType": "OID"}], "Active": True})
    practice.behaviour = "shows-twice"
    client = client_of(user=editor)
    answer = client.post(edit_url(made, page), {"ask": "1", "reason": "Ticket 9"}, follow=True)
    message = f"The directory was asked, and its answer decides nothing: {NOT_UNDERSTOOD['shows-twice']}"
    assert [str(each) for each in answer.context["messages"]] == [message]
    assert Organization.objects.get(pk=made.pk).seen_at == made.seen_at


def test_how_long_redox_asked_to_wait_is_named_on_the_page_that_asked(client_of, editor, made, practice):
    practice.behaviour = "too-many"
    answer = client_of(user=editor).post(edit_url(made, "differences"), {"ask": "1", "reason": ""})
    (message,) = answer.context["messages"]
    assert "Redox asked the portal to wait until" in str(message)


def test_a_value_of_the_directory_is_overwritten_only_when_ticked(client_of, editor, made):
    client, url = client_of(user=editor), edit_url(made, "review")
    page = client.get(url).context["page"]
    given = {"sha256": page.made.sha256, "seen": "0", "version": str(made.version)}
    refused = client.post(url, given)
    assert refused.status_code == 422
    assert [anchor for anchor, _ in refused.context["page"].box_errors] == [f"id_tick-{page.overwritten[0].tick}"]
    assert client.post(url, given | {"tick": page.overwritten[0].tick}).status_code == 302
