"""The middleware around every page: the request ID and the log line."""

import json
import logging
import re
import sys

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from orgportal import logs
from orgportal.middleware import RequestIdMiddleware
from tests.factories import UserFactory


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.request_id} {request.client_address} {logs.request_id.get()}")  # type: ignore[attr-defined]


def ask(**headers: str) -> tuple[str, list[str]]:
    response = RequestIdMiddleware(answer)(RequestFactory().get("/some/page?q=secret", headers=headers))
    assert isinstance(response, HttpResponse)
    return response["X-Request-ID"], response.text.split()


def test_a_request_has_one_id_everywhere():
    number, (on_request, _address, in_log) = ask()
    assert re.fullmatch("[0-9a-f]{12}", number)
    assert number == on_request == in_log
    assert logs.request_id.get() == ""


def test_two_requests_have_two_ids():
    assert ask()[0] != ask()[0]


def test_a_visitor_cannot_choose_the_ip_address(settings):
    settings.BEHIND_PROXY = 0
    assert ask(**{"x-forwarded-for": "203.0.113.9"})[1][1] == "127.0.0.1"


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_client_cannot_choose_the_request_id(settings, proxies):
    settings.BEHIND_PROXY = proxies
    assert ask(**{"x-request-id": "0123456789ab"})[0] != "0123456789ab"


@pytest.mark.parametrize(
    ("proxies", "hops", "visitor"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_the_visitor_is_the_client_of_the_outermost_trusted_proxy(settings, proxies, hops, visitor):
    settings.BEHIND_PROXY = proxies
    assert ask(**{"x-forwarded-for": hops})[1][1] == visitor


def test_a_request_is_logged_without_its_query(caplog):
    with caplog.at_level(logging.INFO, "orgportal.request"):
        number, _ = ask()
    line = json.loads(logs.JsonFormatter().format(caplog.records[-1]))
    assert (line["method"], line["path"], line["status_code"]) == ("GET", "/some/page", 200)
    assert "secret" not in json.dumps(line)
    assert number


def test_a_log_line_is_one_line_of_json_with_its_exception():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.getLogger("orgportal").makeRecord("orgportal", 40, "f", 1, "it %s", ("failed",), True)  # type: ignore[arg-type]
        record.exc_info = sys.exc_info()
    text = logs.JsonFormatter().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["level"], line["message"]) == ("ERROR", "it failed")
    assert "ValueError: two" in line["exception"]
    assert line["time"].endswith("+00:00")


def test_only_named_extras_reach_a_log_line():
    record = logging.makeLogRecord({"msg": "m", "path": "/x", "request": "the whole request", "token": "t"})
    assert set(json.loads(logs.JsonFormatter().format(record))) == {
        "time",
        "level",
        "logger",
        "message",
        "process",
        "path",
    }


def lines_of(caplog, path: str, status: int, **posted: str) -> list[dict[str, object]]:
    """The log lines of Django about a request of a signed-in person."""
    client = Client()
    client.force_login(UserFactory(role="viewer"))
    with caplog.at_level(logging.INFO):
        response = client.post(path, posted) if posted else client.get(path)
    assert response.status_code == status
    lines = [json.loads(logs.JsonFormatter().format(each)) for each in caplog.records if each.name == "django.request"]
    assert {line.get("request_id") for line in lines} == {response["X-Request-ID"]}
    return lines


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "status"), [("/no/such/page/", 404), ("/staging/organizations/new/", 403)])
def test_the_django_log_of_a_refused_request_has_its_id_and_no_traceback(caplog, path, status):
    [line] = lines_of(caplog, path, status)
    assert line["status_code"] == status
    assert "exception" not in line


@pytest.mark.django_db
def test_posted_values_are_not_logged(caplog, settings, tmp_path):
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")
    lines = lines_of(caplog, "/demonstration/", 400, behaviour="a name and a telephone number")
    assert "telephone" not in json.dumps(lines)
