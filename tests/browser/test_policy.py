"""The content security policy is in force, and a window tells what it stopped: other tests rely on both."""

from . import window
from .conftest import PageAs

# What a fault of escaping could put into a page.
INTRUDERS = {
    "a script in the page": "const it = document.createElement('script'); it.text = 'document.title = 1';",
    "a script of another host": "const it = document.createElement('script'); it.src = 'https://example.org/a.js';",
    "a style in the page": "const it = document.createElement('style'); it.textContent = '* { color: red }';",
    "a picture of another host": "const it = document.createElement('img'); it.src = 'https://example.org/a.png';",
}


def test_what_does_not_belong_to_the_page_is_stopped_and_told(
    transactional_db: None, page_as: PageAs, faults: window.Faults
) -> None:
    page = page_as("viewer")
    page.goto("/help/")
    title = page.title()
    for intruder, script in INTRUDERS.items():
        assert faults.found == []
        with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
            page.evaluate(f"() => {{ {script} document.body.append(it); }}")
        assert any("Content Security Policy" in fault for fault in faults.found), intruder
        faults.found.clear()
    assert page.title() == title
