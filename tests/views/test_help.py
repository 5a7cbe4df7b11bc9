"""The help page: a short list of words, each explained once, and no broken links."""

import re

import pytest

from organizations.pages import help as help_page
from organizations.text import vocabulary
from organizations.text.glossary import GLOSSARY
from tests.page_text import html_of_page


@pytest.fixture(scope="module")
def page() -> str:
    return html_of_page(help_page.build())


def test_each_linked_word_has_exactly_one_anchor(page):
    anchors = re.findall(r'\bid="([^"]+)"', page)
    tables = (
        vocabulary.STANDING,
        vocabulary.OPEN_WORK,
        vocabulary.SUBMISSION_STATE,
        vocabulary.PLAN_STATE,
        vocabulary.ATTEMPT,
        vocabulary.ENVIRONMENT_STATE,
    )
    links = {word.help_anchor for table in tables for word in table.values()} - {""}
    assert {*GLOSSARY, "unknown"} >= links >= {"accepted", "unknown", "needs_person"}
    assert links <= set(anchors)
    assert len(anchors) == len(set(anchors))


def test_one_table_explains_at_most_twenty_words(page):
    (table,) = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert table.count("<tr id=") == len(GLOSSARY) <= 20


def test_each_link_on_the_page_has_its_anchor(page):
    anchors = set(re.findall(r'\bid="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors


def test_the_first_record_takes_seven_steps(page):
    steps = page[page.index('class="steps"') : page.index("</ol>", page.index('class="steps"'))]
    assert steps.count("<li>") == 7


def test_nothing_on_the_page_needs_an_inline_style_or_script(page):
    assert "style=" not in page
    assert re.search(r"<script(?![^>]*\bsrc=)", page) is None
