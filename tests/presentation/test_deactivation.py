"""The page before a record is deactivated: on what it is called deactivated already, and where its values are from."""

from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from organizations.models import Evidence, Intent, Organization, Submission, User
from organizations.presentation.deactivation import Deactivation, deactivation
from organizations.services import differences, reviews
from tests import factories
from tests.factories import acting
from tests.services.sending import fresh
from tests.services.test_differences import differing, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


def page(made: Organization, intent: Intent = Intent.DEACTIVATE) -> Deactivation:
    return deactivation(reviews.review(fresh(made), intent=intent))


def deactivated(user: User, evidence: Evidence = Evidence.ANSWER) -> tuple[Organization, Submission]:
    """An accepted record, of which a deactivation was accepted by this evidence."""
    made = factories.confirmed(factories.organization(user=user))
    submission = factories.submission(made, user=user, intent=Intent.DEACTIVATE, reason="Lease ended")
    Submission.objects.filter(pk=submission.pk).update(decided_by="Approver One", state_reason="Phoned them.")
    return factories.confirmed(made, submission=submission, evidence=evidence, active=False), submission


@pytest.mark.parametrize(
    ("evidence", "says"),
    [
        (Evidence.ANSWER, "Redox accepted submission {n}, "),
        (Evidence.QUERY, "A Query showed what submission {n} sent, "),
        (Evidence.BOTH, "Redox's answer and a Query accept submission {n}, "),
        (Evidence.PERSON, "Approver One decided that submission {n} arrived, "),
        (Evidence.EQUIVALENT, "A Query showed something equivalent to submission {n}, "),
    ],
)
def test_it_names_the_evidence_of_the_deactivation(editor: User, evidence: Evidence, says: str) -> None:
    made, submission = deactivated(editor, evidence)
    shown = page(made)
    said = strip_tags(shown.done)
    assert shown.is_done
    assert said.startswith("Deactivated ")
    assert " by Editor One: Lease ended. " in said
    assert says.format(n=submission.pk) in said
    assert page(made, Intent.REACTIVATE).done == ""


def test_a_later_update_is_not_taken_for_the_deactivation(editor: User) -> None:
    made, submission = deactivated(editor)
    update = factories.submission(made, user=editor, reason="New name")
    made = factories.confirmed(made, submission=update, active=False)
    said = strip_tags(page(made).done)
    assert " by Editor One: Lease ended. " in said
    assert f"Redox accepted submission {submission.pk}, " in said


def test_active_taken_from_the_directory_is_not_called_accepted(editor: User) -> None:
    made = differing(editor, active=False)
    differences.take_theirs(made.pk, made.version, reason="Closed", actor=acting(editor))
    shown = page(made)
    assert shown.is_done
    assert shown.done.startswith("Taken from the directory, asked ")


def test_a_deactivation_before_a_reactivation_is_not_the_evidence(editor: User) -> None:
    made, _ = deactivated(editor)
    again = factories.submission(made, user=editor, intent=Intent.REACTIVATE)
    made = factories.confirmed(made, submission=again, active=True)
    update = factories.submission(made, user=editor)
    made = factories.confirmed(made, submission=update, active=False)
    assert strip_tags(page(made).done).startswith(f"Redox accepted submission {update.pk}, ")


def test_saved_changes_of_a_claimed_record_are_named_as_not_sent(editor: User) -> None:
    made = factories.organization(user=editor)
    read(made, replace(made.record(), name="By hand"))
    differences.claim(made.pk, reason="Registered with curl", actor=acting(editor))
    shown = page(made)
    assert shown.name == "By hand"
    assert shown.not_sent == ("Name",)
