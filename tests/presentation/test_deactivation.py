"""The page before a record is deactivated: on what it is called deactivated already, and where its values are from."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from organizations.models import Evidence, Intent, Organization, PlanKind, Submission, User
from organizations.presentation import draft
from organizations.presentation.deactivation import Deactivation, deactivation
from organizations.services import differences, drafts, organizations, reviews
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


def _accepted(user: User) -> Organization:
    return factories.confirmed(factories.organization(user=user))


def _taken(user: User) -> Organization:
    made = differing(user, name="By hand")
    return differences.take_theirs(made.pk, made.version, reason="Seen", actor=acting(user))


def _claimed(user: User) -> Organization:
    made = factories.organization(user=user)
    read(made, made.record())
    return differences.claim(made.pk, reason="Ours", actor=acting(user))


def _stated(user: User) -> Organization:
    made = factories.organization(user=user)
    return organizations.state_registered(made.pk, reason="Sent with curl.", actor=acting(user))


@pytest.mark.parametrize(
    ("arrange", "says", "dated_by"),
    [
        (_accepted, "as it was last accepted", "confirmed_at"),
        (_taken, "as it was last accepted, with what was taken from the directory", "known_at"),
        (_claimed, "with the saved destination ID, and as the directory showed it", "seen_at"),
        (_stated, "as it is saved here, because nothing else is known of it", ""),
    ],
)
def test_it_names_where_the_other_values_come_from(
    editor: User, arrange: Callable[[User], Organization], says: str, dated_by: str
) -> None:
    made = fresh(arrange(editor))
    assert page(made).source == (says, getattr(made, dated_by) if dated_by else None)
    plan = draft.page(drafts.draft(drafts.branch(made, PlanKind.DEACTIVATE), actor=acting(editor)))
    assert plan.sources == says


def test_saved_changes_of_a_claimed_record_are_named_as_not_sent(editor: User) -> None:
    made = factories.organization(user=editor)
    read(made, replace(made.record(), name="By hand"))
    differences.claim(made.pk, reason="Registered with curl", actor=acting(editor))
    shown = page(made)
    assert shown.name == "By hand"
    assert shown.not_sent == ("Name",)
