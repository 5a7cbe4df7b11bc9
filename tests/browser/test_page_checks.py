"""The page checks find errors at only one width, in only one colour scheme, or in an unfolded part."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from .page_checks import page_errors
from .window import Windows

PAGE = """<!doctype html><html lang="en"><title>Judged | orgportal</title>
<style>
button { width: 30px; height: 30px; }
@media (max-width: 400px) and (prefers-color-scheme: dark) { .faint { color: #999; background: #aaa; } }
@media (min-width: 1400px) and (prefers-color-scheme: dark) { .dim { color: #444; background: #333; } }
@media (min-width: 1400px) and (prefers-color-scheme: light) { .pale { color: #eee; background: #fff; } }
@media (max-width: 400px) { .small { width: 12px; height: 12px; margin: 0; padding: 0; } .words { display: none; } }
@media (max-width: 330px) { .wide { width: 500px; } }
@media (min-width: 2000px) { .cut { width: 50px; overflow: clip; white-space: nowrap; } }
</style>
<main><h1>Judged</h1>
<p class="cut">This paragraph is wider than 50 px</p><p class="pale">Pale</p>
<p><button class="small" aria-label="One"></button><button class="small" aria-label="Two"></button></p>
<p><button><span class="words">Words</span></button></p>
<details><summary>More</summary><p class="faint">Faint</p><p class="dim">Dim</p><p class="wide">Wide</p></details>
</main>
"""
GOOD = '<!doctype html><html lang="en"><title>Good | orgportal</title><main><h1>Good</h1>{}</main>'


@pytest.fixture
def page(windows: Windows) -> Iterator[Page]:
    yield windows.open()
    windows.close()


def kinds_of(page: Page) -> list[str]:
    return [": ".join(fault.split(": ")[:3]).partition(" (")[0] for fault in page_errors(page)]


def test_errors_are_found_at_each_width_in_each_scheme_and_unfolded(page: Page) -> None:
    page.set_content(PAGE)
    faults = [
        "320: unfolded: 188 px outside the window",
        "2200: folded: cuts what is in it",
        "2200: unfolded: cuts what is in it",
        "390 dark: button-name",
        "390 dark: color-contrast",
        *["390 dark: target-size"] * 2,
        "1440 dark: color-contrast",
        "1440 light: color-contrast",
    ]
    assert kinds_of(page) == faults
    assert kinds_of(page) == faults, "a fault is found on each page that has it"


def test_an_element_that_looks_different_on_another_page_is_checked_again(page: Page) -> None:
    page.set_content(GOOD.format("<p>Black on white</p>"))
    assert kinds_of(page) == []
    page.set_content(GOOD.format("<style>p { color: #ccc; }</style><p>Grey on white</p>"))
    assert set(kinds_of(page)) == {f"{window}: color-contrast" for window in ("390 dark", "1440 dark", "1440 light")}


def test_contrast_is_checked_on_pages_with_the_coloured_edge(page: Page) -> None:
    edge = "body::before { content: ''; position: absolute; inset: 0 auto 0 0; width: 9px; background: navy; }"
    page.set_content(GOOD.format(f"<style>{edge} em {{ color: #ddd; }}</style><em>Pale on white</em>"))
    assert set(kinds_of(page)) == {f"{window}: color-contrast" for window in ("390 dark", "1440 dark", "1440 light")}


def test_two_primary_buttons_and_an_invalid_title_are_found(page: Page) -> None:
    page.set_content(GOOD.format('<button class="btn-primary">One</button><button class="btn-send">Two</button>'))
    assert {fault.partition("<")[0] for fault in page_errors(page)} >= {"1440: folded: 2 primary buttons: "}
    page.set_content('<!doctype html><html lang="en"><title>Good</title><main><h1>Good</h1></main>')
    assert page_errors(page) == ["title: Good"]
