"""The tree as a later reading of the directory shows it: no circle, and nothing active below what is deactivated."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localtime
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import Environment, Intent, Organization, PlanKind, State, User, clock, tree
from organizations.redox.environment import GATEWAY_OID
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.services.records import organizations, statements
from organizations.services.review import plan_draft, reviews
from organizations.services.review.blockers import BlockerKind
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.review.test_above_and_below import IN_THE_WAY, accepted_with_new_child
from tests.services.sending import answer_next, claim_refusal, edit, reload, show_in_directory, store_reading

pytestmark = pytest.mark.django_db


def asked(organization: Organization) -> str:
    at = reload(organization).seen_at
    assert at is not None
    return f"(asked {localtime(at):%b} {localtime(at).day}, {localtime(at):%H:%M})"


def in_the_way(organization: Organization, intent: Intent | None = None) -> list[tuple[BlockerKind, str]]:
    return [
        (blocker.kind, blocker.sentence) for blocker in reviews.review(reload(organization), intent=intent).blockers
    ]


class TestCircles:
    def test_below_a_record_that_the_directory_shows_below_it(self, editor: User) -> None:
        factories.organization(f"{BASE}.2", user=editor, environment="production", name="Another in PRODUCTION")
        one, other = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        show_in_directory(one, part_of_oid=other.oid)
        other = edit(other, editor, part_of_oid=one.oid)
        sentence = f"The directory shows Lakeside 1 as part of Lakeside 2 {asked(one)}. That would make a circle."
        assert in_the_way(other) == [(BlockerKind.CIRCLE, sentence)]
        with pytest.raises(ActionRefused):
            factories.submission(other, user=editor)

        # After another Update it is in its accepted place. Then the other record can be moved below it.
        factories.submission(reload(one), user=editor)
        answer_next()
        assert in_the_way(other) == []

    def test_the_accepted_place_counts_as_well(self, editor: User) -> None:
        above, elsewhere = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        below = factories.accepted_organization(f"{BASE}.3", user=editor, part_of_oid=above.oid)
        show_in_directory(below, part_of_oid=elsewhere.oid)
        edit(below, editor, part_of_oid=GATEWAY_OID)
        edit(above, editor, part_of_oid=below.oid)
        assert [kind for kind, _ in in_the_way(above)] == [BlockerKind.CIRCLE]

    def test_a_claim_checks_again(self, editor: User) -> None:
        one, other = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        factories.submission(edit(other, editor, part_of_oid=one.oid), user=editor)
        show_in_directory(one, part_of_oid=other.oid)
        assert "circle" in claim_refusal()

    def test_a_claim_checks_again_for_a_record_that_was_moved_away(self, editor: User) -> None:
        """A message that names its accepted parent would move it back."""
        above = factories.accepted_organization(f"{BASE}.1", user=editor)
        below = factories.accepted_organization(f"{BASE}.2", user=editor, part_of_oid=above.oid)
        factories.submission(edit(below, editor, name="Lakeside North"), user=editor)
        show_in_directory(below, part_of_oid=GATEWAY_OID)
        show_in_directory(above, part_of_oid=below.oid)
        assert "circle" in claim_refusal()

    def test_a_plan_checks_all_its_records_together(self, editor: User) -> None:
        one, other = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        show_in_directory(one, part_of_oid=other.oid)
        edit(other, editor, part_of_oid=one.oid)
        selection = plan_draft.ChosenRecords(Environment.STAGING, PlanKind.SEND, (one.pk, other.pk))
        draft = plan_draft.draft_plan(selection, actor=as_actor(editor))
        assert [each.organization.pk for each in draft.left_out if each.blockers] == [other.pk]

    def test_a_plan_says_why_it_leaves_out_each_record_of_a_circle(self, editor: User) -> None:
        above = factories.accepted_organization(f"{BASE}.1", user=editor)
        below = factories.accepted_organization(f"{BASE}.2", user=editor, part_of_oid=above.oid)
        show_in_directory(above, part_of_oid=below.oid)
        selection = plan_draft.choose_branch(above, PlanKind.DEACTIVATE)
        draft = plan_draft.draft_plan(selection, actor=as_actor(editor))
        kinds = {each.organization: [blocker.kind for blocker in each.blockers] for each in draft.left_out}
        assert kinds == {above: [BlockerKind.ACTIVE_CHILDREN], below: [BlockerKind.ACTIVE_CHILDREN]}


PLACES = st.lists(st.tuples(st.integers(-1, 4), st.none() | st.integers(-1, 4)), min_size=5, max_size=5)


@settings(max_examples=50)
@given(PLACES, st.integers(0, 4), st.integers(0, 4))
def test_a_circle_is_found_in_any_mix_of_accepted_and_shown_places(
    places: list[tuple[int, int | None]], start: int, parent: int
) -> None:
    Organization.objects.all().delete()
    oids = [f"{BASE}.{number}" for number in range(1, 6)] + [GATEWAY_OID]
    moment = clock.now()
    Organization.objects.bulk_create(
        Organization(
            environment="staging",
            oid=oids[number],
            oid_key=oids[number],
            name=f"Lakeside {number}",
            part_of_oid=GATEWAY_OID,
            confirmed_part_of_oid=oids[confirmed],
            shown_part_of_oid="" if place_shown is None else oids[place_shown],
            seen_at=moment,
            created_at=moment,
            edited_at=moment,
        )
        for number, (confirmed, place_shown) in enumerate(places)
    )

    def above(of: set[int], with_readings: bool) -> set[int]:
        while True:
            more = {way for each in of for way in places[each][: 2 if with_readings else 1] if way not in (None, -1)}
            if more <= of:
                return of
            of = of | {each for each in more if each is not None}

    is_circle = start in above({parent}, with_readings=True)
    assert tree.would_circle_in_directory("staging", oids[start], oids[parent]) == is_circle
    oids_on_circle = tree.shown_on_the_circle("staging", oids[start], oids[parent])
    assert (oids_on_circle is not None) == (is_circle and start not in above({parent}, with_readings=False))
    if oids_on_circle is not None:
        assert start in above({oids.index(oids_on_circle.shown_part_of_oid)}, with_readings=True)


@pytest.mark.one_database
class TestBelowAParentThatIsShownDeactivated:
    def test_nothing_active_is_sent(self, editor: User) -> None:
        parent, child = accepted_with_new_child(editor)
        assert in_the_way(child) == []
        parent = show_in_directory(parent, active=False)
        sentence = f"The directory shows its parent Lakeside 1 as deactivated {asked(parent)}."
        assert in_the_way(child) == [(BlockerKind.PARENT_DEACTIVATED, f"{sentence} Resolve that difference first.")]
        with pytest.raises(ActionRefused, match="The directory shows its parent"):
            factories.submission(child, user=editor)

        factories.submission(parent, user=editor)
        answer_next()
        assert in_the_way(child) == []

    def test_a_record_that_was_taken_over_deactivated_can_be_reactivated(self, editor: User) -> None:
        directory_record = replace(factories.record(), destination_known=False, active=False)
        parent = factories.seen_organization(directory_record, user=editor)
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        sentence = "Its parent Lakeside 1 is deactivated. Reactivate that first."
        assert in_the_way(child) == [(BlockerKind.PARENT_DEACTIVATED, sentence)]
        assert BlockerKind.NOTHING_TO_CHANGE not in dict(in_the_way(parent, Intent.REACTIVATE))
        assert BlockerKind.NOTHING_TO_CHANGE in dict(in_the_way(parent, Intent.DEACTIVATE))

    def test_a_claim_checks_again(self, editor: User) -> None:
        parent, child = accepted_with_new_child(editor)
        factories.submission(child, user=editor)
        show_in_directory(parent, active=False)
        sentence = f"The directory shows its parent Lakeside 1 as deactivated {asked(parent)}."
        assert claim_refusal() == f"{sentence} Resolve that difference first."

    def test_a_deactivated_parent_that_is_shown_active_names_the_difference(self, editor: User) -> None:
        parent = factories.accepted_organization(user=editor)
        factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        answer_next()
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        assert in_the_way(child) == [
            (BlockerKind.PARENT_DEACTIVATED, "Its parent Lakeside 1 is deactivated. Reactivate that first.")
        ]
        show_in_directory(parent)
        parent = show_in_directory(parent, active=True)
        sentence = f"Its parent Lakeside 1 was deactivated, and the directory shows it as active {asked(parent)}."
        assert in_the_way(child) == [(BlockerKind.PARENT_DEACTIVATED, f"{sentence} Resolve that difference first.")]

    def test_an_open_deactivation_of_the_parent_is_named(self, editor: User) -> None:
        parent, child = accepted_with_new_child(editor)
        ending = factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        factories.change_submission(ending, state=State.UNKNOWN, attempt=1)
        parent = show_in_directory(parent, active=False)
        assert parent.differs == 0
        assert [kind for kind, _ in in_the_way(child)] == [BlockerKind.PARENT_DEACTIVATING]


@pytest.mark.one_database
class TestAboveAChildThatIsShownActive:
    def shown_active(self, editor: User) -> tuple[Organization, Organization]:
        """A parent, and a child that was deactivated here and activated by somebody else."""
        parent = factories.accepted_organization(user=editor)
        child = factories.accepted_organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        factories.submission(child, user=editor, intent=Intent.DEACTIVATE)
        answer_next()
        show_in_directory(child)
        assert in_the_way(parent, Intent.DEACTIVATE) == []
        return parent, show_in_directory(child, active=True)

    def test_the_parent_cannot_be_deactivated(self, editor: User) -> None:
        parent, child = self.shown_active(editor)
        sentence = f"{IN_THE_WAY} The directory shows Lakeside 1 there as active {asked(child)}."
        assert in_the_way(parent, Intent.DEACTIVATE) == [(BlockerKind.ACTIVE_CHILDREN, sentence)]
        with pytest.raises(ActionRefused, match="The directory shows"):
            factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)

    def test_a_child_that_was_moved_below_it_counts(self, editor: User) -> None:
        parent, child = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        child = show_in_directory(child, part_of_oid=parent.oid)
        sentence = f"{IN_THE_WAY} The directory shows Lakeside 2 there as active {asked(child)}."
        assert in_the_way(parent, Intent.DEACTIVATE) == [(BlockerKind.ACTIVE_CHILDREN, sentence)]

    def test_a_child_that_is_shown_there_as_deactivated_is_not_called_active(self, editor: User) -> None:
        parent, child = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        show_in_directory(child, part_of_oid=parent.oid, active=False)
        assert in_the_way(parent, Intent.DEACTIVATE) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]

    @pytest.mark.parametrize("is_accepted", [True, False])
    def test_a_child_that_is_shown_active_elsewhere_is_not_called_active_there(
        self, editor: User, is_accepted: bool
    ) -> None:
        """Its accepted or saved place is below the record, so that it still blocks."""
        parent, child = factories.accepted_organization(user=editor), factories.record(f"{BASE}.1", part_of_oid=BASE)
        organization = organizations.create(child, "staging", stands_for="", actor=as_actor(editor))
        if is_accepted:
            factories.accept(organization, active=False)
        else:
            statements.state_registered(organization.pk, reason="By curl", actor=as_actor(editor))
        shown = store_reading(organization, replace(child, part_of_oid=GATEWAY_OID))
        assert (shown.shown_active, shown.shown_part_of_oid) == (True, GATEWAY_OID)
        assert in_the_way(parent, Intent.DEACTIVATE) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]

    def test_a_child_that_is_being_reactivated_is_not_called_active_yet(self, editor: User) -> None:
        parent, child = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accept(factories.organization(f"{BASE}.2", user=editor), active=False),
        )
        show_in_directory(child, part_of_oid=parent.oid)
        assert in_the_way(parent, Intent.DEACTIVATE) == []
        factories.submission(child, user=editor, intent=Intent.REACTIVATE)
        assert in_the_way(parent, Intent.DEACTIVATE) == [(BlockerKind.ACTIVE_CHILDREN, IN_THE_WAY)]

    def test_the_first_of_them_by_oid_is_named(self, editor: User) -> None:
        parent = factories.accepted_organization(user=editor)
        for number in (10, 9):
            organization = factories.accepted_organization(f"{BASE}.{number}", user=editor)
            show_in_directory(organization, part_of_oid=parent.oid)
        ((_, sentence),) = in_the_way(parent, Intent.DEACTIVATE)
        assert "The directory shows Lakeside 9 there as active" in sentence

    def test_a_claim_checks_again(self, editor: User) -> None:
        parent, child = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        factories.submission(parent, user=editor, intent=Intent.DEACTIVATE)
        show_in_directory(child, part_of_oid=parent.oid)
        assert f"The directory shows Lakeside 2 there as active {asked(child)}." in claim_refusal()

    def test_the_child_can_be_deactivated_again(self, editor: User) -> None:
        parent, child = self.shown_active(editor)
        assert in_the_way(child, Intent.DEACTIVATE) == []
        submission = factories.submission(child, user=editor, intent=Intent.DEACTIVATE)
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))
        assert not reload(child).active, "what is wanted is again what was accepted"
        factories.submission(reload(child), user=editor, intent=Intent.DEACTIVATE)
        answer_next()
        assert in_the_way(parent, Intent.DEACTIVATE) == []

    def test_a_branch_is_deactivated_as_the_directory_shows_it(self, editor: User) -> None:
        child, parent = (
            factories.accepted_organization(f"{BASE}.1", user=editor),
            factories.accepted_organization(f"{BASE}.2", user=editor),
        )
        show_in_directory(child, part_of_oid=parent.oid)
        selection = plan_draft.choose_branch(parent, PlanKind.DEACTIVATE)
        plan = factories.plan(
            list(Organization.objects.filter(pk__in=selection.ids)), user=editor, kind=PlanKind.DEACTIVATE
        )
        first, second = plan.submissions.order_by("pk")
        assert (first.organization, second.organization) == (child, parent)
        assert list(second.waits_for.all()) == [first]


def test_the_number_of_queries_does_not_grow_with_what_differs(editor: User) -> None:
    parent = factories.accepted_organization(user=editor)
    numbers = []
    for added in ((1, 2), (3, 4, 5, 6)):
        for number in added:
            show_in_directory(
                factories.accepted_organization(f"{BASE}.{number}", user=editor, part_of_oid=BASE),
                part_of_oid=GATEWAY_OID,
            )
        with CaptureQueriesContext(connection) as queries:
            in_the_way(parent, Intent.DEACTIVATE)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]
