"""Chromium, and windows that report script errors, policy violations and missing assets."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    sync_playwright,
)

from organizations.models import User

FLAGS = [
    # Chromium must not open connections on its own.
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-networking",
    # No spare process for a page that no test has opened.
    "--disable-features=SpareRendererForSitePerProcess",
    # Pages are too short-lived for optimized scripts.
    "--js-flags=--no-opt,--no-maglev",
    # The pages of a context share a process: starting one takes longer than most pages.
    "--process-per-site",
]
WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
# A machine that runs tests on every core is sometimes slow. Elements that exist are still found at once.
PATIENCE = 20_000
EMPTY = "/health/live"
"""The address of a page with one word, which nobody needs to sign in for."""


# The headless shell needs a quarter less of the processor than the whole browser.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")


def program() -> str | None:
    """The path of Chromium on this machine."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Faults:
    """Errors in the windows of a test. `allowed` are the responses that a test causes on purpose."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.allowed: set[int] = set()

    def forget(self) -> None:
        """Forget the errors of the previous test."""
        self.errors.clear()
        self.allowed.clear()

    def watch(self, context: BrowserContext, host: str) -> None:
        self.host = host
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(f"script: {error.error}"))
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        # The console also reports refused pages; `_response` checks those.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.errors.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc not in ("", self.host):
            self.errors.append(f"another host: {request.url}")

    def _response(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= 500 or (response.status >= 400 and not is_page and response.status not in self.allowed):
            self.errors.append(f"{response.status}: {response.request.method} {response.url}")

    def _failed(self, request: Request) -> None:
        # The browser aborts the open requests of a page that is left.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"{request.failure}: {request.url}")


def open_context(browser: Browser, url: str, faults: Faults, **options: Any) -> BrowserContext:
    """A context with its own cookies and cache, for windows of one kind."""
    chosen = {"viewport": WIDE, "reduced_motion": "reduce"} | options
    context = browser.new_context(base_url=url, **chosen)
    context.set_default_timeout(PATIENCE)
    faults.watch(context, urlsplit(url).netloc)
    return context


class Windows:
    """Windows of one browser. A context is reused without its cookies: a new one takes longer than many tests."""

    def __init__(self, browser: Browser, url: str, faults: Faults) -> None:
        self._context_of = partial(open_context, browser, url, faults)
        self._free: dict[str, list[BrowserContext]] = {}
        self._used: list[tuple[BrowserContext, list[BrowserContext] | None]] = []

    def open(self, *, is_changed: bool = False, **options: Any) -> Page:
        """A window that shares nothing with the others of this test. The options are those of a browser context.

        `is_changed`: the test changes its context by more than cookies, so that no other test may use it.
        """
        # Without scripts a used context once did not answer any more, so each test gets its own.
        is_changed = is_changed or not options.get("java_script_enabled", True)
        free = self._free.setdefault(repr(sorted(options.items())), [])
        if is_changed or not free:
            context = self._context_of(**options)
            # Stays open: without a page the browser would create a new window and a new process.
            context.new_page().goto(EMPTY)
        else:
            context = free.pop()
        self._used.append((context, None if is_changed else free))
        return context.new_page()

    def close(self) -> None:
        """Close the windows that a test opened."""
        used, self._used = self._used, []
        for context, free in used:
            for page in context.pages[1:]:
                page.close()
            context.clear_cookies()
            if free is None:
                context.close()
            else:
                free.append(context)


def signed_in(page: Page, url: str, user: User) -> None:
    """Sign a person in without the form."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


def sign_in(page: Page, username: str, password: str) -> None:
    """Sign in through the form, as people do."""
    page.goto("/sign-in/")
    page.get_by_label("Name", exact=True).fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/")
