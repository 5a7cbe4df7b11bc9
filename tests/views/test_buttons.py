"""What no button is called: the words say what happens, and to which environment."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.utils.html import strip_tags

from tests.views.test_matrix import TABLE, Places, client_of

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
NEVER = re.compile(r"\b(submit|ok|resend|retry|sync|push|delete|publish)\b", re.IGNORECASE)
# A button by its element, by its look, or as the text that a template hands to a component.
_WRITTEN = (
    re.compile(r"<button\b[^>]*>(.*?)</button>", re.DOTALL),
    re.compile(r'<a class="btn\b[^>]*>(.*?)</a>', re.DOTALL),
    re.compile(r'<input\b(?=[^>]*type="submit")[^>]*\bvalue="([^"]*)"'),
    re.compile(r'\b(?:label|step|other_step|aria-label)="([^"]*)"'),
)
_TAGS = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


def buttons(page: str) -> list[str]:
    """The words of everything that acts on a page."""
    found = (text for written in _WRITTEN for text in written.findall(page))
    return [" ".join(unescape(strip_tags(text)).split()) for text in found]


def test_the_words_are_found_wherever_a_button_has_them():
    page = """<button class="btn" type="submit"><svg></svg> Retry</button><a class="btn btn-sm" href="/">OK</a>
      <input type="submit" name="_save" value="Delete"><input value="Publish" type="submit">
      {% include "x" with label="Sync" %}<button aria-label="Push"></button>"""
    found = {text for text in buttons(page) if NEVER.search(text)}
    assert found == {"Retry", "OK", "Delete", "Publish", "Sync", "Push"}


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_names_a_button_so(path):
    written = path.read_text(encoding="utf-8")
    found = buttons(written) + buttons(_TAGS.sub("", written))
    assert [text for text in found if NEVER.search(text)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.get and row.get.status == 200])
def test_no_page_shows_a_button_so(editor, name):
    client: Client = client_of("administrator" if name.startswith("person") else "approver")
    address = Places(editor).address(name)
    response = client.get(address)
    if response.streaming or "text/html" not in response["Content-Type"]:
        return
    assert [text for text in buttons(response.content.decode()) if NEVER.search(text)] == []
