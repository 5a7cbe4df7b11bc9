"""The part of a text that is marked as a search hit."""

import pytest

from organizations.queries.matches import marked
from organizations.services import search_text


@pytest.mark.parametrize(
    ("text", "typed", "hit"),
    [
        ("Clínica Peñón", "penon", "Peñón"),
        ("St. Mary's Hospital", "mary’s", "Mary's"),
        ("Straße 1", "STRASSE", "Straße"),
        ("Site LSC–014", "lsc-014", "LSC–014"),
        ("Old Harbor, Harbor", "harbor", "Harbor"),
        ("2.16.840.1", "840.1.", "840.1"),
        ("Clínica", "penon", ""),
    ],
)
def test_a_hit_is_marked_in_its_original_spelling(text, typed, hit):
    (word,) = search_text.query_words(typed)
    match = marked("Name", text, word)
    assert match.hit == hit
    assert match.before + match.hit + match.after == text


def test_the_first_hit_is_marked():
    assert marked("Name", "Old Harbor, Harbor", "harbor").before == "Old "
