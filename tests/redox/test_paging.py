"""Paging: with any directory it ends within its cap and loses nothing that it received."""

import hashlib
import json
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox import paging
from organizations.redox.paging import FIRST_LIMIT, End, Position, Step, after_cut_off, after_page, after_unreadable

MOST_PAGES = 20
LARGEST_ANSWER = 20
"""How many entries fit into an answer of a directory whose answers are too large."""


START = Position()


def fingerprint(entries):
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


def after(position=START, *, received=FIRST_LIMIT, total=None, of="page", **values):
    values = {"most_pages": MOST_PAGES} | values
    return after_page(
        position, received=received, distinct=received, total=total, fingerprint=fingerprint(of), **values
    )


def test_a_search_begins_with_a_hundred():
    assert (Position().index, Position().limit) == (0, 100)


@pytest.mark.parametrize("received", [100, 101, 250])
def test_after_a_full_page_the_search_continues_behind_it(received):
    step = after(received=received, total=received)
    assert (step.end, step.is_whole) == (None, False)
    assert (step.position.index, step.position.received, step.position.pages) == (received, received, 1)


@pytest.mark.parametrize(
    ("received", "total", "end", "is_whole"),
    [
        (99, None, End.SHORT_PAGE, True),
        (99, 0, End.SHORT_PAGE, True),
        (99, 99, End.SHORT_PAGE, True),
        (99, 100, None, False),
        (1, 2, None, False),
        (0, None, End.EMPTY_PAGE, True),
        (0, 0, End.EMPTY_PAGE, True),
        (0, 1, End.EMPTY_PAGE, False),
    ],
)
def test_a_page_that_is_not_full_is_the_last_unless_the_total_is_larger(received, total, end, is_whole):
    assert after(received=received, total=total)[1:] == (end, is_whole)


@pytest.mark.parametrize(
    ("received", "total", "end"),
    [(20, None, None), (20, 20, None), (20, 0, None), (20, 120, End.SHORT_PAGE), (0, None, End.EMPTY_PAGE)],
)
def test_a_page_that_is_not_full_does_not_prove_the_end_if_the_directory_may_have_a_smaller_limit(received, total, end):
    later = replace(after().position, limit=FIRST_LIMIT)
    step = after(later, received=received, total=total, of="later", trusts_short_page=False)
    assert (step.end, step.is_whole) == (end, end is not None)


def test_a_total_that_counts_only_the_page_ends_the_search_at_a_later_page():
    later = after().position
    assert after(later, received=40, total=40, of="later") == Step(
        Position(index=140, pages=2, received=140, fingerprint=fingerprint("later")), End.SHORT_PAGE, is_whole=True
    )


def test_a_page_equal_to_the_last_one_ends_the_search_incomplete():
    assert after(after().position)[1:] == (End.REPEATED_PAGE, False)


def test_the_cap_ends_a_search_that_could_continue():
    first = after(most_pages=2)
    assert first.end is None
    second = after(first.position, of="second", most_pages=2)
    assert (second.end, second.is_whole, second.position.index) == (End.MOST_PAGES, False, 200)


def test_after_an_answer_that_was_cut_off_the_limit_is_halved_down_to_one():
    limits, step = [], Step(Position(index=300, pages=3, received=300))
    while step.end is None:
        assert (step.position.index, step.position.pages) == (300, 3)
        limits.append(step.position.limit)
        step = after_cut_off(step.position)
    assert (limits, step.end, step.position.index) == ([100, 50, 25, 12, 6, 3, 1], End.UNREADABLE, 300)


def test_an_unreadable_answer_ends_the_search_at_its_position():
    position = Position(index=100, pages=1, received=100)
    assert after_unreadable(position) == (position, End.UNREADABLE, False)


positions = st.builds(
    Position,
    index=st.integers(0, 10**8),
    limit=st.integers(1, FIRST_LIMIT),
    pages=st.integers(0, 10**8),
    received=st.integers(0, 10**8),
    fingerprint=st.sampled_from(["", fingerprint("page")]),
)


@given(positions)
def test_a_position_survives_json(position):
    assert Position.from_json(json.loads(json.dumps(position.to_json()))) == position


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1},
        {"index": True},
        {"index": 1.0},
        {"index": "1"},
        {"index": 10**8 + 1},
        {"pages": 10**8 + 1},
        {"received": 10**8 + 1},
        {"limit": 0},
        {"limit": 101},
        {"fingerprint": None},
        {"fingerprint": "a" * 63},
        {"fingerprint": "A" * 64},
        {"fingerprint": "a" * 64 + "\n"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_position_with_an_invalid_value_is_refused(change):
    with pytest.raises(ValueError, match=r"."):
        Position.from_json(Position().to_json() | change)


@pytest.mark.parametrize("data", [None, [], {}, "index", {"index": 1}], ids=str)
def test_other_json_is_not_a_position(data):
    with pytest.raises(ValueError, match="not a position"):
        Position.from_json(data)


@dataclass
class StrangeDirectory:
    """A directory of OIDs that misbehaves. It records what it delivered."""

    oids: list[str]
    shift: list[int]
    """How many entries each answer begins too early or too late, so that it repeats or skips entries."""
    totals: list[int | None]
    most: int
    ignores_index: bool
    never_ends: bool
    too_large: bool
    times: int = 1
    """How many times an answer shows each entry."""
    answers: int = 0
    delivered: list[str] = field(default_factory=list)

    def query(self, index, limit):
        """The entries and the total, or None if the answer is cut off."""
        number, self.answers = self.answers, self.answers + 1
        begin = max(0, index + self.shift[number % len(self.shift)]) * (not self.ignores_index)
        size = min(limit, self.most)
        if self.too_large and size > LARGEST_ANSWER:
            return None
        entries = [f"2.999.{begin + place}" for place in range(size)] if self.never_ends else self.oids[begin:][:size]
        entries = [entry for entry in entries for _ in range(self.times)]
        self.delivered += entries
        return entries, self.totals[number % len(self.totals)]


directories = st.builds(
    StrangeDirectory,
    oids=st.integers(0, 700).map(lambda size: [f"1.2.{number}" for number in range(size)]),
    shift=st.lists(st.integers(-40, 40), min_size=1, max_size=4) | st.just([0]),
    totals=st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=4) | st.just([None]),
    most=st.sampled_from([1, 30, 100, 350]),
    ignores_index=st.booleans(),
    never_ends=st.booleans(),
    too_large=st.booleans(),
    times=st.integers(1, 3),
)


def walk(directory, **values):
    """Each OID that a search returns, in order, and the last step."""
    given_oids, seen, step = [], set(), Step(Position())
    while step.end is None:
        answer = directory.query(step.position.index, step.position.limit)
        if answer is None:
            step = after_cut_off(step.position)
            continue
        entries, total = answer
        new = [oid for oid in dict.fromkeys(entries) if oid not in seen]
        given_oids += new
        seen.update(new)
        step = after_page(
            step.position,
            received=len(entries),
            distinct=len(set(entries)),
            total=total,
            fingerprint=fingerprint(entries),
            most_pages=MOST_PAGES,
            **values,
        )
    return given_oids, step


@given(directories)
def test_a_search_of_any_directory_ends_within_its_cap_and_loses_nothing_received(directory):
    oids, step = walk(directory)
    assert step.position.pages <= MOST_PAGES
    assert directory.answers <= MOST_PAGES + len("7421531")
    assert len(oids) == len(set(oids))
    assert set(oids) == set(directory.delivered)
    assert step.position.received == len(directory.delivered)


@given(st.integers(0, MOST_PAGES * 12 - 1), st.booleans(), st.booleans())
def test_a_search_of_a_directory_without_errors_is_complete(size, too_large, has_total):
    oids = [f"1.2.{number}" for number in range(size)]
    directory = StrangeDirectory(oids, [0], [size if has_total else None], 100, False, False, too_large)
    found, step = walk(directory)
    assert (found, step.is_whole) == (oids, True)


@given(st.integers(0, 300), st.sampled_from([20, 30, 100]), st.booleans())
def test_a_directory_with_a_smaller_limit_is_read_to_its_end(size, most, has_total):
    oids = [f"1.2.{number}" for number in range(size)]
    directory = StrangeDirectory(oids, [0], [size if has_total else None], most, False, False, False)
    found, step = walk(directory, trusts_short_page=False)
    assert (found, step.is_whole) == (oids, True)


@given(st.integers(0, 700), st.booleans())
def test_a_directory_that_shows_each_organization_twice_is_read_to_its_end(size, trusts_short_page):
    oids = [f"1.2.{number}" for number in range(size)]
    directory = StrangeDirectory(oids, [0], [None], 100, False, False, False, times=2)
    found, step = walk(directory, trusts_short_page=trusts_short_page)
    assert (found, step.is_whole) == (oids, True)


def test_a_search_of_a_directory_without_end_stops_at_the_cap():
    directory = StrangeDirectory([], [0], [None], 100, False, True, False)
    oids, step = walk(directory)
    assert (len(oids), step.end) == (MOST_PAGES * 100, End.MOST_PAGES)


def test_the_stored_words_for_the_ends_do_not_change():
    assert sorted(End) == ["empty_page", "most_pages", "repeated_page", "short_page", "unreadable"]


def test_the_cap_is_larger_than_the_largest_directory():
    assert paging.MOST_PAGES * FIRST_LIMIT >= 100_000
