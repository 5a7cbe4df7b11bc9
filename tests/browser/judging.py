"""What holds for every page in a real browser: accessible, nothing beside the window, one primary button, a title."""

import re

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

from .window import NARROW, WIDE

SMALLEST: ViewportSize = {
    "width": 320,
    "height": 640,
}  # WCAG 1.4.10: what fits here needs no scrolling sideways at 400 %
TITLE = re.compile(r"(Error: )?.+( \| (STAGING|PRODUCTION))? \| orgportal")
_ALL: dict[str, object] = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
_CONTRAST: dict[str, object] = {"type": "rule", "values": ["color-contrast"]}
_WIDER = """
() => [...document.querySelectorAll('main, body *')]
  .filter(it => it.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 3).map(it => it.outerHTML.slice(0, 120))
"""


def faults_of(page: Page) -> list[str]:
    """Everything that is wrong with the page that stands in the window, at each width, light and dark."""
    found = []
    if not TITLE.fullmatch(page.title()):
        found.append(f"title: {page.title()}")
    primary = page.locator(".btn-primary:visible, .btn-send:visible").count()
    if primary > 1:
        found.append(f"{primary} primary buttons")
    page.evaluate(AXE_SCRIPT)
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        found += [f"{size['width']}: {fault}" for fault in [*_sideways(page), *violations(page, _ALL)]]
    page.set_viewport_size(SMALLEST)
    found += [f"{SMALLEST['width']}: {fault}" for fault in _sideways(page)]
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="dark")
    page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")
    found += [f"dark: {fault}" for fault in violations(page, _CONTRAST)]
    page.emulate_media(color_scheme="light")
    return found


def violations(page: Page, only: dict[str, object]) -> list[str]:
    """What axe, which is in the page already, finds by these rules."""
    results = page.evaluate("options => axe.run(options)", {"runOnly": only, "resultTypes": ["violations"]})
    return [
        f"{one['id']} ({one['help']}): {node['html'][:200]}"
        for one in results["violations"]
        for node in one["nodes"][:3]
    ]


def _sideways(page: Page) -> list[str]:
    width, window = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return [f"{width - window} px beside the window: {page.evaluate(_WIDER)}"] if width > window else []
