"""Deactivating and reactivating over HTTP: from the button to the stored message, and what sends nothing."""

import json
import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from organizations.models import Intent, Organization, Submission, User
from organizations.services.review import reviews
from tests import factories
from tests.changes import load, save_edit, store_reading_with
from tests.factories import BASE
from tests.views.pages import text_of

pytestmark = pytest.mark.usefixtures("unreachable_redox")

DEACTIVATE = f"/staging/organizations/{BASE}/deactivate/"
IN_PRODUCTION = f"/production/organizations/{BASE}/deactivate/"


@pytest.fixture
def organization(editor: User) -> Organization:
    return factories.accept(factories.organization(user=editor))


@pytest.fixture
def in_production(editor: User) -> Organization:
    return factories.accept(factories.organization(user=editor, environment="production"))


def press(client: Client, address: str = DEACTIVATE, **fields: str) -> Any:
    """Press the button of a page that is opened now, with a reason."""
    organization, intent = load(Organization.objects.get(oid=BASE)), Intent[address.split("/")[-2].upper()]
    review = reviews.review(organization, intent=intent)
    review_inputs = {"sha256": review.sha256, "seen_submission": str(organization.last_submission_id or 0)}
    return client.post(address, review_inputs | {"why": "closed", "in_words": "Lease ended, ticket 97"} | fields)


def assert_nothing_sent_and_input_kept(response: Any, status: int) -> None:
    assert response.status_code == status
    assert 'value="Lease ended, ticket 97"' in response.content.decode()
    assert not Submission.objects.exists()


def test_a_record_is_deactivated_and_reactivated(client, organization, editor):
    save_edit(organization, editor, aliases=("Shore",))
    page = client.get(DEACTIVATE).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(sha256|seen_submission)" value="([^"]*)"', page))
    response = client.post(DEACTIVATE, hidden | {"why": "closed", "in_words": "Lease ended"})
    submission = Submission.objects.get()
    assert response["Location"] == f"/staging/submissions/{submission.pk}/"
    assert (submission.intent, submission.reason) == (Intent.DEACTIVATE, "Location closed: Lease ended")
    (sent,) = json.loads(bytes(submission.message))["Organizations"]
    assert (sent["Active"], "Aliases" in sent) == (False, False)
    factories.accept(organization, submission=submission, active=False)
    press(client, DEACTIVATE.replace("deactivate", "reactivate"), why="open", in_words="")
    assert Submission.objects.latest("pk").reason == "Location open again"


def test_the_record_that_replaces_it_is_named_in_the_reason(client, organization, editor):
    factories.organization(f"{BASE}.5", user=editor, name="Lakeside Pier")
    assert press(client, why="replaced", replaced_by=BASE).status_code == 422
    press(client, why="replaced", replaced_by="lakeside pier", in_words="")
    assert Submission.objects.get().reason == f"Replaced by Lakeside Pier ({BASE}.5)"


def test_a_replacement_is_ignored_if_its_reason_is_not_chosen(client, organization):
    assert press(client, replaced_by="Nowhere", in_words="").status_code == 302
    assert Submission.objects.get().reason == "Location closed"


def test_active_children_are_deactivated_first_in_a_plan(client, organization, editor):
    factories.accept(factories.organization(f"{BASE}.5", user=editor, part_of_oid=BASE, name="Old Town Lab"))
    page = client.get(DEACTIVATE).context["content"]
    assert [row.organization.name for row in page.rows] == ["Old Town Lab", organization.name]
    for extra, status in (({}, 409), ({"came-back": "1"}, 200)):
        response = press(client, **extra)
        assert (response.status_code, len(response.context["content"].rows)) == (status, 2)
    assert not Submission.objects.exists()


def test_a_value_of_the_directory_is_overwritten_only_when_ticked(client, organization):
    store_reading_with(organization, name="Lakeside (One)")
    refused = press(client)
    assert_nothing_sent_and_input_kept(refused, 422)
    ((anchor, _),) = refused.context["content"].box_errors
    tick = anchor.removeprefix("id_tick-")
    assert press(client, why="", tick=tick).context["content"].overwritten[0].ticked
    assert_nothing_sent_and_input_kept(press(client, sha256="0" * 64), 409)
    assert press(client, tick=tick).status_code == 302
    (warning,) = Submission.objects.get().warnings
    assert warning["key"] == "overwrite"


def test_a_second_press_names_the_existing_submission(client, organization):
    press(client)
    response = press(client, seen_submission="0")
    submission = Submission.objects.get()
    assert response["Location"] == f"/staging/submissions/{submission.pk}/"
    (message,) = get_messages(response.wsgi_request)
    assert str(submission.pk) in str(message)


def test_a_manipulated_form_sends_nothing(client, editor):
    factories.accepted_organization(user=editor)
    assert press(client, seen_submission="9" * 5000, active="x", environment="production").status_code == 409
    assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()


def test_a_missing_reason_is_named_above_the_form_and_at_its_field(client, organization):
    response = press(client, why="")
    assert_nothing_sent_and_input_kept(response, 422)
    assert text_of(response).startswith("Error: Deactivate, ")
    assert text_of(response).count("Choose a reason.") == 2


def test_in_production_an_approver_types_the_name(client, client_of, in_production):
    assert press(client, IN_PRODUCTION, typed_name="Lakeside 1").status_code == 403  # an editor
    approver = client_of("approver")
    response = press(approver, IN_PRODUCTION, typed_name="Lakeside 2")
    assert_nothing_sent_and_input_kept(response, 422)
    assert 'value="Lakeside 2"' in response.content.decode()
    assert press(approver, IN_PRODUCTION, typed_name=" lakeside 1").status_code == 302
    assert Submission.objects.get().intent == Intent.DEACTIVATE
