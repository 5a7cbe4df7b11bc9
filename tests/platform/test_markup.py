"""Pages are saved as they were sent, and checked by the Nu Html Checker."""

import pytest

from tests import markup
from tests.run import Result, html

PAGE = """<!doctype html><html lang="en"><title>A page</title>
<h1>A page</h1><input name="csrfmiddlewaretoken" value="{}">{}"""


def send_through(folder, body, content_type="text/html; charset=utf-8", **environ):
    """The response to this request through the middleware that saves pages."""
    began = []

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", content_type)])
        return _Body([body.encode()])

    request = {"REQUEST_METHOD": "GET", "PATH_INFO": "/staging/", "QUERY_STRING": "view=list"}
    answer = markup.saves_pages(application, folder)(request | environ, lambda *head: began.append(head))
    return began, b"".join(answer).decode()


class _Body(list):
    def close(self):
        pass


def test_a_page_is_saved_once_for_all_tokens_and_sent_unchanged(tmp_path):
    for token in ("one", "two"):
        page = PAGE.format(token, "")
        assert send_through(tmp_path, page) == ([("200 OK", [("Content-Type", "text/html; charset=utf-8")])], page)
    send_through(tmp_path, "a,b", content_type="text/csv")
    send_through(tmp_path, "")
    (saved,) = tmp_path.iterdir()
    assert saved.name.startswith("GET-staging-view=list-200-")
    assert saved.read_text() == page


def test_pages_and_fragments_are_checked(tmp_path):
    options = "<option>One</option><option>Two</option><p>Another part</p>"
    row = '<tr><td><input aria-label="A row" form="send"></td></tr>'
    for part in (row, options, "<title>Sent</title><p>Sent</p>", "<p>A part</p>", PAGE.format("one", "")):
        send_through(tmp_path, part, HTTP_HX_REQUEST="true")
    send_through(tmp_path, PAGE.format("one", "<p hx-get='/'>A part</p>"), PATH_INFO="/faulty/")
    (fault,) = errors_in(tmp_path)
    assert "hx-get" in fault
    assert "1 times, first in GET-faulty-view=list-200-" in fault


def errors_in(folder):
    try:
        return markup.html_errors(folder)
    except markup.CheckerMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize(("ci", "result"), [("", Result(skipped=1)), ("true", Result(failed=1))])
def test_without_java_the_run_says_what_to_install_and_fails_in_ci(tmp_path, monkeypatch, capsys, ci, result):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    assert html(tmp_path) == result
    assert capsys.readouterr().out == "No java on this machine (Debian: apt-get install default-jre-headless).\n"
