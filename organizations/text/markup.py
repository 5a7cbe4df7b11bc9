"""Parts of sentences as markup: text from elsewhere, times, OIDs, icons and links."""

import html
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from markupsafe import escape

from organizations.characters import WRITTEN_OUT
from organizations.text import vocabulary

# Redox issues OIDs below these arcs, and both gateways have them (Redox's how-to). Nearly all records share them: pages
# show them muted, and tables show only the last arc.
SHARED_ARCS = "2.16.840.1.113883.3.6147.458."

_OID = re.compile(r"(?<![\w.])[0-2](?:\.\d+){4,}(?!\w)")  # five arcs: neither a version nor an IP address
_PHONE = re.compile(r"(?<!\w)\+\d{7,15}(?!\w)")


_JSON_KEY = re.compile(r'(\s*)("(?:[^"\\]|\\.)*":)(.*)', re.DOTALL)


def plain(text: object) -> str:
    r"""Text from elsewhere, with each invisible character written out, such as \u202E."""

    def written_out(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"

    return WRITTEN_OUT.sub(written_out, str(text))


def _safe(html: str) -> SafeString:
    """Markup whose parts are escaped or written by us, as `format_html` without its cost: a list has hundreds."""
    return SafeString(html)


@cache
def icon(name: str, extra: str = "") -> SafeString:
    """A symbol of `icons.svg`. Screen readers skip it, so it needs a text beside it. `extra` are more classes.

    Cached, because a list has hundreds.
    """
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f"icon {extra}".rstrip(),
        static("icons.svg"),
        name,
    )


@cache
def word_mark(word: vocabulary.Word) -> SafeString:
    """A word with its icon, in its tone. Cached, because a list has hundreds."""
    return format_html('<span class="status {}">{}{}</span>', word.tone, icon(word.icon), word.word)


def written(value: datetime, form: vocabulary.MomentForm = "moment") -> str:
    """A time in the user's zone, for a sentence. This process's clock decides only whether to leave out the date."""
    return vocabulary.moment_text(timezone.localtime(value), timezone.now(), form)


def moment(value: datetime | None, form: vocabulary.MomentForm = "moment", *, focus: bool = True) -> SafeString | str:
    """A time in the user's zone, with UTC on hover and focus; "never" for None. `focus=False`: no tab stop."""
    if value is None:
        return "never"
    utc = vocabulary.moment_text(value.astimezone(UTC), timezone.now(), "seconds" if form == "seconds" else "moment")
    return _time(value, written(value, form), utc, focus=focus)


def iso(value: datetime) -> str:
    """A time for the attribute `datetime`, which takes no microseconds."""
    return value.isoformat(timespec="seconds")


def age(value: datetime | None, *, focus: bool = True) -> SafeString | str:
    """How long ago a time is: "26 minutes", with the time on hover and focus. The script keeps it current."""
    if value is None:
        return "never"
    passed = timezone.now() - value
    seconds = max(int(passed.total_seconds()), 0)
    return _time(value, vocabulary.age_text(passed), written(value), focus=focus, counts_from=seconds)


def minutes(seconds: int) -> str:
    """Minutes and seconds: "00:14"."""
    return f"{seconds // 60:02}:{seconds % 60:02}"


def _time(value: datetime, text: str, more: str, *, focus: bool, counts_from: int | None = None) -> SafeString:
    stop = ' tabindex="0"' if focus else ""
    age_at_first = "" if counts_from is None else f' data-age="{counts_from}"'
    moment_utc = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _safe(f'<time datetime="{moment_utc}" data-utc="{escape(more)}"{stop}{age_at_first}>{escape(text)}</time>')


def short_oid(value: object) -> SafeString:
    """An OID for tables: of the arcs that nearly all records share only the last is shown."""
    text = str(value)
    if text.startswith(SHARED_ARCS):
        return _safe(f"<span>…458.</span>{escape(text.removeprefix(SHARED_ARCS))}")
    return conditional_escape(text)


def long_oid(value: object) -> SafeString:
    """A whole OID that wraps only after its dots; the arcs that nearly all records share are muted."""
    text = str(value)
    shared = SHARED_ARCS if text.startswith(SHARED_ARCS) else ""
    own = _wrapping(text.removeprefix(shared))
    return format_html("<span>{}</span><wbr>{}", _wrapping(shared), own) if shared else own


def copy_button(text: object, what: object = "", *, label: str = "", css: str = "", icon_name: str = "") -> SafeString:
    """A button that copies a text; `what` it is ("the OID"). Without JavaScript it is hidden.

    With `label` ("Copy message") a small button, or one of the classes `css`.
    """
    copied = escape(text)
    if label:
        return _safe(
            f'<button class="{css or "btn btn-sm"}" type="button" data-copy="{copied}">'
            f"{icon(icon_name or 'square-2-stack')} {escape(label)}</button>"
        )
    return _safe(
        f'<button class="copy" type="button" data-copy="{copied}" aria-label="Copy {escape(plain(what))}">'
        f"{icon('square-2-stack')}</button>"
    )


def oid_text(oid: object, *, short: bool = False, of: str = "") -> SafeString:
    """An OID, short in tables, with a button that copies all of it. `of` names its record in the button's name.

    A function and not a macro, because a list has one in each row.
    """
    button = copy_button(oid, f"the OID of {of}" if of else "the OID")
    return _safe(f'<span class="oid">{short_oid(oid) if short else long_oid(oid)}</span>\n  {button}')


def in_lines(text: object) -> SafeString:
    """Text from elsewhere, with its line breaks."""
    return _safe(html.escape(plain(text)).replace("\n", "<br>\n"))


def with_oids(text: object) -> SafeString:
    """Text from elsewhere. OIDs in it can be read digit by digit and wrap only after dots; phones do not wrap."""
    escaped = _PHONE.sub(r'<span class="text-nowrap">\g<0></span>', in_lines(text))
    return _safe(_OID.sub(lambda match: f'<span class="oid">{long_oid(match[0])}</span>', escaped))


def _wrapping(text: str) -> SafeString:
    # str.replace gives a plain str back; the text was escaped before, <wbr> is ours.
    return _safe(conditional_escape(text).replace(".", ".<wbr>").removesuffix("<wbr>"))


def json_line(line: str) -> SafeString:
    """One line of a JSON message, with its key in its own element."""
    match = _JSON_KEY.fullmatch(plain(line))
    if match is None:
        return conditional_escape(plain(line))
    return format_html("{}<i>{}</i>{}", *match.groups())


def link(url: str, text: object) -> SafeString:
    """A link; its text may come from elsewhere."""
    return format_html('<a href="{}">{}</a>', url, plain(text))


def strong(text: object) -> SafeString:
    """Text from elsewhere in bold."""
    return format_html("<b>{}</b>", plain(text))


class Part(NamedTuple):
    """A piece of a sentence. `tag` is "" for plain text, or "b", "del", "ins" or "a"."""

    text: str
    tag: str = ""
    url: str = ""


def marked(parts: Iterable[Part]) -> SafeString:
    """Parts of a sentence as markup."""
    return _safe("".join(map(_markup, parts)))


def unlinked(parts: Iterable[Part]) -> SafeString:
    """As `marked` without links, for use inside a control."""
    return marked(part._replace(tag="") if part.tag == "a" else part for part in parts)


def _markup(part: Part) -> str:
    text = in_lines(part.text)
    if part.tag == "a":
        return f'<a href="{escape(part.url)}">{text}</a>'
    return f"<{part.tag}>{text}</{part.tag}>" if part.tag else text
