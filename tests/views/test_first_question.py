"""The first question in the form of a new record: is its OID registered already?"""

import json
import re

import pytest
from django.urls import reverse

from organizations.models import Action, AuditEntry, Organization, User
from organizations.pages.review import message
from organizations.practice import PracticeDirectory
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.services.connection import redox_settings
from organizations.services.directory.ask_oid import ask_about_oid
from organizations.services.records import organizations
from organizations.services.review import reviews
from tests import factories
from tests.factories import BASE
from tests.views.typing import GATEWAY, record_inputs

NEW = reverse("organization-new", args=["staging"])
TAKE_OVER = f"/staging/directory/take-over/?oids={BASE}"
ONLY_THE_OID = {"oid": BASE, "country": "USA", "place": GATEWAY}


def register(practice: PracticeDirectory, **keys: object) -> None:
    """Register the OID in the practice directory, as another program would."""
    record = factories.record(name="Lakeside by hand")
    message = messages.build_message(record, "New", redox_settings.environment("staging"))
    practice.register("staging", json.loads(message)["Organizations"][0] | keys)


def page_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def ask(client, **values: str) -> str:
    answer = client.post(NEW, ONLY_THE_OID | {"act": "ask-oid", "registered": "unknown"} | values)
    assert answer.status_code == 200
    return page_of(answer)


def test_nothing_is_chosen_beforehand_and_saving_needs_no_answer(client):
    page = page_of(client.get(NEW))
    choices = re.findall(r'<input[^>]*name="registered"[^>]*>', page)
    assert (len(choices), [each for each in choices if "checked" in each]) == (3, [])
    assert client.post(NEW, record_inputs(factories.record())).status_code == 302


@pytest.mark.parametrize("answer", ["no", "unknown", "nonsense"])
def test_any_other_answer_than_yes_is_a_hint(client, answer):
    assert client.post(NEW, record_inputs(factories.record()) | {"registered": answer}).status_code == 302
    assert Organization.objects.exists()


def test_a_registered_oid_is_taken_over_and_not_saved(client):
    answer = client.post(NEW, record_inputs(factories.record()) | {"registered": "yes"})
    page = page_of(answer)
    assert (answer.status_code, Organization.objects.exists()) == (422, False)
    assert "Not saved: you chose that this OID was registered outside the portal." in page
    assert f'href="{TAKE_OVER}" target="_blank"' in page
    assert 'value="yes" aria-describedby="registered-yes" checked' in page
    assert "Lakeside 1" in page


def test_the_take_over_opens_at_once_if_nothing_else_was_typed(client):
    answer = client.post(NEW, ONLY_THE_OID | {"act": "take-over"})
    assert (answer.status_code, answer["Location"]) == (302, TAKE_OVER)
    assert client.post(NEW, {"act": "take-over"})["Location"] == "/staging/directory/take-over/"


def test_the_take_over_opens_in_a_new_tab_if_something_was_typed(client):
    answer = client.post(NEW, ONLY_THE_OID | {"act": "take-over", "name": "Lakeside Pier"})
    page = page_of(answer)
    assert answer.status_code == 200
    assert f'href="{TAKE_OVER}" target="_blank" rel="noopener"' in page
    assert 'value="Lakeside Pier"' in page


def test_the_address_fills_the_oid(client):
    assert f'value="{BASE}.7"' in page_of(client.get(f"{NEW}?oid={BASE}.7"))
    assert "no-oid" not in page_of(client.get(f"{NEW}?oid=no-oid"))


def test_an_existing_record_has_no_first_question(client, organization):
    assert "registered outside the portal" not in page_of(
        client.get(f"/staging/organizations/{organization.oid}/edit/")
    )


# Ask the directory ------------------------------------------------------------------------------------------


def test_the_answer_says_that_the_directory_does_not_have_the_oid(client, practice: PracticeDirectory):
    page = ask(client, name="Lakeside Pier")
    assert "the directory of STAGING does not have this OID. Redox will get a New." in page
    assert 'value="Lakeside Pier"' in page
    assert 'value="unknown" aria-describedby="registered-unknown" checked' in page
    assert (practice.effects, Organization.objects.exists()) == ([], False)
    entries = AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED)
    assert set(entries.values_list("environment", "oid")) == {("staging", BASE)}


@pytest.mark.parametrize(("active", "word"), [(True, "active"), (False, "not active")])
def test_the_answer_says_that_the_directory_has_the_oid_and_offers_the_take_over(
    client, practice: PracticeDirectory, active: bool, word: str
):
    register(practice, Active=active)
    page = ask(client)
    assert f"has this OID: Lakeside by hand, {word}. Redox would reject a New." in page
    assert f'href="{TAKE_OVER}">Take over instead' in page
    assert 'value="yes" aria-describedby="registered-yes">' in page, "the portal never chooses Yes"
    assert f'href="{TAKE_OVER}" target="_blank" rel="noopener">Take over instead' in ask(client, name="Pier")


def test_an_oid_whose_values_cannot_be_read_is_in_the_directory(client, practice: PracticeDirectory):
    register(practice, Active="yes")
    page = ask(client)
    assert ": The directory shows this OID, but its Active cannot be read. Redox would reject a New." in page
    assert "gave no answer" not in page


def test_without_an_answer_the_cause_is_named(client, practice: PracticeDirectory):
    practice.behaviour = "refuses-sign-in"
    assert "The directory of STAGING gave no answer: " in ask(client)


def test_the_directory_is_not_asked_about_a_text_that_is_not_an_oid_a_gateway_or_a_record_here(
    client, editor: User, practice: PracticeDirectory
):
    factories.organization(user=editor, name="Lakeside Clinics")
    assert "is already the record Lakeside Clinics in STAGING" in ask(client)
    assert "is not an OID" in ask(client, oid="garbage")
    assert "This is the Redox gateway" in ask(client, oid=GATEWAY_OID)
    assert practice.requests == []


def test_without_an_oid_nothing_is_asked(client, practice: PracticeDirectory):
    assert "Enter the OID first." in ask(client, oid=" ")
    assert practice.requests == []


# The review -------------------------------------------------------------------------------------------------


def freshness_of(organization: Organization) -> str:
    return message.review_content(reviews.review(organization)).freshness.sentence


def test_the_review_of_a_new_names_the_answer_about_its_oid(client, editor: User, practice: PracticeDirectory):
    ask(client)
    organization = factories.organization(user=editor)
    sentence = freshness_of(organization)
    assert sentence.startswith("The directory, asked on ")
    assert sentence.endswith(", did not show this OID.")
    organizations.withdraw(organization.pk, organization.version, actor=factories.as_actor(editor))
    register(practice)
    organization = factories.organization(user=editor)
    by = factories.as_actor(editor)
    ask_about_oid("staging", BASE, actor=by)  # in a form that was open before somebody saved this record
    practice.behaviour = "refuses-sign-in"
    ask_about_oid("staging", BASE, actor=by)  # no answer changes nothing
    assert freshness_of(organization).endswith(", showed this OID as Lakeside by hand. Redox would reject a New.")
    assert (
        freshness_of(factories.organization(f"{BASE}.8", user=editor)) == "No Query for this record has been answered."
    )
