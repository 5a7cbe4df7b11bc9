"""Every exception of the portal is logged once, with its traceback, wherever it is raised."""

import json
import logging
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_started
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import include, path

from orgportal import logs
from orgportal.middleware import clean_requests

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SECRET = "what-was-posted"


class Broken(Exception):
    """Raised by the addresses below."""


@login_not_required
def _raises(*_: object) -> Any:
    raise Broken(f"first line {'x' * 1_000}\nDETAIL: {SECRET}")


def _lines() -> Iterator[str]:
    yield "first"
    _raises()


@login_not_required
def _streams(_: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines())


@login_not_required
def _answers(_: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


class Raising:
    """A middleware that raises before or after the view."""

    def __init__(self, respond: Any) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> Any:
        if request.path == "/middleware/":
            _raises()
        response = self.respond(request)
        return response if request.path != "/after/" else _raises()


urlpatterns = [
    path("view/", _raises),
    path("streaming/", _streams),
    path("after/", _answers),
    path("", include("orgportal.urls")),
]

handler400 = "organizations.views.errors.unreadable"
handler500 = "organizations.views.errors.server_error"


class Answer:
    """The response as a web server gets it, and the log lines with a traceback."""

    def __init__(self, caplog: pytest.LogCaptureFixture, address: str) -> None:
        environ = RequestFactory().post(address, {"secret": SECRET}).environ
        with caplog.at_level(logging.INFO):
            self.parts = clean_requests(WSGIHandler())(environ, self._start)
        lines = [json.loads(logs.JsonFormatter().format(record)) for record in caplog.records]
        self.lines = [line for line in lines if "exception" in line]

    def _start(self, status: str, heads: list[tuple[str, str]], _: Any = None) -> None:
        self.status, self.heads = status, dict(heads)

    @property
    def body(self) -> str:
        return b"".join(self.parts).decode()


@pytest.fixture
def ask(settings: Any, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    settings.ROOT_URLCONF = __name__
    inner = f"{__name__}.Raising"
    # The posts of these tests have no CSRF token.
    settings.MIDDLEWARE = [inner if "Csrf" in each else each for each in django_settings.MIDDLEWARE]
    # This would close the connection whose transaction the test rolls back.
    request_started.disconnect(close_old_connections)
    yield lambda address: Answer(caplog, address)
    request_started.connect(close_old_connections)


@pytest.mark.parametrize("address", ["/view/", "/middleware/", "/after/"])
def test_an_exception_is_logged_once_with_its_traceback_and_without_what_was_sent(ask, address):
    answer = ask(address)
    assert answer.status.startswith("500")
    [line] = answer.lines
    assert line["request_id"] == answer.heads["X-Request-ID"]
    assert line["request_id"] in answer.body
    assert "Traceback" in line["exception"]
    assert f"{__name__}.Broken: first line" in line["exception"]
    assert SECRET not in json.dumps(line)
    assert len(line["exception"].splitlines()[-1]) < 250


@pytest.mark.parametrize("address", ["/no/such/page/", "/sign-in/"])
def test_an_exception_in_an_error_page_is_logged_once(ask, settings, address):
    """In the page for a missing address, or in the base template."""
    templates: Any = deepcopy(django_settings.TEMPLATES)
    templates[0]["OPTIONS"]["context_processors"].append(f"{__name__}._raises")
    settings.TEMPLATES = templates
    answer = ask(address)
    assert answer.status.startswith("500")
    assert [line["exception"].count(f"{__name__}.Broken") for line in answer.lines] == [1]


def test_an_exception_in_the_page_for_exceptions_gives_a_plain_response(ask, monkeypatch):
    monkeypatch.setattr("organizations.views.errors.render_to_string", _raises)
    answer = ask("/view/")
    assert answer.status.startswith("500")
    assert "Something went wrong here, not at Redox." in answer.body
    assert len(answer.lines) == 2  # that of the address, and that of the page


def test_an_exception_before_the_view_gives_a_plain_response(ask, settings):
    settings.ROOT_URLCONF = "tests.no_such_addresses"
    answer = ask("/view/")
    assert answer.status.startswith("500")
    assert answer.heads["Cache-Control"] == "private, no-store"
    assert "Something went wrong here, not at Redox." in answer.body
    [line] = answer.lines
    assert "ModuleNotFoundError" in line["exception"]


def test_an_exception_in_a_streaming_response_names_the_request(ask):
    answer = ask("/streaming/")
    with pytest.raises(Broken) as raised:
        _ = answer.body
    assert raised.value.__notes__ == [f"in the answer to request {answer.heads['X-Request-ID']}"]
    assert answer.lines == []  # the web server logs it and closes the connection
