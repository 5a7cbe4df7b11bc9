"""What holds for every page in a real browser: accessible, nothing beside the window or cut, one primary button."""

import re

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from .window import NARROW, WIDE

# 320: WCAG 1.4.10; what fits here needs no scrolling sideways at 400 %.
WIDTHS = (320, 768, 1024, 2200)
TITLE = re.compile(r"(Error: )?.+( \| (STAGING|PRODUCTION))? \| orgportal")
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}
_MISPLACED = """
() => {
  const width = document.documentElement.clientWidth, found = [];
  const look = state => {
    const over = document.documentElement.scrollWidth - width, all = [...document.querySelectorAll('main, body *')];
    const tell = (what, parts) =>
      found.push(`${state}: ${what}: ${parts.slice(0, 3).map(it => it.outerHTML.slice(0, 120))}`);
    if (over > 0) tell(`${over} px beside the window`, all.filter(it => it.getBoundingClientRect().right > width + 1));
    // Tables hide their heads from sight only: 1 px wide.
    const cut = all.filter(it => it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 1
      && /hidden|clip/.test(getComputedStyle(it).overflowX) && !it.matches('input, select, svg *, .visually-hidden'));
    if (cut.length) tell('cuts what is in it', cut);
  };
  const closed = document.querySelectorAll('details:not([open])');
  look('folded');
  for (const it of closed) it.open = true;
  look('unfolded');
  const height = document.documentElement.scrollHeight;
  for (const it of closed) it.open = false;
  return [found, height];
}
"""
_VIOLATIONS = """
async ([closed, rules]) => {
  const opened = document.querySelectorAll(closed);
  for (const it of opened) it.open = true;
  await Promise.all(document.getAnimations().map(one => one.finished));
  const { violations } = await axe.run(rules);
  for (const it of opened) it.open = false;
  return violations.flatMap(
    one => one.nodes.slice(0, 3).map(node => `${one.id} (${one.help}): ${node.html.slice(0, 200)}`));
}
"""
# An open menu lies over the page: it is judged in the wide window, and what it covers there in the narrow one.
_CLOSED = ((NARROW, "details:not([open], .menu)"), (WIDE, "details:not([open])"))


def misplaced_at(page: Page, width: int) -> list[str]:
    """What is beside a window of this width, or cut."""
    page.set_viewport_size({"width": width, "height": 900})
    return [f"{width}: {fault}" for fault in page.evaluate(_MISPLACED)[0]]


def faults_of(page: Page) -> list[str]:
    """Everything that is wrong with the page in the window, folded and unfolded, at each width, light and dark."""
    found = []
    if not TITLE.fullmatch(page.title()):
        found.append(f"title: {page.title()}")
    primary = page.locator(".btn-primary:visible, .btn-send:visible").count()
    if primary > 1:
        found.append(f"{primary} primary buttons")
    for width in WIDTHS:
        found += misplaced_at(page, width)
    page.evaluate(AXE_SCRIPT)
    for size, closed in _CLOSED:
        page.set_viewport_size(size)
        misplaced, height = page.evaluate(_MISPLACED)
        found += [f"{size['width']}: {fault}" for fault in misplaced]
        # As tall as the page: what sticks to an edge of the window lies over nothing.
        page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{size['width']} {scheme}: {fault}" for fault in page.evaluate(_VIOLATIONS, [closed, _RULES])]
    page.set_viewport_size(WIDE)
    return found
