"""Wherever a page shows a list, each value has a line of its own: "Alpha; Beta" is one alias, not two."""

import re
from dataclasses import replace

import pytest
from django.test import Client

from organizations.models import Organization, User, clock
from organizations.services.records import directory_state, organizations
from organizations.services.review import reviews
from tests import factories
from tests.factories import acting
from tests.views import planning
from tests.views.typing import edit_url, form_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

BEFORE, SAVED, SEEN = ("Alpha; Beta", "Gamma"), ("Alpha; Beta", "Delta"), ("Alpha; Beta", "Epsilon")


@pytest.fixture
def made(editor: User) -> Organization:
    """A record with two aliases, edited after its acceptance. The directory shows other aliases."""
    made = factories.confirmed(factories.organization(user=editor, aliases=BEFORE))
    saved = replace(made.record(), aliases=SAVED)
    organizations.edit(made.pk, made.version, saved, stands_for="", actor=acting(editor))
    row = Organization.objects.get(pk=made.pk)
    directory_state.keep_reading(row, replace(saved, aliases=SEEN, destination_known=False), clock.now())
    return Organization.objects.get(pk=made.pk)


def lines_of(page: bytes) -> list[str]:
    """The texts of a page as they stand below each other."""
    blocks = re.split(r"<(?:br|/?(?:td|th|li|dd|p|ul|ol|div|span|del|ins))\b[^>]*>", page.decode())
    return [" ".join(re.sub(r"<[^>]+>", "", each).split()) for each in blocks]


@pytest.mark.parametrize(
    ("page", "shown"), [("record", SAVED), ("review", SAVED), ("differences", SEEN), ("record-history", BEFORE)]
)
def test_each_value_has_its_line(client_of, editor, made, page, shown):
    found = lines_of(client_of(user=editor).get(edit_url(made, page)).content)
    place = found.index(shown[0])
    assert shown[1] in found[place:]
    assert not [line for line in found if "Beta; " in line or "Beta Gamma" in line]


def test_each_value_of_a_conflict_has_its_line(client_of, editor, made):
    client: Client = client_of(user=editor)
    form = form_of(client, made, aliases="Alpha; Beta\nMine")
    other = factories.UserFactory(role="editor")
    theirs = replace(made.record(), aliases=("Alpha; Beta", "Theirs"))
    organizations.edit(made.pk, made.version, theirs, stands_for="", actor=acting(other))
    found = lines_of(client.post(edit_url(made), form).content)
    assert {"Alpha; Beta", "Mine", "Theirs"} <= set(found)


def test_each_value_of_a_plan_has_its_line(client_of, editor, made):
    found = lines_of(client_of(user=editor).get(planning.address([made])).content)
    assert SAVED[1] in found
    assert [line for line in found if line.endswith("shows Alpha; Beta")]


def test_a_warning_quotes_each_value(editor, made):
    (warning,) = [each for each in reviews.review(made, actor=acting(editor)).warnings if each.key == "overwrite"]
    assert warning.text.endswith(
        "the directory shows 'Alpha; Beta', 'Epsilon'; this message sends 'Alpha; Beta', 'Delta'."
    )
