"""The page that links added records with those of the other environment: what it shows and what is ticked."""

import pytest

from organizations.models import Organization, TakeOver, User
from organizations.pages.take_over import link as link_page
from organizations.pages.take_over import page as take_over_page
from organizations.pages.take_over.page import Entered
from tests import factories
from tests.factories import BASE
from tests.page_text import text_of_page
from tests.services.directory.test_unlinked_pairs import added, elsewhere

pytestmark = pytest.mark.django_db

ONE, TWO = f"{BASE}.1", f"{BASE}.2"


@pytest.fixture
def run(editor: User) -> TakeOver:
    """A take-over that added two records. That of the second one differs in PRODUCTION."""
    run = added(editor, factories.record(ONE), factories.record(TWO))
    elsewhere(editor, ONE, part_of_oid="2.999.5", destination_id="d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10")
    elsewhere(editor, TWO, name="Lakeside Harbor")
    return run


def test_a_pair_shows_what_differs_and_only_a_pair_without_a_difference_is_ticked(run: TakeOver, editor: User) -> None:
    page = link_page.build(run, editor)
    assert [(row.added.oid, row.is_chosen) for row in page.rows] == [(ONE, True), (TWO, False)]
    assert [[each.label for each in row.differences] for row in page.rows] == [[], ["Name"]]
    text = text_of_page(page, environment="staging")
    assert "Name: Lakeside 2, in PRODUCTION Lakeside Harbor" in text
    assert (page.left_out, page.block_reason) == (0, "")
    shown_again = link_page.build(run, editor, chosen=[page.rows[1].value])
    assert [row.is_chosen for row in shown_again.rows] == [False, True]


def test_a_page_shows_the_first_pairs_and_counts_the_others(
    run: TakeOver, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_page, "MOST_PAIRS", 1)
    page = link_page.build(run, editor)
    assert ([row.added.oid for row in page.rows], page.left_out) == ([ONE], 1)


def test_a_viewer_sees_who_can_link(run: TakeOver, editor: User) -> None:
    assert (
        "You cannot edit records in STAGING" in link_page.build(run, factories.UserFactory(role="viewer")).block_reason
    )


def test_the_take_over_offers_to_link_what_it_added(run: TakeOver, editor: User) -> None:
    page = take_over_page.build(run, editor, number=None, entered=Entered())
    text = text_of_page(page, environment="staging")
    assert "2 of these records may be in PRODUCTION too. Compare and link" in text
    Organization.objects.get(environment="production", oid=TWO).delete()
    page = take_over_page.build(run, editor, number=None, entered=Entered())
    assert "1 of these records may be in PRODUCTION too." in text_of_page(page, environment="staging")
    Organization.objects.get(environment="production", oid=ONE).delete()
    page = take_over_page.build(run, editor, number=None, entered=Entered())
    assert "PRODUCTION too" not in text_of_page(page, environment="staging")
    assert link_page.build(run, editor).rows == []
