"""What an acceptance rests on, in words: no evidence is without them, and none is called another."""

import pytest

from organizations.models import Evidence, Intent, Organization, State, Submission, User
from organizations.presentation import evidence
from organizations.presentation.submission import rows
from organizations.services import differences, organizations, submissions
from tests import factories
from tests.factories import acting
from tests.services.sending import fresh
from tests.services.test_differences import differing, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


def again(made: Organization, user: User, intent: Intent = Intent.DEACTIVATE) -> str:
    """What is said after a change of Active was queued and cancelled."""
    submission = factories.submission(made, user=user, intent=intent)
    submissions.cancel(submission.pk, actor=acting(user))
    return evidence.active_again(fresh(made))


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Evidence.ANSWER, "as Redox last accepted it."),
        (Evidence.QUERY, "as it was last accepted, shown by a Query."),
        (Evidence.BOTH, "as it was last accepted, by Redox's answer and a Query."),
        (Evidence.PERSON, "as it was last accepted, by decision of Approver One."),
        (Evidence.EQUIVALENT, "as it was last accepted; a Query showed something equivalent."),
    ],
)
@pytest.mark.parametrize(("intent", "active"), [(Intent.DEACTIVATE, True), (Intent.REACTIVATE, False)])
def test_active_wanted_again_names_its_evidence(
    editor: User, kind: Evidence, says: str, intent: Intent, active: bool
) -> None:
    made = factories.organization(user=editor, active=active)
    submission = factories.submission(made, user=editor)
    Submission.objects.filter(pk=submission.pk).update(decided_by="Approver One")
    made = factories.confirmed(made, submission=submission, evidence=kind)
    assert again(made, editor, intent) == f"Active of the record is wanted {str(active).lower()} again, {says}"


def test_active_wanted_again_may_be_taken_from_the_directory(editor: User) -> None:
    made = differing(editor, active=False)
    made = differences.take_theirs(made.pk, made.version, reason="Closed", actor=acting(editor))
    said = again(made, editor, Intent.REACTIVATE)
    assert said == "Active of the record is wanted false again, as it was taken from the directory."


def test_active_wanted_again_of_a_claimed_record_is_what_the_directory_showed(editor: User) -> None:
    made = factories.organization(user=editor)
    read(made, made.record())
    differences.claim(made.pk, reason="Ours", actor=acting(editor))
    assert again(made, editor) == "Active of the record is wanted true again, as the directory showed it."


def test_active_wanted_again_of_a_stated_record_has_no_evidence(editor: User) -> None:
    made = factories.organization(user=editor)
    organizations.state_registered(made.pk, reason="By curl", actor=acting(editor))
    assert again(made, editor) == "Active of the record is wanted true again."


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
    assert [row.word.word for row in rows([submission])] == [word]
    assert evidence.state_word(submission).key == values["state"]
