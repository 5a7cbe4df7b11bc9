"""The whole portal as people meet it: web server, worker, practice directory and a real browser."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, ViewportSize, expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.services import workers
from tests import factories, markup
from tests.connected import connected

from . import window

type PageAs = Callable[..., Page]

HERE = Path(__file__).parent
expect.set_options(timeout=window.PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process."""
    path = window.program()
    if path is None:
        pytest.skip("No Chromium on this machine (Debian: apt-get install chromium-headless-shell).")
    with window.chromium(path) as running:
        yield running


@pytest.fixture
def practice(tmp_path: Path, transactional_db: None) -> Iterator[PracticeDirectory]:
    """The practice directory. With its behaviour `slow` it answers when the test sets another one."""
    with connected(tmp_path, slow_seconds=600.0, deadline=120.0) as running:
        yield running


@pytest.fixture
def worker(practice: PracticeDirectory) -> Iterator[None]:
    """One worker, as `serve` runs it."""
    stopping = threading.Event()

    def work() -> None:
        try:
            workers.run(stopping)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield
    stopping.set()
    practice.end_slow_answers()
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def watched() -> window.Faults:
    return window.Faults()


@pytest.fixture(scope="session")
def windows(browser: Browser, portal: str, watched: window.Faults) -> window.Windows:
    return window.Windows(browser, portal, watched)


@pytest.fixture
def faults(watched: window.Faults) -> Iterator[window.Faults]:
    """Fail the test if its windows had errors."""
    watched.forget()
    yield watched
    assert watched.errors == []


@pytest.fixture
def people(transactional_db: None) -> dict[str, User]:
    """The people created for a test, by username."""
    return {}


@pytest.fixture
def person(people: dict[str, User]) -> Callable[..., User]:
    """The person with a role and a number: `person("editor")` is "Editor One"."""

    def create(role: str, number: str = "One") -> User:
        username = f"{role}-{number.lower()}"
        if username not in people:
            people[username] = factories.UserFactory(
                username=username, role=role, first_name=role.capitalize(), last_name=number
            )
        return people[username]

    return create


@pytest.fixture(scope="session")
def portal(live_server: Any, pytestconfig: pytest.Config) -> str:
    """The URL of the portal. It saves each page that it sends, if this run checks the HTML."""
    if folder := pytestconfig.getoption("--save-pages"):
        httpd = live_server.thread.httpd
        httpd.set_app(markup.saves_pages(httpd.get_app(), Path(folder)))
    return str(live_server).replace("localhost", "127.0.0.1")


@pytest.fixture
def page_as(
    windows: window.Windows, portal: str, person: Callable[..., User], faults: window.Faults
) -> Iterator[PageAs]:
    """An empty window in which a person is signed in; further values are those of a browser context."""

    def page_of(role: str, number: str = "One", viewport: ViewportSize | None = None, **options: Any) -> Page:
        page = windows.open(**options)
        if viewport:
            page.set_viewport_size(viewport)  # not an option of the context: each size would need a new one
        window.signed_in(page, portal, person(role, number))
        return page

    yield page_of
    windows.close()
