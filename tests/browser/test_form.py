"""The form of a record in a browser: aligned rows, and only the fields of the selected choice."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Organization, User
from organizations.practice import PracticeDirectory
from tests import factories

from .conftest import PageAs
from .window import NARROW

EDIT = f"/staging/organizations/{factories.BASE}.1.1/edit/"
# The top positions of labels and controls that are not aligned with the first of their row.
_UNEVEN = """
rows => rows.flatMap(row => ['label', '.form-control, .form-select'].flatMap(kind => {
  const seen = [...row.querySelectorAll(kind)].filter(it => it.checkVisibility());
  const tops = seen.map(it => it.getBoundingClientRect().top);
  return tops.filter(top => Math.abs(top - tops[0]) > 1);
}))
"""
_UNDER_THE_DOCK = """
() => {
  const it = document.activeElement.getBoundingClientRect(), dock = document.querySelector('.dock');
  return !dock.contains(document.activeElement) && it.bottom > dock.getBoundingClientRect().top + 1;
}
"""


@pytest.fixture(autouse=True)
def shore(transactional_db: None, person: Callable[..., User]) -> Organization:
    """A location below a region."""
    user, base = person("editor"), factories.BASE
    factories.organization(user=user, name="Lakeside Clinics")
    for number, name in enumerate(("Lakeside North Region", "Lakeside South Region"), start=1):
        factories.organization(f"{base}.{number}", user=user, name=name, part_of_oid=base)
    return factories.organization(f"{base}.1.1", user=user, name="Madison Shore", part_of_oid=f"{base}.1")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save without sending").click()


def test_rows_stay_aligned_with_errors(page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(EDIT)
    page.get_by_role("button", name="Add an identifier").click()
    page.get_by_label("Own identifier", exact=True).fill("LSC-051")
    page.get_by_label("ZIP").fill("5370")
    page.get_by_label("Mobile phone").fill("1")
    save(page)
    expect(page.locator(".problem li")).to_have_count(3)
    assert page.locator(".calm .fields").count() == 6
    assert page.locator(".calm .fields").evaluate_all(_UNEVEN) == []
    problem, inputs = page.locator("#id_zip_code_error").bounding_box(), page.get_by_label("ZIP").bounding_box()
    assert problem is not None
    assert inputs is not None
    assert problem["y"] >= inputs["y"] + inputs["height"]


def test_the_footer_never_covers_the_focus(page_as: PageAs) -> None:
    page = page_as("editor", viewport=NARROW)
    page.goto(EDIT)
    page.get_by_label("Name", exact=True).focus()
    while not page.evaluate("document.querySelector('.dock').contains(document.activeElement)"):
        page.keyboard.press("Tab")
        assert not page.evaluate(_UNDER_THE_DOCK), page.evaluate("document.activeElement.outerHTML")


def test_the_footer_counts_the_changed_fields(page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(EDIT)
    says = page.locator(".dock .say b")
    expect(says).to_be_empty()
    page.get_by_label("City").fill("Monona")
    expect(says).to_have_text("1 field changed.")
    page.get_by_label("Another OID").check()
    page.get_by_label("OID of the parent").fill("1.2.3")
    expect(says).to_have_text("2 fields changed.")
    page.get_by_label("City").fill("Madison  ")
    expect(says).to_have_text("1 field changed.")
    page.get_by_label("A record in STAGING").check()
    expect(says).to_be_empty()
    country = page.get_by_label("Country")
    country.select_option("Canada")
    page.get_by_label("Province").fill("Ontario")
    expect(says).to_have_text("2 fields changed.")
    country.select_option("USA")
    expect(says).to_be_empty()


def test_another_parent_is_chosen_by_name_and_shown_at_once(page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(EDIT)
    card = page.locator("#parent-place")
    expect(card).to_contain_text("Lakeside Clinics › Lakeside North Region")
    page.get_by_text("Choose another").press("Enter")
    expect(page.get_by_label("Name or OID of the record")).to_be_focused()
    assert not page.evaluate(_UNDER_THE_DOCK)
    page.get_by_label("Name or OID of the record").fill("lakeside south region")
    expect(card).to_contain_text("Lakeside Clinics › Lakeside South Region")
    save(page)
    expect(page.locator("#notes")).to_contain_text("Saved.")
    assert Organization.objects.get(name="Madison Shore").part_of_oid == f"{factories.BASE}.2"


def test_without_a_script_only_the_chosen_kind_of_parent_has_its_field(page_as: PageAs) -> None:
    page = page_as("editor", java_script_enabled=False)
    page.goto(EDIT)
    ours, other = page.get_by_label("Name or OID of the record"), page.get_by_label("OID of the parent")
    expect(ours).to_be_hidden()
    expect(other).to_be_hidden()
    page.get_by_text("Choose another").click()
    ours.fill("Lakeside South Region")
    page.get_by_label("Another OID").check()
    expect(ours).to_be_hidden()
    other.fill("1.2.x")
    page.get_by_label("The Redox gateway").check()
    expect(other).to_be_hidden()
    page.get_by_role("button", name="Add a contact").click()
    expect(page.get_by_label("The Redox gateway")).to_be_checked()
    expect(ours).to_have_value("Lakeside South Region")
    expect(other).to_have_value("1.2.x")
    page.get_by_label("A record in STAGING").check()
    page.get_by_role("button", name="Remove contact 2").click()
    save(page)
    assert Organization.objects.get(name="Madison Shore").part_of_oid == f"{factories.BASE}.2"


def test_for_another_country_the_state_is_free_text(page_as: PageAs) -> None:
    page = page_as("editor", java_script_enabled=False)
    page.goto(EDIT)
    page.get_by_label("State", exact=True).select_option("MN")
    expect(page.get_by_label("Province")).to_be_hidden()
    page.get_by_label("Country").select_option("Canada")
    expect(page.get_by_label("State", exact=True)).to_be_hidden()
    page.get_by_label("Province").fill("Ontario")
    page.get_by_label("Name", exact=True).fill("")
    save(page)
    page.get_by_label("Name", exact=True).fill("Ontario Shore")
    expect(page.get_by_label("Province")).to_have_value("Ontario")
    save(page)
    assert Organization.objects.get(name="Ontario Shore").state == "Ontario"


def test_a_folded_contact_keeps_its_input(page_as: PageAs) -> None:
    page = page_as("editor", java_script_enabled=False)
    page.goto(EDIT)
    page.get_by_role("button", name="Add a contact").click()
    expect(page.get_by_label("Purpose").nth(1)).to_be_focused()
    page.get_by_label("Contact name").nth(1).fill("Front office")
    page.get_by_role("button", name="Add an identifier").click()
    expect(page.get_by_label("Own identifier", exact=True)).to_be_focused()
    expect(page.get_by_label("Contact name").nth(1)).to_be_hidden()
    page.get_by_role("button", name="Remove identifier 1").click()
    page.get_by_text("Contact 2, Technical Front office").click()
    expect(page.get_by_label("Contact name").nth(1)).to_have_value("Front office")
    save(page)
    assert [each.name for each in Organization.objects.get(name="Madison Shore").contacts.all()] == [
        "Integration desk",
        "Front office",
    ]


def test_the_first_question_asks_the_directory_and_keeps_what_was_typed(
    practice: PracticeDirectory, page_as: PageAs
) -> None:
    page, oid = page_as("editor"), f"{factories.BASE}.7"
    page.goto("/staging/organizations/new/")
    ask = page.get_by_role("button", name="Ask the directory")
    expect(ask).to_be_hidden()
    page.locator("#id_oid").fill(oid)
    page.locator("#id_name").fill("Lakeside Pier")
    page.get_by_label("I do not know").check()
    ask.click()
    expect(page.get_by_role("status").filter(has_text="does not have this OID")).to_be_visible()
    expect(page.locator("#id_name")).to_have_value("Lakeside Pier")
    assert practice.effects == []
    page.get_by_label("Yes, it was registered outside the portal").check()
    with page.expect_popup() as tab:
        page.get_by_role("link", name="Take it over in a new tab").click()
    assert tab.value.url.endswith(f"/staging/directory/take-over/?oids={oid}")
