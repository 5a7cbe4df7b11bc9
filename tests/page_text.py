"""Render page objects without a client, in a frame without a user."""

import re
from html import unescape
from typing import Any

from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.html import strip_tags

from organizations.models import Environment, EnvironmentGate
from organizations.pages import Page
from organizations.pages.environment_state import environment_state

_BLOCK = re.compile(
    r"</?(?:title|p|h[1-6]|header|footer|section|div|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|caption|form|fieldset"
    r"|legend|label|details|summary|figure|figcaption|pre|button|option|nav|main|br)\b"
)

_AROUND_BLOCK = re.compile(rf"\s*({_BLOCK.pattern}[^>]*>)\s*")
_TAG = re.compile(r"(<pre\b.*?</pre>|<textarea\b.*?</textarea>|<[^>]*>)", re.DOTALL)
_BETWEEN_ATTRIBUTES = re.compile(r"\n {4,}(?=[a-z-]+[=> ])")


def compact(html: str) -> str:
    """HTML without the whitespace that a browser does not show, so that tests do not depend on lines of templates."""
    pieces = _TAG.split(html)
    pieces[::2] = (re.sub(r"\s+", " ", text) for text in pieces[::2])
    pieces[1::2] = (_BETWEEN_ATTRIBUTES.sub(" ", tag) for tag in pieces[1::2])
    return _AROUND_BLOCK.sub(r"\1", "".join(pieces))


def text_in(html: str) -> str:
    """The text of a page in one line, without markup. A blank separates the text of each block."""
    return " ".join(unescape(strip_tags(_BLOCK.sub(lambda block: " " + block[0], html))).split())


def html_of_page(page: Page, environment: str = "", **frame: Any) -> str:
    """Title and content of a page. Its frame is rendered without a user; `frame` adds names for it.

    `environment` is needed if the page has no organization, submission or plan.
    """
    about = (page.names.get(name) for name in ("organization", "submission", "plan"))
    named = environment or next((each.environment for each in about if each is not None), "")
    # Links to other pages of a list take the rest of their address from the request.
    rendered = render_to_string(page.template, _frame(named) | frame | page.names, request=RequestFactory().get("/"))
    head, begin, content = compact(rendered).partition('id="main">')
    return "".join(re.findall("<title>.*?</title>", head)) + content if begin else head


def text_of_page(page: Page, environment: str = "", **frame: Any) -> str:
    return text_in(html_of_page(page, environment, **frame))


def _frame(environment: str) -> dict[str, Any]:
    if not environment:
        return {}
    chosen = Environment(environment)
    return {
        "environment": chosen.value,
        "environment_word": chosen.label,
        "environment_state": environment_state(EnvironmentGate(environment=chosen)),
        "other_environment": chosen.other.value,
    }


_CONTROL = re.compile(r"<(a|button)\b([^>]*)>(.*?)</\1>", re.DOTALL)


def controls_in(html: str) -> dict[str, str | None]:
    """Links and buttons by their names: where a link leads, "" for a button that can be pressed, None if disabled."""
    controls: dict[str, str | None] = {}
    for kind, attributes, words in _CONTROL.findall(html):
        label = re.search(r'aria-label="([^"]*)"', attributes)
        address = re.search(r'href="([^"]*)"', attributes)
        is_disabled = kind == "button" and re.search(r"\sdisabled\b", attributes)
        controls[unescape(label[1]) if label else text_in(words)] = (
            None if is_disabled else address[1] if address else ""
        )
    return controls
