"""The letters of a text that are marked because they were searched for."""

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
def test_what_was_found_is_marked_as_it_is_written(text, typed, hit):
    (word,) = search_text.query_words(typed)
    found = marked("Name", text, word)
    assert found.hit == hit
    assert found.before + found.hit + found.after == text


def test_the_first_place_is_marked():
    assert marked("Name", "Old Harbor, Harbor", "harbor").before == "Old "
