"""Pages without a client: what a page object says once it is rendered, in a frame that knows nobody."""

import re
from html import unescape
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import strip_tags

from organizations.models import Environment
from organizations.pages import Page

_BLOCK = re.compile(
    r"</?(?:title|p|h[1-6]|header|footer|section|div|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|caption|form|fieldset"
    r"|legend|label|details|summary|figure|figcaption|pre|button|option|nav|main|br)\b"
)


def text_in(html: str) -> str:
    """The text of a page in one line, without markup; what stands in blocks of its own is parted by a blank."""
    return " ".join(unescape(strip_tags(_BLOCK.sub(lambda block: " " + block[0], html))).split())


def html_of_page(page: Page) -> str:
    return render_to_string(page.template, _frame(page) | page.names)


def text_of_page(page: Page) -> str:
    return text_in(html_of_page(page))


def _frame(page: Page) -> dict[str, Any]:
    """The environment of what the page is about."""
    about = page.names.get("organization") or page.names.get("submission")
    if about is None:
        return {}
    environment = Environment(about.environment)
    return {
        "environment": environment.value,
        "environment_word": environment.label,
        "other_environment": environment.other.value,
    }
