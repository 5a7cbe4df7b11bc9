"""Checks of every page in a real browser: accessibility, nothing outside the window or cut, one primary button."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from typing import Literal, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from .window import NARROW, WIDE

# 320: WCAG 1.4.10. A page that fits here needs no sideways scrolling at 400 %.
WIDTHS = (320, 768, 1024, 2200)
TITLE = re.compile(r"(Error: )?.+( \| (STAGING|PRODUCTION))? \| orgportal")


class _Pass(NamedTuple):
    """One run of axe: its window and its rules."""

    width: int
    narrower: int
    """A smaller one of WIDTHS. The window is as tall as the page at that width, so that the whole page fits."""
    scheme: Literal["light", "dark"]
    rules: Mapping[str, object]
    # An open menu covers part of the page: the wide window checks the menu, the narrow one what it covers.
    closed: str
    judged: set[int]
    """The places that this pass has already checked on some page."""


_ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# An element hidden on a phone may have been the name of another.
_NAMES = ["link-name", "button-name", "label", "empty-heading"]
_ON_A_PHONE = {"type": "rule", "values": [*_NAMES, "color-contrast", "target-size", "scrollable-region-focusable"]}
# Each colour is checked in the wide window in both schemes; on a phone, which shows other parts, in the dark.
_PASSES = (
    _Pass(NARROW["width"], 320, "dark", _ON_A_PHONE, "details:not([open], .menu)", set()),
    _Pass(WIDE["width"], 1024, "dark", _COLOURS, "details:not([open])", set()),
    _Pass(WIDE["width"], 1024, "light", _ALL, "details:not([open])", set()),
)
_MISPLACED = """
() => {
  const width = document.documentElement.clientWidth, faults = [];
  const look = state => {
    const over = document.documentElement.scrollWidth - width, all = [...document.querySelectorAll('main, body *')];
    const report = (what, parts) =>
      faults.push(`${state}: ${what}: ${parts.slice(0, 3).map(it => it.outerHTML.slice(0, 120))}`);
    const outside = all.filter(it => it.getBoundingClientRect().right > width + 1);
    if (over > 0) report(`${over} px outside the window`, outside);
    // Tables hide their heads from sight only: 1 px wide.
    const cut = all.filter(it => it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 1
      && /hidden|clip/.test(getComputedStyle(it).overflowX) && !it.matches('input, select, svg *, .visually-hidden'));
    if (cut.length) report('cuts what is in it', cut);
    const primary = document.querySelectorAll('.btn-primary, .btn-send');
    const visible = [...primary].filter(it => it.checkVisibility({ visibilityProperty: true }));
    if (visible.length > 1) report(`${visible.length} primary buttons`, visible);
  };
  const closed = document.querySelectorAll('details:not([open])');
  look('folded');
  for (const it of closed) it.open = true;
  look('unfolded');
  const height = document.documentElement.scrollHeight;
  for (const it of closed) it.open = false;
  return [faults, height, document.title];
}
"""
# Contrast and size are checked once for each place, because pages share most of their parts. Elements with the
# same tags, classes, colours and fonts from the root down have the same contrast; three per page are checked.
_VIOLATIONS = """
async ([closed, runOnly, judged]) => {
  const opened = [...document.querySelectorAll(closed)], known = new Set(judged), fresh = new Map();
  const places = new Map(), numbers = new Map();
  const place = it => {
    if (!it || places.has(it)) return places.get(it);
    const css = getComputedStyle(it), { width, height } = it.getBoundingClientRect();
    const way = [place(it.parentElement), it.tagName, it.className, it.disabled, Math.min(width, height) < 24,
      css.color, css.backgroundColor, css.backgroundImage, css.opacity, css.fontSize, css.fontWeight].join();
    if (!numbers.has(way)) numbers.set(way, [...way].reduce((sum, it) => Math.imul(sum, 31) + it.charCodeAt() | 0, 0));
    places.set(it, numbers.get(way));
    return numbers.get(way);
  };
  for (const it of opened) it.open = true;
  for (const it of document.getAnimations()) it.finish();
  for (const it of document.querySelectorAll('body, body *')) {
    if (!it.checkVisibility() || known.has(place(it))) continue;
    const same = fresh.get(place(it)) ?? fresh.set(place(it), []).get(place(it));
    if (same.push(it) < 4) it.setAttribute('data-fresh', '');
  }
  axe.configure({ rules: ['color-contrast', 'target-size'].map(id => ({ id, selector: '[data-fresh]' })) });
  // Otherwise the coloured edge of an environment's pages, a pseudo-element, leaves their contrast undecided.
  axe._audit.checks['color-contrast'].options.ignorePseudo = true;
  const { violations } = await axe.run({ runOnly, resultTypes: ['violations'], preload: false });
  for (const it of document.querySelectorAll('[data-fresh]')) it.removeAttribute('data-fresh');
  for (const it of opened) it.open = false;
  const reports = violations.flatMap(
    one => one.nodes.slice(0, 3).map(node => `${one.id} (${one.help}): ${node.html.slice(0, 200)}`));
  return [reports, reports.length ? [] : [...fresh.keys()]];
}
"""


@contextmanager
def resizing(page: Page) -> Iterator[Callable[..., None]]:
    """Returns a function that resizes the window; it is wide again afterwards."""
    cdp = page.context.new_cdp_session(page)

    def resize(width: int, height: int = 900) -> None:
        # `set_viewport_size` also resizes the window around the page, which takes twice as long.
        size = {"width": width, "height": height, "deviceScaleFactor": 0, "mobile": False}
        cdp.send("Emulation.setDeviceMetricsOverride", size)

    yield resize
    resize(**WIDE)
    cdp.detach()


def layout_errors(page: Page, widths: Iterable[int] = WIDTHS) -> list[str]:
    """Elements outside a window of these widths or cut, a second primary button, and an invalid title."""
    errors, title = [], ""
    with resizing(page) as resize:
        for width in widths:
            errors_here, _, title = _look(page, resize, width)
            errors += errors_here
    return [*_title_errors(title), *errors]


def _look(page: Page, resize: Callable[..., None], width: int, height: int = 900) -> tuple[list[str], int, str]:
    """The misplaced elements in a window of this size, the height of the page, and its title."""
    resize(width, height)
    errors, whole_height, title = page.evaluate(_MISPLACED)
    return [f"{width}: {error}" for error in errors], whole_height, title


def page_errors(page: Page) -> list[str]:
    """All errors of the page in the window, folded and unfolded, at each width, light and dark."""
    errors, heights, title, scheme = [], {}, "", "light"
    page.evaluate(AXE_SCRIPT)
    with resizing(page) as resize:
        for width in WIDTHS:
            errors_here, heights[width], title = _look(page, resize, width)
            errors += errors_here
        for (width, narrower), passes in groupby(_PASSES, key=lambda each: (each.width, each.narrower)):
            # As tall as the page, so that sticky elements cover nothing.
            errors += _look(page, resize, width, max(heights[narrower], 900))[0]
            for each in passes:
                if each.scheme != scheme:
                    page.emulate_media(color_scheme=each.scheme)
                    scheme = each.scheme
                violations, places = page.evaluate(_VIOLATIONS, [each.closed, each.rules, list(each.judged)])
                each.judged.update(places)
                errors += [f"{width} {scheme}: {violation}" for violation in violations]
    return [*_title_errors(title), *errors]


def _title_errors(title: str) -> list[str]:
    return [] if TITLE.fullmatch(title) else [f"title: {title}"]
