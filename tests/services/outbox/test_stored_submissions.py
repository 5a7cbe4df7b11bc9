"""What submitting and cancelling store, column by column, and what their entries hold."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from organizations.models import Action, AuditEntry, Intent, Organization, State, Submission, User
from organizations.records import canonical, difference
from organizations.redox.environment import GATEWAY_OID
from organizations.services.actors import system
from organizations.services.audit import audit
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.services.review import reviews
from tests import factories
from tests.changes import mark_foreign, save_edit, store_reading_with
from tests.factories import BASE, as_actor

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WANTED_AND_RETURNED = (
    Action.ORGANIZATION_DEACTIVATION_WANTED,
    Action.ORGANIZATION_REACTIVATION_WANTED,
    Action.ORGANIZATION_ACTIVE_RETURNED,
)


def entries_about_active() -> list[tuple[str, int | None, str]]:
    """The entries about the wanted Active, each with its submission and reason."""
    entries = AuditEntry.objects.filter(action__in=WANTED_AND_RETURNED).order_by("sequence")
    return [(entry.action, entry.submission_id, entry.facts.get("reason", "")) for entry in entries]


def pressed(organization: Organization, user: User, intent: Intent | None = None, **values: Any) -> Submission:
    review = reviews.review(Organization.objects.get(pk=organization.pk), actor=as_actor(user), intent=intent)
    return factories.press(review, user=user, **values)


def test_an_update_is_stored_with_all_that_was_reviewed(editor: User) -> None:
    organization = factories.accepted_organization(user=factories.UserFactory(role="editor"), contacts=())
    store_reading_with(organization, aliases=("By hand",))
    organization = save_edit(organization, editor, name="Lakeside North")
    review = reviews.review(organization, actor=as_actor(editor))
    submission = factories.press(review, user=editor, reason="ticket 7")

    submission_row = Submission.objects.get(pk=submission.pk)
    expected = {
        "organization": organization,
        "plan": None,
        "environment": "staging",
        "oid": BASE,
        "part_of_oid": GATEWAY_OID,
        "event": "Update",
        "intent": Intent.UPDATE,
        "before": canonical(organization.newest_record()),  # type: ignore[arg-type]
        "record_version": 2,
        "reason": "ticket 7",
        "authors": [editor.pk],
        "submitter": editor,
        "state": State.QUEUED,
        "state_at": submission_row.created_at,
        "warnings": [each.to_json() for each in review.warnings],
    }
    assert {name: getattr(submission_row, name) for name in expected} == expected
    assert {each["key"] for each in submission_row.warnings} == {"contact", "overwrite"}
    assert Organization.objects.get().last_submission == submission_row
    facts = AuditEntry.objects.filter(action=Action.SUBMISSION_MADE).latest("sequence").facts
    entry_body = {
        "version": 2,
        "reason": "ticket 7",
        "record": review.record.to_json(),
        "warnings": submission_row.warnings,
        "details": {"approval": "No approval was required (STAGING)."},
    }
    assert {name: facts[name] for name in entry_body} == entry_body
    assert [each["field"] for each in facts["changes"]] == ["name", "aliases"]
    assert entries_about_active() == []


@pytest.mark.parametrize(
    ("values", "fields"),
    [({}, ["name"]), ({"event": "New"}, None), ({"before": ""}, None), ({"message": b"{"}, [])],
    ids=["Update", "New", "Update of an unknown record", "unreadable"],
)
def test_the_changes_of_a_submission_are_read_from_its_own_message(
    editor: User, values: dict[str, Any], fields: list[str] | None
) -> None:
    organization = save_edit(factories.accepted_organization(user=editor), editor, name="Lakeside North")
    submission = pressed(organization, editor)
    for name, value in values.items():
        setattr(submission, name, value)
    if fields is None:
        fields = [each.field for each in difference(None, organization.record())]
    assert [each.field for each in submissions.sent_changes(submission)] == fields


def test_a_submission_of_a_plan_names_it_and_what_it_waits_for(editor: User) -> None:
    organization = factories.organization(user=editor)
    first = pressed(factories.organization(f"{BASE}.1", user=editor), editor)
    plan = factories.plan([factories.organization(f"{BASE}.2", user=editor)], user=editor)
    with audit.atomic(as_actor(editor)) as history:
        review = reviews.review(organization, actor=as_actor(editor))
        submission = submissions.store_submission(history, review, reason="", plan=plan, waits_for=[first])
    assert (submission.plan, list(submission.waits_for.all())) == (plan, [first])
    assert AuditEntry.objects.latest("sequence").facts["plan"] == plan.pk


def test_only_a_person_submits(editor: User) -> None:
    review = reviews.review(factories.organization(user=editor))
    with pytest.raises(ActionRefused, match="Only a person"), audit.atomic(system("Worker")) as history:
        submissions.store_submission(history, review, reason="")
    assert not Submission.objects.exists()


def test_blockers_are_checked_again_on_submit(editor: User) -> None:
    organization = factories.organization(user=editor)
    review = reviews.review(organization, actor=as_actor(editor))
    mark_foreign(organization)
    with pytest.raises(ActionRefused) as refused:
        factories.press(review, user=editor)
    blockers = reviews.review(Organization.objects.get()).blockers
    assert str(refused.value) == " ".join(each.sentence for each in blockers)
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("environment", "four_eyes", "said"),
    [
        ("staging", False, "No approval was required (STAGING)."),
        (
            "production",
            False,
            "No approval was required: approvers send themselves in this release; PRODUCTION_FOUR_EYES was false.",
        ),
        (
            "production",
            True,
            "No approval was required: approvers send themselves in this release; PRODUCTION_FOUR_EYES was true.",
        ),
    ],
)
def test_the_entry_says_why_no_approval_was_needed(environment: str, four_eyes: bool, said: str) -> None:
    with override_settings(PRODUCTION_FOUR_EYES=four_eyes):
        assert submissions._approval(environment) == said


# Active -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "active", "action"),
    [
        (Intent.DEACTIVATE, True, Action.ORGANIZATION_DEACTIVATION_WANTED),
        (Intent.REACTIVATE, False, Action.ORGANIZATION_REACTIVATION_WANTED),
    ],
)
def test_submitting_changes_the_saved_active_and_cancelling_restores_it(
    editor: User, intent: Intent, active: bool, action: Action
) -> None:
    organization = factories.accept(factories.organization(user=editor), active=active)
    Organization.objects.update(active=active)
    submission = pressed(organization, editor, intent, reason="ticket 8")
    assert submission.intent == intent
    assert Organization.objects.get().active is not active
    assert entries_about_active() == [(action, submission.pk, "ticket 8")]

    submissions.cancel_submission(submission.pk, actor=as_actor(editor))
    assert Organization.objects.get().active is active
    assert entries_about_active()[1:] == [(Action.ORGANIZATION_ACTIVE_RETURNED, submission.pk, "")]


@pytest.mark.parametrize(
    ("intent", "confirmed_active", "after"),
    [
        (Intent.UPDATE, None, True),
        (Intent.DEACTIVATE, None, True),
        (Intent.REACTIVATE, None, False),
        (Intent.DEACTIVATE, False, False),
        (Intent.REACTIVATE, True, True),
    ],
)
def test_a_cancel_restores_the_confirmed_or_the_former_active(
    editor: User, intent: Intent, confirmed_active: bool | None, after: bool
) -> None:
    submission = pressed(factories.organization(user=editor), editor)
    Submission.objects.update(intent=intent)
    active = after if intent == Intent.UPDATE else not after
    Organization.objects.update(active=active, confirmed_active=confirmed_active)
    submissions.cancel_submission(submission.pk, actor=as_actor(editor))
    assert Organization.objects.get().active is after
    assert bool(entries_about_active()) is (intent != Intent.UPDATE)


# Cancelling -------------------------------------------------------------------------------------------------


def by_a_worker(submission: Submission) -> None:
    with audit.atomic(system("Worker")) as history:
        locked = submissions.lock_structure_and_followers(submission.pk)
        submissions.cancel_locked(history, locked.by_id[submission.pk], locked, reason="Why not")


def by_a_person(submission: Submission) -> None:
    submissions.cancel_submission(submission.pk, actor=as_actor(submission.submitter), reason="Why not")


@pytest.mark.parametrize(("cancel", "by"), [(by_a_person, "Editor One"), (by_a_worker, "")])
def test_followers_of_a_cancelled_submission_are_cancelled_too(
    editor: User, cancel: Callable[[Submission], None], by: str
) -> None:
    first = pressed(factories.organization(user=editor), editor)
    child = pressed(factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE), editor)
    other = pressed(factories.organization(f"{BASE}.2", user=editor), editor)
    assert list(child.waits_for.all()) == [first]
    cancel(first)

    because = f"Submission {first.pk}, which this one waited for, was cancelled."
    for submission, reason in ((first, "Why not"), (child, because)):
        submission.refresh_from_db()
        assert (submission.state, submission.state_reason, submission.cancelled_by) == (State.CANCELLED, reason, by)
        assert submission.ended_at is not None
        entry = AuditEntry.objects.get(action=Action.SUBMISSION_CANCELLED, submission_id=submission.pk)
        assert entry.facts["reason"] == reason
    other.refresh_from_db()
    assert other.state == State.QUEUED


def test_a_submission_that_keeps_its_state_keeps_the_time_of_that_state(editor: User) -> None:
    submission = pressed(factories.organization(user=editor), editor, reason="")  # STAGING asks for none
    submissions.move_submission(submission, State.SENDING)
    submissions.move_submission(submission, State.UNKNOWN)
    since = submission.state_at
    assert since > submission.created_at
    submissions.move_submission(submission, State.UNKNOWN, asks=1)
    submission_row = Submission.objects.get()
    assert (submission_row.state_at, submission_row.asks, submission.asks) == (since, 1, 1)
