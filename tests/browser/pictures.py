"""Takes the pictures in docs/screens. These are not tests: `python -m tests.screens` runs them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import Page, expect

from organizations.management.commands.seed_demo import A_DAY, Seed
from organizations.management.demonstration_records import BASES
from organizations.models import Environment, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.actors import person as as_actor
from organizations.services.connection import check
from tests.connected import redox

from . import record_setup
from .conftest import PageAs
from .palette import reduce_colours
from .window import NARROW, WIDE

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screens"

type Take = Callable[[Page, str], None]


@pytest.fixture
def everybody(person: Callable[..., User]) -> dict[str, User]:
    return {"editor": person("editor"), "editor-two": person("editor", "Two"), "approver": person("approver")}


@pytest.fixture
def seeded(practice: PracticeDirectory, everybody: dict[str, User], worker: None) -> None:
    """The records of the demonstration."""
    file = str(practice.folder / "behaviour")
    # With this settle time a lease must be longer than that of the other tests.
    lease = settings.REDOX_DEADLINE + 60
    with override_settings(DEMO=True, DEMO_BEHAVIOUR_FILE=file, REDOX_SETTLE=A_DAY, REDOX_LEASE=lease):
        for environment in Environment:
            Seed(environment, everybody).run()


@pytest.fixture
def take() -> Take:
    """Take pictures of the open page: wide and narrow, light and dark."""

    def take(page: Page, name: str) -> None:
        painter = page.context.browser.new_page()  # type: ignore[union-attr]
        for size in (WIDE, NARROW):
            for scheme in ("light", "dark"):
                page.set_viewport_size(size)
                page.emulate_media(color_scheme=scheme)
                narrow = f".{size['width']}" if size is NARROW else ""
                dark = ".dark" if scheme == "dark" else ""
                picture = page.screenshot(caret="hide", animations="disabled")
                (FOLDER / f"{name}{narrow}{dark}.png").write_bytes(reduce_colours(picture, painter))
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        painter.close()

    return take


def of(environment: str, place: str = "", page: str = "") -> str:
    """The URL of a record, or of one of its pages, by its place below the company."""
    return f"/{environment}/organizations/{BASES[environment]}{place}/{page}"


def test_home_where_nobody_has_anything_to_do(
    practice: PracticeDirectory, worker: None, page_as: PageAs, everybody: dict[str, User], take: Take
) -> None:
    for environment, person in zip(Environment, ("editor", "approver"), strict=True):
        record_setup.register(
            BASES[environment], user=everybody[person], environment=environment, name="Lakeside Clinics"
        )
        check.check_connection(environment, actor=as_actor(everybody["approver"]))
    page = page_as("editor")
    page.goto("/")
    take(page, "home-quiet")


def test_pages_of_an_editor(seeded: None, page_as: PageAs, take: Take) -> None:
    page = page_as("editor")
    page.goto("/")
    take(page, "home-busy")
    page.goto("/staging/organizations/")
    take(page, "organizations")
    page.goto("/staging/organizations/?q=madison")
    take(page, "organizations-search")
    page.goto(of("staging", ".5.1"))
    take(page, "record")
    page.goto(of("staging", ".5.1", "review/"))
    take(page, "review-staging")
    for state in (State.ACCEPTED, State.REJECTED, State.UNKNOWN):
        submission = Submission.objects.filter(environment="staging", event="Update", state=state).latest("pk")
        page.goto(f"/staging/submissions/{submission.pk}/")
        take(page, f"submission-{state}")
    page.goto(of("staging", ".5.3", "edit/"))
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_label("Work phone").first.fill("555-01")
    page.get_by_label("ZIP").fill("5370")
    page.get_by_role("button", name="Save without sending").click()
    expect(page.locator(".problem")).to_be_focused()
    page.evaluate("scrollTo(0, 0)")
    take(page, "edit")


def test_pages_of_the_directory(seeded: None, practice: PracticeDirectory, page_as: PageAs, take: Take) -> None:
    page = page_as("editor")
    bases = {f"REDOX_{name.upper()}_BASE_OIDS": base for name, base in BASES.items()}
    with override_settings(REDOX=redox(practice.url, **bases)):
        page.goto("/staging/directory/")
        page.get_by_label("Name").fill("Lakeside")
        page.get_by_role("button", name="Search", exact=True).last.click()
        expect(page.get_by_text("Ours, not in the portal")).to_be_visible()
        for tick in page.get_by_role("checkbox").all():
            tick.check()
        take(page, "directory-search")
        page.get_by_role("button", name="Take over", exact=True).click()
        expect(page.get_by_text("can become records here.")).to_be_visible(timeout=60_000)
        take(page, "take-over")


def test_pages_of_an_approver(seeded: None, page_as: PageAs, take: Take) -> None:
    page = page_as("approver")
    page.goto(of("production", ".5.1", "review/"))
    take(page, "review-production")
    page.goto(of("production", ".5.4", "deactivate/"))
    take(page, "deactivate")
    page.goto(of("staging", ".6.6"))
    page.get_by_role("link", name="Prepare in PRODUCTION").click()
    take(page, "prepare")
    page.goto("/staging/organizations/?choose=unsent&view=list&open_work=changes_not_sent")
    page.get_by_role("button", name="Send").click()
    take(page, "review-several")


def test_page_of_an_administrator(seeded: None, page_as: PageAs, take: Take) -> None:
    page = page_as("administrator")
    page.goto("/people/")
    take(page, "people")


def test_page_of_an_auditor(seeded: None, page_as: PageAs, take: Take) -> None:
    page = page_as("auditor")
    page.goto("/audit/")
    take(page, "audit")
