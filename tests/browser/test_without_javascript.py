"""Everything works without a script: forms, sending, the tree."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.services import workers
from organizations.services.actors import system
from tests import factories

from . import made
from .conftest import PageAs


def test_a_record_is_edited_reviewed_and_sent_without_a_script(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    made.registered(user=person("editor"), name="Lakeside North")
    page = page_as("editor", java_script_enabled=False)
    page.goto(f"/staging/organizations/{factories.BASE}/edit/")
    page.get_by_label("Name", exact=True).fill("Lakeside North Shore")
    page.get_by_role("button", name="Add a contact").click()
    page.get_by_role("button", name="Add a contact").click()
    page.locator("#contact-1 > summary").click()
    page.get_by_label("Contact name").nth(1).fill("To be removed")
    page.get_by_label("Contact name").nth(2).fill("Front office")
    page.get_by_label("Work phone").nth(2).fill("608 555 0188")
    page.get_by_role("button", name="Remove contact 2").click()
    expect(page.get_by_label("Contact name")).to_have_count(2)
    expect(page.get_by_label("Contact name").nth(1)).to_have_value("Front office")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Lakeside North Shore")

    page.get_by_role("button", name="Review and send").click()
    page.get_by_role("button", name="Send update to STAGING").click()
    expect(page.locator("#state")).to_contain_text("Queued")
    expect(page.locator("#state")).to_contain_text("Reload to see the result.", use_inner_text=True)
    expect(page.locator("#asked-by footer")).to_be_hidden()  # it holds nothing but a button to copy
    assert workers.one_round(system("Worker of the tests"))
    page.reload()
    expect(page.locator("#state")).to_contain_text("Redox accepted this on")
    contacts = practice.organizations("staging")[factories.BASE]["Contacts"]
    assert [contact["Name"] for contact in contacts] == ["Integration desk", "Front office"]


def test_branches_of_the_tree_are_links(transactional_db: None, page_as: PageAs, person: Callable[..., User]) -> None:
    user, base = person("viewer"), factories.BASE
    factories.organization(user=user, name="Lakeside Clinics")
    factories.organization(f"{base}.1", user=user, name="Lakeside North Region", part_of_oid=base)
    factories.organization(f"{base}.1.1", user=user, name="Lakeside Wausau", part_of_oid=f"{base}.1")
    page = page_as("viewer", java_script_enabled=False)
    page.goto("/staging/organizations/")
    region = page.get_by_role("link", name="Records below Lakeside North Region")
    wausau = page.get_by_role("link", name="Lakeside Wausau", exact=True)
    expect(wausau).to_be_visible()
    region.click()
    expect(wausau).to_have_count(0)
    region.click()
    expect(wausau).to_be_visible()


def test_with_a_script_a_branch_loads_and_folds_in_its_place(
    transactional_db: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    user, base = person("viewer"), factories.BASE
    factories.organization(user=user, name="Lakeside Clinics")
    factories.organization(f"{base}.1", user=user, name="Lakeside North Region", part_of_oid=base)
    factories.organization(f"{base}.1.1", user=user, name="Lakeside Wausau", part_of_oid=f"{base}.1")
    page = page_as("viewer")
    address = f"/staging/organizations/?open={base}"
    page.goto(address)
    region = page.get_by_role("link", name="Records below Lakeside North Region")
    wausau = page.get_by_role("link", name="Lakeside Wausau", exact=True)
    expect(wausau).to_have_count(0)
    region.click()
    expect(wausau).to_be_visible()
    expect(region).to_have_attribute("aria-expanded", "true")
    region.click()
    expect(wausau).to_be_hidden()
    assert page.url.endswith(address)
