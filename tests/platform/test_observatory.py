"""The running portal behind a TLS proxy: its score by MDN's Observatory, and its cookies."""

import re
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from .files import add_person, change
from .observatory import Site, score
from .serving import Portal

NAME, PASSWORD = "first-person", "a long and rare pass phrase"


class Browser:
    """Sends requests as a TLS proxy does, and keeps cookies and all Set-Cookie lines."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: SimpleCookie = SimpleCookie()
        self.lines: list[str] = []
        self.page = ""

    def ask(self, method: str, path: str, scheme: str = "https", **fields: str) -> HTTPResponse:
        headers = {"X-Forwarded-Proto": scheme, "Referer": f"https://{self.address}/"}
        headers["Cookie"] = "; ".join(f"{each.key}={each.value}" for each in self.cookies.values())
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, urlencode(fields) if fields else None, headers)
            response = connection.getresponse()
            self.page = response.read().decode()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie", []):
            self.lines.append(line)
            self.cookies.load(line)
        return response

    def press(self, path: str, **fields: str) -> HTTPResponse:
        match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page)
        assert match
        return self.ask("POST", path, csrfmiddlewaretoken=match[1], **fields)


@pytest.fixture
def browser(variables: dict[str, str], database: Path) -> Iterator[Browser]:
    variables |= {"HTTPS": "true", "BEHIND_PROXY": "1"}
    add_person(database, NAME)
    change(database, "UPDATE organizations_user SET password = ?", PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1))
    with Portal(variables, "webserver") as portal:
        portal.wait_until_ready()
        yield Browser(portal.address)


def test_the_running_portal_has_the_best_score_without_preloading(browser):
    leads_to = browser.ask("GET", "/", scheme="http").getheader("Location", "")
    assert browser.ask("GET", "/").getheader("Location") == "/sign-in/?next=/"
    response = browser.ask("GET", "/sign-in/?next=/")
    assert response.status == 200
    total, points = score(Site(response.headers, tuple(browser.lines), browser.page, leads_to))
    # The maximum without preloading (5) and without hashes of our own scripts (5), which prove nothing about
    # files of the same server. Policy, frames, cookies and referrer give 25, the three cross-origin policies 30.
    assert (total, min(points.values())) == (155, 0), points

    browser.press("/sign-in/", username=NAME, password=PASSWORD)
    browser.ask("GET", "/account/")
    browser.press("/sign-out/")
    assert "You are signed out." in (browser.ask("GET", "/sign-in/"), browser.page)[1]
    assert set(browser.cookies) == {"__Host-orgportal-csrf", "__Host-orgportal-session"}
    for line in browser.lines:
        attributes = {part.strip().partition("=")[0].lower() for part in line.split(";")}
        assert {"secure", "httponly", "samesite", "path"} <= attributes
        assert "domain" not in attributes
        assert "Path=/;" in f"{line};"
