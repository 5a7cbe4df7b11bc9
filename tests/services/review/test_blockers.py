"""What blocks a record, and what the portal says of it: no more than is known now."""

from dataclasses import replace

import pytest

from organizations.models import Intent, Organization, Presence, State, Submission, User, clock
from organizations.pages.review.message import obstacle
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.redox.outcome import ABSENT, Kind
from organizations.services.connection import redox_settings
from organizations.services.directory import differences
from organizations.services.records import organizations
from organizations.services.review import blockers, reviews
from organizations.services.review.blockers import BlockerKind
from tests import factories
from tests.factories import BASE, acting
from tests.services.sending import answered, edit, fresh, read

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SAID = (BlockerKind.NOTHING_TO_CHANGE, BlockerKind.ONLY_SHOWN, BlockerKind.NOTHING_TO_DEACTIVATE)


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
    made = Organization.objects.with_standing().get(pk=claimed(editor, active=False).pk)
    review = reviews.review(made, intent=Intent.REACTIVATE)
    (found,) = [obstacle(made, each) for each in review.blockers]
    assert (found.url, found.step) == (f"/staging/organizations/{BASE}/review/", "Review it")


@pytest.mark.parametrize("active", [True, False])
def test_a_deactivation_says_what_the_directory_shows_of_active(editor: User, active: bool) -> None:
    made = Organization.objects.with_standing().get(pk=claimed(editor, active=active).pk)
    review = reviews.review(made, intent=Intent.DEACTIVATE)
    assert review.has_active_already is not active


def test_a_stated_record_is_not_known_as_deactivated(editor: User) -> None:
    made = factories.organization(user=editor)
    organizations.state_registered(made.pk, reason="By curl", actor=acting(editor))
    assert sentence(made, Intent.REACTIVATE).startswith("The portal does not know this record as deactivated.")


# What blocks a record, row by row: the rows are not saved ----------------------------------------------------

NEW, UPDATE = "New", "Update"


def row(last: Submission | None = None, **values: object) -> Organization:
    return Organization(pk=2, environment="staging", oid=f"{BASE}.1", last_submission=last, **values)


def sent(state: State, event: str = NEW, oid: str = BASE, intent: Intent = Intent.UPDATE) -> Submission:
    return Submission(pk=7, environment="staging", state=state, event=event, oid=oid, intent=intent)


def blocked(
    made: Organization,
    intent: Intent | None = None,
    *,
    parent: Organization | None = None,
    together: frozenset[int] = frozenset(),
    **values: object,
) -> list[BlockerKind]:
    record = replace(factories.record(made.oid, part_of_oid=BASE), **values)  # type: ignore[arg-type]
    return [each.kind for each in blockers.blockers_of(made, record, parent, intent, together)]


# The presence, the last submission and whether the destination ID is known; what blocks, and whether it is undecided.
UNDECIDED = [
    (Presence.PRESENT, None, True, [], False),
    (Presence.PRESENT, None, False, [BlockerKind.DESTINATION_NOT_KNOWN], False),
    (Presence.PRESENT, sent(State.QUEUED, UPDATE), True, [BlockerKind.OPEN_SUBMISSION], False),
    (Presence.NEVER, sent(State.QUEUED), True, [BlockerKind.OPEN_SUBMISSION], True),
    (Presence.NEVER, sent(State.REJECTED), True, [], False),
    (Presence.UNKNOWN, None, True, [BlockerKind.PRESENCE_UNKNOWN], True),
    (Presence.UNKNOWN, None, False, [BlockerKind.PRESENCE_UNKNOWN], True),
    (Presence.UNKNOWN, sent(State.UNKNOWN), True, [BlockerKind.OPEN_SUBMISSION], True),
    (Presence.UNKNOWN, sent(State.REJECTED), True, [BlockerKind.PRESENCE_UNKNOWN], True),
    (
        Presence.UNKNOWN,
        sent(State.UNKNOWN, UPDATE),
        True,
        [BlockerKind.OPEN_SUBMISSION, BlockerKind.PRESENCE_UNKNOWN],
        True,
    ),
]


@pytest.mark.parametrize(("presence", "last", "destination_known", "kinds", "is_undecided"), UNDECIDED)
def test_what_is_not_known_blocks(
    presence: Presence, last: Submission | None, destination_known: bool, kinds: list[BlockerKind], is_undecided: bool
) -> None:
    made = row(last, presence=presence)
    assert blocked(made, destination_known=destination_known) == kinds
    assert blockers.is_undecided(made) is is_undecided


# What is known of the parent, its last submission, and what then blocks an active record below it.
PARENTS = [
    ({"presence": Presence.PRESENT, "confirmed_active": True}, None, []),
    ({"presence": Presence.PRESENT, "confirmed_active": None}, sent(State.QUEUED, UPDATE), []),
    ({"presence": Presence.PRESENT, "confirmed_active": False}, None, [BlockerKind.PARENT_DEACTIVATED]),
    ({"presence": Presence.PRESENT, "shown_active": False}, None, [BlockerKind.PARENT_DEACTIVATED]),
    (
        {"presence": Presence.PRESENT, "confirmed_active": True},
        sent(State.QUEUED, UPDATE, intent=Intent.DEACTIVATE),
        [BlockerKind.PARENT_DEACTIVATING],
    ),
    ({"presence": Presence.NEVER}, None, [BlockerKind.PARENT_NEVER_SENT]),
    ({"presence": Presence.NEVER}, sent(State.QUEUED), []),
    ({"presence": Presence.NEVER}, sent(State.CANCELLED), [BlockerKind.PARENT_NEVER_SENT]),
    ({"presence": Presence.NEVER}, sent(State.REJECTED), [BlockerKind.PARENT_REJECTED]),
    ({"presence": Presence.NEVER}, sent(State.REJECTED, oid="2.999"), [BlockerKind.PARENT_NEVER_SENT]),
    ({"presence": Presence.ABSENT}, sent(State.ACCEPTED), [BlockerKind.PARENT_NEVER_SENT]),
]


@pytest.mark.parametrize(("values", "last", "kinds"), PARENTS)
def test_an_active_record_is_sent_only_below_an_active_parent(
    values: dict[str, object], last: Submission | None, kinds: list[BlockerKind]
) -> None:
    parent = Organization(pk=1, environment="staging", oid=BASE, name="Above", last_submission=last, **values)
    made = row(presence=Presence.NEVER)
    assert blocked(made, parent=parent) == kinds
    # It may be deactivated, or stay so, below what is deactivated; and it may follow a parent of the same plan.
    is_present = parent.presence == Presence.PRESENT
    assert blocked(made, parent=parent, active=False) == ([] if is_present else kinds)
    assert blocked(made, parent=parent, together=frozenset({1})) == (kinds if is_present else [])
    there = row(presence=Presence.PRESENT, confirmed_active=True)
    assert blocked(there, Intent.DEACTIVATE, parent=parent) == []


# The presence, Active as last accepted and as shown since; what blocks a deactivation, and what a reactivation.
ACTIVE = [
    (Presence.NEVER, None, None, [BlockerKind.NOTHING_TO_DEACTIVATE], [BlockerKind.NOTHING_TO_CHANGE]),
    (Presence.ABSENT, False, None, [BlockerKind.NOTHING_TO_DEACTIVATE], []),
    (Presence.PRESENT, True, None, [], [BlockerKind.NOTHING_TO_CHANGE]),
    (Presence.PRESENT, True, False, [], [BlockerKind.NOTHING_TO_CHANGE]),
    (Presence.PRESENT, None, None, [], [BlockerKind.NOTHING_TO_CHANGE]),
    (Presence.PRESENT, False, None, [BlockerKind.NOTHING_TO_CHANGE], []),
    (Presence.PRESENT, False, False, [BlockerKind.NOTHING_TO_CHANGE], []),
    (Presence.PRESENT, False, True, [], []),
]


@pytest.mark.parametrize(("presence", "confirmed", "shown", "deactivation", "reactivation"), ACTIVE)
def test_what_is_so_already_blocks(
    presence: Presence,
    confirmed: bool | None,
    shown: bool | None,
    deactivation: list[BlockerKind],
    reactivation: list[BlockerKind],
) -> None:
    made = row(presence=presence, presence_at=clock.now(), confirmed_active=confirmed, shown_active=shown)
    assert blocked(made, Intent.DEACTIVATE) == deactivation
    assert blocked(made, Intent.REACTIVATE) == reactivation
    assert blocked(made) == []


def test_nothing_is_sent_to_an_oid_that_may_be_or_is_somebody_elses(editor: User) -> None:
    made = read(factories.organization(user=editor), factories.record(name="By hand"))
    assert blocked(made) == [BlockerKind.ALREADY_THERE]
    assert blocked(row(foreign_since=clock.now(), foreign_name="Theirs")) == [BlockerKind.FOREIGN]


def test_a_message_must_hold_exactly_the_record() -> None:
    record = factories.record(part_of_oid=GATEWAY_OID)
    message = messages.build_message(record, NEW, redox_settings.environment("staging"))
    assert blockers.unreadable_message(b"", record) == ()
    assert blockers.unreadable_message(message, record) == ()
    for other in (message, b"{}"):
        (blocker,) = blockers.unreadable_message(other, replace(record, name="Other"))
        assert blocker.kind == BlockerKind.NOT_READ_BACK
