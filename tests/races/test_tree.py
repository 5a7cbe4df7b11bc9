"""Two concurrent actions of which only one is possible: the other is refused with the reason."""

from functools import partial

import pytest

from organizations.models import Intent, Organization, State, Submission, User
from organizations.redox.environment import GATEWAY_OID
from organizations.services.delivery import courier
from organizations.services.errors import Circle, OidTaken, WarningsOpen
from organizations.services.records import organizations
from organizations.services.review import reviews
from tests import factories
from tests.factories import as_actor
from tests.races.racing import Rounds, refusals
from tests.races.world import check, fresh, move, oid, registered, reject, reviewed, state_of
from tests.services.sending import WORKER, claim

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_moves_below_each_other_form_no_circle(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        one, other = registered(1, user), registered(2, user)
        results = rounds.race(partial(move, one, other.oid, user), partial(move, other, one.oid, user))
        check()
        (refusal,) = [each.refusal for each in results if each.refusal]
        assert isinstance(refusal, Circle)


def test_two_open_moves_form_no_circle(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        one, two, three = (registered(number, user) for number in (1, 2, 3))
        move(one, two.oid, user)
        reviewed(one, user)()
        # The saved values form no circle. Together with the open message they would.
        move(one, GATEWAY_OID, user)
        move(two, three.oid, user)
        move(three, one.oid, user)
        results = rounds.race(reviewed(two, user), reviewed(three, user))
        check()
        (sentence,) = refusals(results)
        assert "circle" in sentence


def test_a_parents_deactivation_and_a_childs_new(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        parent = registered(1, user)
        child = factories.organization(oid(2), user=user, part_of_oid=parent.oid)
        results = rounds.race(reviewed(parent, user, Intent.DEACTIVATE), reviewed(child, user))
        check()
        (sentence,) = refusals(results)
        if results[0].is_refused:
            assert sentence.startswith("1 active record ")
        else:
            ending = fresh(parent).last_submission
            assert ending is not None
            assert sentence.startswith(f"Submission {ending.pk} of {parent.name} ")


def test_the_second_of_two_top_level_records_has_a_warning(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        one, other = (factories.organization(oid(number), user=user) for number in (1, 2))
        results = rounds.race(reviewed(one, user, ticked=frozenset()), reviewed(other, user, ticked=frozenset()))
        check()
        (refusal,) = [each.refusal for each in results if each.refusal]
        assert isinstance(refusal, WarningsOpen)
        assert [key.rpartition("-")[0] for key in refusal.keys] == ["second-top"]


def stated(number: int, user: User) -> Organization:
    return factories.stated_organization(oid(number), user=user)


def create(user: User, name: str) -> Organization:
    return factories.organization(oid(1), user=user, name=name)


def take_over(user: User) -> Organization:
    return factories.seen_organization(factories.record(oid(1), name="Taken over"), user=user)


@pytest.mark.parametrize("other", ["create", "take over", "edit"])
def test_two_records_with_the_same_oid(rounds: Rounds, user: User, other: str) -> None:
    for _ in rounds:
        free = factories.organization(oid(9), user=user)
        record = factories.record(oid(1), name="Edited")
        edit = partial(organizations.edit, free.pk, free.version, record, stands_for="", actor=as_actor(user))
        acts = {"create": partial(create, user, "Other"), "take over": partial(take_over, user), "edit": edit}
        results = rounds.race(partial(create, user, "One"), acts[other])
        check()
        (refusal,) = [each.refusal for each in results if each.refusal]
        assert isinstance(refusal, OidTaken)
        holder = Organization.objects.get(oid=oid(1))
        assert str(refusal) == f"{oid(1)} is already the record {holder.name} in STAGING. Open it."


def test_a_childs_new_and_the_rejection_of_its_parents(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        parent = factories.organization(oid(1), user=user)
        reviewed(parent, user)()
        child = factories.organization(oid(2), user=user, part_of_oid=parent.oid)
        press = reviewed(child, user)
        sending = claim()
        assert sending is not None
        results = rounds.race(partial(reject, sending), press)
        check()
        if results[1].is_refused:
            assert "was rejected in STAGING" in refusals(results)[0]
        else:
            assert state_of(Submission.objects.get(organization=child)) == State.CANCELLED


def test_a_grandchilds_new_and_the_rejection_of_the_first(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        top, middle, low = (
            factories.organization(oid(number), user=user, **({"part_of_oid": oid(number + 1)} if number < 3 else {}))
            for number in (3, 2, 1)
        )
        reviewed(top, user)()
        reviewed(middle, user)()
        press = reviewed(low, user)
        sending = claim()
        assert sending is not None
        results = rounds.race(partial(reject, sending), press)
        check()
        assert state_of(Submission.objects.get(organization=middle)) == State.CANCELLED
        assert results[1].is_refused != Submission.objects.filter(organization=low, state=State.CANCELLED).exists()
        assert refusals(results) in ([], [f"Send {middle.name} first."])


def test_one_of_two_first_messages_to_records_registered_outside_the_portal_waits(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        one, other = (stated(number, user) for number in (1, 2))
        rounds.race(reviewed(one, user), reviewed(other, user))
        check()
        first, second = Submission.objects.order_by("pk")
        assert (list(first.waits_for.all()), list(second.waits_for.all())) == ([], [first])


def test_a_first_message_and_the_rejection_of_the_one_before(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        one, other = (stated(number, user) for number in (1, 2))
        reviewed(one, user)()
        press = reviewed(other, user)
        sending = claim()
        assert sending is not None
        rounds.race(partial(reject, sending), press)
        check()
        second = Submission.objects.get(organization=other)
        assert state_of(second) == (State.CANCELLED if second.waits_for.exists() else State.QUEUED)


def test_one_of_two_queued_moves_that_close_a_circle_is_cancelled(
    rounds: Rounds, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in rounds:
        one, other = registered(1, user), registered(2, user)
        move(one, other.oid, user)
        first = reviewed(one, user)()
        move(one, GATEWAY_OID, user)
        move(other, one.oid, user)
        with monkeypatch.context() as patch:
            patch.setattr(reviews, "blockers_of", lambda *_: ())
            second = reviewed(other, user)()
        deliver = partial(courier.deliver_due, "staging", most=1, actor=WORKER)
        rounds.race(deliver, deliver)
        states = [state_of(each) for each in (first, second)]
        assert states.count(State.CANCELLED) == 1
        # No server answers, so that the other one waits for its next attempt or was not claimed yet.
        assert states.count(State.QUEUED) == 1
        check()
