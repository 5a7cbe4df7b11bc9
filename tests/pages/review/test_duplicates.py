"""The sentence about possible duplicates says only what the directory was asked."""

from dataclasses import replace

import pytest

from organizations.models import clock
from organizations.pages.review.duplicates import duplicates_shown
from organizations.services.directory.duplicates import Duplicates, compare
from tests.factories import record

NAME_ONLY = " Only the name was searched: to search for the address, the portal needs a ZIP of the USA."
SAME_ADDRESS = compare(record(), replace(record(), name="Another clinic"))


@pytest.mark.parametrize(
    ("found", "asked_zip", "words"),
    [
        ((), True, "showed no organization with this name or address."),
        ((), False, f"showed no organization with this name.{NAME_ONLY}"),
        ((SAME_ADDRESS,), False, f"showed 1 organization with this name or address.{NAME_ONLY}"),
    ],
)
def test_it_says_only_what_was_asked(found, asked_zip, words):
    duplicates = Duplicates(clock.now(), found, len(found), is_whole=True, causes=(), asked_zip=asked_zip)
    assert duplicates_shown(duplicates).sentence.endswith(f", the directory {words}")
