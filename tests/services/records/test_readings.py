"""What a later reading of a record says about the sent messages: whose change it shows, and what it proves."""

import datetime
from dataclasses import replace

import pytest
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Evidence,
    Organization,
    Presence,
    State,
    Submission,
    User,
)
from organizations.practice import PracticeDirectory
from organizations.records import OrganizationRecord
from organizations.redox.outcome import ABSENT, Kind
from organizations.services.actors import Actor
from organizations.services.records import organizations
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import (
    answer_next,
    edit,
    read_back_next,
    register_in_practice,
    reload,
    resolve_with_answer,
    send_and_lose_answer,
    sent_record,
    store_record_answer,
    store_submission_answer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

FIRST, SECOND = factories.record(), factories.record(name="Lakeside North")


@pytest.fixture
def renamed(accepted: Organization, editor: User) -> Organization:
    """A record whose second name was accepted."""
    factories.submission(edit(accepted, editor, name=SECOND.name), user=editor)
    answer_next()
    return reload(accepted)


def shown(organization: Organization, record: OrganizationRecord | None) -> Organization:
    return store_record_answer(reload(organization), record)


def test_a_reading_of_the_earlier_content_is_not_a_change(renamed: Organization) -> None:
    organization_after = shown(renamed, FIRST)
    assert (organization_after.not_visible_yet, organization_after.differs, organization_after.newest_record()) == (
        True,
        0,
        organization_after.confirmed_record(),
    )
    organization_after = shown(renamed, replace(FIRST, name="By hand"))
    assert (organization_after.not_visible_yet, organization_after.differs) == (False, 1)


def test_a_change_by_our_message_is_not_a_change_by_others(accepted: Organization, editor: User) -> None:
    submission = send_and_lose_answer(edit(accepted, editor, name=SECOND.name), editor)
    store_submission_answer(submission, SECOND, actor=as_actor(editor))
    assert reload(accepted).differs == 0
    store_submission_answer(submission, replace(SECOND, aliases=("By hand",)), actor=as_actor(editor))
    assert reload(accepted).differs == 1


def test_an_equivalent_reading_proves_an_acceptance_and_the_former_spelling_is_a_difference(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    address_before = replace(FIRST.address, zip_code="53704-1111")
    as_before = register_in_practice(practice, factories.accepted_organization(user=editor, address=address_before))
    address = replace(address_before, zip_code="53704-2222")
    submission = factories.submission(edit(as_before, editor, address=address), user=editor)
    organization = factories.accept(submission.organization, submission=submission, evidence=Evidence.EQUIVALENT)
    Submission.objects.filter(pk=submission.pk).update(read_back_at=timezone.now())

    assert read_back_next("staging", actor=worker)
    assert not read_back_next("staging", actor=worker)

    organization = reload(organization)
    assert (organization.differs, organization.not_visible_yet, organization.confirmed_evidence) == (
        1,
        False,
        Evidence.EQUIVALENT,
    )
    submission.refresh_from_db()
    assert (submission.evidence, submission.read_back_at) == (Evidence.EQUIVALENT, None)


def test_a_change_that_was_visible_and_is_gone_was_reverted_by_somebody(renamed: Organization, editor: User) -> None:
    states = []
    for place, record in enumerate((FIRST, FIRST, SECOND, FIRST, FIRST)):
        shown(renamed, record)
        edit(renamed, editor, aliases=(f"Alias {place}",))
        states.append((reload(renamed).not_visible_yet, reload(renamed).differs))
    assert states == [(True, 0), (True, 0), (False, 0), (False, 1), (False, 1)]


def test_a_reading_from_before_the_message_was_sent_does_not_prove_it(renamed: Organization, editor: User) -> None:
    """The first change is not visible yet, and the second one reverts it."""
    assert shown(renamed, FIRST).not_visible_yet
    submission = send_and_lose_answer(edit(renamed, editor, name=FIRST.name), editor)
    assert resolve_with_answer(submission, FIRST).state == State.QUEUED


def test_a_change_by_somebody_else_after_the_review_does_not_prove_the_message(
    accepted: Organization, editor: User
) -> None:
    submission = factories.submission(edit(accepted, editor, name=SECOND.name), user=editor)
    shown(accepted, SECOND)
    for _ in range(11):  # a failed Query does not hide an earlier reading
        store_record_answer(reload(accepted), None, cause="HTTP 502")
    answer_next(Kind.UNKNOWN)
    assert resolve_with_answer(submission, sent_record(submission)).state == State.QUEUED


def test_a_reading_after_a_postponed_attempt_does_not_prove_the_next_attempt(
    accepted: Organization, editor: User
) -> None:
    submission = factories.submission(edit(accepted, editor, name=SECOND.name), user=editor)
    answer_next(Kind.NOT_EXECUTED, hold_seconds=60.0)
    EnvironmentGate.objects.update(hold_until=None, hold_asked_until=None)
    shown(accepted, SECOND)
    Submission.objects.filter(pk=submission.pk).update(not_before=None)
    answer_next(Kind.UNKNOWN)
    assert resolve_with_answer(submission, sent_record(submission)).state == State.QUEUED


def test_an_answer_about_the_former_oid_is_not_a_reading_of_the_record(accepted: Organization, editor: User) -> None:
    submission = accepted.submissions.get()
    Organization.objects.filter(pk=accepted.pk).update(oid=f"{BASE}.7", seen="", seen_at=None)
    store_submission_answer(submission, FIRST, actor=as_actor(editor))
    assert (reload(accepted).seen, reload(accepted).seen_at) == ("", None)


def test_an_answer_about_a_withdrawn_record_is_stored(editor: User) -> None:
    as_asked = factories.organization(user=editor)
    organizations.withdraw(as_asked.pk, as_asked.version, actor=as_actor(editor))
    with pytest.raises(Organization.DoesNotExist):
        store_record_answer(as_asked, FIRST)
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.action, entry.oid) == (Action.ORGANIZATION_ASKED, BASE)


def test_an_answer_to_a_query_of_the_former_oid_is_not_a_reading_of_the_new_one(editor: User) -> None:
    as_asked = factories.organization(user=editor)
    edit(as_asked, editor, oid=f"{BASE}.7")
    assert store_record_answer(as_asked, FIRST).seen == ""
    assert AuditEntry.objects.latest("sequence").oid == BASE


def test_an_oid_that_is_not_in_the_directory_has_no_differences(renamed: Organization, editor: User) -> None:
    factories.submission(edit(renamed, editor, name="Lakeside South"), user=editor)
    answer_next(Kind.REJECTED, presence=ABSENT)
    submission = resolve_with_answer(send_and_lose_answer(reload(renamed), editor), None)
    assert reload(renamed).differs == 1
    Submission.objects.update(absent_at=timezone.now() - datetime.timedelta(minutes=5))
    assert resolve_with_answer(submission, None).state == State.QUEUED
    assert (reload(renamed).presence, reload(renamed).differs) == (Presence.ABSENT, 0)
