"""Using a page with only Tab, Enter and Space, and checking that each focus is visible."""

from playwright.sync_api import Page

MOST_STOPS = 150

# The focused element: its words, whether its focus is visible, and what covers it.
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
    """Press Tab until the element with these words has the focus. Each focus on the way must be visible."""
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUS)
        if stop["tag"] == "BODY":
            continue  # after the last element the focus goes through the browser's own controls
        stops.append(stop["words"])
        assert stop["seen"], f"the focus on '{stop['words']}' is outside the window"
        assert stop["ring"], f"nobody sees the focus on '{stop['words']}'"
        assert not stop["under"], f"the bar covers '{stop['words']}'"
        if stop["words"] == words:
            return
    raise AssertionError(f"Tab never came to '{words}', but to {stops}")


def press(page: Page, words: str, key: str = "Enter") -> None:
    """Tab to a link or button and press it."""
    tab_to(page, words)
    page.keyboard.press(key)


def type_in(page: Page, words: str, text: str) -> None:
    """Tab to a field, where the browser selects the text, and type over it."""
    tab_to(page, words)
    page.keyboard.type(text)
