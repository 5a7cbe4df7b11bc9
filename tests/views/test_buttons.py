"""What no button is called, in the templates; `test_matrix.py` looks at each page as it comes."""

import re
from pathlib import Path

from tests.views.buttons import forbidden

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_TAGS = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


def test_the_words_are_found_wherever_a_button_has_them():
    page = """<button class="btn" type="submit"><svg></svg> Retry</button><a class="btn btn-sm" href="/">OK</a>
      <input type="submit" name="_save" value="Delete"><input value="Publish" type="submit">
      {% include "x" with label="Sync" %}<button aria-label="Push"></button><button>Send to STAGING</button>"""
    assert set(forbidden(page)) == {"Retry", "OK", "Delete", "Publish", "Sync", "Push"}


def test_no_template_has_these_button_names():
    written = {path: path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")}
    found = {path: forbidden(text) + forbidden(_TAGS.sub("", text)) for path, text in written.items()}
    assert len(found) > 100
    assert {path: words for path, words in found.items() if words} == {}
