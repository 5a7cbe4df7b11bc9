"""The judge of pages finds what shows at one width only, in one scheme only, or when a part is unfolded."""

from playwright.sync_api import Browser

from .judging import faults_of

PAGE = """<!doctype html><html lang="en"><title>Judged | orgportal</title>
<style>
@media (max-width: 400px) and (prefers-color-scheme: dark) { .faint { color: #999; background: #aaa; } }
@media (max-width: 330px) { .wide { width: 500px; } }
@media (min-width: 2000px) { .cut { width: 50px; overflow: clip; white-space: nowrap; } }
</style>
<main><h1>Judged</h1>
<p class="cut">This paragraph is wider than 50 px</p>
<details><summary>More</summary><p class="faint">Faint</p><p class="wide">Wide</p></details></main>
"""


def test_faults_are_found_at_each_width_in_each_scheme_and_unfolded(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(PAGE)
    found = faults_of(page)
    page.close()
    assert [": ".join(fault.split(": ")[:3]).partition(" (")[0] for fault in found] == [
        "320: unfolded: 188 px beside the window",
        "2200: folded: cuts what is in it",
        "2200: unfolded: cuts what is in it",
        "390 dark: color-contrast",
    ]
