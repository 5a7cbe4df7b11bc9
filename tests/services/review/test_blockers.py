"""What blocks a record, and its text, which says no more than is known."""

import datetime
from dataclasses import replace

import pytest

from organizations.models import Intent, Organization, Presence, State, Submission, User, clock
from organizations.pages.review.message import obstacle
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.redox.outcome import ABSENT, Kind
from organizations.services.connection import redox_settings
from organizations.services.directory import differences
from organizations.services.records import statements
from organizations.services.review import blockers, reviews
from organizations.services.review.blockers import Blocker, BlockerKind
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import answer_next, edit, reload, store_reading

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SAID = (BlockerKind.NOTHING_TO_CHANGE, BlockerKind.ONLY_SHOWN, BlockerKind.NOTHING_TO_DEACTIVATE)


def claimed(user: User, *, active: bool) -> Organization:
    """A record that was never accepted but found to be ours. The directory shows it with this Active."""
    organization = factories.organization(user=user)
    store_reading(organization, factories.record(active=active))
    return differences.decide_ours(organization.pk, reason="Registered with curl", actor=as_actor(user))


def sentence(organization: Organization, intent: Intent) -> str:
    """The blockers, without the general one about presence."""
    blockers = reviews.review(reload(organization), intent=intent).blockers
    (text,) = [each.sentence for each in blockers if each.kind in SAID]
    return text


def test_a_reactivated_record_is_described_as_active(editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    for intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        factories.submission(organization, user=editor, intent=intent)
        answer_next()
    assert sentence(organization, Intent.REACTIVATE) == "This record is already active. There is nothing to reactivate."


def test_an_oid_that_redox_rejects_as_invalid_is_absent_by_that_answer(editor: User) -> None:
    organization = edit(factories.accepted_organization(user=editor), editor, name="Lakeside North")
    submission = factories.submission(organization, user=editor)
    answer_next(Kind.REJECTED, known="is_not_valid", presence=ABSENT)
    organization = reload(submission.organization)
    assert organization.presence == Presence.ABSENT
    assert sentence(organization, Intent.DEACTIVATE) == (
        f'There is nothing to deactivate: Redox answered submission {submission.pk} that this OID "is not valid",'
        " so it is not in the directory."
    )
    assert sentence(organization, Intent.REACTIVATE).startswith("This record is not in the directory.")


def test_a_record_that_a_query_did_not_show_is_absent_by_that_query(editor: User) -> None:
    organization = factories.accept(factories.organization(user=editor))
    Organization.objects.filter(pk=organization.pk).update(presence=Presence.ABSENT)
    assert sentence(organization, Intent.DEACTIVATE) == (
        "There is nothing to deactivate: a Query did not show this OID in the directory."
    )


def reject_as_absent(organization: Organization, user: User, **values: object) -> Submission:
    """A submission with the answer "is not valid", with these values changed. The record's presence stays."""
    submission = factories.submission(organization, user=user)
    ended = {"state": State.REJECTED, "known_answer": "is_not_valid", "ended_at": clock.now()}
    factories.change_submission(submission, **(ended | values))
    return submission


@pytest.mark.parametrize(
    ("values", "is_cause"),
    [
        ({}, True),
        ({"known_answer": "invalid_xml"}, False),
        ({"state": State.CANCELLED}, False),
        ({"ended_at": datetime.datetime(2001, 5, 9, tzinfo=datetime.UTC)}, False),  # before the record was last present
    ],
)
def test_only_a_later_rejection_of_the_oid_is_the_reason_of_its_absence(
    editor: User, values: dict[str, object], is_cause: bool
) -> None:
    organization = factories.accepted_organization(user=editor)
    reject_as_absent(organization, editor, **values)
    Organization.objects.update(presence=Presence.ABSENT)
    assert ("Redox answered submission" in sentence(organization, Intent.DEACTIVATE)) is is_cause
    assert blockers.was_rejected_as_absent(organization) is is_cause


def test_the_last_rejection_of_the_record_itself_is_named(editor: User) -> None:
    organization, other = (
        factories.accepted_organization(user=editor),
        factories.accepted_organization(f"{BASE}.1", user=editor),
    )
    _, last, _ = [reject_as_absent(each, editor) for each in (organization, organization, other)]
    Organization.objects.update(presence=Presence.ABSENT)
    assert f"Redox answered submission {last.pk} " in sentence(organization, Intent.DEACTIVATE)


def test_no_query_is_named_for_the_absence_of_a_record_with_a_foreign_oid(editor: User) -> None:
    organization = factories.accept(factories.organization(user=editor))
    Organization.objects.update(presence=Presence.ABSENT, foreign_since=clock.now())
    assert sentence(organization, Intent.DEACTIVATE) == (
        "There is nothing to deactivate: this record is not in the directory."
    )


def test_an_accepted_record_that_may_have_left_the_directory_is_not_called_active(editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    Organization.objects.update(presence=Presence.UNKNOWN)
    assert sentence(organization, Intent.REACTIVATE).startswith("The portal does not know this record as deactivated.")


@pytest.mark.parametrize(
    ("presence", "said"),
    [
        (Presence.NEVER, "There is nothing to deactivate: Redox has accepted no message of this record with this OID."),
        (Presence.UNKNOWN, "The portal does not know whether there is anything to deactivate."),
    ],
)
def test_a_record_without_an_acceptance_says_only_that(editor: User, presence: Presence, said: str) -> None:
    organization = factories.organization(user=editor)
    Organization.objects.filter(pk=organization.pk).update(presence=presence)
    assert sentence(organization, Intent.DEACTIVATE) == said
    assert sentence(organization, Intent.REACTIVATE).startswith("The portal does not know this record as deactivated.")


@pytest.mark.parametrize(
    ("active", "said"),
    [(True, "The directory showed this record as active."), (False, "The directory showed Active = false, which")],
)
def test_a_claimed_record_names_the_active_that_the_directory_showed(editor: User, active: bool, said: str) -> None:
    organization = claimed(editor, active=active)
    assert sentence(organization, Intent.REACTIVATE).startswith(said)


def test_a_record_that_is_only_shown_deactivated_links_to_its_review(editor: User) -> None:
    organization = Organization.objects.get(pk=claimed(editor, active=False).pk)
    review = reviews.review(organization, intent=Intent.REACTIVATE)
    (blocker_obstacle,) = [obstacle(organization, each) for each in review.blockers]
    assert (blocker_obstacle.url, blocker_obstacle.step) == (f"/staging/organizations/{BASE}/review/", "Review it")


@pytest.mark.parametrize("active", [True, False])
def test_a_deactivation_says_what_the_directory_shows_of_active(editor: User, active: bool) -> None:
    organization = Organization.objects.get(pk=claimed(editor, active=active).pk)
    review = reviews.review(organization, intent=Intent.DEACTIVATE)
    assert review.has_active_already is not active


def test_a_stated_record_is_not_known_as_deactivated(editor: User) -> None:
    organization = factories.organization(user=editor)
    statements.state_registered(organization.pk, reason="By curl", actor=as_actor(editor))
    assert sentence(organization, Intent.REACTIVATE).startswith("The portal does not know this record as deactivated.")


# What blocks a record. These rows are not saved ----------------------------------------------------

NEW, UPDATE = "New", "Update"


def row(last: Submission | None = None, **values: object) -> Organization:
    return Organization(pk=2, environment="staging", oid=f"{BASE}.1", last_submission=last, **values)


def sent(state: State, event: str = NEW, oid: str = BASE, intent: Intent = Intent.UPDATE) -> Submission:
    return Submission(pk=7, environment="staging", state=state, event=event, oid=oid, intent=intent)


def blocked(
    organization: Organization,
    intent: Intent | None = None,
    *,
    parent: Organization | None = None,
    together: frozenset[int] = frozenset(),
    **values: object,
) -> list[BlockerKind]:
    record = replace(factories.record(organization.oid, part_of_oid=BASE), **values)  # type: ignore[arg-type]
    return [each.kind for each in blockers.blockers_of(organization, record, parent, intent, together)]


def only_blocker(organization: Organization, intent: Intent | None = None) -> Blocker:
    """The one blocker of a record without a parent of ours."""
    (blocker,) = blockers.blockers_of(organization, factories.record(), None, intent, frozenset())
    return blocker


# The presence, the last submission, whether the destination ID is known; then what blocks, and whether it is undecided.
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
def test_unknown_presence_or_destination_blocks(
    presence: Presence, last: Submission | None, destination_known: bool, kinds: list[BlockerKind], is_undecided: bool
) -> None:
    organization = row(last, presence=presence)
    assert blocked(organization, destination_known=destination_known) == kinds
    assert blockers.is_undecided(organization) is is_undecided


@pytest.mark.parametrize(("presence", "event"), [(Presence.NEVER, NEW), (Presence.PRESENT, UPDATE)])
def test_only_an_open_new_leaves_undecided_what_to_send_next(presence: Presence, event: str) -> None:
    last = sent(State.QUEUED, event)
    blocker = only_blocker(row(last, presence=presence))
    undecided = " Until then the portal cannot tell whether to send a New or an Update." if event == NEW else ""
    assert (blocker.sentence, blocker.submission) == (f"Submission 7 must end first.{undecided}", last)


# The values of the parent, its last submission, and what blocks an active record below it.
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
    organization = row(presence=Presence.NEVER)
    assert blocked(organization, parent=parent) == kinds
    # Below a deactivated parent a record can be deactivated, or stay so. It can also follow a parent of the same plan.
    is_present = parent.presence == Presence.PRESENT
    assert blocked(organization, parent=parent, active=False) == ([] if is_present else kinds)
    assert blocked(organization, parent=parent, together=frozenset({1})) == (kinds if is_present else [])
    record_there = row(presence=Presence.PRESENT, confirmed_active=True)
    assert blocked(record_there, Intent.DEACTIVATE, parent=parent) == []


# The presence, the accepted and the shown Active; then what blocks a deactivation and a reactivation.
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
def test_an_intent_that_changes_nothing_blocks(
    presence: Presence,
    confirmed: bool | None,
    shown: bool | None,
    deactivation: list[BlockerKind],
    reactivation: list[BlockerKind],
) -> None:
    organization = row(presence=presence, presence_at=clock.now(), confirmed_active=confirmed, shown_active=shown)
    assert blocked(organization, Intent.DEACTIVATE) == deactivation
    assert blocked(organization, Intent.REACTIVATE) == reactivation
    assert blocked(organization) == []


def test_after_a_rejection_that_contradicts_the_last_reading_the_directory_is_asked_first(editor: User) -> None:
    organization = store_reading(factories.accepted_organization(user=editor), factories.record())
    Organization.objects.update(presence=Presence.ABSENT, presence_at=clock.now())
    assert blocked(reload(organization)) == [BlockerKind.SHOWN_BEFORE]
    assert blocked(store_reading(reload(organization), None)) == []


def test_nothing_is_sent_to_an_oid_that_may_belong_to_somebody_else(editor: User) -> None:
    organization = store_reading(factories.organization(user=editor), factories.record(name="By hand"))
    assert blocked(organization) == [BlockerKind.ALREADY_THERE]
    assert blocked(row(foreign_since=clock.now(), foreign_name="Theirs")) == [BlockerKind.FOREIGN]


@pytest.mark.parametrize(("name", "given"), [("Theirs", " (Theirs)"), ("", "")])
def test_the_organization_that_has_the_oid_is_named_if_its_name_is_known(name: str, given: str) -> None:
    assert only_blocker(row(foreign_since=clock.now(), foreign_name=name)).sentence == (
        f"Somebody decided that this OID belongs to another organization{given}. Nothing is sent to it."
    )


@pytest.mark.parametrize("values", [{"destination_known": False}, {"presence": Presence.UNKNOWN}])
def test_there_is_no_message_while_its_content_is_unknown(editor: User, values: dict[str, object]) -> None:
    organization = factories.accepted_organization(user=editor)
    assert reviews.review(organization).message
    Organization.objects.update(**values)
    assert reviews.review(reload(organization)).message == b""


def test_a_message_must_hold_exactly_the_record() -> None:
    record = factories.record(part_of_oid=GATEWAY_OID)
    message = messages.build_message(record, NEW, redox_settings.environment("staging"))
    assert blockers.unreadable_message(b"", record) == ()
    assert blockers.unreadable_message(message, record) == ()
    for other in (message, b"{}"):
        (blocker,) = blockers.unreadable_message(other, replace(record, name="Other"))
        assert blocker.kind == BlockerKind.NOT_READ_BACK
