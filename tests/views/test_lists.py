"""In a list on a page, each value has its own line: "Alpha; Beta" is one alias, not two."""

import re
from dataclasses import replace

import pytest
from django.test import Client

from organizations.models import Organization, User, clock
from organizations.services.records import directory_state, organizations
from organizations.services.review import reviews
from tests import factories
from tests.factories import as_actor
from tests.views import planning
from tests.views.typing import edit_url, form_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

BEFORE, SAVED, SEEN = ("Alpha; Beta", "Gamma"), ("Alpha; Beta", "Delta"), ("Alpha; Beta", "Epsilon")


@pytest.fixture
def organization(editor: User) -> Organization:
    """A record with two aliases, edited after its acceptance. The directory shows other aliases."""
    organization = factories.accept(factories.organization(user=editor, aliases=BEFORE))
    saved = replace(organization.record(), aliases=SAVED)
    organizations.edit(organization.pk, organization.version, saved, stands_for="", actor=as_actor(editor))
    row = Organization.objects.get(pk=organization.pk)
    directory_state.store_reading(row, replace(saved, aliases=SEEN, destination_known=False), clock.now())
    return Organization.objects.get(pk=organization.pk)


def lines_of(page: bytes) -> list[str]:
    """The lines of text on a page, from top to bottom."""
    blocks = re.split(r"<(?:br|/?(?:td|th|li|dd|p|ul|ol|div|span|del|ins))\b[^>]*>", page.decode())
    return [" ".join(re.sub(r"<[^>]+>", "", each).split()) for each in blocks]


@pytest.mark.parametrize(
    ("page", "values"), [("record", SAVED), ("review", SAVED), ("differences", SEEN), ("record-history", BEFORE)]
)
def test_each_value_has_its_line(client_of, editor, organization, page, values):
    lines = lines_of(client_of(user=editor).get(edit_url(organization, page)).content)
    place = lines.index(values[0])
    assert values[1] in lines[place:]
    assert not [line for line in lines if "Beta; " in line or "Beta Gamma" in line]


def test_each_value_of_a_conflict_has_its_line(client_of, editor, organization):
    client: Client = client_of(user=editor)
    form = form_of(client, organization, aliases="Alpha; Beta\nMine")
    other = factories.UserFactory(role="editor")
    theirs = replace(organization.record(), aliases=("Alpha; Beta", "Theirs"))
    organizations.edit(organization.pk, organization.version, theirs, stands_for="", actor=as_actor(other))
    lines = lines_of(client.post(edit_url(organization), form).content)
    assert {"Alpha; Beta", "Mine", "Theirs"} <= set(lines)


def test_each_value_of_a_plan_has_its_line(client_of, editor, organization):
    lines = lines_of(client_of(user=editor).get(planning.address([organization])).content)
    assert SAVED[1] in lines
    assert [line for line in lines if line.endswith("shows Alpha; Beta")]


def test_a_warning_quotes_each_value(editor, organization):
    (warning,) = [
        each for each in reviews.review(organization, actor=as_actor(editor)).warnings if each.key == "overwrite"
    ]
    assert warning.text.endswith(
        "the directory shows 'Alpha; Beta', 'Epsilon'; this message sends 'Alpha; Beta', 'Delta'."
    )
