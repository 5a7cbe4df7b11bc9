"""A person decides an unclear submission once, with a reason, by a recent answer of the directory."""

import datetime
import json
import re
from dataclasses import replace

import pytest

from organizations.models import Action, AuditEntry, Event, Evidence, Presence, State, Submission, User, Verdict, clock
from organizations.pages.differences import difference_rows as shown
from organizations.records import OrganizationRecord
from organizations.redox.client import Exchange
from organizations.redox.environment import GATEWAY_OID
from organizations.redox.outcome import Kind
from organizations.services import timing
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.delivery import decide, settle
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused, ReasonMissing
from organizations.services.review import reviews
from tests import factories
from tests.factories import BASE, UserFactory, as_actor
from tests.services.sending import (
    accepted_before,
    answer_next,
    claim,
    edit,
    reload,
    send_and_lose_answer,
    sent_record,
    store_reading,
    store_response,
    store_submission_answer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
THEIRS = OrganizationRecord(oid=BASE, name="Theirs", part_of_oid=GATEWAY_OID)


@pytest.fixture
def approver() -> Actor:
    return as_actor(UserFactory(role="approver"))


@pytest.fixture
def new(editor: User) -> Submission:
    """A New that Redox rejected, because somebody else had registered its OID."""
    factories.submission(factories.organization(user=editor), user=editor)
    submission = answer_next(Kind.NEEDS_PERSON, known="already_exists")
    assert submission is not None
    assert submission.state == State.NEEDS_PERSON
    return submission


@pytest.fixture
def update(editor: User) -> Submission:
    """An Update that got no clear answer to any attempt."""
    return undecided(
        send_and_lose_answer(edit(factories.accepted_organization(user=editor), editor, name="Lakeside North"), editor)
    )


def undecided(submission: Submission, **values: object) -> Submission:
    factories.change_submission(submission, state=State.NEEDS_PERSON, **values)
    submission.refresh_from_db()
    return submission


def offered(submission: Submission, record: OrganizationRecord | None, actor: Actor) -> set[Verdict]:
    store_submission_answer(submission, record, actor=actor)
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
    sequence = store_submission_answer(submission, record, actor=actor)
    decide.decide_submission(submission.pk, verdict, sequence=sequence, reason=reason, actor=actor)
    submission.refresh_from_db()
    return submission


def test_a_new_that_redox_rejected_cannot_have_arrived_and_is_not_sent_again(new: Submission, approver: Actor) -> None:
    assert offered(new, THEIRS, approver) == {Verdict.OURS, Verdict.FOREIGN}
    assert offered(new, sent_record(new), approver) == {Verdict.OURS, Verdict.FOREIGN}
    assert offered(new, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}


def test_an_unknown_update_may_have_arrived_or_not(update: Submission, approver: Actor) -> None:
    assert offered(update, accepted_before(update), approver) == set(Verdict)
    assert offered(update, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}


def test_a_message_that_was_never_sent_did_not_arrive(editor: User, approver: Actor) -> None:
    organization = edit(factories.accepted_organization(user=editor), editor, name="Lakeside North")
    submission = undecided(factories.submission(organization, user=editor))
    assert Verdict.ARRIVED not in offered(submission, accepted_before(submission), approver)


def test_after_a_restore_a_message_without_an_attempt_may_have_arrived(editor: User, approver: Actor) -> None:
    organization = edit(factories.accepted_organization(user=editor), editor, name="Lakeside North")
    submission = factories.submission(organization, user=editor)
    with audit.atomic(approver) as history:
        settle.mark_unknown_after_restore(history, submission, submission.organization)
    assert offered(undecided(submission), accepted_before(submission), approver) == set(Verdict)


def test_a_message_for_other_settings_is_not_sent_again(update: Submission, approver: Actor) -> None:
    submission = undecided(update, message=bytes(update.message).replace(b"a07afe3b", b"b07afe3b"))
    assert Verdict.SEND_AGAIN not in offered(submission, None, approver)


def test_a_person_decides_that_the_message_arrived(update: Submission, approver: Actor) -> None:
    submission = decide_shown(update, Verdict.ARRIVED, approver, replace(accepted_before(update), name="By hand"))

    organization = reload(submission.organization)
    assert (submission.state, submission.evidence, submission.decided_by) == (
        State.ACCEPTED,
        Evidence.PERSON,
        approver.name,
    )
    assert (organization.confirmed_evidence, organization.standing, organization.changes) == (
        Evidence.PERSON,
        "active",
        0,
    )
    # The answer that the person decided by is still the newest reading.
    assert (organization.differs, organization.seen_at == submission.evidence_at) == (1, True)


def test_a_message_that_did_not_arrive_is_sent_again_with_the_same_bytes(update: Submission, approver: Actor) -> None:
    often = undecided(update, counted_attempts=8, is_restored=True)
    submission = decide_shown(often, Verdict.SEND_AGAIN, approver, accepted_before(update))
    assert (submission.state, submission.counted_attempts, submission.is_restored) == (State.QUEUED, 0, False)
    assert submission.unknown_since is None
    again = claim()
    assert again is not None
    assert (again.pk, again.attempt, bytes(again.message)) == (submission.pk, 2, bytes(submission.message))


def test_a_message_that_did_not_arrive_can_be_given_up(update: Submission, approver: Actor) -> None:
    submission = decide_shown(update, Verdict.GIVE_UP, approver, accepted_before(update))
    organization = reload(submission.organization)
    assert (submission.state, submission.decided_by) == (State.REJECTED, approver.name)
    assert (organization.open_work, organization.name, organization.changes) == ("rejected", "Lakeside North", 1)
    assert organization.presence == Presence.PRESENT


@pytest.mark.parametrize("verdict", [Verdict.GIVE_UP, Verdict.SEND_AGAIN])
def test_a_new_that_did_not_arrive_leaves_the_record_absent(new: Submission, approver: Actor, verdict: Verdict) -> None:
    submission = decide_shown(new, verdict, approver, None)
    assert reload(submission.organization).presence == Presence.ABSENT


def test_our_record_with_other_values_is_updated_after_a_tick_for_each_value(
    new: Submission, editor: User, approver: Actor
) -> None:
    submission = decide_shown(new, Verdict.OURS, approver)

    organization = reload(submission.organization)
    assert (submission.state, organization.open_work, organization.standing) == (State.REJECTED, "rejected", "seen")
    review = reviews.review(organization, actor=as_actor(editor))
    assert (review.event, review.changes) == (Event.UPDATE, ())
    assert "fields change" not in review.summary
    assert "name" in {change.difference.field for change in review.overwrites}
    ticked = {warning.key for warning in review.open_warnings}
    assert {"overwrite", "destination-unseen"} <= ticked
    of_another = reviews.review(organization, actor=approver)  # each value is ticked once, no matter who saved it
    assert "others" not in {warning.key for warning in of_another.open_warnings}


def test_the_directorys_values_of_our_record_can_be_taken_instead(
    new: Submission, editor: User, approver: Actor
) -> None:
    organization = reload(decide_shown(new, Verdict.OURS, approver).organization)
    overwritten = {
        change.difference.label for change in reviews.review(organization, actor=as_actor(editor)).overwrites
    }
    page = shown.differences_content(organization)
    assert ({row.label for row in page.rows}, page.has_baseline) == (overwritten, False)
    assert page.stays == ("Destination ID",)

    after_taking = reload(
        differences.take_directory_values(
            organization.pk, organization.version, reason="Theirs", actor=as_actor(editor)
        )
    )
    review = reviews.review(after_taking, actor=as_actor(editor))
    assert ([each.difference.label for each in review.changes], review.overwrites) == (["Destination ID"], ())
    assert (after_taking.confirmed, after_taking.standing, shown.differences_content(after_taking).rows) == (
        "",
        "seen",
        (),
    )


def test_after_an_update_that_arrived_in_part_the_accepted_values_stay_the_baseline(
    update: Submission, editor: User, approver: Actor
) -> None:
    submission = decide_shown(update, Verdict.OURS, approver, replace(accepted_before(update), aliases=("By hand",)))

    review = reviews.review(reload(submission.organization), actor=as_actor(editor))
    assert [change.difference.field for change in review.changes] == ["name"]
    assert [(each.difference.field, each.difference.before) for each in review.overwrites] == [("aliases", "By hand")]
    record_before = factories.submission(submission.organization, user=editor).before_record()
    assert record_before is not None
    assert (record_before.name, record_before.aliases) == ("Lakeside 1", ("By hand",))


def test_nothing_is_sent_to_an_oid_that_belongs_to_somebody_else(
    new: Submission, editor: User, approver: Actor
) -> None:
    submission = decide_shown(new, Verdict.FOREIGN, approver)
    organization = reload(submission.organization)
    assert (submission.state, organization.standing, organization.foreign_name) == (
        State.REJECTED,
        "not_registered",
        "Theirs",
    )
    assert [blocker.kind for blocker in reviews.review(organization).blockers] == ["foreign"]


def test_after_that_decision_the_oid_can_change_and_child_records_follow(
    new: Submission, editor: User, approver: Actor
) -> None:
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    submission = decide_shown(new, Verdict.FOREIGN, approver)
    organization = edit(submission.organization, editor, oid=f"{BASE}9")

    child.refresh_from_db()
    assert (organization.oid, child.part_of_oid) == (f"{BASE}9", f"{BASE}9")
    assert (organization.is_foreign, organization.seen, organization.presence) == (False, "", Presence.NEVER)
    assert reviews.review(organization, actor=as_actor(editor)).blockers == ()
    last = AuditEntry.objects.filter(organization_id=child.pk).latest("sequence")
    assert (last.action, last.actor_name, last.facts["fields"]) == (
        Action.ORGANIZATION_EDITED,
        "Editor One",
        ["part_of_oid"],
    )
    # It waits for the new OID, and not for the rejected one.
    (blocker,) = reviews.review(child).blockers
    assert blocker.sentence == f"Send {organization.name} first."


def test_a_later_answer_of_the_directory_allows_to_revert_the_decision(
    new: Submission, editor: User, approver: Actor
) -> None:
    organization = decide_shown(new, Verdict.FOREIGN, approver).organization
    with pytest.raises(ActionRefused, match="Ask the directory again"):
        differences.decide_ours(organization.pk, reason="Redox corrected it", actor=approver)
    store_reading(organization, None)
    with pytest.raises(ReasonMissing):
        differences.decide_ours(organization.pk, reason=" ", actor=approver)
    differences.decide_ours(organization.pk, reason="Redox corrected it", actor=approver)
    organization = reload(organization)
    assert (organization.is_foreign, organization.standing) == (False, "not_registered")
    assert reviews.review(organization, actor=as_actor(editor)).event == Event.NEW


def test_an_oid_that_is_set_again_still_belongs_to_somebody_else(
    new: Submission, editor: User, approver: Actor
) -> None:
    submission = decide_shown(new, Verdict.FOREIGN, approver)
    record_with_new_oid = edit(submission.organization, editor, oid=f"{BASE}.55")
    assert not record_with_new_oid.is_foreign
    back = edit(record_with_new_oid, editor, oid=BASE)
    assert [blocker.kind for blocker in reviews.review(back).blockers] == ["foreign"]

    store_reading(back, THEIRS)
    assert not differences.decide_ours(back.pk, reason="Ticket 9", actor=approver).is_foreign


def test_a_decision_by_a_lagging_answer_compares_with_that_answer(editor: User, approver: Actor) -> None:
    organization = factories.accepted_organization(user=editor)
    record_before = organization.record()
    factories.submission(edit(organization, editor, name="Second"), user=editor)
    answer_next()
    decide_shown(
        undecided(send_and_lose_answer(edit(organization, editor, name="Third"), editor)),
        Verdict.OURS,
        approver,
        record_before,
    )
    review = reviews.review(reload(organization), actor=as_actor(editor))
    assert [each.difference.before for each in review.overwrites] == [record_before.name]


def test_a_reason_is_needed(new: Submission, approver: Actor) -> None:
    with pytest.raises(ReasonMissing):
        decide_shown(new, Verdict.OURS, approver, reason="  ")
    new.refresh_from_db()
    assert new.state == State.NEEDS_PERSON


def test_nothing_can_be_decided_without_an_answer(new: Submission, approver: Actor) -> None:
    sequence = store_submission_answer(new, None, actor=approver, cause="HTTP 502")
    assert decide.last_answer(new) is None
    with pytest.raises(ActionRefused, match="Ask the directory"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=sequence, reason="Guessed", actor=approver)


def test_an_answer_is_fresh_for_ten_minutes() -> None:
    minutes = datetime.timedelta(minutes=10)
    assert timing.is_recent(clock.now() - minutes + datetime.timedelta(seconds=30))
    assert not timing.is_recent(clock.now() - minutes)


def test_an_answer_of_an_earlier_release_is_as_old_as_its_entry(new: Submission, approver: Actor) -> None:
    entry = AuditEntry.objects.get(pk=store_submission_answer(new, None, actor=approver))
    body = re.sub(rb'"asked_at":"[^"]*",?', b"", bytes(entry.body))
    AuditEntry.objects.filter(pk=entry.pk).update(body=body)
    answer = decide.last_answer(new)
    assert answer is not None
    assert answer.asked_at == entry.at


def test_nobody_can_decide_by_an_old_or_outdated_answer(
    new: Submission, approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store_submission_answer(new, THEIRS, actor=approver)
    second = store_submission_answer(new, THEIRS, actor=approver)
    with pytest.raises(ActionRefused, match="no longer the last one"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=first, reason="Late", actor=approver)
    store_reading(new.organization, None)  # the record was queried again
    with pytest.raises(ActionRefused, match="no longer the last one"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=second, reason="Late", actor=approver)
    assert offered(new, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}
    monkeypatch.setattr(timing, "RECENT", datetime.timedelta(0))
    with pytest.raises(ActionRefused, match="older than 10 minutes"):
        decide_shown(new, Verdict.OURS, approver)


def test_a_decision_that_the_directory_does_not_allow_is_refused(new: Submission, approver: Actor) -> None:
    with pytest.raises(ActionRefused, match="does not allow this decision"):
        decide_shown(new, Verdict.SEND_AGAIN, approver)


def test_a_submission_is_decided_only_once(new: Submission, approver: Actor) -> None:
    sequence = store_submission_answer(new, THEIRS, actor=approver)
    decide.decide_submission(new.pk, Verdict.OURS, sequence=sequence, reason="Ours", actor=approver)
    with pytest.raises(ActionRefused, match="does not need a decision any more"):
        decide.decide_submission(new.pk, Verdict.OURS, sequence=sequence, reason="Ours", actor=approver)
    assert AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).count() == 1


def updated(oid: str) -> Exchange:
    """Redox accepts an Update of this OID."""
    detail = f"Organization with id:{oid} has been updated successfully."
    meta = {"DataModel": "Organization", "EventType": "Update", "Extensions": {"ResponseDetail": {"string": detail}}}
    return Exchange(request_sha256="", sent=True, status=200, body=json.dumps({"Meta": meta}).encode())


def test_answers_to_another_submission_prove_nothing(update: Submission, editor: User, approver: Actor) -> None:
    organization = edit(factories.accepted_organization(f"{BASE}.2", user=editor), editor, name="Lakeside South")
    submission = undecided(factories.submission(organization, user=editor))  # never sent
    assert store_response(update, updated(organization.oid), repeat=0, actor=approver) is None
    assert offered(submission, accepted_before(submission), approver) == set(Verdict) - {Verdict.ARRIVED}


def test_a_late_rejection_counts_as_a_rejection(update: Submission, approver: Actor) -> None:
    assert Verdict.ARRIVED in offered(update, accepted_before(update), approver)
    body = b'{"Meta": {"Errors": [{"ID": 1, "Text": "Failed to parse request body as XML resource."}]}}'
    refusal = Exchange(request_sha256="", sent=True, status=403, body=body)
    assert store_response(update, refusal, repeat=0, actor=approver) is None
    assert decide.last_answer(update) is not None  # it is still the last answer of the directory
    assert Verdict.ARRIVED not in offered(update, accepted_before(update), approver)


def test_a_late_answer_that_the_oid_exists_already_counts_as_a_rejection(editor: User, approver: Actor) -> None:
    submission = undecided(send_and_lose_answer(factories.organization(user=editor), editor))
    assert Verdict.ARRIVED in offered(submission, sent_record(submission), approver)
    body = json.dumps({"Meta": {"Errors": [{"ID": 1, "Text": f"{BASE} already exists."}]}}).encode()
    exists = Exchange(request_sha256="", sent=True, status=403, body=body)
    assert store_response(submission, exists, repeat=0, actor=approver) is None
    assert Verdict.ARRIVED not in offered(submission, sent_record(submission), approver)


def test_the_last_verdict_is_that_of_the_last_decision(new: Submission, approver: Actor) -> None:
    for verdict in (Verdict.SEND_AGAIN, Verdict.GIVE_UP):
        submission = decide_shown(undecided(new), verdict, approver, None)
        store_submission_answer(submission, None, actor=approver)
        entry = AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).latest("sequence")
        assert decide.entry_verdict(entry) == verdict
    assert decide.last_verdicts([submission]) == {submission.pk: Verdict.GIVE_UP}


def test_nobody_can_decide_that_a_message_did_not_arrive_if_a_late_answer_accepted_it(
    update: Submission, approver: Actor
) -> None:
    assert store_response(update, updated(BASE), repeat=0, actor=approver) is None
    assert offered(update, accepted_before(update), approver) == {Verdict.ARRIVED, Verdict.OURS, Verdict.FOREIGN}
    # If that answer is missing, only a person can decide.
    assert offered(update, None, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}
