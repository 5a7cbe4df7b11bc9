"""From a review to the outbox: the reviewed message is stored, once."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction

from organizations.models import Action, AuditEntry, Intent, Organization, State, Submission, User
from organizations.redox.outcome import Kind
from organizations.services.errors import ActionRefused, AlreadySent, OutOfDate, ReasonMissing, WarningsOpen
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import reviews
from organizations.services.review.blockers import BlockerKind
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.outbox.test_queue import AFTER_A_RESTORE, MOVED
from tests.services.sending import answer_next, claim, keep_back

pytestmark = pytest.mark.django_db


def test_the_stored_message_is_the_reviewed_one(editor: User) -> None:
    organization = factories.organization(user=editor)
    review = reviews.review(organization, actor=as_actor(editor))
    submission = factories.press(review, user=editor, reason="ticket 7")

    assert bytes(submission.message) == review.message
    assert (submission.message_sha256, submission.fingerprint) == (review.sha256, review.fingerprint)
    assert (submission.state, submission.event, submission.intent) == (State.QUEUED, "New", Intent.CREATE)
    assert submission.before == ""
    entry = AuditEntry.objects.get(action=Action.SUBMISSION_MADE)
    assert (bytes(entry.raw or b""), entry.facts["reason"]) == (review.message, "ticket 7")


@pytest.mark.one_database
def test_a_message_to_production_needs_a_reason(editor: User) -> None:
    organization = factories.organization(user=editor, environment="production")
    review = reviews.review(organization, actor=as_actor(editor))
    with pytest.raises(ReasonMissing):
        factories.press(review, user=editor, reason=" \n")
    assert not Submission.objects.exists()
    assert factories.press(review, user=editor, reason="ticket 7").reason == "ticket 7"


@pytest.mark.one_database
def test_an_edit_after_the_review_makes_it_out_of_date(editor: User) -> None:
    organization = factories.organization(user=editor)
    review = reviews.review(organization, actor=as_actor(editor))
    organizations.edit(organization.pk, 1, factories.record(name="Other"), stands_for="", actor=as_actor(editor))

    with pytest.raises(OutOfDate, match="Nothing was sent"):
        factories.press(review, user=editor)
    assert not Submission.objects.exists()
    assert not AuditEntry.objects.filter(action=Action.SUBMISSION_MADE).exists()


def test_a_second_click_finds_the_first_submission(editor: User) -> None:
    organization = factories.organization(user=editor)
    review = reviews.review(organization, actor=as_actor(editor))
    first = factories.press(review, user=editor)

    with pytest.raises(AlreadySent) as refusal:
        factories.press(review, user=editor)
    assert refusal.value.submission == first
    assert Submission.objects.count() == 1


@pytest.mark.one_database
def test_another_review_after_the_first_is_out_of_date(editor: User) -> None:
    organization = factories.organization(user=editor)
    factories.press(reviews.review(organization), user=editor)
    organizations.edit(organization.pk, 1, factories.record(name="Other"), stands_for="", actor=as_actor(editor))
    review = reviews.review(Organization.objects.get(pk=organization.pk))
    with pytest.raises(OutOfDate, match="was made since"):
        factories.press(review, user=editor, shown_submission=0)


def test_the_database_refuses_a_second_open_submission(editor: User) -> None:
    organization = factories.organization(user=editor)
    submission = factories.submission(organization, user=editor)
    submission.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        submission.save(force_insert=True)


@pytest.mark.one_database
def test_every_warning_is_ticked_first(editor: User) -> None:
    organization = factories.organization(user=editor, contacts=())
    review = reviews.review(organization, actor=as_actor(editor))
    assert [warning.key for warning in review.open_warnings] == ["contact"]

    with pytest.raises(WarningsOpen) as refusal:
        factories.press(review, user=editor, ticked=frozenset())
    assert refusal.value.keys == (submissions.warning_key(review.open_warnings[0]),)
    assert factories.press(review, user=editor).warnings[0]["text"].startswith("Nobody can be reached.")


@pytest.mark.one_database
def test_a_tick_for_one_value_does_not_count_for_another(editor: User) -> None:
    organization = factories.organization(user=editor, name="A & B")
    ticked = frozenset(map(submissions.warning_key, reviews.review(organization).warnings))
    organization = organizations.edit(
        organization.pk, 1, factories.record(name="Cats & Dogs"), stands_for="", actor=as_actor(editor)
    )
    with pytest.raises(WarningsOpen):
        factories.press(reviews.review(organization), user=editor, ticked=ticked)


@pytest.mark.one_database
def test_a_warning_ticked_for_the_same_value_is_not_asked_again(db: None) -> None:
    nameless = factories.UserFactory(role="editor", username="nameless")
    organization = factories.organization(user=nameless, contacts=())
    submission = factories.submission(organization, user=nameless)
    submissions.cancel_submission(submission.pk, actor=as_actor(nameless))

    again = reviews.review(Organization.objects.get(pk=organization.pk), actor=as_actor(nameless))
    assert again.open_warnings == ()
    assert [warning.accepted_by for warning in again.settled_warnings] == ["nameless"]
    other = factories.organization(f"{BASE}.2", user=nameless, contacts=())
    assert [warning.key for warning in reviews.review(other, actor=as_actor(nameless)).open_warnings] == ["contact"]


@pytest.mark.one_database
def test_a_warning_keeps_the_person_who_ticked_it(editor: User) -> None:
    organization = factories.organization(user=editor, contacts=())
    first = factories.submission(organization, user=editor, reason="Known so")
    submissions.cancel_submission(first.pk, actor=as_actor(editor))
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    organization.refresh_from_db()
    review = reviews.review(organization, actor=as_actor(other))
    second = factories.press(review, user=other, reason="Another")
    submissions.cancel_submission(second.pk, actor=as_actor(other))

    warnings_by_key = {warning["key"]: warning for warning in second.warnings}
    assert (warnings_by_key["contact"]["accepted_by"], warnings_by_key["contact"]["accepted_reason"]) == (
        "Editor One",
        "Known so",
    )
    assert warnings_by_key["contact"]["accepted_at"] == first.created_at.isoformat()
    assert "accepted_by" not in warnings_by_key["others"]
    organization.refresh_from_db()
    (folded,) = reviews.review(organization, actor=as_actor(other)).settled_warnings
    assert (folded.accepted_by, folded.accepted_reason) == ("Editor One", "Known so")


def test_cancelling_frees_the_record_for_another_review(editor: User) -> None:
    organization = factories.organization(user=editor)
    submission = factories.submission(organization, user=editor)
    cancelled = submissions.cancel_submission(submission.pk, actor=as_actor(editor))

    assert (cancelled.state, cancelled.cancelled_by) == (State.CANCELLED, "Editor One")
    assert factories.submission(organization, user=editor).state == State.QUEUED


@pytest.mark.one_database
@pytest.mark.parametrize("kind", [Kind.NOT_EXECUTED, Kind.UNKNOWN, Kind.NEEDS_PERSON])
def test_what_may_have_been_sent_is_not_cancelled(editor: User, kind: Kind) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    answer_next(kind)
    Submission.objects.update(state=State.QUEUED)
    with pytest.raises(ActionRefused, match="it may have been sent"):
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))


@pytest.mark.one_database
def test_what_was_kept_back_is_cancelled(editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    keep_back(claim())
    assert submissions.cancel_submission(submission.pk, actor=as_actor(editor)).state == State.CANCELLED


def test_every_editor_since_the_last_acceptance_is_an_author(editor: User) -> None:
    organization = factories.organization(user=editor)
    other = factories.UserFactory(role="editor")
    organizations.edit(organization.pk, 1, factories.record(name="Other"), stands_for="", actor=as_actor(other))
    sender = factories.UserFactory(role="approver")
    submission = factories.submission(organization, user=sender)
    assert submission.authors == sorted([editor.pk, other.pk, sender.pk])
    submissions.cancel_submission(submission.pk, actor=as_actor(sender))
    Organization.objects.update(confirmed_version=1)
    again = factories.submission(organization, user=sender)
    assert again.authors == sorted([other.pk, sender.pk])
    submissions.cancel_submission(again.pk, actor=as_actor(sender))
    AuditEntry.objects.filter(actor_id=other.pk).update(actor_id=None)  # the portal is not an author
    assert factories.submission(organization, user=sender).authors == [sender.pk]


@pytest.mark.one_database
def test_changes_of_others_are_a_warning_that_names_them(editor: User) -> None:
    organization = factories.organization(user=editor)
    factories.accept(organization)
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    organizations.edit(organization.pk, 1, factories.record(name="Other"), stands_for="", actor=as_actor(other))

    review = reviews.review(Organization.objects.get(), actor=as_actor(editor))
    assert [(warning.key, "Name (Editor Two" in warning.text) for warning in review.open_warnings] == [("others", True)]
    own = reviews.review(Organization.objects.get(), actor=as_actor(other))
    assert own.open_warnings == ()
    assert reviews.review(Organization.objects.get()).open_warnings == ()


@pytest.mark.one_database
def test_nobody_is_named_for_another_field_of_the_same_contact(editor: User) -> None:
    organization = factories.organization(user=editor)
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    contact = replace(organization.record().contacts[0], work_phone="+16085550177")
    organizations.edit(
        organization.pk, 1, replace(organization.record(), contacts=(contact,)), stands_for="", actor=as_actor(other)
    )
    changes = reviews.review(Organization.objects.get(pk=organization.pk), actor=as_actor(editor)).changes
    authors_by_field = {each.difference.field: each.entry.actor_name for each in changes if each.entry}
    assert (authors_by_field["contacts.0.purpose"], authors_by_field["contacts.0.work_phone"]) == (
        "Editor One",
        "Editor Two",
    )


@pytest.mark.one_database
def test_new_or_update_follows_from_presence(editor: User) -> None:
    organization = factories.organization(user=editor)
    for presence, event, intent in (
        ("never", "New", Intent.CREATE),
        ("absent", "New", Intent.CREATE),
        ("present", "Update", Intent.UPDATE),
    ):
        Organization.objects.update(presence=presence)
        review = reviews.review(Organization.objects.get(pk=organization.pk))
        assert (review.event, review.intent) == (event, intent)
    Organization.objects.update(presence="unknown")
    blockers = reviews.review(Organization.objects.get(pk=organization.pk)).blockers
    assert [blocker.kind for blocker in blockers] == [BlockerKind.PRESENCE_UNKNOWN]


@pytest.mark.one_database
def test_a_record_that_cannot_be_read_back_from_its_message_is_never_stored(editor: User) -> None:
    organization = factories.organization(user=editor, aliases=tuple(f"Alias {number}" for number in range(501)))
    (blocker,) = reviews.review(organization, actor=as_actor(editor)).blockers
    assert blocker.kind == BlockerKind.NOT_READ_BACK
    assert blocker.sentence == (
        "The message cannot be read back as this record: Aliases holds more than 500 parts. Edit the record first."
    )
    with pytest.raises(ActionRefused, match="cannot be read back"):
        factories.submission(organization, user=editor)


@pytest.mark.one_database
def test_a_value_that_a_message_would_lose_is_shown_in_the_review(editor: User) -> None:
    organization = factories.organization(user=editor, aliases=("Lakeside", ""))
    (blocker,) = reviews.review(organization, actor=as_actor(editor)).blockers
    assert "it lacks a value of the record" in blocker.sentence


@pytest.mark.one_database
def test_a_record_with_active_children_is_not_deactivated(editor: User) -> None:
    parent = factories.organization(user=editor)
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    Organization.objects.update(presence="present", presence_basis="accepted", confirmed_active=True)

    review = reviews.review(Organization.objects.get(pk=parent.pk), intent=Intent.DEACTIVATE)
    assert [blocker.kind for blocker in review.blockers] == [BlockerKind.ACTIVE_CHILDREN]


@pytest.mark.one_database
def test_a_child_of_a_deactivated_parent_is_not_sent(editor: User) -> None:
    factories.organization(user=editor)
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    parents = Organization.objects.filter(oid=BASE)
    parents.update(presence="present", presence_basis="accepted", confirmed_active=False)
    kinds = [blocker.kind for blocker in reviews.review(child).blockers]
    assert kinds == [BlockerKind.PARENT_DEACTIVATED]


@pytest.mark.one_database
def test_a_child_waits_only_for_the_open_new_of_its_parent(editor: User) -> None:
    parent = factories.organization(user=editor)
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    new = factories.submission(parent, user=editor)
    assert reviews.review(child).waits_for == new
    submissions.cancel_submission(new.pk, actor=as_actor(editor))
    assert reviews.review(child).waits_for is None
    factories.submission(factories.accept(parent), user=editor)
    assert reviews.review(child).waits_for is None


EVERY_PAIR = {(start, end) for start in State.values for end in State.values}


@pytest.fixture
def submission(editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor)


def begin(submission: Submission, state: str) -> None:
    factories.change_submission(submission, state=state, evidence=_evidence(state))
    submission.refresh_from_db()


def test_each_move_of_the_table_is_allowed(submission: Submission) -> None:
    for start, end in sorted(MOVED):
        begin(submission, start)
        submissions.move_submission(submission, State(end), evidence=_evidence(end))
        assert Submission.objects.get().state == end, (start, end)


@pytest.mark.one_database
def test_no_other_move_is_allowed(submission: Submission) -> None:
    for start, end in sorted(EVERY_PAIR - MOVED - AFTER_A_RESTORE):
        begin(submission, start)
        with pytest.raises(ValueError, match=f"cannot change from {start} to {end}"):
            submissions.move_submission(submission, State(end))
        assert Submission.objects.get().state == start


def test_a_worker_with_the_token_of_an_earlier_attempt_changes_nothing(submission: Submission) -> None:
    submissions.move_submission(submission, State.SENDING, attempt=1, token=1)
    held_up = Submission.objects.get()
    submissions.move_submission(submission, State.QUEUED)
    submissions.move_submission(submission, State.SENDING, attempt=2, token=2)

    with pytest.raises(OutOfDate, match="was moved by another process"):
        submissions.move_submission(held_up, State.ACCEPTED, detail="Late.")
    stored_submission = Submission.objects.get()
    assert (stored_submission.state, stored_submission.attempt, stored_submission.token, stored_submission.detail) == (
        State.SENDING,
        2,
        2,
        "",
    )
    submissions.move_submission(submission, State.ACCEPTED, evidence="answer")


def test_a_second_move_changes_nothing(submission: Submission) -> None:
    stale = Submission.objects.get(pk=submission.pk)
    submissions.move_submission(submission, State.CANCELLED)  # the token stays the same: only the state differs
    with pytest.raises(OutOfDate):
        submissions.move_submission(stale, State.SENDING, attempt=1, token=1)
    stored_submission = Submission.objects.get()
    assert (stored_submission.state, stored_submission.attempt, stored_submission.token) == (State.CANCELLED, 0, 0)


def test_bytes_that_are_not_the_reviewed_ones_are_never_sent(submission: Submission) -> None:
    other_bytes = bytes(submission.message).replace(b"Lakeside 1", b"Lakeside 2")
    Submission.objects.update(message=other_bytes)

    assert claim() is None

    submission.refresh_from_db()
    assert (submission.state, submission.attempt) == (State.NEEDS_PERSON, 0)
    assert submission.state_reason == "The stored message is not the one that was reviewed."


def _evidence(state: str) -> str:
    return "answer" if state == State.ACCEPTED else ""
