"""The page that checks all records against today's rules."""

import pytest

from organizations.models import Environment, Organization
from organizations.pages import check_records
from organizations.services.review import check_records as checking_service
from tests import bulk, factories
from tests.factories import BASE
from tests.page_text import html_of_page, text_of_page
from tests.views.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_each_finding_links_to_the_form_that_corrects_it(editor):
    organization = factories.organization(user=editor, name="Lakeside North")
    Organization.objects.filter(pk=organization.pk).update(zip_code="5370")
    page = check_records.build(Environment.STAGING, editor, "")
    html = html_of_page(page, "staging")
    assert f'<a href="/staging/organizations/{BASE}/edit/">Lakeside North</a>' in html
    assert "&#x27;5370&#x27;" in html
    assert "records 1 to 1 of 1, in the order of their OIDs. 1 finding." in text_of_page(page, "staging")
    assert check_records.build(Environment.STAGING, factories.UserFactory(role="viewer"), "").record_page == "record"


def test_records_are_checked_page_by_page(client, monkeypatch):
    monkeypatch.setattr(checking_service, "BATCH_SIZE", 2)
    bulk.records(3)
    assert "records 3 to 3 of 3" in text_of(client.get("/staging/organizations/check/?page=2"))


def test_the_page_says_if_there_are_no_findings_or_no_records(editor):
    page = check_records.build(Environment.PRODUCTION, editor, "")
    assert "There are no records in PRODUCTION." in text_of_page(page, "production")
    factories.organization(user=editor, environment="production")
    page = check_records.build(Environment.PRODUCTION, editor, "")
    assert "Nothing was found in them." in text_of_page(page, "production")
