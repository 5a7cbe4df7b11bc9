"""The help page: every word of the portal is explained once, and every link to it arrives."""

import re
from html import unescape

import pytest

from organizations.pages import help as help_page
from organizations.pages.help import FAMILIES
from organizations.text import vocabulary
from tests.page_text import html_of_page


@pytest.fixture(scope="module")
def page() -> str:
    return html_of_page(help_page.build())


def test_each_word_that_a_sentence_links_to_has_its_anchor_once(page):
    anchors = re.findall(r'\bid="([^"]+)"', page)
    keys = {key for _, family in FAMILIES for key in family}
    assert keys <= set(anchors)
    assert len(anchors) == len(set(anchors))


def test_the_page_links_only_to_what_is_on_it(page):
    anchors = set(re.findall(r'\bid="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors


def test_every_family_of_words_is_on_the_page(page):
    tables = (
        vocabulary.STANDING,
        vocabulary.OPEN_WORK,
        vocabulary.SUBMISSION_STATE,
        vocabulary.ATTEMPT,
        vocabulary.ENVIRONMENT_STATE,
    )
    assert [family for _, family in FAMILIES if family not in tables] == [vocabulary.PLAN_STATE]
    for _, family in FAMILIES:
        for word in family.values():
            assert word.example in unescape(page)


def test_the_first_record_takes_seven_steps(page):
    steps = page[page.index('class="steps"') : page.index("</ol>", page.index('class="steps"'))]
    assert steps.count("<li>") == 7


def test_nothing_on_the_page_needs_an_inline_style_or_script(page):
    assert "style=" not in page
    assert re.search(r"<script(?![^>]*\bsrc=)", page) is None
