"""An administrator adds somebody, who then signs in: by the keyboard alone, without a script, on a phone."""

from playwright.sync_api import expect

from .conftest import PageAs
from .keys import press, type_in
from .window import NARROW, sign_in

OWN = "three-quiet-otters"


def test_a_person_is_added_and_chooses_a_password_of_their_own(transactional_db: None, page_as: PageAs) -> None:
    page = page_as("administrator", java_script_enabled=False, viewport=NARROW)
    page.goto("/people/")
    press(page, "Add a person")
    page.wait_for_url("**/people/new/")
    for label, text in (("User name", "bert"), ("First name", "Bert"), ("Last name", "Four")):
        type_in(page, label, text)
    press(page, "approver", "Space")
    press(page, "Add this person")
    password = page.locator("#first-password").inner_text()
    press(page, "Back to people and roles")
    expect(page.get_by_role("row", name="Bert Four")).to_contain_text("send to both")

    page.context.clear_cookies()
    sign_in(page, "bert", password)
    page.goto("/people/")
    expect(page).to_have_url("/account/")
    for label, text in (("Old password", password), ("New password", OWN), ("New password again", OWN)):
        type_in(page, label, text)
    press(page, "Change password")
    expect(page.get_by_text("Your password was changed.")).to_be_visible()
    page.goto("/people/")
    expect(page.get_by_role("heading", level=1)).to_have_text("People and roles")
