"""The content security policy is active, and a window reports what it blocked. Other tests rely on both."""

from . import window
from .conftest import PageAs

# What missing escaping could put into a page.
INTRUDERS = {
    "a script in the page": "const it = document.createElement('script'); it.text = 'document.title = 1';",
    "a script of another host": "const it = document.createElement('script'); it.src = 'https://example.org/a.js';",
    "a style in the page": "const it = document.createElement('style'); it.textContent = '* { color: red }';",
    "a picture of another host": "const it = document.createElement('img'); it.src = 'https://example.org/a.png';",
}


def test_foreign_content_is_blocked_and_reported(
    transactional_db: None, page_as: PageAs, faults: window.Faults
) -> None:
    page = page_as("viewer")
    page.goto("/help/")
    title = page.title()
    for intruder, script in INTRUDERS.items():
        assert faults.errors == []
        with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
            page.evaluate(f"() => {{ {script} document.body.append(it); }}")
        assert any("Content Security Policy" in fault for fault in faults.errors), intruder
        faults.errors.clear()
    assert page.title() == title
