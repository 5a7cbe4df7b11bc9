"""The words that pages, exports and the history share."""

import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.models.submission import State
from organizations.text import vocabulary

STATIC = Path(__file__).resolve().parents[2] / "static"
CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime.datetime(2027, 5, 9, 14, 3, 22, tzinfo=CHICAGO)
TABLES = [
    vocabulary.STANDING,
    vocabulary.OPEN_WORK,
    vocabulary.SUBMISSION_STATE,
    vocabulary.PLAN_STATE,
    vocabulary.ATTEMPT,
    vocabulary.ENVIRONMENT_STATE,
]


WORDS = [word for table in TABLES for word in table.values()]


def test_every_state_of_a_submission_has_a_word():
    assert set(vocabulary.SUBMISSION_STATE) == set(State.values)


def test_every_directory_status_names_its_evidence():
    assert set(vocabulary.STANDING) < set(vocabulary.STANDING_BASIS)


def test_every_word_has_an_icon_of_the_sprite_and_a_tone_of_the_stylesheet():
    sprite, stylesheet = (STATIC / "icons.svg").read_text(), (STATIC / "portal.css").read_text()
    assert [word.key for word in WORDS if f'<symbol id="i-{word.icon}"' not in sprite] == []
    assert [word.key for word in WORDS if f".{word.tone} {{" not in stylesheet] == []


def test_a_sentence_counts_in_singular_and_plural():
    word = vocabulary.OPEN_WORK["changes_not_sent"]
    assert word.say(k=1) == "1 field is saved here and not sent."
    assert word.say(k=2) == "2 fields are saved here and not sent."


def test_filled_in_text_is_not_read_as_a_placeholder():
    assert vocabulary.STANDING["stated"].say(person="{time}").startswith("{time} stated that")


def test_a_sentence_with_a_missing_value_raises():
    with pytest.raises(KeyError):
        vocabulary.SUBMISSION_STATE["accepted"].say()


def test_counts_have_their_noun():
    assert vocabulary.count(1, "child", "children") == "1 child"
    assert vocabulary.count(2, "child", "children") == "2 children"
    assert vocabulary.count(48_213, "entry", "entries") == "48,213 entries"
    assert vocabulary.count(0, "field") == "0 fields"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (26 * 60 + 59, "26 minutes"),
        (3600, "1 hour"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (412 * 86_400, "412 days"),
    ],
)
def test_an_age_has_its_largest_whole_unit(seconds, text):
    assert vocabulary.age_text(datetime.timedelta(seconds=seconds)) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_an_age_is_rounded_down_to_whole_units(seconds):
    number, unit = vocabulary.age_text(datetime.timedelta(seconds=seconds)).replace(",", "").split()
    length = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}[unit.removesuffix("s")]
    assert int(number) * length <= seconds < (int(number) + 1) * length


@pytest.mark.parametrize(
    ("form", "text"),
    [("moment", "May 3, 09:05 CDT"), ("seconds", "May 3, 09:05:07 CDT"), ("day", "May 3"), ("clock", "May 3, 09:05")],
)
def test_a_time_has_four_forms(form, text):
    assert vocabulary.moment_text(datetime.datetime(2027, 5, 3, 9, 5, 7, tzinfo=CHICAGO), NOW, form) == text


def test_a_time_today_has_no_date():
    assert vocabulary.moment_text(NOW, NOW, "clock") == "14:03"


def test_a_time_that_a_person_waits_for_has_seconds():
    soon = NOW + datetime.timedelta(seconds=20)
    assert vocabulary.moment_text(soon, NOW, "clock") == f"{soon:%H:%M:%S}"
    assert vocabulary.moment_text(NOW + datetime.timedelta(minutes=3), NOW, "clock") == "14:06"
    assert vocabulary.moment_text(NOW, soon, "clock") == "14:03"


def test_another_year_is_shown():
    new_year = datetime.datetime(2028, 1, 1, 0, 30, tzinfo=CHICAGO)
    assert vocabulary.moment_text(NOW, new_year) == "May 9, 2027, 14:03 CDT"
    assert vocabulary.moment_text(NOW, new_year, "day") == "May 9, 2027"


def test_the_current_year_is_that_of_the_time_zone():
    # The first time is in the new year in Chicago and in UTC. An hour before, only UTC is in the new year.
    before = datetime.datetime(2027, 12, 31, 23, 30, tzinfo=CHICAGO)
    assert vocabulary.moment_text(before, before.astimezone(datetime.UTC)) == "Dec 31, 23:30 CST"
