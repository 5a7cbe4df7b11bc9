"""A submission from the outbox to its end, sent to the practice directory over HTTP."""

from dataclasses import replace

import pytest
from django.test import override_settings

from organizations.models import Action, AuditEntry, Intent, Presence, State, User
from organizations.practice import PracticeDirectory
from organizations.redox.outcome import Kind
from organizations.services.outbox import submissions
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import (
    actions_of,
    answer_next,
    claim,
    deliver,
    edit,
    register_in_practice,
    reload,
    send_and_lose_answer,
    sent_messages,
    sent_record,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_a_new_is_sent_once_as_reviewed_and_accepted(practice: PracticeDirectory, editor: User) -> None:
    record = factories.organization(user=editor)
    submission = factories.submission(record, user=editor)

    assert deliver()

    submission.refresh_from_db()
    organization = reload(record)
    assert (submission.state, submission.detail) == (State.ACCEPTED, "New organization was added successfully.")
    assert (organization.standing, organization.open_work, organization.changes) == ("active", "", 0)
    assert organization.presence == Presence.PRESENT
    assert organization.confirmed_record() == organization.record()
    assert sent_messages(practice) == [bytes(submission.message)]
    assert not deliver()


def test_every_attempt_has_one_intent_a_response_and_one_outcome(practice: PracticeDirectory, editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    assert deliver()
    assert actions_of(submission) == [
        Action.SUBMISSION_MADE,
        Action.ATTEMPT_INTENT,
        Action.ATTEMPT_RESPONSE,
        Action.ORGANIZATION_CONFIRMED,
        Action.ATTEMPT_OUTCOME,
    ]
    response = AuditEntry.objects.get(action=Action.ATTEMPT_RESPONSE)
    assert b"New organization was added successfully." in bytes(response.raw or b"")
    assert "authorization" not in bytes(response.body).decode().lower()
    assert "staging-token" not in "".join(bytes(entry.body).decode() for entry in AuditEntry.objects.all())


def test_an_update_sends_the_whole_record_which_is_then_the_confirmed_one(
    practice: PracticeDirectory, editor: User
) -> None:
    organization = edit(
        register_in_practice(practice, factories.accepted_organization(user=editor)), editor, name="Lakeside North"
    )
    assert reload(organization).open_work == "changes_not_sent"
    submission = factories.submission(organization, user=editor)

    assert deliver()

    submission.refresh_from_db()
    assert (submission.event, submission.state, reload(organization).open_work) == ("Update", State.ACCEPTED, "")
    assert practice.organizations("staging")[BASE]["Name"] == "Lakeside North"
    assert practice.organizations("staging")[BASE]["Contacts"][0]["Name"] == "Integration desk"


def test_deactivation_sends_the_confirmed_record_and_leaves_saved_changes_unsent(
    practice: PracticeDirectory, editor: User
) -> None:
    accepted = register_in_practice(practice, factories.accepted_organization(user=editor))
    confirmed = accepted.record()
    organization = edit(accepted, editor, name="Not to be sent", aliases=("Nor this",), contacts=())
    submission = factories.submission(organization, user=editor, intent=Intent.DEACTIVATE)
    assert sent_record(submission) == replace(confirmed, active=False)
    assert not reload(organization).active

    assert deliver()

    directory_record = practice.organizations("staging")[BASE]
    assert (directory_record["Active"], directory_record["Name"]) == (False, "Lakeside 1")
    organization_after = reload(organization)
    assert (organization_after.standing, organization_after.open_work, organization_after.name) == (
        "deactivated",
        "changes_not_sent",
        "Not to be sent",
    )


def test_reactivation_sends_the_confirmed_record_with_active_alone_changed(editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    deactivation = factories.submission(organization, user=editor, intent=Intent.DEACTIVATE)
    answer_next()
    reactivation = factories.submission(organization, user=editor, intent=Intent.REACTIVATE)
    answer_next()

    assert sent_record(reactivation) == replace(sent_record(deactivation), active=True)
    assert (reload(organization).standing, reload(organization).active, reload(organization).changes) == (
        "active",
        True,
        0,
    )


@pytest.mark.parametrize("end", ["rejected", "cancelled"])
def test_the_saved_active_is_restored_if_a_deactivation_does_not_happen(editor: User, end: str) -> None:
    organization = factories.accepted_organization(user=editor)
    submission = factories.submission(organization, user=editor, intent=Intent.DEACTIVATE)
    if end == "rejected":
        answer_next(Kind.REJECTED)
    else:
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))

    organization_after = reload(organization)
    assert (organization_after.active, organization_after.standing, organization_after.changes) == (True, "active", 0)
    assert Action.ORGANIZATION_ACTIVE_RETURNED in AuditEntry.objects.values_list("action", flat=True)


def test_a_rejected_update_stays_rejected_until_the_record_is_edited(practice: PracticeDirectory, editor: User) -> None:
    organization = edit(factories.accepted_organization(user=editor), editor, name="A & B")
    submission = factories.submission(organization, user=editor)
    practice.behaviour = "says-no-xml"
    assert deliver()

    submission.refresh_from_db()
    assert (submission.state, submission.known_answer, submission.http_status) == (State.REJECTED, "xml_error", 500)
    assert (reload(organization).open_work, reload(organization).standing) == ("rejected", "active")
    edit(organization, editor, name="A and B")
    assert reload(organization).open_work == "changes_not_sent"
    assert not deliver()


@pytest.mark.parametrize("behaviour", ["applies-then-breaks", "never-answers", "gateway-error"])
def test_a_lost_answer_is_unknown_and_is_not_sent_again(
    practice: PracticeDirectory, editor: User, behaviour: str
) -> None:
    organization = factories.organization(user=editor)
    submission = factories.submission(organization, user=editor)
    practice.behaviour = behaviour
    with override_settings(REDOX_DEADLINE=0.3):
        assert deliver()

    submission.refresh_from_db()
    assert (submission.state, reload(organization).standing) == (State.UNKNOWN, "unknown")
    assert claim() is None
    assert len(sent_messages(practice)) == 1


def test_an_unknown_update_leaves_the_record_present(editor: User) -> None:
    organization = edit(factories.accepted_organization(user=editor), editor, name="Other")
    send_and_lose_answer(organization, editor)
    assert (reload(organization).standing, reload(organization).open_work) == ("active", "unknown")
