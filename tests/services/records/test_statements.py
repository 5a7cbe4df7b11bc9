"""An approver states that an OID was registered outside the portal: what replaces the statement or withdraws it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from organizations.models import Action, AuditEntry, Basis, Event, Organization, Presence, User
from organizations.records import OrganizationRecord
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.services.records import directory_state, organizations, statements
from organizations.services.review import reviews
from organizations.services.review.blockers import BlockerKind
from tests import factories
from tests.changes import mark_foreign
from tests.factories import BASE, as_actor
from tests.services.sending import reload, store_reading

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"
CARRIED = (("ManagingOrg", '"Redox"'), ("Type", '{"Value":"Connection"}'))


def state(organization: Organization, user: User, **values: str) -> Organization:
    arguments = {"reason": "Registered with curl in May"} | values
    return reload(statements.state_registered(organization.pk, actor=as_actor(user), **arguments))


def take_back(organization: Organization, user: User, **values: str) -> Organization:
    arguments = {"reason": "It was another OID"} | values
    return reload(statements.take_back_statement(organization.pk, actor=as_actor(user), **arguments))


def stated(user: User) -> Organization:
    return state(factories.organization(user=user, destination_id=DESTINATION), user)


def shown(organization: Organization) -> OrganizationRecord:
    """The record as the directory shows it: another name, keys that the form does not have, no destination ID."""
    record = organization.record()
    return replace(record, name="By hand", destination_id="", destination_known=False, carried=CARRIED)


def warnings(organization: Organization) -> set[str]:
    return {warning.key for warning in reviews.review(organization).warnings}


def test_a_stated_record_is_marked_and_its_update_sends_the_forms_destination_id(editor: User) -> None:
    organization = stated(editor)
    review = reviews.review(organization)
    assert (organization.standing, review.event, review.record.destination_id) == ("stated", Event.UPDATE, DESTINATION)
    assert "stated" in warnings(organization)


def test_stating_without_a_destination_id_does_not_say_that_there_is_none(editor: User) -> None:
    """An Update with a null DestinationID would remove it, and nobody said that it has none."""
    organization = state(factories.organization(user=editor), editor)
    blockers = reviews.review(organization).blockers
    assert [each.kind for each in blockers] == [BlockerKind.DESTINATION_NOT_KNOWN]
    organization = take_back(organization, editor)
    review = reviews.review(organization)
    assert (review.event, review.blockers) == (Event.NEW, ())


def test_a_reading_of_the_oid_replaces_the_statement(editor: User) -> None:
    organization = stated(editor)
    organization = store_reading(organization, shown(organization))
    assert (organization.standing, organization.presence_at) == ("seen", organization.seen_at)
    assert {"overwrite", "destination-unseen"} <= warnings(organization)
    assert "stated" not in warnings(organization)
    assert dict(organization.carried) == dict(CARRIED)
    assert dict(reviews.review(organization).record.carried) == {"Type": '{"Value":"Connection"}'}


def test_an_answer_without_the_oid_confirms_nothing(editor: User) -> None:
    organization = store_reading(stated(editor), None)
    assert (organization.standing, organization.is_missing) == ("stated", True)


def test_a_reading_while_a_message_is_open_confirms_nothing(editor: User) -> None:
    """It may show what that message wrote."""
    organization = factories.submission(stated(editor), user=editor).organization
    assert store_reading(reload(organization), shown(organization)).standing == "stated"


def test_an_acceptance_replaces_the_statement(editor: User) -> None:
    submission = factories.submission(stated(editor), user=editor)
    accepted = factories.accept(submission.organization, submission=submission)
    assert (accepted.standing, accepted.presence_basis) == ("active", Basis.ACCEPTED)


def test_a_decision_by_a_reading_replaces_the_statement(editor: User) -> None:
    organization = factories.submission(stated(editor), user=editor).organization
    organization = store_reading(reload(organization), shown(organization))
    assert organization.seen_at is not None
    directory_state.mark_present(organization, shown(organization), organization.seen_at)
    assert reload(organization).standing == "seen"


def test_a_statement_is_withdrawn_with_an_entry_and_the_record_gets_a_new(editor: User) -> None:
    organization = take_back(stated(editor), editor)
    assert (organization.standing, reviews.review(organization).event) == ("not_registered", Event.NEW)
    facts = AuditEntry.objects.latest("sequence").facts
    assert (facts["action"], facts["reason"]) == (Action.ORGANIZATION_UNSTATED, "It was another OID")
    assert organizations.withdraw_block_reason(organization) == ""
    assert state(organization, editor).standing == "stated"


def test_after_withdrawing_a_statement_somebody_decides_whose_the_shown_oid_is(editor: User) -> None:
    organization = stated(editor)
    organization = take_back(store_reading(organization, shown(organization)), editor)
    assert (organization.is_there_unclaimed, organization.carried) == (True, {})
    with pytest.raises(ActionRefused, match="decide whose it is"):
        state(organization, editor)
    claimed = differences.decide_ours(organization.pk, reason="Ours", actor=as_actor(editor))
    assert reload(claimed).standing == "seen"


def sent(organization: Organization, user: User) -> None:
    factories.submission(organization, user=user)


def taken(organization: Organization, user: User) -> None:
    organization = store_reading(organization, shown(organization))
    differences.take_directory_values(organization.pk, organization.version, reason="Theirs", actor=as_actor(user))


@pytest.mark.parametrize(("happens", "why"), [(sent, "was made by this statement"), (taken, "were saved since then")])
def test_a_statement_that_was_used_cannot_be_withdrawn(
    editor: User, happens: Callable[[Organization, User], None], why: str
) -> None:
    organization = stated(editor)
    happens(organization, editor)
    with pytest.raises(ActionRefused, match=why):
        take_back(organization, editor)
    assert reload(organization).presence == Presence.PRESENT


def test_a_cancelled_submission_neither_blocks_a_statement_nor_its_withdrawal(editor: User) -> None:
    organization = factories.organization(user=editor, destination_id=DESTINATION)
    for act in (state, take_back):
        submission = factories.submission(organization, user=editor)
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))
        organization = act(reload(organization), editor)
    assert organization.standing == "not_registered"


def test_a_foreign_record_and_one_that_was_taken_over_cannot_be_stated(editor: User) -> None:
    foreign = mark_foreign(factories.organization(user=editor))
    with pytest.raises(ActionRefused, match="belongs to another organization"):
        state(foreign, editor)
    seen = factories.seen_organization(replace(factories.record(f"{BASE}.7"), destination_known=False), user=editor)
    with pytest.raises(ActionRefused, match="is an Update already"):
        state(seen, editor)
    with pytest.raises(ActionRefused, match="Nobody stated"):
        take_back(seen, editor)


def test_a_statement_is_about_the_oid_that_the_person_read(editor: User) -> None:
    organization = factories.organization(user=editor)
    with pytest.raises(ActionRefused, match=f"has the OID {BASE} now"):
        state(organization, editor, oid=f"{BASE}.9")
    with pytest.raises(ActionRefused, match="has the OID"):
        take_back(state(organization, editor, oid=BASE), editor, oid=f"{BASE}.9")


@pytest.mark.parametrize("reason", ["", " "])
def test_a_statement_and_its_withdrawal_need_a_reason(editor: User, reason: str) -> None:
    organization = factories.organization(user=editor)
    with pytest.raises(ActionRefused, match="how you know"):
        state(organization, editor, reason=reason)
    organization = state(organization, editor)
    with pytest.raises(ActionRefused, match="why it is not"):
        take_back(organization, editor, reason=reason)
    assert organization.standing == "stated"
