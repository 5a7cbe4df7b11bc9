"""The headers of every response, including errors of the web server, and what no browser may cache."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from organizations.pages import help as help_page
from orgportal import headers
from orgportal.headers import HeadersMiddleware
from orgportal.middleware import LONGEST_ADDRESS
from tests.factories import UserFactory

HOST = "testserver"


@pytest.fixture(autouse=True)
def over_tls(settings: Any, tmp_path: Path) -> None:
    """The settings of a portal that visitors reach by HTTPS, with one static file."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "portal.css").write_text("body {}")


def ask(path: str, host: str = HOST) -> Any:
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(role="viewer"))
    return client.get(path, secure=True, headers={"host": host})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/health/live", HOST, 200),
        ("/health/live", "10.1.2.3", 200),
        ("/sign-in/", HOST, 302),
        ("/help/", HOST, 200),
        ("/help/", "evil.example", 400),
        ("/no/such/page/", HOST, 404),
        ("/sign-out/", HOST, 405),
        (f"/?{'a' * LONGEST_ADDRESS}", HOST, 414),
        ("/static/portal.css", HOST, 200),
        ("/static/none.css", HOST, 404),
    ],
)
def test_every_answer_has_every_header(path, host, status):
    response = ask(path, host)
    response.close()
    assert response.status_code == status
    expected = headers.complete_headers()
    if path == "/static/portal.css":
        expected["Cache-Control"] = "max-age=60, public"
    assert {name: response.get(name) for name in expected} == expected
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.django_db
def test_a_server_error_has_every_header(monkeypatch):
    monkeypatch.delattr(help_page, "build")
    response = ask("/help/")
    assert response.status_code == 500
    assert {name: response.get(name) for name in headers.complete_headers()} == headers.complete_headers()


@pytest.mark.parametrize(("host", "status"), [(HOST, 301), ("evil.example", 400)])
def test_a_response_without_tls_has_every_header_valid_there(host, status):
    response = Client().get("/help/", headers={"host": host})
    assert response.status_code == status
    assert response.get("Location") == (f"https://{HOST}/help/" if status == 301 else None)
    expected = headers.complete_headers()
    del expected["Strict-Transport-Security"]
    assert {name: response.get(name) for name in expected} == expected


@pytest.mark.django_db
def test_a_refused_static_file_is_not_cached():
    response = Client().post("/static/portal.css", secure=True, headers={"host": HOST})
    assert (response.status_code, response["Cache-Control"]) == (405, "private, no-store")


def test_the_policy_is_strict():
    assert headers.complete_headers()["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def test_a_view_cannot_make_its_page_cacheable():
    def view(_request: object) -> HttpResponse:
        return HttpResponse("words", headers={"Cache-Control": "public, max-age=60"})

    response = HeadersMiddleware(view)(RequestFactory().get("/"))
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Content-Length"] == "5"


@pytest.mark.django_db
def test_an_address_that_is_too_long_gets_a_page():
    address = "/help/?" + "a" * (LONGEST_ADDRESS - len("/help/?"))
    assert ask(address).status_code == 200
    response = ask(f"{address}a")
    assert response.status_code == 414
    assert "This address is too long." in response.content.decode()
