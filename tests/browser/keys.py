"""Going through a page with Tab, Enter and Space only, and judging each stop on the way."""

from playwright.sync_api import Page

MOST_STOPS = 150

# Where the focus is: its words, whether anybody sees that it is there, and what lies over it.
_FOCUS = """
() => {
  const it = document.activeElement;
  const words = (it.getAttribute('aria-label') || [...(it.labels || [])].map(one => one.innerText).join(' ')
    || it.innerText || it.value || '').trim().replace(/\\s+/g, ' ');
  const style = getComputedStyle(it), box = it.getBoundingClientRect();
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
  const bar = document.querySelector('.envbar'), inBar = bar.contains(it) || it.closest('.masthead, .skip');
  const under = !inBar && getComputedStyle(bar).position === 'sticky'
    && box.top < bar.getBoundingClientRect().bottom - 1 && box.height < innerHeight / 2;
  const seen = box.bottom > 0 && box.top < innerHeight && box.width > 0;
  return {words, tag: it.tagName, ring: it.matches(':focus-visible') && ring, under, seen};
}
"""


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the focus stands on what is called so. Each stop on the way must be seen."""
    passed = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUS)
        if stop["tag"] == "BODY":
            continue  # from the last stop the browser goes round by its own bar
        passed.append(stop["words"])
        assert stop["seen"], f"the focus on '{stop['words']}' is outside the window"
        assert stop["ring"], f"nobody sees the focus on '{stop['words']}'"
        assert not stop["under"], f"the bar covers '{stop['words']}'"
        if stop["words"] == words:
            return
    raise AssertionError(f"Tab never came to '{words}', but to {passed}")


def press(page: Page, words: str, key: str = "Enter") -> None:
    """Go to a link or button and press it."""
    tab_to(page, words)
    page.keyboard.press(key)


def type_in(page: Page, words: str, text: str) -> None:
    """Go to a field, where the browser selects what is there, and type over it."""
    tab_to(page, words)
    page.keyboard.type(text)
