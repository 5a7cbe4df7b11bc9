"""What an acceptance rests on, in words: no evidence is without them, and none is called another."""

import pytest

from organizations.models import Evidence, Organization, State, Submission, User
from organizations.presentation import evidence
from organizations.presentation.submission import rows
from organizations.services import differences, organizations
from tests import factories
from tests.factories import acting
from tests.services.sending import fresh
from tests.services.test_differences import differing, read

pytestmark = pytest.mark.django_db

AGAIN = {
    Evidence.ANSWER: "as Redox last accepted it.",
    Evidence.QUERY: "as it was last accepted, shown by a Query.",
    Evidence.BOTH: "as it was last accepted, by Redox's answer and a Query.",
    Evidence.PERSON: "as it was last accepted, by decision of Approver One.",
    Evidence.EQUIVALENT: "as it was last accepted; a Query showed something equivalent.",
    Evidence.NONE: "as it was last accepted.",
}


@pytest.mark.parametrize("kind", Evidence)
@pytest.mark.parametrize("active", [True, False])
def test_active_wanted_again_names_its_evidence(kind: Evidence, active: bool) -> None:
    submission = Submission(decided_by="Approver One")
    made = Organization(
        active=active, confirmed_active=active, confirmed_evidence=kind, confirmed_submission=submission
    )
    said = evidence.active_again(made)
    assert said == f"Active of the record is wanted {str(active).lower()} again, {AGAIN[kind]}"
    made.confirmed_active = not active
    assert evidence.active_again(made) == f"Active of the record is wanted {str(active).lower()} again."


def test_active_wanted_again_may_be_taken_from_the_directory(editor: User) -> None:
    made = differing(editor, active=False)
    made = differences.take_theirs(made.pk, made.version, reason="Closed", actor=acting(editor))
    said = evidence.active_again(fresh(made))
    assert said == "Active of the record is wanted false again, as it was taken from the directory."


def test_active_wanted_again_of_a_claimed_record_is_what_the_directory_showed(editor: User) -> None:
    made = factories.organization(user=editor)
    read(made, made.record())
    differences.claim(made.pk, reason="Ours", actor=acting(editor))
    said = evidence.active_again(fresh(made))
    assert said == "Active of the record is wanted true again, as the directory showed it."


def test_active_wanted_again_of_a_stated_record_has_no_evidence(editor: User) -> None:
    made = factories.organization(user=editor)
    organizations.state_registered(made.pk, reason="By curl", actor=acting(editor))
    assert evidence.active_again(fresh(made)) == "Active of the record is wanted true again."


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"state": State.ACCEPTED, "evidence": Evidence.ANSWER}, "Accepted by Redox"),
        ({"state": State.ACCEPTED, "evidence": Evidence.QUERY}, "Accepted, shown by a Query"),
        ({"state": State.ACCEPTED, "evidence": Evidence.BOTH}, "Accepted by Redox and a Query"),
        ({"state": State.ACCEPTED, "evidence": Evidence.PERSON}, "Accepted by decision"),
        ({"state": State.ACCEPTED, "evidence": Evidence.EQUIVALENT}, "Accepted, a Query showed an equivalent"),
        ({"state": State.REJECTED}, "Rejected by Redox"),
        ({"state": State.REJECTED, "decided_by": "Approver One"}, "Rejected by decision"),
        ({"state": State.QUEUED}, "Queued"),
    ],
)
def test_a_list_names_who_accepted_or_rejected(values: dict[str, str], word: str) -> None:
    submission = Submission(pk=7, **values)
    assert evidence.state_word(submission).word == word
    assert evidence.state_word(submission).key == values["state"]


def test_the_rows_of_a_list_have_the_word() -> None:
    accepted = Submission(pk=7, state=State.ACCEPTED, evidence=Evidence.QUERY)
    assert [row.word.word for row in rows([accepted])] == ["Accepted, shown by a Query"]
