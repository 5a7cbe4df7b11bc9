"""Times and waits in words."""

import datetime

import pytest

from organizations.services.timing import time_left


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (1, "1 second"), (1.1, "2 seconds"), (119, "119 seconds"), (121, "3 minutes")],
)
def test_a_wait_has_its_number_rounded_up(seconds: float, words: str) -> None:
    assert time_left(datetime.timedelta(seconds=seconds)) == words
