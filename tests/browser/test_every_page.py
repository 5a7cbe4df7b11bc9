"""Every page of the portal: axe, both themes, three widths, one primary button. Addresses come from the resolver."""

from collections.abc import Callable, Iterable
from itertools import chain
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction
from playwright.sync_api import Page, expect

from organizations import urls
from organizations.models import State, User
from organizations.practice import PracticeDirectory
from organizations.services.accounts import accounts
from organizations.services.actors import system
from tests import factories
from tests.conftest import Table

from . import record_setup
from .conftest import PageAs
from .page_checks import layout_errors, page_errors
from .seeded import LONG_NAME, PRODUCTION, PRODUCTION_OID, Seeded, fill
from .window import NARROW

# Addresses that respond with a file, a fragment or a redirect.
NO_PAGES = {
    "organizations-export",
    "organizations-check-export",
    "suggestions",
    "branch",
    "record-ask",
    "submission-state",
    "submission-cancel",
    "submission-ask",
    "submission-decide",
    "plan-state",
    "plan-pause",
    "plan-resume",
    "plan-stop",
    "take-over-values",
    "take-over-progress",
    "audit-export",
    "audit-raw",
    "connection-check",
    "connection-resume",
    "sign-out",
    "person-password",
    "person-reopen",
    "demonstration",
}
NORTH = "Lakeside North"

type Addresses = dict[str, list[str]]


def about_both(_: Seeded) -> Addresses:
    return {
        "home": ["/"],
        "search": ["/search/?q=lakeside"],
        "audit": ["/audit/", "/audit/?show=entries"],
        "audit-entry": ["/audit/1/"],
        "help": ["/help/"],
        "account": ["/account/"],
    }


def lists(seeded: Seeded) -> Addresses:
    return {
        "organizations": ["/staging/organizations/", "/staging/organizations/?view=list&q=north"],
        "organizations-check": ["/staging/organizations/check/"],
        "submissions": ["/staging/submissions/"],
        "submission": [seeded.submission(state) for state in State if state not in (State.SENDING, State.AWAITING)],
        "plans": ["/staging/plans/"],
        "plan": [seeded.plan()],
        "take-over": ["/staging/directory/take-over/"],
        "take-over-list": [seeded.take_over(), f"{seeded.take_over()}?open={factories.BASE}.91"],
        "take-over-link": [f"{seeded.take_over()}link/"],
        "directory": ["/staging/directory/"],
        "roll-call": ["/staging/directory/roll-call/"],
        "connection": ["/staging/connection/"],
    }


def records(seeded: Seeded) -> Addresses:
    names = ("Lakeside Clinics", NORTH, "Lakeside East", "Lakeside South")
    return {
        "record": [seeded.record(name) for name in names],
        "record-submissions": [seeded.record("Lakeside Old Town", "submissions/")],
        "record-history": [seeded.record(NORTH, "history/")],
        "counterpart": [
            seeded.record(NORTH, "counterpart/"),
            seeded.record("Lakeside Old Town", f"counterpart/?counterpart={PRODUCTION_OID}"),
            seeded.record("Lakeside Old Town", "counterpart/?counterpart=nobody"),
        ],
        "discard": [seeded.record(NORTH, "discard/")],
        "withdraw": [seeded.record(LONG_NAME, "withdraw/")],
        "statement": [seeded.record(LONG_NAME, "state/")],
    }


def acts(seeded: Seeded) -> Addresses:
    return {
        "organization-new": [f"{PRODUCTION}../new/?from={seeded.oids['Lakeside Old Town']}"],
        "review": [seeded.record("Lakeside South", "review/"), f"{PRODUCTION}review/"],
        "plan-new": [
            f"/staging/plans/new/?branch={factories.BASE}",
            f"/staging/plans/new/?branch={factories.BASE}&kind=deactivate",
        ],
        "deactivate": [seeded.record(LONG_NAME, "deactivate/")],
        "reactivate": [seeded.record("Lakeside Old Town", "reactivate/")],
    }


def variants(seeded: Seeded) -> list[str]:
    """The same pages with other contents, without any part that axe has not checked on another page."""
    return [
        *("/search/", "/search/?q=nothing-like-it", "/audit/?what=people", "/audit/12/", "/people/"),
        *(f"/staging/organizations/{end}" for end in ("1.2.3/", "?q=nothing-like-it", "new/")),
        *("/production/organizations/", "/production/organizations/check/", f"{PRODUCTION}../new/"),
        *(
            "/production/submissions/?state=open",
            "/production/plans/",
            "/production/directory/take-over/",
            "/production/connection/",
            "/staging/plans/new/",
        ),
        seeded.record("Lakeside Old Town"),
        seeded.record("Lakeside South", "counterpart/"),
        *(seeded.record(NORTH, page) for page in ("differences/", "deactivate/")),
        *(seeded.record(LONG_NAME, page) for page in ("", "edit/", "review/")),
    ]


def account_addresses(number: int) -> Addresses:
    """The pages about people for administrators; `number` is the ID of an account."""
    return {
        "people": ["/people/"],
        "person-new": ["/people/new/"],
        "person": [f"/people/{number}/"],
        "person-close": [f"/people/{number}/close/"],
    }


GROUPS = (about_both, lists, records, acts)
# Pages that other tests check in the state with the most parts: forms with errors, values of the directory.
JUDGED_ELSEWHERE = {"sign-in", "edit", "differences"}


@pytest.fixture(scope="session")
def copied() -> list[Table]:
    """The tables of the portal after it was first filled; empty before."""
    return []


@pytest.fixture
def seeded(
    practice: PracticeDirectory, people: dict[str, User], person: Callable[..., User], copied: list[Table]
) -> Seeded:
    """The same portal for each test. It is filled once per process, and copied."""
    if not copied:
        fill(practice, person)
        copied += Table.all()
    with transaction.atomic():
        for table in copied:
            table.put_back()
    people.update({user.username: user for user in User.objects.all()})
    return Seeded()


def judged(page: Page, addresses: Iterable[str], judge: Callable[[Page], list[str]] = page_errors) -> str:
    """The errors of these pages, one per line."""
    lines = []
    for address in addresses:
        page.goto(address)
        lines += [f"{address} {fault}" for fault in judge(page)]
    return "\n".join(lines)


@pytest.mark.parametrize("group", GROUPS)
def test_every_page_is_accessible_and_fits(
    seeded: Seeded, page_as: PageAs, group: Callable[[Seeded], Addresses]
) -> None:
    assert judged(page_as("approver"), chain.from_iterable(group(seeded).values())) == ""


def test_pages_that_differ_only_in_their_contents_fit(seeded: Seeded, page_as: PageAs) -> None:
    assert judged(page_as("approver"), variants(seeded), layout_errors) == ""


def test_every_page_is_checked() -> None:
    oids = {"Lakeside Old Town": ""}
    anywhere: Any = SimpleNamespace(
        record=lambda *_: "", submission=lambda _: "", plan=lambda: "", take_over=lambda: "", oids=oids
    )
    looked_at = {name for group in GROUPS for name in group(anywhere)} | JUDGED_ELSEWHERE | {*account_addresses(1)}
    names = {pattern.name for pattern in urls.urlpatterns if hasattr(pattern, "name")}
    assert names - NO_PAGES == looked_at


def test_the_lines_of_a_roll_call_are_accessible_and_fit(seeded: Seeded, page_as: PageAs) -> None:
    """Every kind of line: records in every state, a repeated one, OIDs that are not here, and nonsense."""
    page = page_as("viewer")
    page.goto("/staging/directory/roll-call/")
    listed = [*seeded.oids.values(), PRODUCTION_OID, factories.BASE, "2.999.1", "2.16..840", "nonsense " * 20]
    page.get_by_label("OIDs or own identifiers").fill("\n".join(listed))
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_text("Not a record here.")).to_be_visible()
    assert page_errors(page) == []


def test_filters_are_in_one_line_and_columns_are_aligned(seeded: Seeded, page_as: PageAs) -> None:
    page = page_as("approver")
    page.goto("/audit/")
    tops = "controls => new Set(controls.map(it => it.getBoundingClientRect().top)).size"
    assert page.locator(".labelled").locator("input:visible, select").evaluate_all(tops) == 1
    page.goto("/search/?q=lakeside+north")
    columns = "tables => tables.map(it => [...it.rows[0].cells].map(cell => cell.getBoundingClientRect().left))"
    staging, production = page.locator(".found").evaluate_all(columns)
    assert staging == production


def test_the_demonstration_is_accessible_and_fits(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User], settings: Any
) -> None:
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(practice.folder / "behaviour")
    record_setup.register(user=person("editor"), name=NORTH)
    page = page_as("editor")
    assert judged(page, ["/"]) == ""
    assert judged(page, [f"/staging/organizations/{factories.BASE}/"], layout_errors) == ""
    page.set_viewport_size(NARROW)
    sentence, selector = (page.locator(f".demo {one}").bounding_box() for one in ("p", "select"))
    button = page.locator(".demo button").bounding_box()
    assert sentence is not None
    assert selector is not None
    assert button is not None
    assert selector["y"] >= sentence["y"] + sentence["height"]
    assert button["y"] < selector["y"] + selector["height"]
    page.context.clear_cookies()
    assert judged(page, ["/sign-in/"]) == ""


def test_signing_in_and_managing_people_are_accessible_and_fit(
    transactional_db: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    page = page_as("administrator")
    accounts.save(User(username="gone", is_active=False), what="account closed", actor=system("Test"))
    own, other = (account_addresses(person(role).pk) for role in ("administrator", "viewer"))
    assert judged(page, chain(other["people"], other["person"], other["person-close"])) == ""
    assert judged(page, chain(own["person"], own["person-close"]), layout_errors) == ""
    page.goto("/people/new/")
    page.get_by_role("button", name="Add this person").click()
    expect(page.locator(".problem")).to_be_focused()
    assert page_errors(page) == []
    page.get_by_label("User name").fill("new-person")
    page.get_by_role("button", name="Add this person").click()
    expect(page.locator("#first-password")).to_be_visible()
    assert page_errors(page) == []
    page.context.clear_cookies()
    page.goto("/sign-in/")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".problem")).to_be_focused()
    assert page_errors(page) == []


def test_pages_after_a_wrong_press_are_accessible_and_fit(seeded: Seeded, page_as: PageAs) -> None:
    page = page_as("approver")
    for address, button in (
        (seeded.record(NORTH, "review/"), "Send update to STAGING"),
        (f"{PRODUCTION}deactivate/", "Deactivate in PRODUCTION"),
    ):
        page.goto(address)
        page.get_by_role("button", name=button).click()
        expect(page.locator(".problem")).to_be_focused()
        assert page_errors(page) == [], address


def test_an_invalid_form_a_conflict_and_an_expired_sign_in_are_accessible_and_fit(
    seeded: Seeded, page_as: PageAs
) -> None:
    page, other = page_as("editor"), page_as("editor", "Two")
    for each in (page, other):
        each.goto(seeded.record(NORTH, "edit/"))
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_label("ZIP").fill("5370")
    page.get_by_label("Destination ID").fill("no-uuid")
    page.get_by_role("button", name="Save without sending").click()
    expect(page.locator(".problem")).to_be_focused()
    assert page_errors(page) == []

    page.goto(seeded.record(NORTH, "edit/"))
    page.get_by_label("Name", exact=True).fill("Lakeside Nord")
    page.get_by_role("button", name="Save without sending").click()
    expect(page.locator("#notes")).to_contain_text("Saved.")
    other.get_by_label("Name", exact=True).fill("Lakeside North Shore")
    other.get_by_role("button", name="Save without sending").click()
    expect(other.locator("main")).to_contain_text("while you were")
    assert page_errors(other) == []
    Session.objects.all().delete()
    other.get_by_role("button", name="Save these values").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Your sign-in has ended")
    assert page_errors(other) == []
