"""A person decides an unclear submission: by a fresh answer of the directory, with a reason, only once."""

import datetime
import json
import re
from dataclasses import replace

import pytest

from organizations.models import (
    Action,
    AuditEntry,
    Event,
    Evidence,
    Presence,
    State,
    Submission,
    User,
    Verdict,
    clock,
)
from organizations.pages.differences import difference_rows as shown
from organizations.records import OrganizationRecord
from organizations.redox.client import Exchange
from organizations.redox.environment import GATEWAY_OID
from organizations.redox.outcome import Kind
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.delivery import decide, settle
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused, ReasonMissing
from organizations.services.review import reviews
from tests import factories
from tests.factories import BASE, UserFactory, acting
from tests.services.sending import answer_about, answered, as_sent, claim, edit, fresh, lost, read

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
THEIRS = OrganizationRecord(oid=BASE, name="Theirs", part_of_oid=GATEWAY_OID)


@pytest.fixture
def approver() -> Actor:
    return acting(UserFactory(role="approver"))


@pytest.fixture
def new(editor: User) -> Submission:
    """A New of an OID that somebody else had registered: Redox rejected it."""
    factories.submission(factories.organization(user=editor), user=editor)
    submission = answered(Kind.NEEDS_PERSON, known="already_exists")
    assert submission is not None
    assert submission.state == State.NEEDS_PERSON
    return submission


@pytest.fixture
def update(editor: User) -> Submission:
    """An Update without a clear answer to any attempt."""
    return undecided(lost(edit(factories.accepted(user=editor), editor, name="Lakeside North"), editor))


def undecided(submission: Submission, **values: object) -> Submission:
    Submission.objects.filter(pk=submission.pk).update(state=State.NEEDS_PERSON, **values)
    submission.refresh_from_db()
    return submission


def accepted_before(submission: Submission) -> OrganizationRecord:
    record = fresh(submission.organization).confirmed_record()
    assert record is not None
    return record


def offered(submission: Submission, record: OrganizationRecord | None, actor: Actor) -> set[Verdict]:
    answer_about(submission, record, actor=actor)
    answer = decide.last_answer(submission)
    assert answer is not None
    return set(decide.allowed_verdicts(submission, answer))


def decide_shown(
    submission: Submission,
    verdict: Verdict,
    actor: Actor,
    record: OrganizationRecord | None = THEIRS,
    reason: str = "Compared, ticket 12",
) -> Submission:
    """Decide after the directory has shown this record."""
    sequence = answer_about(submission, record, actor=actor)
    decide.decide_submission(submission.pk, verdict, sequence=sequence, reason=reason, actor=actor)
    submission.refresh_from_db()
    return submission


def test_a_new_that_redox_rejected_cannot_have_arrived_and_is_not_sent_again(new: Submission, approver: Actor) -> None:
    assert offered(new, THEIRS, approver) == {Verdict.OURS, Verdict.FOREIGN}
    assert offered(new, as_sent(new), approver) == {Verdict.OURS, Verdict.FOREIGN}
    assert offered(new, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}


def test_an_unknown_update_may_have_arrived_or_not(update: Submission, approver: Actor) -> None:
    assert offered(update, accepted_before(update), approver) == set(Verdict)
    assert offered(update, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}


def test_a_message_that_was_never_sent_did_not_arrive(editor: User, approver: Actor) -> None:
    made = edit(factories.accepted(user=editor), editor, name="Lakeside North")
    submission = undecided(factories.submission(made, user=editor))
    assert Verdict.ARRIVED not in offered(submission, accepted_before(submission), approver)


def test_after_a_restore_a_message_without_an_attempt_may_have_arrived(editor: User, approver: Actor) -> None:
    made = edit(factories.accepted(user=editor), editor, name="Lakeside North")
    submission = factories.submission(made, user=editor)
    with audit.recorded(approver) as history:
        settle.mark_unknown_after_restore(history, submission, submission.organization)
    assert offered(undecided(submission), accepted_before(submission), approver) == set(Verdict)


def test_a_message_for_other_settings_is_not_sent_again(update: Submission, approver: Actor) -> None:
    submission = undecided(update, message=bytes(update.message).replace(b"a07afe3b", b"b07afe3b"))
    assert Verdict.SEND_AGAIN not in offered(submission, None, approver)


def test_it_arrived(update: Submission, approver: Actor) -> None:
    submission = decide_shown(update, Verdict.ARRIVED, approver, replace(accepted_before(update), name="By hand"))

    made = fresh(submission.organization)
    assert (submission.state, submission.evidence, submission.decided_by) == (
        State.ACCEPTED,
        Evidence.PERSON,
        approver.name,
    )
    assert (made.confirmed_evidence, made.standing, made.changes) == (Evidence.PERSON, "active", 0)
    # What the directory showed beside the decision is still its newest reading.
    assert (made.differs, made.seen_at == submission.evidence_at) == (1, True)
    entry = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert (entry.actor_name, entry.facts["reason"]) == (approver.name, "Compared, ticket 12")
    assert entry.facts["details"] == {"state": "accepted", "evidence": "person", "verdict": "arrived"}


def test_it_did_not_arrive_and_the_same_bytes_are_sent_again(update: Submission, approver: Actor) -> None:
    often = undecided(update, tries=8, only_ask=True)
    submission = decide_shown(often, Verdict.SEND_AGAIN, approver, accepted_before(update))
    assert (submission.state, submission.tries, submission.only_ask) == (State.QUEUED, 0, False)
    assert submission.unknown_since is None
    again = claim()
    assert again is not None
    assert (again.pk, again.attempt, bytes(again.message)) == (submission.pk, 2, bytes(submission.message))


def test_it_did_not_arrive_and_is_given_up(update: Submission, approver: Actor) -> None:
    submission = decide_shown(update, Verdict.GIVE_UP, approver, accepted_before(update))
    made = fresh(submission.organization)
    assert (submission.state, submission.decided_by) == (State.REJECTED, approver.name)
    assert (made.open_work, made.name, made.changes) == ("rejected", "Lakeside North", 1)
    assert made.presence == Presence.PRESENT


@pytest.mark.parametrize("verdict", [Verdict.GIVE_UP, Verdict.SEND_AGAIN])
def test_a_new_that_did_not_arrive_and_is_not_there_is_absent(
    new: Submission, approver: Actor, verdict: Verdict
) -> None:
    submission = decide_shown(new, verdict, approver, None)
    assert fresh(submission.organization).presence == Presence.ABSENT


def test_our_record_with_other_values_is_updated_after_a_tick_for_each_value(
    new: Submission, editor: User, approver: Actor
) -> None:
    submission = decide_shown(new, Verdict.OURS, approver)

    made = fresh(submission.organization)
    assert (submission.state, made.open_work, made.standing) == (State.REJECTED, "rejected", "seen")
    review = reviews.review(made, actor=acting(editor))
    assert (review.event, review.changes) == (Event.UPDATE, ())
    assert "fields change" not in review.summary
    assert "name" in {change.difference.field for change in review.overwrites}
    ticked = {warning.key for warning in review.open_warnings}
    assert {"overwrite", "destination-unseen"} <= ticked
    of_another = reviews.review(made, actor=approver)  # each value is ticked once, whoever saved it
    assert "others" not in {warning.key for warning in of_another.open_warnings}


def test_the_directorys_values_of_our_record_can_be_taken_instead(
    new: Submission, editor: User, approver: Actor
) -> None:
    made = fresh(decide_shown(new, Verdict.OURS, approver).organization)
    overwritten = {change.difference.label for change in reviews.review(made, actor=acting(editor)).overwrites}
    page = shown.differences_content(made)
    assert ({row.label for row in page.rows}, page.was_accepted) == (overwritten, False)
    assert page.stays == ("Destination ID",)

    taken = fresh(differences.take_theirs(made.pk, made.version, reason="Theirs", actor=acting(editor)))
    review = reviews.review(taken, actor=acting(editor))
    assert ([each.difference.label for each in review.changes], review.overwrites) == (["Destination ID"], ())
    assert (taken.confirmed, taken.standing, shown.differences_content(taken).rows) == ("", "seen", ())


def test_an_update_that_arrived_in_part_leaves_what_was_accepted_to_compare_with(
    update: Submission, editor: User, approver: Actor
) -> None:
    submission = decide_shown(update, Verdict.OURS, approver, replace(accepted_before(update), aliases=("By hand",)))

    review = reviews.review(fresh(submission.organization), actor=acting(editor))
    assert [change.difference.field for change in review.changes] == ["name"]
    assert [(each.difference.field, each.difference.before) for each in review.overwrites] == [("aliases", "By hand")]
    before = factories.submission(submission.organization, user=editor).before_record()
    assert before is not None
    assert (before.name, before.aliases) == ("Lakeside 1", ("By hand",))


def test_nothing_is_sent_to_the_oid_of_somebody_else(new: Submission, editor: User, approver: Actor) -> None:
    submission = decide_shown(new, Verdict.FOREIGN, approver)
    made = fresh(submission.organization)
    assert (submission.state, made.standing, made.foreign_name) == (State.REJECTED, "not_registered", "Theirs")
    assert [blocker.kind for blocker in reviews.review(made).blockers] == ["foreign"]


def test_after_that_decision_the_oid_may_change_and_records_below_follow(
    new: Submission, editor: User, approver: Actor
) -> None:
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    submission = decide_shown(new, Verdict.FOREIGN, approver)
    made = edit(submission.organization, editor, oid=f"{BASE}9")

    child.refresh_from_db()
    assert (made.oid, child.part_of_oid) == (f"{BASE}9", f"{BASE}9")
    assert (made.is_foreign, made.seen, made.presence) == (False, "", Presence.NEVER)
    assert reviews.review(made, actor=acting(editor)).blockers == ()
    last = AuditEntry.objects.filter(organization_id=child.pk).latest("sequence")
    assert (last.action, last.actor_name, last.facts["fields"]) == (
        Action.ORGANIZATION_EDITED,
        "Editor One",
        ["part_of_oid"],
    )
    # It waits for the new OID, and not for the rejected one.
    (blocker,) = reviews.review(child).blockers
    assert blocker.sentence == f"Send {made.name} first."


def test_a_new_answer_of_the_directory_can_take_the_decision_back(
    new: Submission, editor: User, approver: Actor
) -> None:
    made = decide_shown(new, Verdict.FOREIGN, approver).organization
    with pytest.raises(ActionRefused, match="Ask the directory again"):
        differences.claim(made.pk, reason="Redox corrected it", actor=approver)
    read(made, None)
    with pytest.raises(ReasonMissing):
        differences.claim(made.pk, reason=" ", actor=approver)
    differences.claim(made.pk, reason="Redox corrected it", actor=approver)
    made = fresh(made)
    assert (made.is_foreign, made.standing) == (False, "not_registered")
    assert reviews.review(made, actor=acting(editor)).event == Event.NEW


def test_an_oid_that_comes_back_is_still_somebody_elses(new: Submission, editor: User, approver: Actor) -> None:
    submission = decide_shown(new, Verdict.FOREIGN, approver)
    moved = edit(submission.organization, editor, oid=f"{BASE}.55")
    assert not moved.is_foreign
    back = edit(moved, editor, oid=BASE)
    assert [blocker.kind for blocker in reviews.review(back).blockers] == ["foreign"]

    read(back, THEIRS)
    assert not differences.claim(back.pk, reason="Ticket 9", actor=approver).is_foreign


def test_a_decision_by_a_lagging_answer_compares_with_that_answer(editor: User, approver: Actor) -> None:
    made = factories.accepted(user=editor)
    before = made.record()
    factories.submission(edit(made, editor, name="Second"), user=editor)
    answered()
    decide_shown(undecided(lost(edit(made, editor, name="Third"), editor)), Verdict.OURS, approver, before)
    review = reviews.review(fresh(made), actor=acting(editor))
    assert [each.difference.before for each in review.overwrites] == [before.name]


def test_a_reason_is_needed(new: Submission, approver: Actor) -> None:
    with pytest.raises(ReasonMissing):
        decide_shown(new, Verdict.OURS, approver, reason="  ")
    new.refresh_from_db()
    assert new.state == State.NEEDS_PERSON


def test_nothing_is_decided_without_an_answer(new: Submission, approver: Actor) -> None:
    sequence = answer_about(new, None, actor=approver, cause="HTTP 502")
    assert decide.last_answer(new) is None
    with pytest.raises(ActionRefused, match="Ask the directory"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=sequence, reason="Guessed", actor=approver)


def test_an_answer_is_fresh_for_ten_minutes() -> None:
    minutes = datetime.timedelta(minutes=10)
    assert decide.is_recent(clock.now() - minutes + datetime.timedelta(seconds=30))
    assert not decide.is_recent(clock.now() - minutes)


def test_an_answer_of_an_earlier_release_is_as_old_as_its_entry(new: Submission, approver: Actor) -> None:
    entry = AuditEntry.objects.get(pk=answer_about(new, None, actor=approver))
    body = re.sub(rb'"asked_at":"[^"]*",?', b"", bytes(entry.body))
    AuditEntry.objects.filter(pk=entry.pk).update(body=body)
    answer = decide.last_answer(new)
    assert answer is not None
    assert answer.asked_at == entry.at


def test_nobody_can_decide_by_an_old_or_outdated_answer(
    new: Submission, approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answer_about(new, THEIRS, actor=approver)
    second = answer_about(new, THEIRS, actor=approver)
    with pytest.raises(ActionRefused, match="no longer the last one"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=first, reason="Late", actor=approver)
    read(new.organization, None)  # the record was asked for again
    with pytest.raises(ActionRefused, match="no longer the last one"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=second, reason="Late", actor=approver)
    assert offered(new, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}
    monkeypatch.setattr(decide, "RECENT", datetime.timedelta(0))
    with pytest.raises(ActionRefused, match="older than 10 minutes"):
        decide_shown(new, Verdict.OURS, approver)


def test_a_decision_that_the_directory_does_not_allow_is_refused(new: Submission, approver: Actor) -> None:
    with pytest.raises(ActionRefused, match="does not allow this decision"):
        decide_shown(new, Verdict.SEND_AGAIN, approver)


def test_a_submission_is_decided_only_once(new: Submission, approver: Actor) -> None:
    sequence = answer_about(new, THEIRS, actor=approver)
    decide.decide_submission(new.pk, Verdict.OURS, sequence=sequence, reason="Ours", actor=approver)
    with pytest.raises(ActionRefused, match="does not need a decision any more"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=sequence, reason="Ours", actor=approver)
    assert AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).count() == 1


def updated(oid: str) -> Exchange:
    """Redox accepts an Update of this OID."""
    said = f"Organization with id:{oid} has been updated successfully."
    meta = {"DataModel": "Organization", "EventType": "Update", "Extensions": {"ResponseDetail": {"string": said}}}
    return Exchange(request_sha256="", sent=True, status=200, body=json.dumps({"Meta": meta}).encode())


def test_the_answers_to_another_submission_prove_nothing(update: Submission, editor: User, approver: Actor) -> None:
    made = edit(factories.accepted(f"{BASE}.2", user=editor), editor, name="Lakeside South")
    submission = undecided(factories.submission(made, user=editor))  # never sent
    assert settle.store_response(update, updated(made.oid), repeat=0, actor=approver) is None
    assert offered(submission, accepted_before(submission), approver) == set(Verdict) - {Verdict.ARRIVED}


def test_a_late_rejection_counts_as_a_rejection(update: Submission, approver: Actor) -> None:
    assert Verdict.ARRIVED in offered(update, accepted_before(update), approver)
    body = b'{"Meta": {"Errors": [{"ID": 1, "Text": "Failed to parse request body as XML resource."}]}}'
    refusal = Exchange(request_sha256="", sent=True, status=403, body=body)
    assert settle.store_response(update, refusal, repeat=0, actor=approver) is None
    assert decide.last_answer(update) is not None  # it is still the directory's last answer
    assert Verdict.ARRIVED not in offered(update, accepted_before(update), approver)


def test_a_late_answer_that_the_oid_exists_already_counts_as_a_rejection(editor: User, approver: Actor) -> None:
    submission = undecided(lost(factories.organization(user=editor), editor))
    assert Verdict.ARRIVED in offered(submission, as_sent(submission), approver)
    body = json.dumps({"Meta": {"Errors": [{"ID": 1, "Text": f"{BASE} already exists."}]}}).encode()
    exists = Exchange(request_sha256="", sent=True, status=403, body=body)
    assert settle.store_response(submission, exists, repeat=0, actor=approver) is None
    assert Verdict.ARRIVED not in offered(submission, as_sent(submission), approver)


def test_the_last_verdict_is_the_one_of_the_last_decision(new: Submission, approver: Actor) -> None:
    for verdict in (Verdict.SEND_AGAIN, Verdict.GIVE_UP):
        submission = decide_shown(undecided(new), verdict, approver, None)
        answer_about(submission, None, actor=approver)
        entry = AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).latest("sequence")
        assert decide.entry_verdict(entry) == verdict
    assert decide.last_verdicts([submission]) == {submission.pk: Verdict.GIVE_UP}


def test_nobody_can_decide_that_a_message_did_not_arrive_if_a_late_answer_accepted_it(
    update: Submission, approver: Actor
) -> None:
    assert settle.store_response(update, updated(BASE), repeat=0, actor=approver) is None
    assert offered(update, accepted_before(update), approver) == {Verdict.ARRIVED, Verdict.OURS, Verdict.FOREIGN}
    # If it is gone, only a person can say what became of it.
    assert offered(update, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}
