"""The page of one record and its tabs."""

from dataclasses import replace

import pytest
from django.test import Client
from django.utils.html import strip_tags

from organizations.models import Action, AuditEntry, Intent, Organization, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.records import ContactRecord, canonical
from organizations.services import counterparts, delivery, organizations
from organizations.services.actors import Actor, person
from tests import bulk, factories
from tests.factories import BASE

PAGE = f"/staging/organizations/{BASE}/"


@pytest.fixture
def accepted(practice: PracticeDirectory, editor: User, worker: Actor) -> Organization:
    """A record that Redox accepted."""
    made = factories.organization(user=editor, name="Lakeside North")
    factories.submission(made, user=editor)
    assert delivery.deliver_next("staging", actor=worker)
    return Organization.objects.get(pk=made.pk)


def edited(organization: Organization, user: User, **values) -> Organization:
    wanted = replace(organization.record(), **values)
    return organizations.edit(organization.pk, organization.version, wanted, stands_for="", actor=person(user))


def text_of(client: Client, address: str = PAGE) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


# the summary


def test_a_record_that_was_never_sent(client_of, editor):
    factories.organization(user=editor, name="Lakeside North")
    text = text_of(client_of("editor"))
    assert "<title>Lakeside North | STAGING | orgportal</title>" in text
    assert '<span class="env env-staging">' in text.partition('aria-label="Path"')[2].partition("</nav>")[0]
    assert "Never sent." in text
    assert "No message of this record has been accepted." in text
    assert f"{PAGE}deactivate/" not in text
    assert f"{PAGE}ask/" not in text
    assert f'<a class="btn btn-primary" href="{PAGE}review/">Review and send</a>' in text
    assert f'<a href="{PAGE}withdraw/">Withdraw</a>' in text
    assert "Discard" not in text
    assert "Nothing is part of this record." in text
    assert "No record is linked." in text
    assert "by Editor One. Nothing else yet." in text
    assert "The Redox gateway" in text
    assert '<th scope="row">Kind of record</th>' in text
    assert "Redox cannot show this field." in text
    assert "Accepted by Redox" not in text


def test_an_accepted_record_tells_its_basis_and_offers_to_edit_and_deactivate(client_of, accepted):
    text = text_of(client_of("editor"))
    number = accepted.confirmed_submission_id
    assert f'<a href="/staging/submissions/{number}/">submission {number}</a>' in text
    assert f'href="{PAGE}edit/">Edit</a><a class="btn" href="{PAGE}deactivate/">Deactivate</a>' in text
    assert f'<form action="{PAGE}ask/" method="post">' in text
    assert "Withdraw" not in text
    assert "Redox accepted" in text
    assert 'class="todo"' not in text
    assert "btn-primary" not in text


def test_saved_changes_are_named_with_who_and_stand_beside_what_was_accepted(client_of, accepted, editor):
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    contact = replace(accepted.record().contacts[0], work_phone="+16085550177")
    first = edited(accepted, editor, contacts=(contact,))
    edited(first, other, name="Lakeside South")
    response = client_of("editor").get(PAGE)
    text = response.content.decode()
    assert "2 fields are saved here and not sent: Name (Editor Two, " in text
    assert "Work phone of contact 1 (Editor One, " in text
    assert f'href="{PAGE}discard/">Discard</a>' in text
    assert f'href="{PAGE}review/">Review and send</a>' in text
    assert "changed Name from <del>Lakeside North</del> to <ins>Lakeside South</ins>" in text
    assert [(row.label, row.saved, row.accepted) for row in response.context["values"].fields.differing] == [
        ("Name", ("Lakeside South",), ("Lakeside North",)),
        ("Contact 1, Work phone", ("+16085550177",), ("+16085550100",)),
    ]


def test_a_destination_and_a_parent_that_differ_are_told_as_fully_as_ones_that_do_not(client_of, accepted, editor):
    region = factories.organization(f"{BASE}.8", user=editor, name="North Region")
    first, second = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41", "1c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"
    known = replace(accepted.confirmed_record(), destination_id=first)
    Organization.objects.filter(pk=accepted.pk).update(confirmed=canonical(known))
    edited(accepted, editor, destination_id=second, part_of_oid=region.oid)
    text = text_of(client_of("editor"))
    for destination in (first, second):
        assert f'data-copy="{destination}" aria-label="Copy the destination ID"' in text
    assert "Redox cannot show this field; only what we sent is known." in text
    assert f'<a href="/staging/organizations/{region.oid}/">North Region</a>' in text
    for parent in (region.oid, accepted.part_of_oid):
        assert f'data-copy="{parent}" aria-label="Copy the OID of the parent"' in text


def test_an_added_contact_is_one_field_wherever_it_is_counted(client_of, accepted, editor):
    desk = ContactRecord(purpose="Operations", name="Desk", work_phone="+16085550100")
    edited(accepted, editor, contacts=(*accepted.record().contacts, desk))
    text = text_of(client_of("editor"))
    assert "1 field is saved here and not sent: Contact 2" in text
    assert "1 field differs" in text


def test_a_rejected_record_says_so_and_leads_to_the_answer(client_of, practice, editor, worker):
    made = factories.organization(user=editor, name="Lakeside & North")
    sent = factories.submission(made, user=editor)
    Submission.objects.filter(pk=sent.pk).update(state=State.REJECTED, attempt=1, ended_at=sent.created_at)
    Submission.objects.filter(pk=sent.pk).update(wanted_hash=made.wanted_hash)
    text = text_of(client_of("editor"))
    assert f"Redox rejected submission {sent.pk}, " in text
    assert f'<a class="btn btn-primary" href="{PAGE}edit/">Edit Lakeside &amp; North</a>' in text
    assert "New rejected " in text


@pytest.mark.parametrize(
    ("state", "button", "sentence"),
    [
        (State.UNKNOWN, "Open submission {n}", "Submission {n} left, but no clear answer came."),
        (State.NEEDS_PERSON, "Compare and decide", "The portal cannot decide alone what became of submission {n}."),
        (State.QUEUED, "", "Submission {n} is stored and will be sent."),
        (State.SENDING, "", "Submission {n} is on its way."),
    ],
)
def test_the_one_primary_button_follows_what_is_open(client_of, practice, editor, state, button, sentence):
    sent = factories.submission(factories.organization(user=editor), user=editor)
    Submission.objects.filter(pk=sent.pk).update(state=state, attempt=1)
    text = text_of(client_of("editor"))
    assert sentence.format(n=sent.pk) in text
    assert text.count("btn-primary") == bool(button)
    assert f">{button.format(n=sent.pk)}</a>" in text.partition("btn-primary")[2][:200] or not button
    assert f'<a class="btn{" btn-primary" if button else ""}" href="/staging/submissions/{sent.pk}/">' in text


def test_a_deactivated_record_says_since_when_by_whom_and_why(client_of, accepted, editor, worker):
    factories.submission(accepted, user=editor, intent=Intent.DEACTIVATE, reason="Closed: moved away.")
    assert delivery.deliver_next("staging", actor=worker)
    text = text_of(client_of("editor"))
    assert "by Editor One: Closed: moved away. Redox accepted <a" in text
    assert f'<a class="btn" href="{PAGE}reactivate/">Reactivate</a>' in text
    assert f"{PAGE}deactivate/" not in text


def test_path_children_and_counterpart_are_shown(client_of, editor):
    company = factories.organization(user=editor, name="Lakeside Clinics")
    for number in range(1, 13):
        factories.organization(f"{BASE}.{number}", user=editor, name=f"Location {number}", part_of_oid=BASE)
    twin = factories.organization(f"{BASE}.9.9", user=editor, environment="production", name="Lakeside in earnest")
    counterparts.link(company, twin, actor=person(editor))
    client = client_of("editor")
    text = text_of(client)
    assert "Location 10" in text
    assert "Location 11" not in text
    assert f'href="/staging/organizations/?below={BASE}">All below</a>' in text
    assert "Lakeside in earnest in PRODUCTION" in text
    for act in ("", "edit/", "review/", "deactivate/", "reactivate/", "history/"):
        switch = f'<a class="env-go small" href="/production/organizations/{twin.oid}/">'
        assert switch in text_of(client, f"{PAGE}{act}"), act
    child = text_of(client, f"/staging/organizations/{BASE}.1/")
    assert f'<li><a href="{PAGE}">Lakeside Clinics</a></li>' in child


def test_a_viewer_reads_everything_and_sees_why_they_may_not_edit(client_of, editor):
    factories.confirmed(factories.organization(user=editor))
    text = text_of(client_of("viewer"))
    assert "You cannot edit records in STAGING. Editors and Approvers can: Editor One." in text
    assert '<button class="btn" type="button" disabled aria-describedby="why-not-edit">Edit</button>' in text
    assert '<button class="btn" type="button" disabled aria-describedby="why-not-deactivate">Deactivate<' in text
    assert 'type="submit" disabled aria-describedby="why-not-ask">Ask the directory</button>' in text
    assert "You cannot deactivate records in STAGING. Editors and Approvers can: Editor One." in text
    for address in ("edit/", "review/", "withdraw/", "deactivate/"):
        assert f"{PAGE}{address}" not in text


def test_who_may_not_discard_or_reactivate_sees_both_disabled_with_why(client_of, accepted, editor, worker):
    factories.submission(accepted, user=editor, intent=Intent.DEACTIVATE, reason="Closed")
    assert delivery.deliver_next("staging", actor=worker)
    edited(Organization.objects.get(pk=accepted.pk), editor, name="Lakeside South")
    text = text_of(client_of("viewer"))
    assert 'disabled aria-describedby="why-not-edit">Discard</button>' in text
    assert 'disabled aria-describedby="why-not-deactivate">Reactivate</button>' in text
    assert "You cannot reactivate records in STAGING." in text
    assert f"{PAGE}discard/" not in text


def test_an_editor_reads_who_deactivates_in_production(client_of, editor):
    factories.confirmed(factories.organization(user=editor, environment="production"))
    text = text_of(client_of(user=editor), f"/production/organizations/{BASE}/")
    assert "You cannot deactivate records in PRODUCTION. Approvers can: nobody yet." in text


@pytest.mark.slow
def test_the_page_needs_the_same_few_queries_with_many_children(client_of, db, django_assert_max_num_queries):
    bulk.records(600)
    Organization.objects.exclude(oid=BASE).update(part_of_oid=BASE)
    client = client_of("editor")
    client.get(PAGE)
    with django_assert_max_num_queries(32):
        assert "599" in text_of(client)


def test_what_others_wrote_is_shown_as_text(client_of, editor):
    factories.organization(user=editor, name="<b>North\u202e</b>", aliases=("<i>x</i>",))
    body = text_of(client_of("viewer"))
    assert "<b>North" not in body
    assert "<i>x" not in body
    assert "\u202e" not in body
    assert "&lt;b&gt;North\\u202E" in body


def test_what_a_viewer_cannot_do_in_the_menu_is_disabled(client_of, editor):
    factories.organization(user=editor)
    menu = text_of(client_of("viewer")).partition('class="acts"')[2].partition("</details>")[0]
    for act in ("Add a record below", "Add another like this", "Withdraw"):
        assert f'disabled aria-describedby="why-not-edit">{act}</button>' in menu


def test_a_deactivated_record_offers_no_record_below(client_of, editor):
    made = factories.confirmed(factories.organization(user=editor))
    assert text_of(client_of("editor")).count(f'?below={BASE}">Add a record below') == 2
    Organization.objects.filter(pk=made.pk).update(confirmed_active=False)
    assert "Add a record below" not in text_of(client_of("editor"))


# submissions and history


def test_the_tabs_list_submissions_and_every_entry(client_of, accepted):
    client = client_of("viewer")
    number = accepted.confirmed_submission_id
    submissions = text_of(client, f"{PAGE}submissions/")
    assert f'<a href="/staging/submissions/{number}/">Submission {number}</a>' in submissions
    assert 'aria-current="page">Submissions' in submissions
    history = text_of(client, f"{PAGE}history/")
    count = AuditEntry.objects.filter(organization_id=accepted.pk).count()
    assert history.count('aria-label="Entry ') == count
    assert f"The portal began attempt 1 of submission {number}." in history
    assert "was stored: HTTP 200" in history


def test_a_record_without_submissions_says_so(client_of, editor):
    factories.organization(user=editor)
    assert "Nothing of this record was sent." in text_of(client_of("viewer"), f"{PAGE}submissions/")


# who may, and what there is


@pytest.mark.parametrize("act", ["discard", "withdraw"])
@pytest.mark.parametrize("role", ["viewer", "auditor", "administrator", ""])
def test_who_may_not_edit_gets_the_sentence_and_an_entry(client_of, editor, act, role):
    factories.organization(user=editor)
    response = client_of(role).post(f"{PAGE}{act}/")
    assert response.status_code == 403
    assert "You cannot edit records in STAGING." in response.content.decode()
    facts = AuditEntry.objects.get(action=Action.PERMISSION_REFUSED).facts
    assert (facts["environment"], facts["oid"]) == ("staging", BASE)
    assert Organization.objects.exists()


@pytest.mark.parametrize("page", ["", "submissions/", "history/", "discard/", "withdraw/"])
def test_another_environments_record_is_a_404_that_says_where_there_is_one(client_of, editor, page):
    factories.organization(user=editor)
    response = client_of("editor").get(f"/production/organizations/{BASE}/{page}")
    assert response.status_code == 404
    text = response.content.decode()
    assert f"No record {BASE} in PRODUCTION." in strip_tags(text)
    assert f'In STAGING there is one: <a href="{PAGE}">open</a>.' in text


@pytest.mark.parametrize("page", ["", "submissions/", "history/"])
def test_pages_for_reading_take_nothing(client_of, editor, page):
    factories.organization(user=editor)
    assert client_of("editor").post(PAGE + page).status_code == 405
    assert client_of("editor").delete(f"{PAGE}withdraw/").status_code == 405


def test_a_directory_that_shows_something_else_is_told_with_each_field(
    client_of, practice: PracticeDirectory, editor: User, accepted: Organization
) -> None:
    assert "Directory differs" not in text_of(client_of("viewer"))
    practice.register("staging", practice.organizations("staging")[BASE] | {"Name": "By hand"})
    assert client_of("editor").post(f"{PAGE}ask/").status_code == 302
    said = text_of(client_of("viewer"))
    assert "Directory differs" in said
    assert '<td class="adrift" data-label="Directory"><span>By hand</span>' in said
    assert f'<a class="btn" href="{PAGE}differences/">Decide</a>' in said
