"""Open submissions of parents and children: an active record never ends up below a deactivated one."""

from importlib import import_module

import pytest
from django.apps import apps

from organizations.models import AuditEntry, Intent, Organization, Presence, State, Submission, User, tree
from organizations.redox.environment import GATEWAY_OID
from organizations.services.errors import ActionRefused, Circle
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import blockers, reviews
from organizations.services.review.blockers import BlockerKind
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import answer_next, claim, claim_refusal, deliver, edit, reload, state_of

pytestmark = pytest.mark.django_db

IN_THE_WAY = "1 active record is part of it. Move or deactivate them first."


def accepted_with_new_child(user: User) -> tuple[Organization, Organization]:
    """A record that Redox accepted, and one below it that was never sent."""
    parent = factories.accepted_organization(user=user)
    return parent, factories.organization(f"{BASE}.1", user=user, part_of_oid=BASE)


def accepted_below(user: User) -> Organization:
    return factories.accepted_organization(f"{BASE}.1", user=user, part_of_oid=BASE)


def in_the_way(organization: Organization, intent: Intent | None = Intent.DEACTIVATE) -> list[tuple[BlockerKind, str]]:
    return [
        (blocker.kind, blocker.sentence) for blocker in reviews.review(reload(organization), intent=intent).blockers
    ]


def queued_anyway(
    organization: Organization, user: User, intent: Intent | None, monkeypatch: pytest.MonkeyPatch
) -> Submission:
    """A submission whose review found no blocker, as if two people submitted at the same time."""
    with monkeypatch.context() as patch:
        patch.setattr(reviews, "blockers_of", lambda *_: ())
        return factories.submission(organization, user=user, intent=intent)


class TestDeactivatingAParent:
    def test_an_open_new_of_a_child_blocks(self, editor: User) -> None:
        parent, child = accepted_with_new_child(editor)
        assert in_the_way(parent) == []
        submission = factories.submission(child, user=editor)
        assert in_the_way(parent) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]
        # The values saved since then are not in the open message.
        edit(child, editor, part_of_oid=GATEWAY_OID)
        assert in_the_way(parent) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]
        assert list(tree.active_children_of(parent)) == [child]
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))
        assert in_the_way(parent) == []

    @pytest.mark.one_database
    def test_an_open_reactivation_of_a_child_blocks(self, editor: User) -> None:
        parent = factories.accepted_organization(user=editor)
        child = accepted_below(editor)
        factories.submission(child, user=editor, intent=Intent.DEACTIVATE)
        assert in_the_way(parent) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]
        answer_next()
        assert in_the_way(parent) == []
        factories.submission(child, user=editor, intent=Intent.REACTIVATE)
        assert in_the_way(parent) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]

    @pytest.mark.one_database
    def test_a_child_whose_move_was_not_sent_still_blocks(self, editor: User) -> None:
        parent = factories.accepted_organization(user=editor)
        child = accepted_below(editor)
        edit(child, editor, part_of_oid=GATEWAY_OID)
        assert in_the_way(parent) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]
        factories.submission(child, user=editor)
        answer_next()
        assert in_the_way(parent) == []

    @pytest.mark.one_database
    def test_a_deactivated_child_with_an_open_message_does_not_block(self, editor: User) -> None:
        parent = factories.accepted_organization(user=editor)
        child = accepted_below(editor)
        factories.submission(child, user=editor, intent=Intent.DEACTIVATE)
        answer_next()
        factories.submission(edit(child, editor, name="Closed site"), user=editor)
        assert in_the_way(parent) == []

    def test_the_first_active_children_by_oid_are_named_and_the_others_are_counted(
        self, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(blockers, "MOST_CHILDREN", 2)
        parent = factories.accepted_organization(user=editor)
        below = [
            factories.accepted_organization(f"{BASE}.{number}", user=editor, part_of_oid=BASE)
            for number in (10, 9, 3, 2)
        ]
        together = frozenset({below[-1].pk})
        (blocker,) = reviews.review(reload(parent), intent=Intent.DEACTIVATE, together=together).blockers
        assert blocker.sentence == "3 active records are part of it. Move or deactivate them first."
        assert ([each.oid for each in blocker.children], blocker.more) == ([f"{BASE}.3", f"{BASE}.9"], 1)

    @pytest.mark.one_database
    def test_a_child_that_the_directory_shows_blocks(self, editor: User) -> None:
        parent = factories.accepted_organization(user=editor)
        directory_record = factories.record(f"{BASE}.1", part_of_oid=BASE, destination_id="")
        child = factories.seen_organization(directory_record, user=editor)
        edit(child, editor, part_of_oid=GATEWAY_OID)
        assert in_the_way(parent) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]

    def test_a_child_of_unknown_presence_blocks(self, editor: User) -> None:
        parent = factories.organization(user=editor)
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        assert list(tree.active_children_of(parent)) == []
        Organization.objects.filter(pk=child.pk).update(presence=Presence.UNKNOWN)
        assert list(tree.active_children_of(parent)) == [child]

    def test_the_children_are_checked_again_before_the_message_is_sent(
        self, transactional_db: None, unreachable_redox: None, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parent = factories.accepted_organization(user=editor)
        accepted_below(editor)
        submission = queued_anyway(parent, editor, Intent.DEACTIVATE, monkeypatch)

        assert not deliver()

        assert state_of(submission) == (State.CANCELLED, IN_THE_WAY)
        assert reload(parent).active
        entry = AuditEntry.objects.get(action="submission.cancelled")
        assert (entry.submission_id, entry.actor_name) == (submission.pk, "Worker test")


class TestSendingAChild:
    def test_it_waits_until_the_parents_deactivation_has_ended(self, editor: User) -> None:
        parent, child = accepted_with_new_child(editor)
        ending = factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)

        (blocker,) = reviews.review(child).blockers

        assert (blocker.kind, blocker.submission) == (BlockerKind.PARENT_DEACTIVATING, ending)
        assert blocker.sentence == f"Submission {ending.pk} of Lakeside 1 must end first."
        with pytest.raises(ActionRefused):
            factories.submission(child, user=editor)
        submissions.cancel_submission(ending.pk, actor=as_actor(editor))
        assert in_the_way(child, None) == []

    @pytest.mark.one_database
    def test_a_queued_message_waits_for_the_open_deactivation(
        self, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parent, child = accepted_with_new_child(editor)
        ending = factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        queued_anyway(child, editor, Intent.CREATE, monkeypatch)
        # The parent's submission is not due, so that the child's is claimed first.
        factories.change_submission(ending, state=State.UNKNOWN)
        assert claim_refusal().startswith(f"Submission {ending.pk} of Lakeside 1 ")

    @pytest.mark.one_database
    def test_nothing_is_sent_below_a_parent_that_is_not_in_the_directory(
        self, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parent, child = accepted_with_new_child(editor)
        Organization.objects.filter(pk=parent.pk).update(presence=Presence.ABSENT)
        submission = queued_anyway(child, editor, Intent.CREATE, monkeypatch)
        submission.waits_for.clear()
        assert claim_refusal() == "Its parent Lakeside 1 is not active in STAGING."

    @pytest.mark.one_database
    def test_a_blocked_submission_with_an_attempt_needs_a_decision(
        self, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parent, child = accepted_with_new_child(editor)
        factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        answer_next()
        submission = queued_anyway(child, editor, Intent.CREATE, monkeypatch)
        Submission.objects.filter(pk=submission.pk).update(attempt=1, may_have_been_sent=True)
        assert claim() is None
        assert state_of(submission) == (State.NEEDS_PERSON, "Its parent Lakeside 1 is not active in STAGING.")


class TestCircles:
    def test_nothing_is_sent_that_forms_a_circle_in_the_directory(self, editor: User) -> None:
        above = factories.accepted_organization(user=editor)
        below = accepted_below(editor)
        edit(below, editor, part_of_oid=GATEWAY_OID)
        edit(above, editor, part_of_oid=below.oid)
        sentence = "Lakeside 1 is below this record in the directory. That would make a circle."
        assert in_the_way(above, None) == [(BlockerKind.CIRCLE, sentence)]
        with pytest.raises(ActionRefused):
            factories.submission(above, user=editor)

        factories.submission(below, user=editor)
        assert in_the_way(above, None) == [(BlockerKind.CIRCLE, sentence)]
        answer_next()
        assert in_the_way(above, None) == []

    def test_open_submissions_count(self, editor: User) -> None:
        one, other = (
            factories.accepted_organization(user=editor),
            factories.accepted_organization(f"{BASE}.5", user=editor),
        )
        factories.submission(edit(one, editor, part_of_oid=other.oid), user=editor)
        edit(one, editor, part_of_oid=GATEWAY_OID)
        edit(other, editor, part_of_oid=one.oid)
        assert [kind for kind, _ in in_the_way(other, None)] == [BlockerKind.CIRCLE]

    def test_the_saved_parent_of_a_record_that_was_never_sent_counts(self, editor: User) -> None:
        factories.organization(user=editor)
        factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        factories.organization(f"{BASE}.1.1", user=editor, part_of_oid=f"{BASE}.1")
        assert tree.would_circle_in_directory("staging", BASE, f"{BASE}.1.1")
        assert not tree.would_circle_in_directory("staging", f"{BASE}.1.1", BASE)
        assert not tree.would_circle_in_directory("production", BASE, f"{BASE}.1.1")

    def both_queued(self, user: User, monkeypatch: pytest.MonkeyPatch) -> tuple[Submission, Submission]:
        """Two queued moves that close a circle, as two people could once submit them at the same time."""
        one, other = factories.accepted_organization(user=user), factories.accepted_organization(f"{BASE}.5", user=user)
        first = factories.submission(edit(one, user, part_of_oid=other.oid), user=user)
        edit(one, user, part_of_oid=GATEWAY_OID)
        second = queued_anyway(edit(other, user, part_of_oid=one.oid), user, None, monkeypatch)
        return first, second

    @pytest.mark.one_database
    def test_only_one_of_two_queued_moves_that_close_a_circle_is_sent(
        self, editor: User, monkeypatch: pytest.MonkeyPatch, transactional_db: None, unreachable_redox: None
    ) -> None:
        first, second = self.both_queued(editor, monkeypatch)

        assert not deliver()

        assert state_of(first)[0] == State.CANCELLED
        assert claim() == second

    @pytest.mark.one_database
    def test_an_attempted_move_needs_a_decision(self, editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
        first, _ = self.both_queued(editor, monkeypatch)
        Submission.objects.filter(pk=first.pk).update(attempt=1, may_have_been_sent=True)
        assert claim() is None
        assert state_of(first)[0] == State.NEEDS_PERSON

    @pytest.mark.one_database
    def test_a_move_does_not_block_an_update_that_keeps_its_place(
        self, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        above = factories.accepted_organization(user=editor)
        below = accepted_below(editor)
        factories.submission(edit(below, editor, name="Lakeside North"), user=editor)
        queued_anyway(edit(above, editor, name="Lakeside South"), editor, None, monkeypatch)
        Submission.objects.filter(organization=above).update(part_of_oid=below.oid)
        answer_next()
        assert reload(below).changes == 0

    @pytest.mark.one_database
    def test_taking_over_a_record_cannot_close_a_circle(self, editor: User) -> None:
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        directory_record = factories.record(BASE, part_of_oid=child.oid)
        with pytest.raises(Circle):
            factories.seen_organization(directory_record, user=editor)
        assert not Organization.objects.filter(oid=BASE).exists()

    @pytest.mark.one_database
    def test_discarding_edits_cannot_close_a_circle(self, editor: User) -> None:
        above = factories.accepted_organization(user=editor)
        below = edit(accepted_below(editor), editor, part_of_oid=GATEWAY_OID, name="Moved away")
        edit(above, editor, part_of_oid=below.oid)
        with pytest.raises(Circle):
            organizations.discard(below.pk, below.version, actor=as_actor(editor))
        assert (reload(below).name, reload(below).part_of_oid) == ("Moved away", GATEWAY_OID)


def test_the_migration_fills_the_accepted_and_the_sent_parent_of_existing_rows(editor: User) -> None:
    factories.accepted_organization(user=editor)
    child = accepted_below(editor)
    factories.submission(edit(child, editor, part_of_oid=GATEWAY_OID), user=editor)
    Organization.objects.update(confirmed_part_of_oid="")
    Submission.objects.update(part_of_oid="")

    import_module("organizations.migrations.0002_confirmed_part_of").fill(apps, None)

    assert list(Organization.objects.order_by("pk").values_list("confirmed_part_of_oid", flat=True)) == [
        GATEWAY_OID,
        BASE,
    ]
    assert Submission.objects.latest("pk").part_of_oid == GATEWAY_OID
