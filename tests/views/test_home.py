"""The home page: its text, and the links of its lines."""

import datetime
import re
from typing import Any

import pytest

from organizations.models import Environment, Evidence, Organization, State, Submission, User, clock
from organizations.pages.home import page as home_page
from organizations.services.delivery import heartbeat
from tests import factories
from tests.factories import BASE
from tests.page_text import html_of_page, text_of_page
from tests.views.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def create_submission(user: User, number: int, environment: str = "staging", **values: Any) -> Submission:
    """Create a submission and store its state directly, because sending takes long."""
    organization = factories.organization(f"{BASE}.{number}", user=user, environment=environment)
    submission = factories.submission(organization, user=user)
    wanted_hash = Organization.objects.get(pk=organization.pk).wanted_hash
    factories.change_submission(submission, wanted_hash=wanted_hash, **values)
    return submission


def text(user: User) -> str:
    return text_of_page(home_page.build(user))


def test_before_anything_was_sent_it_shows_the_first_steps(client_of):
    page = text_of(client_of("viewer").get("/"))
    assert "For you 0 You can read everything here." in page
    assert "You have nothing to do. Nothing has been accepted yet. Your first record in 7 steps" in page
    assert page.count("No credential is set for ") == page.count("See what is missing") == 2
    assert page.count("Checked never Last accepted nothing yet Records none Workers 0") == 2
    assert "Six things to try" not in page


@pytest.mark.usefixtures("unreachable_redox")
def test_without_work_it_names_the_last_acceptance_and_records_never_read(editor):
    factories.accepted_organization(user=editor, name="Lakeside North", evidence=Evidence.QUERY)
    heartbeat.record_heartbeat("one", clock.now())
    page = text(editor)
    assert [row.word.word.split(",")[0] for row in home_page.build(editor).mine] == ["Accepted"]
    assert "You cannot" not in page
    last = r"Last accepted: Lakeside North, STAGING, [\d:]+, by Query\."
    assert re.search(rf"For you 0 You have nothing to do\. {last}", page)
    assert "The directory has never been read for 1 registered record." in page
    assert re.search(r"Records 1 active Worker 1, seen \d\d:\d\d", page)
    assert "in sync" not in page


def test_each_line_links_to_what_it_counts(editor, client):
    rejected = create_submission(editor, 1, state=State.REJECTED)
    factories.organization(f"{BASE}.2", user=editor)
    page = client.get("/")
    assert "For you 2 You can act on these now." in text_of(page)
    urls = re.findall(r'<a class="what" href="([^"]+)"', page.content.decode())
    assert urls == [
        f"/staging/submissions/{rejected.pk}/",
        f"/staging/organizations/?open_work=changes_not_sent&amp;saved_by={editor.pk}&amp;view=list",
    ]
    assert [client.get(url.replace("&amp;", "&")).status_code for url in urls] == [200, 200]


def test_counterparts_share_one_line_with_a_link_for_each_environment(editor, approver):
    values = {"state": State.NEEDS_PERSON, "state_reason": "It was there before."}
    both = [create_submission(editor, 1, environment, **values) for environment in Environment]
    Organization.objects.filter(pk=both[1].organization_id).update(staging_record=both[0].organization_id)
    [line] = re.findall(r"<li>.*?Needs a decision.*?</li>", html_of_page(home_page.build(approver)), re.DOTALL)
    marks = re.findall(r'<a class="env env-(\w+)" href="([^"]+)" aria-label="Lakeside 1, New in (\w+)"', line)
    assert marks == [
        (each, f"/{each}/submissions/{one.pk}/", each.upper()) for each, one in zip(Environment, both, strict=True)
    ]
    assert line.count("Lakeside 1, New</b>") == 1


def test_a_line_says_how_old_the_oldest_is_and_a_row_how_long_it_takes(editor):
    now = clock.now()
    for number in range(1, 5):
        create_submission(editor, number, state=State.UNKNOWN, state_at=now - datetime.timedelta(minutes=20 * number))
    sending = create_submission(editor, 5, state=State.SENDING, state_at=now - datetime.timedelta(minutes=190))
    page = text(editor)
    assert "Waiting for others 1" in page
    assert "STAGING The portal finds out. oldest 1 hour" in page
    assert re.search(rf"Sending Lakeside 5 {sending.pk}, New STAGING for 3 hours", page)


def test_text_from_redox_is_escaped(editor):
    create_submission(editor, 1, state=State.REJECTED, detail="<script>alert(1)</script>\u202e" + "x" * 10_000)
    page = html_of_page(home_page.build(editor))
    assert "<script>alert" not in page
    assert "\\u202E" in page
    assert "x" * 200 not in page


def test_the_demonstration_offers_six_things_to_try(demo, editor, client):
    factories.accepted_organization(f"{BASE}.1", user=editor)
    for number in (1, 2):
        factories.organization(f"{BASE}.1.{number}", user=editor, part_of_oid=f"{BASE}.1")
    leaf = factories.accepted_organization(f"{BASE}.1.3", user=editor, part_of_oid=f"{BASE}.1", name="Lakeside Pier")
    Organization.objects.update(stands_for="location")
    page = client.get("/").content.decode()
    assert page.index('id="to-try"') > page.index('class="needs"')  # the work comes first
    tour = page.partition('id="to-try"')[2].partition("</section>")[0]
    assert tour.count("<li>") == 6
    urls = [url.replace("&amp;", "&") for url in re.findall(r'href="([^"]+)"', tour)]
    assert {client.get(url).status_code for url in urls} == {200}
    # The registered location with the lowest OID that has no children.
    assert f'Open <a href="/staging/organizations/{leaf.oid}/">Lakeside Pier</a>' in tour
