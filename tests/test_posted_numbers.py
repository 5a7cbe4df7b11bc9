"""The reader of numbers that an address or a posted form names."""

import pytest

from organizations.posted_numbers import read_number, read_numbers


@pytest.mark.parametrize(("text", "number"), [("17", 17), ("007", 7), ("0", 0), ("9" * 18, 10**18 - 1)])
def test_digits_are_a_number(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "x", "-1", "+1", " 1", "1.5", "1e3", "1_0", "²", "٣", "\uff11", "1\x00", "1 OR 1=1", "9" * 19, "9" * 5000],
)
def test_text_that_is_not_a_number_is_zero(text):
    assert read_number(text) == 0


def test_texts_that_are_not_numbers_are_left_out():
    assert read_numbers(["3", "x", "0", "", "1", "3"]) == (3, 1, 3)
