"""Hostile text in every field of every form: an error at the field with the input kept, or saved like other text."""

from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizations.forms.record import RecordForm
from organizations.forms.typed import Typed
from organizations.models import Action, AuditEntry, Environment, Organization, State, Submission, User
from organizations.pages.record_form import page as form_page
from organizations.pages.record_form.editing import Editing
from organizations.pages.review import page as review_page
from organizations.records import IdentifierRecord, OrganizationRecord
from organizations.redox import messages
from organizations.services.connection import redox_settings
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import reviews
from tests import factories
from tests.factories import BASE
from tests.hostile.typed import MARKUP, ODD, UNSENDABLE, Input, as_read, post, query, stored
from tests.views.pages import text_of
from tests.views.typing import OTHER, OURS, edit_url, open_form, record_inputs

NEW = reverse("organization-new", args=["staging"])
NEW_RECORD = Editing(environment=Environment.STAGING)
LONG = "x" * 10_000
REFUSED: dict[str, Input] = UNSENDABLE | {"too long": LONG}
FEW = tuple(REFUSED[name] for name in ("NUL", "direction override", "half of a surrogate pair", "too long"))
FREE_TEXTS = ("name", "aliases", "street", "city", "county")
OTHER_TEXTS = ("oid", "other_oid", "destination_id", "state", "country", "zip_code")
OF_CONTACT = ("purpose", "name", "email_addresses", "work_phone", "mobile_phone", "home_phone")
OF_IDENTIFIER = ("value", "kind")


def full_record() -> OrganizationRecord:
    """A record with a line in each list."""
    return replace(factories.record(), identifiers=(IdentifierRecord(kind="FACID", value="LSC-014"),))


def everywhere(value: Input) -> dict[str, Input]:
    """The inputs of the form with this value in each text field."""
    inputs: dict[str, Input] = {**record_inputs(full_record()), "place": OTHER}
    inputs |= dict.fromkeys((*FREE_TEXTS, *OTHER_TEXTS), value)
    inputs |= {f"contacts-0-{name}": value for name in OF_CONTACT}
    return inputs | {f"identifiers-0-{name}": value for name in OF_IDENTIFIER}


def parts_of(form: Any) -> dict[str, tuple[Any, tuple[str, ...]]]:
    return {
        "": (form.main, (*FREE_TEXTS, *OTHER_TEXTS)),
        "contacts-0-": (form.contacts[0], OF_CONTACT),
        "identifiers-0-": (form.identifiers[0], OF_IDENTIFIER),
    }


def names_of(form: Any) -> dict[str, tuple[Any, Any]]:
    """Each text field of the form with its value and its errors."""
    return {
        prefix + name: (part[name].value(), part[name].errors)
        for prefix, (part, names) in parts_of(form).items()
        for name in names
    }


def form_of(inputs: dict[str, Input]) -> RecordForm:
    """The validated form of a new record after these inputs were posted."""
    return NEW_RECORD.form(Typed.from_post(QueryDict(query(inputs))), checked=True)


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_each_field_of_a_record_refuses_and_keeps_invalid_text(db, value):
    for name, (saved_record, errors) in names_of(form_of(everywhere(value))).items():
        assert saved_record == as_read(value), name
        assert len(errors) == 1, name
        assert len(str(errors)) < 300, name


def test_invalid_input_saves_nothing_and_each_error_links_to_its_field(client):
    before = stored()
    response = post(client, NEW, everywhere(UNSENDABLE["NUL"]) | {"stands_for": MARKUP, "county": MARKUP})
    page = response.content.decode()
    assert response.status_code == 422
    assert [name for name in names_of(response.context["form"]) if f'<a href="#id_{name}">' not in page] == ["county"]
    assert MARKUP not in page
    assert stored() == before


@pytest.mark.parametrize("value", ["a\x00b", "nowhere", "1" * 10_000])
def test_a_choice_that_does_not_exist_is_refused(db, value):
    errors = form_of({**record_inputs(full_record()), "place": value, "stands_for": value}).main.errors
    assert {"place", "stands_for"} <= errors.keys()


def test_an_impossible_parent_is_refused(organization, editor):
    for value in REFUSED.values():
        inputs = {**record_inputs(full_record()), "place": OURS, "parent": value, "oid": f"{BASE}.9"}
        typed = Typed.from_post(QueryDict(query(inputs)))
        suggested, note = NEW_RECORD.with_suggested_oid(typed)
        assert (suggested, note.partition(" ")[0]) == (typed, "Choose")
        page = form_page.build(NEW_RECORD, NEW_RECORD.form(typed), editor)
        assert (page.form.main["parent"].value(), page.parent_place) == (as_read(value), None)
        assert "parent" in form_of(inputs).main.errors


def test_unusual_text_is_saved_unchanged_and_shown_as_text(client, editor, organization):
    value = " ".join(ODD.values())
    inputs: dict[str, Input] = {**record_inputs(full_record()), "oid": f"{BASE}.9"}
    inputs |= dict.fromkeys(FREE_TEXTS, value) | {"aliases": f"{value} 2"}
    inputs |= {"contacts-0-purpose": ODD["markup"], "contacts-0-name": value}
    inputs |= {"identifiers-0-value": ODD["markup"], "identifiers-0-kind": ODD["database"]}
    assert post(client, NEW, inputs).status_code == 302
    saved = Organization.objects.get(oid=f"{BASE}.9")
    record = saved.record()
    assert (record.name, record.aliases, record.address.city) == (value, (f"{value} 2",), value)
    assert (
        messages.record_from_message(messages.build_message(record, "New", redox_settings.environment("staging")))
        == record
    )

    factories.submission(saved, user=editor, reason=value)
    for address in pages_about(saved):
        page = client.get(address).content.decode()
        assert value in unescape(page), address
        assert MARKUP not in page, address
        assert "<b a=" not in page, address


def pages_about(saved: Organization) -> list[str]:
    names = ("record", "edit", "review", "record-history", "record-submissions")
    submission = Submission.objects.get()
    entry = AuditEntry.objects.filter(action=Action.SUBMISSION_MADE).get()
    return [
        *(edit_url(saved, name) for name in names),
        reverse("organizations", args=["staging"]),
        reverse("submissions", args=["staging"]),
        reverse("submission", args=["staging", submission.pk]),
        reverse("audit"),
        reverse("audit-entry", args=[entry.pk]),
        reverse("home"),
    ]


def test_invisible_characters_are_removed_with_a_note(client):
    inputs = record_inputs(full_record()) | {
        "name": "Lake\u200bside\ufeff",
        "contacts-0-work_phone": "608\u200b5550100",
    }
    response = post(client, NEW, inputs)
    assert response.status_code == 302
    record = Organization.objects.get().record()
    assert (record.name, record.contacts[0].work_phone) == ("Lakeside", "+16085550100")
    messages = [str(message) for message in get_messages(response.wsgi_request)]
    assert any("Name: invisible characters removed" in each for each in messages)


def test_the_pages_of_the_longest_possible_oid_work(client):
    oid = "2." + "1" * 62
    response = post(client, NEW, record_inputs(replace(full_record(), oid=oid), act="review"))
    assert response["Location"] == reverse("review", args=["staging", oid])
    for address in (response["Location"], reverse("organizations", args=["staging"]), reverse("audit")):
        assert client.get(address).status_code == 200


def test_text_quoted_in_an_error_or_a_note_is_cut(db):
    for value in ("(" * 10_000, "5" * 10_000, "5370" + "-" * 10_000 + "4"):
        errors = [str(error) for _, each in names_of(form_of(everywhere(value))).values() for error in each]
        assert max(map(len, errors)) < 200
    changed = form_of({**record_inputs(full_record()), "zip_code": "53704" + "-" * 5_000 + "1234"})
    assert changed.is_valid()
    assert changed.record().address.zip_code == "53704-1234"
    assert 0 < len(changed.changes_sentence) < 200


# Reasons -----------------------------------------------------------------------------------------------------


def test_an_invalid_reason_sends_nothing(client, organization):
    review = reviews.review(organization)
    inputs = {"sha256": review.sha256, "seen": "0", "version": str(organization.version)}
    before = stored()
    response = post(client, edit_url(organization, "review"), inputs | {"reason": FEW[0]})
    assert (response.status_code, response.context["form"]["reason"].value()) == (422, as_read(FEW[0]))
    assert stored() == before
    for value in FEW:
        form = review_page.review_form(review, QueryDict(query({"reason": value})))
        assert (form["reason"].value(), len(form.errors["reason"])) == (as_read(value), 1)


@pytest.mark.parametrize("name", ["sha256", "tick"])
def test_malformed_review_inputs_send_nothing(client, editor, name):
    organization = factories.organization(f"{BASE}.2", user=editor, contacts=())  # so that it has a warning
    review = reviews.review(organization)
    ticks = [submissions.warning_key(each) for each in review.open_warnings]
    inputs = {"sha256": review.sha256, "seen": "0", "version": "1", "tick": ticks, "reason": "Test"}
    before = stored()
    for value in ("\x00", MARKUP, ["", "x"]):
        response = post(client, edit_url(organization, "review"), inputs | {name: value})
        assert response.status_code in (409, 422)
        assert MARKUP not in response.content.decode()
    assert stored() == before


def test_a_deactivation_with_invalid_text_sends_nothing(client, editor, organization):
    mark_accepted(organization, editor)
    before = stored()
    for value in FEW:
        response = post(client, edit_url(organization, "deactivate"), {"why": "other", "in_words": value})
        assert response.status_code == 422
        assert response.context["form"]["in_words"].value() == as_read(value)
        assert len(response.context["form"]["in_words"].errors) == 1
    for name in ("sha256", "seen_submission", "why"):
        inputs = {"why": "closed", "in_words": "Lease ended", name: "\x00"}
        assert post(client, edit_url(organization, "deactivate"), inputs).status_code in (409, 422)
    assert stored() == before


def mark_accepted(organization: Organization, user: User) -> None:
    """Mark the record as accepted, so that it can be deactivated."""
    factories.accept(organization, submission=factories.submission(organization, user=user))


# People ------------------------------------------------------------------------------------------------------


@pytest.fixture
def administrator(db):
    client = Client()
    client.force_login(factories.UserFactory(role="administrator"))
    return client


def test_names_of_people_refuse_direction_overrides(administrator):
    before = stored()
    fields = ("username", "first_name", "last_name", "email")
    for value in FEW:
        response = post(administrator, reverse("person-new"), dict.fromkeys(fields, value))
        form = response.context["form"]
        assert {name: form[name].value() for name in fields} == dict.fromkeys(fields, as_read(value))
        assert [name for name in fields if not form.errors.get(name)] == []
    assert stored() == before


def test_a_role_that_does_not_exist_is_refused(administrator):
    before = stored()
    for groups in ("\x00", str(2**64), "9" * 5_000, "\uff12\uff10", MARKUP):
        response = post(administrator, reverse("person-new"), {"username": "new-person", "groups": [groups]})
        assert response.context["form"].errors["groups"]
        assert MARKUP not in response.content.decode()
    assert stored() == before


def test_the_history_escapes_invisible_characters_of_a_refused_name(client):
    post(Client(), reverse("sign-in"), {"username": f"{MARKUP}\u202e\u0007", "password": "x"})
    for address in (reverse("audit"), reverse("audit-entry", args=[AuditEntry.objects.last().pk])):  # type: ignore[union-attr]
        response = client.get(address)
        assert MARKUP not in response.content.decode()
        assert "\u202e" not in text_of(response)
        assert f"{MARKUP}\\u202E\\u0007" in text_of(response)


def test_the_longest_names_of_a_person_fit_all_columns(client, organization):
    long = factories.UserFactory(role="editor", first_name="a" * 150, last_name="b" * 150)
    submission = factories.submission(organization, user=long)
    browser = Client()
    browser.force_login(long)
    address = reverse("submission-cancel", args=["staging", submission.pk])
    assert browser.post(address, follow=True).status_code == 200
    submission.refresh_from_db()
    assert (submission.state, submission.cancelled_by) == (State.CANCELLED, "a" * 150)
    assert browser.post(reverse("connection-check", args=["staging"]), follow=True).status_code == 200


# Anything ----------------------------------------------------------------------------------------------------

anything = st.text(max_size=30) | st.text("0123456789.-+@ \r\n\t()aAwW", max_size=30) | st.sampled_from([*ODD.values()])


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.dictionaries(st.sampled_from([name for name in everywhere("") if "_FORMS" not in name]), anything))
def test_any_input_is_refused_or_becomes_a_message_that_reads_back(editor, organization, texts):
    now = Organization.objects.get(pk=organization.pk)
    sendable: dict[str, Input] = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    typed = Typed.from_post(QueryDict(query({**record_inputs(full_record()), **sendable})))
    form = open_form(now).form(typed, checked=True)
    if not form.is_valid():
        return
    record, by = form.record(), factories.as_actor(editor)
    saved = organizations.edit(now.pk, now.version, record, stands_for=form.stands_for, actor=by).pk
    saved_record = Organization.objects.get(pk=saved).record()
    assert saved_record == replace(record, active=now.active, carried=saved_record.carried)
    environment = redox_settings.environment("staging")
    assert messages.record_from_message(messages.build_message(saved_record, "New", environment)) == saved_record
    Organization.objects.filter(pk=organization.pk).update(oid=BASE)
