"""The tree as a later reading of the directory shows it: no circle, and nothing active below what is deactivated."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localtime
from hypothesis import given
from hypothesis import strategies as st

from organizations.models import Environment, Intent, Organization, PlanKind, State, Submission, User, clock, tree
from organizations.practice import PracticeDirectory
from organizations.redox.environment import GATEWAY_OID
from organizations.services import asking, drafts, known, organizations, reviews, submissions
from organizations.services.blockers import Block
from organizations.services.faults import NotDone
from tests import factories
from tests.factories import BASE, acting
from tests.services.sending import accepted, deliver, edit, fresh

pytestmark = pytest.mark.django_db


def changed_there(practice: PracticeDirectory, made: Organization, user: User, **values: Any) -> Organization:
    """The record after somebody else changed it in the directory, and a Query showed that."""
    practice.register("staging", practice.organizations("staging")[made.oid] | values)
    asking.ask_about_record(fresh(made), actor=acting(user))
    return fresh(made)


def part_of(oid: str) -> dict[str, Any]:
    return {"PartOf": {"Identifier": {"Value": oid}}}


def asked(made: Organization) -> str:
    at = fresh(made).seen_at
    assert at is not None
    return f"(asked {localtime(at):%b} {localtime(at).day}, {localtime(at):%H:%M})"


def in_the_way(made: Organization, intent: Intent | None = None) -> list[tuple[Block, str]]:
    return [(blocker.kind, blocker.sentence) for blocker in reviews.review(fresh(made), intent=intent).blockers]


def state_of(submission: Submission) -> tuple[str, str]:
    submission.refresh_from_db()
    return submission.state, submission.state_reason


class TestCircles:
    def test_below_a_record_that_the_directory_shows_below_it(self, practice: PracticeDirectory, editor: User) -> None:
        one, other = accepted(editor, f"{BASE}.1"), accepted(editor, f"{BASE}.2")
        changed_there(practice, one, editor, **part_of(other.oid))
        other = edit(other, editor, part_of_oid=one.oid)
        sentence = f"The directory shows Lakeside 1 as part of Lakeside 2 {asked(one)}; that would make a circle."
        assert in_the_way(other) == [(Block.CIRCLE, sentence)]
        with pytest.raises(NotDone, match="that would make a circle"):
            factories.submission(other, user=editor)

        # Sent again, it is where it was accepted: then the other one may be moved below it.
        factories.submission(fresh(one), user=editor)
        assert deliver()
        assert in_the_way(other) == []

    def test_the_accepted_place_counts_as_well(self, practice: PracticeDirectory, editor: User) -> None:
        above, elsewhere = accepted(editor, f"{BASE}.1"), accepted(editor, f"{BASE}.2")
        below = accepted(editor, f"{BASE}.3", part_of_oid=above.oid)
        changed_there(practice, below, editor, **part_of(elsewhere.oid))
        edit(below, editor, part_of_oid=GATEWAY_OID)
        edit(above, editor, part_of_oid=below.oid)
        sentence = "Lakeside 3 lies below this record in the directory; that would make a circle."
        assert in_the_way(above) == [(Block.CIRCLE, sentence)]

    def test_a_claim_asks_once_more(self, practice: PracticeDirectory, editor: User) -> None:
        one, other = accepted(editor, f"{BASE}.1"), accepted(editor, f"{BASE}.2")
        submission = factories.submission(edit(other, editor, part_of_oid=one.oid), user=editor)
        changed_there(practice, one, editor, **part_of(other.oid))

        assert not deliver()

        sentence = f"The directory shows Lakeside 1 as part of Lakeside 2 {asked(one)}; that would make a circle."
        assert state_of(submission) == (State.CANCELLED, sentence)
        assert practice.organizations("staging")[other.oid]["PartOf"]["Identifier"]["Value"] == GATEWAY_OID

    def test_a_claim_asks_once_more_of_a_record_that_was_moved_away(
        self, practice: PracticeDirectory, editor: User
    ) -> None:
        """It would be moved back by a message that names its accepted parent."""
        above = accepted(editor, f"{BASE}.1")
        below = accepted(editor, f"{BASE}.2", part_of_oid=above.oid)
        submission = factories.submission(edit(below, editor, name="Lakeside North"), user=editor)
        changed_there(practice, below, editor, **part_of(GATEWAY_OID))
        changed_there(practice, above, editor, **part_of(below.oid))

        assert not deliver()

        assert state_of(submission)[0] == State.CANCELLED

    def test_a_plan_asks_once_more_of_all_together(self, practice: PracticeDirectory, editor: User) -> None:
        one, other = accepted(editor, f"{BASE}.1"), accepted(editor, f"{BASE}.2")
        changed_there(practice, one, editor, **part_of(other.oid))
        edit(other, editor, part_of_oid=one.oid)
        chosen = drafts.Chosen(Environment.STAGING, PlanKind.SEND, (one.pk, other.pk))
        draft = drafts.draft(chosen, actor=acting(editor))
        assert [each.organization.pk for each in draft.left_out if each.blockers] == [other.pk]


PLACES = st.lists(st.tuples(st.integers(-1, 4), st.none() | st.integers(-1, 4)), min_size=5, max_size=5)


@given(PLACES, st.integers(0, 4), st.integers(0, 4))
def test_a_circle_is_one_by_any_mix_of_accepted_and_shown_places(
    places: list[tuple[int, int | None]], start: int, parent: int
) -> None:
    Organization.objects.all().delete()
    oids = [f"{BASE}.{number}" for number in range(1, 6)] + [GATEWAY_OID]
    moment = clock.now()
    for number, (confirmed, shown) in enumerate(places):
        Organization.objects.create(
            environment="staging",
            oid=oids[number],
            oid_key=oids[number],
            name=f"Lakeside {number}",
            part_of_oid=GATEWAY_OID,
            confirmed_part_of_oid=oids[confirmed],
            shown_part_of_oid="" if shown is None else oids[shown],
            seen_at=moment,
            created_at=moment,
            edited_at=moment,
        )

    def above(of: set[int], with_readings: bool) -> set[int]:
        while True:
            more = {way for each in of for way in places[each][: 2 if with_readings else 1] if way not in (None, -1)}
            if more <= of:
                return of
            of = of | {each for each in more if each is not None}

    is_circle = start in above({parent}, with_readings=True)
    assert tree.would_circle_in_directory("staging", oids[start], oids[parent]) == is_circle
    named = tree.shown_on_the_circle("staging", oids[start], oids[parent])
    assert (named is not None) == (is_circle and start not in above({parent}, with_readings=False))
    if named is not None:
        assert start in above({oids.index(named.shown_part_of_oid)}, with_readings=True)


class TestBelowAParentThatIsShownDeactivated:
    def test_nothing_active_is_sent(self, practice: PracticeDirectory, editor: User) -> None:
        parent = accepted(editor)
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        assert in_the_way(child) == []
        parent = changed_there(practice, parent, editor, Active=False)
        sentence = f"The directory shows its parent Lakeside 1 as deactivated {asked(parent)}."
        assert in_the_way(child) == [(Block.PARENT_DEACTIVATED, f"{sentence} Resolve that difference first.")]
        with pytest.raises(NotDone, match="The directory shows its parent"):
            factories.submission(child, user=editor)

        factories.submission(parent, user=editor)
        assert deliver()
        assert practice.organizations("staging")[BASE]["Active"] is True
        assert in_the_way(child) == []

    def test_one_that_was_taken_over_from_there_can_be_reactivated(self, editor: User) -> None:
        shown = replace(factories.record(), destination_known=False, active=False)
        parent = organizations.take_over(shown, "staging", actor=acting(editor))
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        sentence = "Its parent Lakeside 1 is deactivated. Reactivate that first."
        assert in_the_way(child) == [(Block.PARENT_DEACTIVATED, sentence)]
        assert Block.ALREADY_SO not in dict(in_the_way(parent, Intent.REACTIVATE))
        assert Block.ALREADY_SO in dict(in_the_way(parent, Intent.DEACTIVATE))

    def test_a_claim_asks_once_more(self, practice: PracticeDirectory, editor: User) -> None:
        parent = accepted(editor)
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        submission = factories.submission(child, user=editor)
        changed_there(practice, parent, editor, Active=False)

        assert not deliver()

        sentence = f"The directory shows its parent Lakeside 1 as deactivated {asked(parent)}."
        assert state_of(submission) == (State.CANCELLED, f"{sentence} Resolve that difference first.")
        assert child.oid not in practice.organizations("staging")

    def test_of_one_that_was_deactivated_and_is_shown_active_the_difference_is_named(
        self, practice: PracticeDirectory, editor: User
    ) -> None:
        parent = accepted(editor)
        factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        assert deliver()
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        assert in_the_way(child) == [
            (Block.PARENT_DEACTIVATED, "Its parent Lakeside 1 is deactivated. Reactivate that first.")
        ]
        asking.ask_about_record(parent, actor=acting(editor))
        parent = changed_there(practice, parent, editor, Active=True)
        sentence = f"Its parent Lakeside 1 was deactivated, and the directory shows it as active {asked(parent)}."
        assert in_the_way(child) == [(Block.PARENT_DEACTIVATED, f"{sentence} Resolve that difference first.")]

    def test_while_our_own_deactivation_is_on_its_way_that_is_named(
        self, practice: PracticeDirectory, editor: User
    ) -> None:
        parent = accepted(editor)
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        ending = factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        Submission.objects.filter(pk=ending.pk).update(state=State.UNKNOWN, attempt=1)
        parent = changed_there(practice, parent, editor, Active=False)
        assert parent.differs == 0
        assert [kind for kind, _ in in_the_way(child)] == [Block.PARENT_DEACTIVATING]


class TestAboveAChildThatIsShownActive:
    def shown_active(self, practice: PracticeDirectory, editor: User) -> tuple[Organization, Organization]:
        """A parent, and a child that was deactivated here and activated by somebody else."""
        parent = accepted(editor)
        child = accepted(editor, f"{BASE}.1", part_of_oid=BASE)
        factories.submission(child, user=editor, intent=Intent.DEACTIVATE)
        assert deliver()
        asking.ask_about_record(fresh(child), actor=acting(editor))
        assert in_the_way(parent, Intent.DEACTIVATE) == []
        return parent, changed_there(practice, child, editor, Active=True)

    def test_the_parent_stays_active(self, practice: PracticeDirectory, editor: User) -> None:
        parent, child = self.shown_active(practice, editor)
        sentence = (
            "1 active record is part of it. Move or deactivate them first."
            f" The directory shows Lakeside 1 there as active {asked(child)}."
        )
        assert in_the_way(parent, Intent.DEACTIVATE) == [(Block.ACTIVE_CHILDREN, sentence)]
        with pytest.raises(NotDone, match="The directory shows"):
            factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)

    def test_a_child_that_was_moved_below_it_counts(self, practice: PracticeDirectory, editor: User) -> None:
        parent, child = accepted(editor, f"{BASE}.1"), accepted(editor, f"{BASE}.2")
        child = changed_there(practice, child, editor, **part_of(parent.oid))
        sentence = (
            "1 active record is part of it. Move or deactivate them first."
            f" The directory shows Lakeside 2 there as active {asked(child)}."
        )
        assert in_the_way(parent, Intent.DEACTIVATE) == [(Block.ACTIVE_CHILDREN, sentence)]

    def test_a_claim_asks_once_more(self, practice: PracticeDirectory, editor: User) -> None:
        parent, child = accepted(editor, f"{BASE}.1"), accepted(editor, f"{BASE}.2")
        submission = factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        changed_there(practice, child, editor, **part_of(parent.oid))

        assert not deliver()

        state, reason = state_of(submission)
        assert state == State.CANCELLED
        assert f"The directory shows Lakeside 2 there as active {asked(child)}." in reason
        assert fresh(parent).active

    def test_the_child_can_be_deactivated_once_more(self, practice: PracticeDirectory, editor: User) -> None:
        parent, child = self.shown_active(practice, editor)
        assert in_the_way(child, Intent.DEACTIVATE) == []
        submission = factories.submission(child, user=editor, intent=Intent.DEACTIVATE)
        submissions.cancel(submission.pk, actor=acting(editor))
        assert not fresh(child).active, "what is wanted is again what was accepted"
        factories.submission(fresh(child), user=editor, intent=Intent.DEACTIVATE)
        assert deliver()
        assert practice.organizations("staging")[child.oid]["Active"] is False
        assert in_the_way(parent, Intent.DEACTIVATE) == []

    def test_a_branch_is_deactivated_as_the_directory_shows_it(self, practice: PracticeDirectory, editor: User) -> None:
        parent, child = accepted(editor, f"{BASE}.1"), accepted(editor, f"{BASE}.2")
        changed_there(practice, child, editor, **part_of(parent.oid))
        chosen = drafts.branch(parent, PlanKind.DEACTIVATE)
        plan = factories.plan(
            list(Organization.objects.filter(pk__in=chosen.ids)), user=editor, kind=PlanKind.DEACTIVATE
        )
        first, second = plan.submissions.order_by("pk")
        assert (first.organization, second.organization) == (child, parent)
        assert list(second.after.all()) == [first]


def test_the_number_of_queries_does_not_grow_with_what_differs(editor: User) -> None:
    parent = factories.confirmed(factories.organization(user=editor))
    numbers = []
    for first, last in pairwise((1, 3, 9)):
        for number in range(first, last):
            child = factories.confirmed(factories.organization(f"{BASE}.{number}", user=editor, part_of_oid=BASE))
            record = child.confirmed_record()
            assert record is not None
            known.keep_reading(child, replace(record, part_of_oid=GATEWAY_OID), clock.now())
        with CaptureQueriesContext(connection) as queries:
            in_the_way(parent, Intent.DEACTIVATE)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]
