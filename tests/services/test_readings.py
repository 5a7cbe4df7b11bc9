"""What a later reading of a record says about the messages sent: whose change it shows, what it proves."""

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
from organizations.services import asking, organizations, resolving
from organizations.services.actors import Actor
from tests import factories
from tests.factories import BASE, acting

from .sending import accepted, deliver, edit, fresh
from .test_resolving import a_while_ago, resolve, unknown, writes

pytestmark = pytest.mark.one_database


def read_as_before(practice: PracticeDirectory, editor: User) -> Organization:
    """A record whose second name was accepted; the directory, asked then, still shows the first one."""
    made = accepted(editor)
    before = practice.organizations("staging")[BASE]
    factories.submission(edit(made, editor, name="Lakeside North"), user=editor)
    assert deliver()
    practice.register("staging", before)
    asking.ask_about_record(made, actor=acting(editor))
    return fresh(made)


def test_a_reading_of_what_was_there_before_is_nobodys_change(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    after = read_as_before(practice, editor)
    there = practice.organizations("staging")[BASE]
    assert (after.not_visible_yet, after.differs, after.newest_record()) == (True, 0, after.confirmed_record())
    practice.register("staging", there | {"Name": "By hand"})
    asking.ask_about_record(after, actor=worker)
    assert (fresh(after).not_visible_yet, fresh(after).differs) == (False, 1)


def test_what_our_own_message_may_have_changed_is_nobody_elses_change(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = accepted(editor)
    submission = unknown(practice, editor, "applies-then-504", edit(made, editor, name="Lakeside North"))
    asking.ask_about(submission, actor=worker)
    assert fresh(made).differs == 0
    practice.register("staging", practice.organizations("staging")[BASE] | {"Aliases": ["By hand"]})
    asking.ask_about(submission, actor=worker)
    assert fresh(made).differs == 1


def test_an_acceptance_by_something_equivalent_is_read_once_and_the_spelling_from_before_is_a_difference(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    before = replace(factories.record().address, zip_code="53704-1111")
    accepted_as_before = accepted(editor, address=before)
    address = replace(before, zip_code="53704-2222")
    submission = factories.submission(edit(accepted_as_before, editor, address=address), user=editor)
    made = factories.confirmed(submission.organization, submission=submission, evidence=Evidence.EQUIVALENT)
    Submission.objects.filter(pk=submission.pk).update(read_back_at=timezone.now())

    assert resolving.read_back_next("staging", actor=worker)
    assert not resolving.read_back_next("staging", actor=worker)

    made = fresh(made)
    assert (made.differs, made.not_visible_yet, made.confirmed_evidence) == (1, False, Evidence.EQUIVALENT)
    submission.refresh_from_db()
    assert (submission.evidence, submission.read_back_at) == (Evidence.EQUIVALENT, None)


def test_a_new_of_an_oid_that_had_been_there_is_not_visible_yet_while_the_directory_does_not_show_it(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = accepted(editor)
    assert made.last_submission is not None
    practice.forget("staging", BASE)
    # Earlier releases kept what had been there as the record before such a New.
    Submission.objects.update(before=made.confirmed)
    asking.ask_about(made.last_submission, actor=worker)
    assert (fresh(made).not_visible_yet, fresh(made).differs) == (True, 0)


def test_what_was_visible_once_and_is_gone_again_was_changed_by_somebody(
    practice: PracticeDirectory, editor: User
) -> None:
    made = accepted(editor)
    old = practice.organizations("staging")[BASE]
    factories.submission(edit(made, editor, name="Lakeside North"), user=editor)
    assert deliver()
    new = practice.organizations("staging")[BASE]
    found = []
    for place, shown in enumerate((old, new, old, old)):
        practice.register("staging", shown)
        asking.ask_about_record(fresh(made), actor=acting(editor))
        edit(made, editor, aliases=(f"Alias {place}",))
        found.append((fresh(made).not_visible_yet, fresh(made).differs))
    assert found == [(True, 0), (False, 0), (False, 1), (False, 1)]


def test_what_the_directory_showed_before_the_message_left_does_not_prove_it(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    """The first change is not visible yet, and the second takes it back."""
    made = read_as_before(practice, editor)
    assert made.not_visible_yet
    name = practice.organizations("staging")[BASE]["Name"]
    submission = resolve(unknown(practice, editor, "gateway-error", edit(made, editor, name=name)), worker)
    assert (submission.state, writes(practice).count(bytes(submission.message))) == (State.QUEUED, 1)
    assert deliver()
    submission.refresh_from_db()
    assert (submission.state, submission.evidence) == (State.ACCEPTED, Evidence.ANSWER)


def test_what_somebody_else_did_after_the_review_does_not_prove_the_message(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = edit(accepted(editor), editor, name="Lakeside North")
    factories.submission(made, user=editor)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Name": "Lakeside North"})
    asking.ask_about_record(fresh(made), actor=acting(editor))
    assert resolve(sent_and_lost(practice), worker).state == State.QUEUED


def test_questions_that_failed_do_not_hide_what_the_directory_showed_before(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = edit(accepted(editor), editor, name="Lakeside North")
    factories.submission(made, user=editor)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Name": "Lakeside North"})
    asking.ask_about_record(fresh(made), actor=acting(editor))
    practice.behaviour = "gateway-error"
    for _ in range(11):
        asking.ask_about_record(fresh(made), actor=acting(editor))
    assert resolve(sent_and_lost(practice), worker).state == State.QUEUED


def test_what_the_directory_showed_after_an_attempt_that_redox_put_off_does_not_prove_the_next(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = edit(accepted(editor), editor, name="Lakeside North")
    submission = factories.submission(made, user=editor)
    practice.behaviour = "too-many"
    assert deliver()
    practice.behaviour = "answers"
    EnvironmentGate.objects.update(hold_until=None, hold_asked_until=None)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Name": "Lakeside North"})
    asking.ask_about_record(fresh(made), actor=acting(editor))
    Submission.objects.filter(pk=submission.pk).update(not_before=None)
    assert resolve(sent_and_lost(practice), worker).state == State.QUEUED


def sent_and_lost(practice: PracticeDirectory) -> Submission:
    """The last submission, sent; a gateway answered and Redox did not apply it."""
    practice.behaviour = "gateway-error"
    assert deliver()
    practice.behaviour = "answers"
    return Submission.objects.latest("pk")


def test_an_answer_about_the_former_oid_is_no_reading_of_the_record(practice: PracticeDirectory, editor: User) -> None:
    made = accepted(editor)
    submission = made.last_submission
    assert submission is not None
    Organization.objects.filter(pk=made.pk).update(oid=f"{BASE}.7", seen="", seen_at=None)
    asking.ask_about(submission, actor=acting(editor))
    assert (fresh(made).seen, fresh(made).seen_at) == ("", None)


def test_an_answer_about_a_record_that_was_withdrawn_meanwhile_is_kept(
    practice: PracticeDirectory, editor: User
) -> None:
    made = factories.organization(user=editor)
    as_asked = fresh(made)
    organizations.withdraw(made.pk, made.version, actor=acting(editor))
    asking.ask_about_record(as_asked, actor=acting(editor))
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.action, entry.oid) == (Action.ORGANIZATION_ASKED, BASE)


def test_an_answer_to_a_question_from_before_a_new_oid_is_about_the_former_one(
    practice: PracticeDirectory, editor: User
) -> None:
    made = factories.organization(user=editor)
    practice.register("staging", {"Name": "Boston", "Identifiers": [{"ID": BASE, "IDType": "OID"}], "Active": True})
    as_asked = fresh(made)
    edit(made, editor, oid=f"{BASE}.7")
    asking.ask_about_record(as_asked, actor=acting(editor))
    assert (AuditEntry.objects.latest("sequence").oid, fresh(made).seen) == (BASE, "")


def test_nothing_differs_of_an_oid_that_is_not_in_the_directory(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = accepted(editor)
    factories.submission(edit(made, editor, name="Lakeside North"), user=editor)
    assert deliver()
    practice.forget("staging", BASE)
    factories.submission(edit(made, editor, name="Lakeside South"), user=editor)
    assert deliver()
    again = resolve(unknown(practice, editor, "gateway-error", fresh(made)), worker)
    assert fresh(made).differs == 1
    a_while_ago(again)
    assert resolve(again, worker).state == State.QUEUED
    assert (fresh(made).presence, fresh(made).differs) == (Presence.ABSENT, 0)
