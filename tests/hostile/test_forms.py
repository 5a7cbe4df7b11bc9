"""Hostile text in every field of every form: a clear error at the field with the input kept, or text like any other."""

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizations.models import Action, AuditEntry, Organization, State, Submission, User
from organizations.records import IdentifierRecord, OrganizationRecord
from organizations.redox import messages
from organizations.services import gateway
from tests import factories
from tests.factories import BASE, PASSWORD
from tests.hostile.typed import MARKUP, ODD, UNSENDABLE, Input, as_read, post, stored
from tests.views.pages import text_of
from tests.views.typing import OTHER, OURS, edit_url, posted

pytestmark = pytest.mark.slow

NEW = reverse("organization-new", args=["staging"])
LONG = "x" * 10_000
REFUSED: dict[str, Input] = UNSENDABLE | {"too long": LONG}
FEW = tuple(REFUSED[name] for name in ("NUL", "direction override", "half of a surrogate pair", "too long"))
FREE_TEXTS = ("name", "aliases", "street", "city", "county")
OTHER_TEXTS = ("oid", "other_oid", "destination_id", "state", "country", "zip_code")
OF_CONTACT = ("purpose", "name", "email_addresses", "work_phone", "mobile_phone", "home_phone")
OF_IDENTIFIER = ("value", "kind")


def whole() -> OrganizationRecord:
    """A record with a line in each list."""
    return replace(factories.record(), identifiers=(IdentifierRecord(kind="FACID", value="LSC-014"),))


def everywhere(value: Input) -> dict[str, Input]:
    """The form with this value in each of its texts."""
    inputs: dict[str, Input] = {**posted(whole()), "place": OTHER}
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
    """Each text of the form with its value and its errors."""
    return {
        prefix + name: (part[name].value(), part[name].errors)
        for prefix, (part, names) in parts_of(form).items()
        for name in names
    }


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sent_is_refused_at_each_field_of_a_record_and_kept(client: Client, value: Input) -> None:
    before = stored()
    response = post(client, NEW, everywhere(value))
    assert response.status_code == 422
    page = response.content.decode()
    for name, (kept, errors) in names_of(response.context["form"]).items():
        assert kept == as_read(value), name
        assert len(errors) == 1, name
        assert f'<a href="#id_{name}">' in page, name
    assert stored() == before


@pytest.mark.parametrize("value", ["a\x00b", "\u202e", "nowhere", MARKUP, "1" * 10_000])
def test_a_choice_that_does_not_exist_is_refused(client: Client, value: str) -> None:
    before = stored()
    response = post(client, NEW, posted(whole()) | {"place": value, "stands_for": value})
    assert response.status_code == 422
    errors = response.context["form"].main.errors
    assert errors["place"] == ["Choose what this record is part of."]
    assert errors["stands_for"] == ["Choose from the list."]
    assert MARKUP not in response.content.decode()
    assert stored() == before


@pytest.mark.parametrize(("act", "status"), [("suggest-oid", 200), ("add-contacts", 200), ("review", 422)])
def test_a_parent_that_cannot_be_is_none(client: Client, made: Organization, act: str, status: int) -> None:
    before = stored()
    for value in REFUSED.values():
        inputs = posted(whole(), act=act) | {"place": OURS, "parent": value, "oid": f"{BASE}.9"}
        response = post(client, NEW, inputs)
        assert (response.status_code, response.context["form"].main["parent"].value()) == (status, as_read(value))
    assert stored() == before


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_odd_text_is_saved_as_it_is_and_shown_as_text_everywhere(
    client: Client, editor: User, made: Organization, value: str
) -> None:
    inputs: dict[str, Input] = {**posted(whole()), "oid": f"{BASE}.9"}
    inputs |= dict.fromkeys(FREE_TEXTS, value) | {"aliases": f"{value} 2"}
    inputs |= {"contacts-0-purpose": value, "contacts-0-name": value}
    inputs |= {"identifiers-0-value": value, "identifiers-0-kind": value}
    assert post(client, NEW, inputs).status_code == 302
    saved = Organization.objects.get(oid=f"{BASE}.9")
    record = saved.record()
    assert (record.name, record.aliases, record.address.city) == (value, (f"{value} 2",), value)
    assert messages.record_from_message(messages.message(record, "New", gateway.environment("staging"))) == record

    factories.submission(saved, user=editor, reason=value)
    for address in pages_about(saved):
        page = client.get(address).content.decode()
        assert value in page or escaped(value) in page, address
        assert MARKUP not in page, address
        assert "<b a=" not in page, address


def escaped(value: str) -> str:
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        value = value.replace(plain, entity)
    return value


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


def test_what_a_spreadsheet_would_run_leaves_as_text(client: Client, editor: User) -> None:
    for place, value in enumerate(("=1+1", "+1+1", "-1+1", "@SUM(1)")):
        factories.organization(f"{BASE}.{place + 1}", user=editor, name=value, aliases=(value,))
    auditor = factories.UserFactory(role="auditor", first_name="=1+1")
    reader = Client()
    reader.force_login(auditor)
    for address in (reverse("organizations-export", args=["staging"]), reverse("audit-export")):
        text = b"".join(reader.get(address).streaming_content).decode()  # type: ignore[attr-defined]
        cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
        assert any(cell.startswith("'=1+1") for cell in cells)


def test_invisible_characters_are_removed_and_that_is_said(client: Client) -> None:
    inputs = posted(whole()) | {"name": "Lake\u200bside\ufeff", "contacts-0-work_phone": "608\u200b5550100"}
    response = post(client, NEW, inputs)
    assert response.status_code == 302
    record = Organization.objects.get().record()
    assert (record.name, record.contacts[0].work_phone) == ("Lakeside", "+16085550100")
    assert "Name: invisible characters removed" in client.get(response["Location"]).content.decode()


def test_the_longest_oid_that_there_can_be_has_pages(client: Client) -> None:
    oid = "2." + "1" * 62
    response = post(client, NEW, posted(replace(whole(), oid=oid), act="review"))
    assert response["Location"] == reverse("review", args=["staging", oid])
    for address in (response["Location"], reverse("organizations", args=["staging"]), reverse("audit")):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("value", [LONG, "(" * 10_000, "5" * 10_000, "5370" + "-" * 10_000 + "4"])
def test_what_is_quoted_in_an_error_or_a_note_is_cut(client: Client, value: str) -> None:
    response = post(client, NEW, everywhere(value))
    assert max(len(str(error)) for _, errors in names_of(response.context["form"]).values() for error in errors) < 200
    notes = post(client, NEW, posted(whole()) | {"zip_code": "53704" + "-" * 5_000 + "1234"})
    assert notes.status_code == 302
    assert Organization.objects.get().zip_code == "53704-1234"
    assert max(map(len, re.findall(r"Changed for you[^<]*", client.get(notes["Location"]).content.decode()))) < 200


# Reasons -----------------------------------------------------------------------------------------------------


def review_of(client: Client, made: Organization) -> dict[str, Input]:
    page = client.get(edit_url(made, "review")).context
    return {
        "sha256": page["made"].sha256,
        "seen": str(made.last_submission_id or 0),
        "version": str(made.version),
        "tick": [question.key for question in page["page"].questions],
    }


def test_a_reason_that_cannot_be_kept_sends_nothing(client: Client, made: Organization) -> None:
    inputs = review_of(client, made)
    before = stored()
    for value in FEW:
        response = post(client, edit_url(made, "review"), inputs | {"reason": value})
        field = response.context["form"]["reason"]
        assert (response.status_code, field.value(), len(field.errors)) == (422, as_read(value), 1)
    assert stored() == before


@pytest.mark.parametrize("name", ["sha256", "tick"])
def test_what_a_review_is_tied_to_is_the_review_or_none(client: Client, made: Organization, name: str) -> None:
    part_of_none = factories.organization(f"{BASE}.2", user=factories.editor(), contacts=())  # so that it has a warning
    inputs = review_of(client, part_of_none)
    before = stored()
    for value in (*FEW, MARKUP, "0" * 64, ["", "x"]):
        response = post(client, edit_url(part_of_none, "review"), inputs | {"reason": "Test"} | {name: value})
        assert response.status_code in (409, 422)
        assert MARKUP not in response.content.decode()
    assert stored() == before


def test_a_number_that_is_none_is_the_least(client: Client, made: Organization) -> None:
    inputs = review_of(client, made) | {"sha256": "0" * 64}
    for value in ("\x00", "-1", "1e3", "\uff11", str(2**63), "9" * 5_000):
        typed = inputs | {"reason": "Test", "seen": value, "version": value}
        assert post(client, edit_url(made, "review"), typed).status_code == 409


def test_a_deactivation_with_what_cannot_be_kept_sends_nothing(
    client: Client, editor: User, made: Organization
) -> None:
    confirmed(made, editor)
    before = stored()
    for value in FEW:
        for inputs in ({"why": "other", "in_words": value}, {"why": value, "in_words": value}):
            response = post(client, edit_url(made, "deactivate"), inputs)
            assert response.status_code == 422
            assert response.context["form"]["in_words"].value() == as_read(value)
            assert len(response.context["form"]["in_words"].errors) == 1
        for name in ("sha256", "seen_submission", "why"):
            inputs = {"why": "closed", "in_words": "Lease ended", name: value}
            assert post(client, edit_url(made, "deactivate"), inputs).status_code in (409, 422)
    assert stored() == before


def confirmed(made: Organization, user: User) -> None:
    """As if Redox had accepted it, so that it can be deactivated."""
    factories.confirmed(made, submission=factories.submission(made, user=user))


# People ------------------------------------------------------------------------------------------------------


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(factories.UserFactory(role="administrator"))
    return client


def test_what_turns_a_line_round_is_refused_at_each_name_of_a_person(boss: Client) -> None:
    before = stored()
    fields = ("username", "first_name", "last_name", "email")
    for value in REFUSED.values():
        response = post(boss, reverse("person-new"), dict.fromkeys(fields, value))
        form = response.context["form"]
        assert {name: form[name].value() for name in fields} == dict.fromkeys(fields, as_read(value))
        assert [name for name in fields if not form.errors.get(name)] == []
    assert stored() == before


def test_a_role_that_does_not_exist_is_refused(boss: Client) -> None:
    before = stored()
    for groups in ("\x00", "-1", str(2**63), str(2**64), "9" * 5_000, "\uff12\uff10", "1e3", MARKUP):
        response = post(boss, reverse("person-new"), {"username": "new-person", "groups": [groups]})
        assert response.context["form"].errors["groups"]
        assert MARKUP not in response.content.decode()
    assert stored() == before


def test_what_is_no_name_signs_nobody_in(editor: User) -> None:
    browser = Client()
    for value in (*REFUSED.values(), *ODD.values()):
        response = post(browser, reverse("sign-in"), {"username": value, "password": PASSWORD, "role": value})
        assert response.status_code == 422
        assert response.context["form"].errors
        assert MARKUP not in response.content.decode()
    assert post(browser, reverse("sign-in"), {"username": editor.username, "password": "\x00"}).status_code == 422
    assert browser.get(reverse("home")).status_code == 302


def test_a_refused_name_is_shown_in_the_history_with_what_cannot_be_seen_written_out(client: Client) -> None:
    post(Client(), reverse("sign-in"), {"username": f"{MARKUP}\u202e\u0007", "password": "x"})
    for address in (reverse("audit"), reverse("audit-entry", args=[AuditEntry.objects.last().pk])):  # type: ignore[union-attr]
        response = client.get(address)
        assert MARKUP not in response.content.decode()
        assert "\u202e" not in text_of(response)
        assert f"{MARKUP}\\u202E\\u0007" in text_of(response)


def test_a_password_is_not_changed_to_what_was_not_confirmed(client: Client, editor: User) -> None:
    new = "a-much-longer-secret"
    for value in (*REFUSED.values(), *ODD.values()):
        for old, first in ((value, new), (PASSWORD, value)):
            inputs = {"old_password": old, "new_password1": first, "new_password2": new}
            assert post(client, reverse("account"), inputs).status_code == 422
    editor.refresh_from_db()
    assert editor.check_password(PASSWORD)
    assert {entry.action for entry in AuditEntry.objects.all()} == {"person.refused"}


def test_the_longest_names_of_a_person_fit_wherever_they_are_kept(client: Client, made: Organization) -> None:
    long = factories.UserFactory(role="editor", first_name="a" * 150, last_name="b" * 150)
    submission = factories.submission(made, user=long)
    browser = Client()
    browser.force_login(long)
    address = reverse("submission-cancel", args=["staging", submission.pk])
    assert browser.post(address, follow=True).status_code == 200
    submission.refresh_from_db()
    assert (submission.state, submission.cancelled_by) == (State.CANCELLED, "a" * 150)
    assert browser.post(reverse("connection-check", args=["staging"]), follow=True).status_code == 200


# Anything ----------------------------------------------------------------------------------------------------

anything = st.text(max_size=30) | st.text("0123456789.-+@ \r\n\t()aAwW", max_size=30) | st.sampled_from([*ODD.values()])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.dictionaries(st.sampled_from([name for name in everywhere("") if "_FORMS" not in name]), anything))
def test_whatever_is_typed_is_refused_or_becomes_a_message_that_reads_back(
    client: Client, made: Organization, texts: dict[str, str]
) -> None:
    now = Organization.objects.get(pk=made.pk)
    before = stored()
    sendable: dict[str, Input] = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    hidden = {"record": str(now.pk)}
    response = post(client, edit_url(made), {**posted(whole(), version=now.version), **hidden, **sendable})
    saved = Organization.objects.get(pk=made.pk)
    if response.status_code != 302:
        assert response.status_code in (200, 422)
        assert stored() == before
        return
    assert saved.version in (now.version, now.version + 1)
    environment = gateway.environment("staging")
    record = saved.record()
    assert messages.record_from_message(messages.message(record, "New", environment)) == record
    Organization.objects.filter(pk=made.pk).update(oid=BASE)
