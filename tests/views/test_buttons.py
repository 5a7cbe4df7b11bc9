"""No template has a forbidden word on a button. `test_matrix.py` checks the rendered pages."""

import re
from pathlib import Path

from tests.views.buttons import forbidden_labels

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_TAGS = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


def test_forbidden_words_are_found_in_each_kind_of_label():
    page = """<button class="btn" type="submit"><svg></svg> Retry</button><a class="btn btn-sm" href="/">OK</a>
      <input type="submit" name="_save" value="Delete"><input value="Publish" type="submit">
      {% include "x" with label="Sync" %}<button aria-label="Push"></button><button>Send to STAGING</button>"""
    assert set(forbidden_labels(page)) == {"Retry", "OK", "Delete", "Publish", "Sync", "Push"}


def test_no_template_has_a_forbidden_label():
    templates = {path: path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")}
    labels = {path: forbidden_labels(text) + forbidden_labels(_TAGS.sub("", text)) for path, text in templates.items()}
    assert len(labels) > 100
    assert {path: words for path, words in labels.items() if words} == {}
