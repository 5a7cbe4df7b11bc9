"""A company that used curl for years takes its organizations over: its OIDs, a Postman collection, a search."""

import json
from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings
from playwright.sync_api import FilePayload, Page, expect

from organizations.models import Organization, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.directory import take_over
from tests import factories
from tests.breakers import pause_environment
from tests.connected import redox
from tests.services.directory.test_search import listed

from .conftest import PageAs
from .page_checks import layout_errors, page_errors
from .record_setup import register
from .window import NARROW

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("worker")]

BASE = factories.BASE
FIRST, SECOND = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10", "0b1f3c52-77a8-4a6e-8a44-2f1f3f5b9d11"


@pytest.fixture
def registered(practice: PracticeDirectory, person: Callable[..., User]) -> Iterator[PracticeDirectory]:
    """A directory with the company's 23 locations, which the portal does not know."""
    register(user=person("editor"), name="Lakeside Clinics")
    for number in range(1, 24):
        practice.register("staging", listed(f"{BASE}.{number}", f"Lakeside {number}", BASE))
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_BASE_OIDS=BASE)):
        yield practice


def open_take_over(page: Page) -> None:
    page.goto("/staging/organizations/")
    page.get_by_role("navigation", name="STAGING").get_by_role("link", name="Directory").click()
    page.get_by_role("navigation", name="Directory").get_by_role("link", name="Take over").click()


def send_chosen(page: Page, number: int) -> None:
    """Review the chosen records, tick what is asked, and send."""
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    typed = page.get_by_label("Type the number of records")
    if typed.count():
        typed.fill(str(number))
    page.locator(".btn-send").first.click()


def test_pasted_oids_become_records_and_the_first_message_is_sent_alone(
    registered: PracticeDirectory, page_as: PageAs
) -> None:
    page = page_as("editor")
    open_take_over(page)
    ids = (FIRST, SECOND)
    lines = [f"{BASE}.{number}\t{ids[number % 2]}" for number in range(1, 27)]
    page.get_by_label("OIDs", exact=True).fill("\n".join(lines))
    page.get_by_role("button", name="Ask the directory").click()
    expect(page.locator(".problem")).to_be_focused()
    assert page_errors(page) == []
    page.get_by_label("Where do the destination IDs").select_option("The Redox dashboard")
    page.get_by_role("button", name="Ask the directory").click()
    expect(page.get_by_text("23 organizations can become records here.")).to_be_visible(timeout=60_000)
    assert layout_errors(page) == []
    page.get_by_role("button", name="Take over all 23").click()
    expect(page.get_by_role("link", name="See the records taken over")).to_be_visible(timeout=60_000)
    taken = Organization.objects.filter(standing="seen", destination_source="dashboard")
    assert (taken.count(), taken.filter(destination_id=SECOND).count()) == (23, 12)
    assert not Submission.objects.filter(organization__in=taken).exists()

    for number in (1, 2, 3):
        organization = taken.get(oid=f"{BASE}.{number}")
        page.goto(f"/staging/organizations/{organization.oid}/edit/")
        page.get_by_label("Street").fill(f"{number} Pier Rd")
        page.get_by_role("button", name="Save without sending").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/staging/organizations/?open_work=changes_not_sent&view=list")
    for number in (1, 2, 3):
        page.get_by_role("checkbox", name=f"Choose Lakeside {number}", exact=True).check()
    page.get_by_role("button", name="Send 3 records").click()
    expect(page.get_by_text("is sent first")).to_be_visible()
    send_chosen(page, 3)
    expect(page.locator("#state")).to_contain_text("3 of 3 accepted", timeout=60_000)
    first, *others = Submission.objects.filter(plan__isnull=False).order_by("pk")
    assert all(list(each.waits_for.all()) == [first] for each in others)


def test_a_postman_collection_is_taken_over_with_its_destination_ids(
    registered: PracticeDirectory, page_as: PageAs
) -> None:
    items = [
        {"name": f"Location {number}", "request": {"method": "POST", "body": {"mode": "raw", "raw": message(number)}}}
        for number in range(1, 27)
    ]
    info = {"name": "Carequality", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}
    collection = json.dumps({"info": info, "item": items}).encode()
    page = page_as("editor", viewport=NARROW)
    open_take_over(page)
    file: FilePayload = {"name": "old.json", "mimeType": "application/json", "buffer": collection}
    page.get_by_label("Files with old messages").set_input_files(file)
    page.get_by_role("button", name="Ask the directory").click()
    expect(page.get_by_text("23 organizations can become records here.")).to_be_visible(timeout=60_000)
    assert layout_errors(page) == []
    page.get_by_role("button", name="Take over all 23").click()
    expect(page.get_by_role("link", name="See the records taken over")).to_be_visible(timeout=60_000)
    taken = Organization.objects.filter(standing="seen", destination_id=FIRST, destination_source="message")
    assert taken.count() == 23
    assert all("Endpoints" in each.carried for each in taken)


def message(number: int) -> str:
    """An old message with comments, as in the how-to."""
    organization = listed(f"{BASE}.{number}", f"Old name {number}", BASE) | {
        "DestinationID": FIRST,
        "Endpoints": [{"Name": "XCPD"}],
    }
    organization.pop("ManagingOrg", None)
    head = {
        "DataModel": "Organization",
        "EventType": "New",
        "Destinations": [{"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"}],
    }
    text = json.dumps({"Meta": head, "Directory": "Carequality", "Action": "Create", "Organizations": [organization]})
    return text.replace('"Directory"', '# the only supported value\n"Directory"')


def test_added_records_are_compared_and_linked_with_those_of_production(
    registered: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    oids = [f"{BASE}.{number}" for number in (1, 2)]
    run = factories.take_over(user=person("editor"), seen={oid: factories.record(oid) for oid in oids})
    for oid, name in zip(oids, ("Lakeside 1", "Lakeside " + "very-long-name" * 12), strict=True):
        factories.organization(oid, user=person("editor"), environment="production", name=name)
    page = page_as("editor")
    page.goto(f"/staging/directory/take-over/{run.pk}/")
    page.get_by_role("button", name="Take over the chosen records").click()
    page.get_by_role("link", name="Compare and link").click(timeout=60_000)
    assert page_errors(page) + layout_errors(page) == []
    ticks = page.get_by_role("checkbox")
    assert [tick.is_checked() for tick in ticks.all()] == [True, False]
    page.get_by_role("button", name="Link the chosen pairs").click()
    expect(page.get_by_text("1 record linked with PRODUCTION. Nothing was sent.")).to_be_visible()
    expect(page.get_by_text("1 of these records may be in PRODUCTION too.")).to_be_visible()


def test_results_of_a_search_are_chosen_and_taken_over(registered: PracticeDirectory, page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto("/staging/directory/")
    page.get_by_label("OID").fill(f"{BASE}.7")
    page.get_by_role("button", name="Search", exact=True).last.click()
    page.get_by_role("checkbox", name="Choose Lakeside 7").check()
    page.get_by_role("button", name="Take over", exact=True).click()
    expect(page.get_by_text("1 organization can become a record here.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Take over the chosen records").click()
    expect(page.get_by_role("link", name="See the records taken over")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Lakeside 7", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lakeside 7")
    assert page_errors(page) == []


def test_the_button_that_stops_keeps_the_focus_while_the_progress_reloads(
    page_as: PageAs, person: Callable[..., User]
) -> None:
    actor = factories.as_actor(person("editor"))
    pause_environment("staging", 300, "too many requests", actor=actor)  # so that it goes on asking
    run = factories.take_over(user=person("editor"), seen={f"{BASE}.1": None})
    take_over.ask_again(run.pk, actor=actor)
    page = page_as("editor")
    page.goto(f"/staging/directory/take-over/{run.pk}/")
    stop = page.get_by_role("button", name="Stop asking")
    stop.focus()
    before = stop.element_handle()
    for _ in range(2):
        with page.expect_response("**/progress/"):
            pass
    page.wait_for_function("button => !button.isConnected", arg=before)
    expect(stop).to_be_focused()
