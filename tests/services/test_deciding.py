"""A person decides what the portal cannot: by a fresh answer of the directory, with a reason, and only once."""

import datetime
import json
from dataclasses import replace

import pytest

from organizations.models import (
    Action,
    AuditEntry,
    Event,
    Evidence,
    Organization,
    Presence,
    State,
    Submission,
    User,
)
from organizations.practice import PracticeDirectory
from organizations.presentation import differences as shown
from organizations.redox.environment import GATEWAY_OID
from organizations.services import asking, deciding, differences, organizations, reviews
from organizations.services.actors import Actor
from organizations.services.deciding import Verdict
from organizations.services.faults import NotDone, ReasonMissing
from tests import factories
from tests.factories import BASE, UserFactory, acting
from tests.services.sending import accepted, deliver, edit, fresh, sent


@pytest.fixture
def approver() -> Actor:
    return acting(UserFactory(role="approver"))


def undecided(practice: PracticeDirectory, user: User, **theirs: object) -> Submission:
    """A New of an OID that somebody else had registered, with these keys as well."""
    made = factories.organization(user=user)
    there = {"Name": "Theirs", "Active": True, "Identifiers": [{"ID": BASE, "IDType": "OID"}]}
    practice.register("staging", there | theirs)
    submission = factories.submission(made, user=user)
    assert deliver()
    submission.refresh_from_db()
    assert submission.state == State.NEEDS_PERSON
    return submission


def undecided_update(practice: PracticeDirectory, user: User, behaviour: str = "gateway-error") -> Submission:
    """An Update of whose attempts none got a clear answer."""
    submission = factories.submission(edit(accepted(user), user, name="Lakeside North"), user=user)
    practice.behaviour = behaviour
    assert deliver()
    practice.behaviour = "answers"
    Submission.objects.filter(pk=submission.pk).update(state=State.NEEDS_PERSON)
    submission.refresh_from_db()
    return submission


def ask(submission: Submission, actor: Actor) -> int:
    asking.ask_about(submission, actor=actor)
    shown = deciding.last_answer(submission)
    assert shown is not None
    return shown.entry.sequence


def decide(submission: Submission, verdict: Verdict, actor: Actor, reason: str = "Compared, ticket 12") -> Submission:
    deciding.decide(submission.pk, verdict, sequence=ask(submission, actor), reason=reason, actor=actor)
    submission.refresh_from_db()
    return submission


def offered(submission: Submission, actor: Actor) -> set[Verdict]:
    ask(submission, actor)
    shown = deciding.last_answer(submission)
    assert shown is not None
    return set(deciding.choices(submission, shown))


def test_a_new_that_redox_refused_did_not_arrive_and_is_not_sent_again(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided(practice, editor)
    assert offered(submission, approver) == {Verdict.OURS, Verdict.FOREIGN}
    practice.register("staging", _as_sent(submission))
    assert offered(submission, approver) == {Verdict.OURS, Verdict.FOREIGN}
    practice.forget("staging", BASE)
    assert offered(submission, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}


def test_an_update_of_unknown_fate_may_have_arrived_or_not(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided_update(practice, editor)
    assert offered(submission, approver) == set(Verdict)
    practice.forget("staging", BASE)
    assert offered(submission, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}


def test_a_message_that_never_left_did_not_arrive(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = factories.submission(edit(accepted(editor), editor, name="Lakeside North"), user=editor)
    Submission.objects.filter(pk=submission.pk).update(state=State.NEEDS_PERSON)
    submission.refresh_from_db()
    assert Verdict.ARRIVED not in offered(submission, approver)


def test_a_message_for_other_settings_is_not_sent_again(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided_update(practice, editor)
    message = bytes(submission.message).replace(b"a07afe3b", b"b07afe3b")
    Submission.objects.filter(pk=submission.pk).update(message=message)
    submission.refresh_from_db()
    assert Verdict.SEND_AGAIN not in offered(submission, approver)


def test_it_arrived(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided_update(practice, editor)
    shown = practice.organizations("staging")[BASE]
    practice.register("staging", shown | {"Name": "By hand"})
    submission = decide(submission, Verdict.ARRIVED, approver)

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


def test_it_did_not_arrive_and_the_same_bytes_are_sent_again(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = decide(undecided_update(practice, editor), Verdict.SEND_AGAIN, approver)
    assert submission.state == State.QUEUED
    assert deliver()
    submission.refresh_from_db()
    assert (submission.state, submission.evidence) == (State.ACCEPTED, Evidence.ANSWER)
    assert sent(practice)[-1] == bytes(submission.message)


def test_it_did_not_arrive_and_is_given_up(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = decide(undecided_update(practice, editor), Verdict.GIVE_UP, approver)
    made = fresh(submission.organization)
    assert (submission.state, submission.decided_by) == (State.REJECTED, approver.name)
    assert (made.open_work, made.name, made.changes) == ("rejected", "Lakeside North", 1)


def test_a_new_that_is_not_there_and_given_up_is_absent(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided(practice, editor)
    practice.forget("staging", BASE)
    submission = decide(submission, Verdict.GIVE_UP, approver)
    assert fresh(submission.organization).presence == Presence.ABSENT


def test_what_is_ours_with_other_values_is_updated_after_a_tick_for_each_of_them(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = decide(undecided(practice, editor), Verdict.OURS, approver)

    made = fresh(submission.organization)
    assert (submission.state, made.open_work, made.standing) == (State.REJECTED, "rejected", "seen")
    review = reviews.review(made, actor=acting(editor))
    assert (review.event, review.changes) == (Event.UPDATE, ())
    assert "fields change" not in review.verdict
    assert "name" in {change.difference.field for change in review.overwrites}
    ticked = {warning.key for warning in review.open_warnings}
    assert {"overwrite", "destination-unseen"} <= ticked
    of_another = reviews.review(made, actor=approver)  # each value is ticked once, whoever saved it
    assert "others" not in {warning.key for warning in of_another.open_warnings}


def test_the_values_of_what_is_ours_can_be_taken_instead(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    part_of = {"Identifier": {"Value": GATEWAY_OID}}
    submission = decide(undecided(practice, editor, PartOf=part_of), Verdict.OURS, approver)
    made = fresh(submission.organization)
    overwritten = {change.difference.label for change in reviews.review(made, actor=acting(editor)).overwrites}
    page = shown.page(made)
    assert ({row.label for row in page.rows}, page.was_accepted) == (overwritten, False)
    assert page.stays == ("Destination ID",)

    taken = fresh(differences.take_theirs(made.pk, made.version, reason="Theirs", actor=acting(editor)))
    review = reviews.review(taken, actor=acting(editor))
    assert ([each.difference.label for each in review.changes], review.overwrites) == (["Destination ID"], ())
    assert (taken.confirmed, taken.standing, shown.page(taken).rows) == ("", "seen", ())


def test_an_update_of_what_is_ours_sends_back_what_only_the_directory_has(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    """Or the first Update would remove it: an Update carries the whole record."""
    submission = decide(undecided(practice, editor, Type={"Value": "Connection"}), Verdict.OURS, approver)

    update = factories.submission(submission.organization, user=editor)
    (there,) = json.loads(bytes(update.message))["Organizations"]
    assert (update.event, there["Type"]) == (Event.UPDATE, {"Value": "Connection"})


def test_an_update_that_arrived_in_part_leaves_what_was_accepted_to_compare_with(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided_update(practice, editor)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Aliases": ["By hand"]})
    submission = decide(submission, Verdict.OURS, approver)

    review = reviews.review(fresh(submission.organization), actor=acting(editor))
    assert [change.difference.field for change in review.changes] == ["name"]
    assert [(each.difference.field, each.difference.before) for each in review.overwrites] == [("aliases", "By hand")]
    again = factories.submission(submission.organization, user=editor)
    before = again.before_record()
    assert before is not None
    assert (before.name, before.aliases) == (f"Lakeside {BASE.rsplit('.', 1)[1]}", ("By hand",))


def test_nothing_is_sent_to_the_oid_of_somebody_else(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = decide(undecided(practice, editor), Verdict.FOREIGN, approver)

    made = fresh(submission.organization)
    assert (submission.state, made.standing, made.foreign_name) == (State.REJECTED, "not_registered", "Theirs")
    review = reviews.review(made, actor=acting(editor))
    assert [blocker.kind for blocker in review.blockers] == ["foreign"]


def test_after_that_decision_the_oid_may_change_and_records_below_follow(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided(practice, editor)
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    submission = decide(submission, Verdict.FOREIGN, approver)
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


def test_a_new_answer_of_the_directory_can_take_the_decision_back(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = decide(undecided(practice, editor), Verdict.FOREIGN, approver)
    made = submission.organization
    with pytest.raises(NotDone, match="Ask the directory again"):
        differences.claim(made.pk, reason="Redox corrected it", actor=approver)
    practice.forget("staging", BASE)
    asking.ask_about_record(made, actor=approver)
    with pytest.raises(ReasonMissing):
        differences.claim(made.pk, reason=" ", actor=approver)
    differences.claim(made.pk, reason="Redox corrected it", actor=approver)
    made = fresh(made)
    assert (made.is_foreign, made.standing) == (False, "not_registered")
    assert reviews.review(made, actor=acting(editor)).event == Event.NEW


def test_a_reason_is_needed(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    with pytest.raises(ReasonMissing):
        decide(submission, Verdict.OURS, approver, reason="  ")
    submission.refresh_from_db()
    assert submission.state == State.NEEDS_PERSON


def test_a_decision_by_a_lagging_answer_compares_with_that_answer(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    made = accepted(editor)
    before = practice.organizations("staging")[BASE]
    factories.submission(edit(made, editor, name="Second"), user=editor)
    assert deliver()
    submission = factories.submission(edit(made, editor, name="Third"), user=editor)
    practice.behaviour = "gateway-error"
    assert deliver()
    practice.behaviour = "answers"
    Submission.objects.filter(pk=submission.pk).update(state=State.NEEDS_PERSON)
    submission.refresh_from_db()
    practice.register("staging", before)
    submission = decide(submission, Verdict.OURS, approver)
    review = reviews.review(fresh(submission.organization), actor=acting(editor))
    assert [each.difference.before for each in review.overwrites] == [before["Name"]]


def test_nothing_is_decided_without_an_answer(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    practice.behaviour = "gateway-error"
    asking.ask_about(submission, actor=approver)
    assert deciding.last_answer(submission) is None
    with pytest.raises(NotDone, match="Ask the directory"):
        deciding.decide(submission.pk, Verdict.OURS, sequence=1, reason="Guessed", actor=approver)


def test_an_old_or_overtaken_answer_decides_nothing(
    practice: PracticeDirectory, editor: User, approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = undecided(practice, editor)
    first = ask(submission, approver)
    ask(submission, approver)
    with pytest.raises(NotDone, match="no longer the last one"):
        deciding.decide(submission.pk, Verdict.OURS, sequence=first, reason="Late", actor=approver)
    monkeypatch.setattr(deciding, "FRESH", datetime.timedelta(0))
    with pytest.raises(NotDone, match="no longer the last one"):
        decide(submission, Verdict.OURS, approver)


def test_a_decision_that_the_directory_does_not_allow_is_refused(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    with pytest.raises(NotDone, match="does not allow this decision"):
        decide(undecided(practice, editor), Verdict.SEND_AGAIN, approver)


def test_it_is_decided_once(practice: PracticeDirectory, editor: User, approver: Actor) -> None:
    submission = undecided(practice, editor)
    sequence = ask(submission, approver)
    deciding.decide(submission.pk, Verdict.OURS, sequence=sequence, reason="Ours", actor=approver)
    with pytest.raises(NotDone, match="decided already"):
        deciding.decide(submission.pk, Verdict.OURS, sequence=sequence, reason="Ours", actor=approver)
    assert AuditEntry.objects.filter(action=Action.SUBMISSION_SETTLED).count() == 1


def _as_sent(submission: Submission) -> dict[str, object]:
    organization: dict[str, object] = json.loads(bytes(submission.message))["Organizations"][0]
    return organization


def test_nobody_decides_by_an_answer_after_which_the_record_was_read_again(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = undecided_update(practice, editor)
    sequence = ask(submission, approver)
    practice.forget("staging", BASE)
    asking.ask_about_record(fresh(submission.organization), actor=approver)
    with pytest.raises(NotDone, match="no longer the last one"):
        deciding.decide(submission.pk, Verdict.ARRIVED, sequence=sequence, reason="Compared", actor=approver)
    assert offered(submission, approver) == {Verdict.SEND_AGAIN, Verdict.GIVE_UP}


def with_another_oid(made: Organization, oid: str, actor: Actor) -> Organization:
    record = replace(made.record(), oid=oid)
    return fresh(organizations.edit(made.pk, made.version, record, stands_for="", actor=actor))


def test_a_record_below_waits_for_the_new_oid_and_not_for_the_rejected_one(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = decide(undecided(practice, editor), Verdict.FOREIGN, approver)
    moved = with_another_oid(fresh(submission.organization), f"{BASE}.55", approver)
    below = factories.organization(f"{BASE}.8", user=editor, part_of_oid=moved.oid)
    (blocker,) = reviews.review(below).blockers
    assert blocker.sentence == f"Send {moved.name} first."


def test_an_oid_that_comes_back_is_still_somebody_elses(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    submission = decide(undecided(practice, editor), Verdict.FOREIGN, approver)
    moved = with_another_oid(fresh(submission.organization), f"{BASE}.55", approver)
    assert not moved.is_foreign
    back = with_another_oid(moved, BASE, approver)
    assert [blocker.kind for blocker in reviews.review(back).blockers] == ["foreign"]

    asking.ask_about_record(back, actor=approver)
    claimed = differences.claim(back.pk, reason="Ticket 9", actor=approver)
    assert not claimed.is_foreign
