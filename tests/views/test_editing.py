"""Add and edit: happy path first, then each way in."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from organizations.models import AuditEntry, Organization, Submission
from organizations.records import ContactRecord
from organizations.redox.environment import GATEWAY_OID, ORGANIZATION_ROUTING
from tests import factories
from tests.factories import BASE
from tests.views.typing import edit_url, form_of, posted

NEW = reverse("organization-new", args=["staging"])


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_new_record_is_saved_and_nothing_is_sent(client_of, editor):
    client = client_of(user=editor)
    assert client.get(NEW).status_code == 200

    response = client.post(NEW, posted(factories.record(), stands_for="location"))

    made = Organization.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("record", args=["staging", BASE])
    assert made.record() == factories.record()
    assert (made.stands_for, made.edited_by) == ("location", editor)
    assert said(response) == ["Saved. Nothing was sent."]
    assert not Submission.objects.exists()
