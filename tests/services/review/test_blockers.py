"""What the portal says if there is nothing to deactivate or reactivate: only what is known now."""

import pytest

from organizations.models import Intent, Organization, Presence, User
from organizations.pages.review.message import obstacle
from organizations.redox.outcome import ABSENT, Kind
from organizations.services.directory import differences
from organizations.services.records import organizations
from organizations.services.review import reviews
from organizations.services.review.blockers import Block
from tests import factories
from tests.factories import BASE, acting
from tests.services.sending import answered, edit, fresh, read

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SAID = (Block.ALREADY_SO, Block.ONLY_SHOWN, Block.NOTHING_TO_DEACTIVATE)


def claimed(user: User, *, active: bool) -> Organization:
    """A record that was never accepted but found to be ours. The directory shows it with this Active."""
    made = factories.organization(user=user)
    read(made, factories.record(active=active))
    return differences.claim(made.pk, reason="Registered with curl", actor=acting(user))


def sentence(made: Organization, intent: Intent) -> str:
    """The blockers, without the general one about presence."""
    blockers = reviews.review(fresh(made), intent=intent).blockers
    (said,) = [each.sentence for each in blockers if each.kind in SAID]
    return said


def test_a_reactivated_record_is_said_to_be_active(editor: User) -> None:
    made = factories.accepted(user=editor)
    for intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        factories.submission(made, user=editor, intent=intent)
        answered()
    assert sentence(made, Intent.REACTIVATE) == "This record is already active. There is nothing to reactivate."


def test_what_redox_calls_not_valid_is_said_to_be_absent_by_that_answer(editor: User) -> None:
    made = edit(factories.accepted(user=editor), editor, name="Lakeside North")
    submission = factories.submission(made, user=editor)
    answered(Kind.REJECTED, known="is_not_valid", presence=ABSENT)
    made = fresh(submission.organization)
    assert made.presence == Presence.ABSENT
    assert sentence(made, Intent.DEACTIVATE) == (
        f'There is nothing to deactivate: Redox answered submission {submission.pk} that this OID "is not valid",'
        " so it is not in the directory."
    )
    assert sentence(made, Intent.REACTIVATE).startswith("This record is not in the directory.")


def test_what_a_query_did_not_show_is_said_to_be_absent_by_it(editor: User) -> None:
    made = factories.confirmed(factories.organization(user=editor))
    Organization.objects.filter(pk=made.pk).update(presence=Presence.ABSENT)
    assert sentence(made, Intent.DEACTIVATE) == (
        "There is nothing to deactivate: a Query did not show this OID in the directory."
    )


@pytest.mark.parametrize(
    ("presence", "said"),
    [
        (Presence.NEVER, "There is nothing to deactivate: Redox has accepted no message of this record with this OID."),
        (Presence.UNKNOWN, "The portal does not know whether there is anything to deactivate."),
    ],
)
def test_a_record_without_an_acceptance_says_only_that(editor: User, presence: Presence, said: str) -> None:
    made = factories.organization(user=editor)
    Organization.objects.filter(pk=made.pk).update(presence=presence)
    assert sentence(made, Intent.DEACTIVATE) == said
    assert sentence(made, Intent.REACTIVATE).startswith("The portal does not know this record as deactivated.")


@pytest.mark.parametrize(
    ("active", "said"),
    [(True, "The directory showed this record as active."), (False, "The directory showed Active = false, which")],
)
def test_of_a_claimed_record_is_said_what_the_directory_showed(editor: User, active: bool, said: str) -> None:
    made = claimed(editor, active=active)
    assert sentence(made, Intent.REACTIVATE).startswith(said)


def test_what_is_only_shown_deactivated_is_led_to_its_review(editor: User) -> None:
    made = Organization.objects.with_words().get(pk=claimed(editor, active=False).pk)
    review = reviews.review(made, intent=Intent.REACTIVATE)
    (found,) = [obstacle(made, each) for each in review.blockers]
    assert (found.url, found.step) == (f"/staging/organizations/{BASE}/review/", "Review it")


@pytest.mark.parametrize("active", [True, False])
def test_a_deactivation_says_what_the_directory_shows_of_active(editor: User, active: bool) -> None:
    made = Organization.objects.with_words().get(pk=claimed(editor, active=active).pk)
    review = reviews.review(made, intent=Intent.DEACTIVATE)
    assert review.has_active_already is not active


def test_a_stated_record_is_not_known_as_deactivated(editor: User) -> None:
    made = factories.organization(user=editor)
    organizations.state_registered(made.pk, reason="By curl", actor=acting(editor))
    assert sentence(made, Intent.REACTIVATE).startswith("The portal does not know this record as deactivated.")
