"""Short histories in which the portal once said more than it knew, each with the kinds of claims that were wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from organizations.models import Evidence, Intent, State, Submission
from organizations.services import asking
from organizations.services.deciding import Verdict
from tests.factories import acting
from tests.faults.world import Way
from tests.truth import histories
from tests.truth.histories import SETTLE, Base, start_accepted, start_occupied, start_taken_over
from tests.truth.history import History
from tests.truth.steps import (
    Ask,
    AskAboutRecord,
    Change,
    Decide,
    Edit,
    Meddle,
    Meddling,
    Send,
    Step,
    Wait,
    decide,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.slow]

SETTLED = Wait(SETTLE + 1)


@pytest.fixture
def accepted(db: None, tmp_path: Path) -> Iterator[Base]:
    with histories.base(tmp_path, start_accepted) as run:
        yield run


@contextmanager
def started(folder: Path, start: object) -> Iterator[Base]:
    with histories.base(folder, start) as run:  # type: ignore[arg-type]
        yield run


def check(run: Base, *steps: Step) -> None:
    run.run(steps).check()


class _Decide(Step):
    """The approver asks and decides so, whatever the portal proposes."""

    def __init__(self, *verdicts: str) -> None:
        self._verdicts = verdicts

    def __str__(self) -> str:
        return f"the approver decides: {self._verdicts[0]}"

    def do(self, history: History) -> None:
        submission = history.last_submission(State.NEEDS_PERSON)
        assert submission is not None
        asking.ask_about(submission, actor=acting(history.people[2]))
        verdict = next(each for each in Verdict if each.value in self._verdicts)
        decide(history, submission, verdict)


@pytest.mark.parametrize("change", [Change.ZIP_FOUR, Change.ALIASES])
def test_a_change_that_no_query_can_prove_is_not_accepted_by_one(accepted: Base, change: Change) -> None:
    """Case A1: the Update was not applied; the directory shows the old value, which means the same."""
    steps = [Edit(0, "child", change), Send("child", way=Way.NOT_APPLIED_504), SETTLED]
    check(accepted, *steps)
    with accepted.begun() as history:
        for step in steps:
            step.do(history)
        assert Submission.objects.latest("pk").evidence in ("", Evidence.ANSWER)


@pytest.mark.parametrize("change", [Change.NAME, Change.ZIP_FOUR])
@pytest.mark.parametrize("way", [Way.APPLIED_504, Way.NOT_APPLIED_504])
def test_what_is_proposed_to_a_person_is_no_guess(accepted: Base, change: Change, way: Way) -> None:
    """Case A1 where no Query is answered for a day: the portal proposes what became of the message."""
    a_day = Wait(25 * 3600, showing=None)
    check(accepted, Edit(0, "child", change), Send("child", way=way), a_day, Ask())


@pytest.mark.parametrize("way", [Way.APPLIED_504, Way.BREAKS, Way.LATE])
def test_what_a_query_proved_is_not_called_an_answer_of_redox(accepted: Base, way: Way) -> None:
    """Case A2: the Update was applied and its answer lost; a Query shows it."""
    steps = [Edit(0, "child", Change.STREET), Send("child", way=way), SETTLED]
    check(accepted, *steps)


def test_a_value_seen_in_the_directory_is_not_overwritten_in_silence(accepted: Base) -> None:
    """Case A4: the directory was read after the last acceptance and shows another Name; then the Street is edited."""
    seen = [
        Edit(0, "child", Change.PHONE),
        Send("child", way=Way.NOT_APPLIED_504),
        Meddle("child", Meddling.NAME),
        Ask(),
    ]
    check(accepted, *seen, _end_of_it, Edit(0, "child", Change.STREET))


class _Rejected(Step):
    """After the settle time it goes out again and Redox refuses it; what the directory showed stays known."""

    def __str__(self) -> str:
        return "it goes out again, and Redox refuses it"

    def do(self, history: History) -> None:
        Wait(SETTLE + 1, Way.NO).do(history)


_end_of_it = _Rejected()


def test_nobody_is_named_for_what_came_from_the_directory(db: None, tmp_path: Path) -> None:
    """Case A5: a record that was taken over; its editor says only which destination ID it has."""
    with started(tmp_path, start_taken_over) as run:
        check(run, Edit(0, "child", Change.DESTINATION))


def test_somebody_elses_record_is_not_overwritten_by_one_press(db: None, tmp_path: Path) -> None:
    """Case A6: the OID is another organization's, and a person decided so."""
    with started(tmp_path, start_occupied) as run:
        check(run, Send("child"), _Decide("ours"))


def test_a_success_in_other_words_with_a_query_is_not_called_redoxs_yes_alone(accepted: Base) -> None:
    """Case D4: Redox says yes in words that are not documented; a Query shows the record."""
    steps = [Edit(0, "child", Change.NAME), Send("child", way=Way.OTHER_YES), SETTLED]
    check(accepted, *steps)


@pytest.mark.parametrize("change", [Change.ZIP_FOUR, Change.DESTINATION])
def test_a_new_after_a_refused_update_is_not_proved_by_what_was_there_before(accepted: Base, change: Change) -> None:
    """Redox called the OID of a record that is there not valid; the New that followed was never applied."""
    check(
        accepted,
        Send("child", way=Way.NOT_VALID),
        Edit(0, "child", change),
        Send("child", way=Way.NOT_APPLIED_504),
        SETTLED,
    )


def test_nobody_is_named_for_a_field_that_a_second_registration_repeats(accepted: Base) -> None:
    """Redox called the OID not valid; the New that follows carries what Editor One saved, and Editor Two only sends."""
    check(accepted, Send("child", way=Way.NOT_VALID, person=1), Send("child", person=1))


def test_the_last_word_of_redox_is_that_the_oid_is_not_there(accepted: Base) -> None:
    """A reading showed another value, and then Redox called the OID not valid: no value differs any more."""
    flipped = [Send("child", way=Way.NOT_APPLIED_504), Meddle("child", Meddling.ACTIVE)]
    check(accepted, *flipped, Wait(SETTLE + 1, Way.NOT_VALID))


def test_a_decision_against_what_the_directory_shows_leaves_a_difference(db: None, tmp_path: Path) -> None:
    with started(tmp_path, start_occupied) as run:
        check(run, Send("child", way=Way.LOST), Wait(3600), Decide(0))


def test_a_value_that_an_editor_replaced_needs_no_tick_when_it_is_seen_again(db: None, tmp_path: Path) -> None:
    with started(tmp_path, start_taken_over) as run:
        check(run, Edit(0, "child", Change.PARENT), AskAboutRecord("child"), Edit(1, "child", Change.DESTINATION))


def test_content_from_before_a_deactivation_is_not_visible_yet(accepted: Base) -> None:
    """The directory goes back to what it showed before the last acceptance; nothing else was seen since."""
    check(accepted, Send("child", intent=Intent.DEACTIVATE), Meddle("child", Meddling.ACTIVE), AskAboutRecord("child"))
