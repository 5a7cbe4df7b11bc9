"""The pieces of a sentence about the history, and the same as markup."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from organizations.templatetags.portal import in_lines


class Part(NamedTuple):
    """A piece of a sentence: plain text, or one of "b", "del", "ins", or a link."""

    text: str
    tag: str = ""
    url: str = ""


def marked(parts: Iterable[Part]) -> SafeString:
    """Parts of a sentence as markup."""
    return format_html_join("", "{}", ((_markup(part),) for part in parts))


def unlinked(parts: Iterable[Part]) -> SafeString:
    """The same without links: for a control, which must not hold another one."""
    return marked(part._replace(tag="") if part.tag == "a" else part for part in parts)


def _markup(part: Part) -> SafeString:
    text = in_lines(part.text)
    match part.tag:
        case "a":
            return format_html('<a href="{}">{}</a>', part.url, text)
        case "b":
            return format_html("<b>{}</b>", text)
        case "del":
            return format_html("<del>{}</del>", text)
        case "ins":
            return format_html("<ins>{}</ins>", text)
        case _:
            return format_html("{}", text)
