"""The first message to a record that was registered outside the portal is sent alone."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module

import pytest
from django.apps import apps
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import (
    Basis,
    Environment,
    EnvironmentGate,
    Evidence,
    Intent,
    Organization,
    Plan,
    PlanKind,
    State,
    Submission,
    User,
    clock,
)
from organizations.models.submission import OPEN_STATES
from organizations.redox.outcome import Kind
from organizations.services.audit import audit
from organizations.services.delivery import settle
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import first_messages, reviews
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import WORKER, answer_next, claim, edit, reload, settle_sending, state_of, store_reading

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OUTSIDE = (Basis.SEEN, Basis.STATED)


def seen(number: int, user: User, environment: str = "staging") -> Organization:
    """A record that was taken over and has an edit."""
    shown = replace(factories.record(f"{BASE}.{number}"), destination_id="", destination_known=False)
    organization = factories.seen_organization(shown, user=user, environment=environment)
    return edit(organization, user, destination_known=True, name=f"Taken over {number}")


def stated(number: int, user: User, **values: str) -> Organization:
    return factories.stated_organization(f"{BASE}.{number}", user=user, **values)


def waits(submission: Submission) -> list[Submission]:
    return list(submission.waits_for.order_by("pk"))


def test_the_first_message_is_sent_alone_and_the_others_follow_after_its_acceptance(editor: User) -> None:
    records = seen(1, editor), stated(2, editor), seen(3, editor)
    first, second, third = (factories.submission(each, user=editor) for each in records)
    assert (waits(first), waits(second), waits(third)) == ([], [first], [first])
    sending = claim()
    assert sending == first
    assert claim() is None
    settle_sending(sending)
    assert [answer_next(), answer_next(), answer_next()] == [second, third, None]


def test_after_one_acceptance_no_message_waits(editor: User) -> None:
    factories.submission(seen(1, editor), user=editor)
    answer_next()
    assert not reviews.review(seen(2, editor)).first_message.is_unproved
    assert waits(factories.submission(seen(3, editor), user=editor)) == []


@pytest.mark.parametrize("evidence", [Evidence.QUERY, Evidence.PERSON])
def test_an_acceptance_without_an_answer_of_redox_is_a_proof_as_well(editor: User, evidence: Evidence) -> None:
    first = factories.submission(seen(1, editor), user=editor)
    answer_next(Kind.UNKNOWN)
    with audit.atomic(WORKER) as history:
        organization = organizations.lock_record(first.organization_id)
        settle.accept_by_evidence(
            history, Submission.objects.get(), organization, evidence=evidence, asked_at=clock.now(), reason="Shown"
        )
    assert not first_messages.first_message_of(seen(2, editor)).is_unproved


@pytest.mark.parametrize("kind", [Kind.UNKNOWN, Kind.NEEDS_PERSON, Kind.NOT_EXECUTED])
def test_a_message_that_was_not_accepted_proves_nothing(editor: User, kind: Kind) -> None:
    first = factories.submission(seen(1, editor), user=editor)
    answer_next(kind)
    second = factories.submission(seen(2, editor), user=editor)
    assert waits(second) == [first]
    Submission.objects.update(not_before=None)
    assert claim() in (None, first)


def test_a_rejection_cancels_the_waiting_messages_and_the_next_one_is_sent_alone(editor: User) -> None:
    first, second = (factories.submission(seen(number, editor), user=editor) for number in (1, 2))
    answer_next(Kind.REJECTED)
    assert state_of(second) == (State.CANCELLED, f"Submission {first.pk}, which this one waited for, was rejected.")
    assert reload(second.organization).changes
    third = factories.submission(reload(second.organization), user=editor)
    assert (waits(third), claim()) == ([], third)


def test_a_new_and_an_update_of_a_registered_record_neither_wait_nor_prove_anything(editor: User) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    answer_next()
    registered = edit(Organization.objects.get(), editor, name="Changed")
    factories.submission(registered, user=editor)
    answer_next()
    first = factories.submission(seen(1, editor), user=editor)
    update = factories.submission(edit(registered, editor, name="Changed again"), user=editor)
    new = factories.submission(factories.organization(f"{BASE}.9", user=editor), user=editor)
    assert (waits(update), waits(new)) == ([], [])
    assert waits(factories.submission(seen(2, editor), user=editor)) == [first]


def test_each_environment_has_its_own_first(editor: User) -> None:
    factories.submission(seen(1, editor), user=editor)
    answer_next()
    production = [seen(number, editor, "production") for number in (1, 2)]
    first, second = (factories.submission(each, user=editor) for each in production)
    assert (waits(first), waits(second)) == ([], [first])


def test_a_registration_under_an_earlier_oid_does_not_hide_the_proof(editor: User) -> None:
    organization = factories.organization(user=editor)
    factories.submission(organization, user=editor)
    answer_next()
    moved = Organization.objects.filter(pk=organization.pk)
    moved.update(oid=f"{BASE}.8", presence_basis=Basis.SEEN, confirmed="", last_submission=None)
    factories.submission(edit(reload(organization), editor, name="Changed"), user=editor)
    answer_next()
    assert not first_messages.first_message_of(seen(1, editor)).is_unproved


def test_a_record_that_got_back_the_oid_under_which_it_was_registered_here_proves_nothing(editor: User) -> None:
    organization = factories.organization(user=editor)
    factories.submission(organization, user=editor)
    answer_next()
    moved = Organization.objects.filter(pk=organization.pk)
    moved.update(presence_basis=Basis.SEEN, confirmed="", confirmed_submission=None, last_submission=None)
    factories.submission(edit(reload(organization), editor, name="Changed"), user=editor)
    answer_next()
    assert first_messages.first_message_of(seen(1, editor)).is_unproved


def proofs() -> list[tuple[str, str, int]]:
    """Environment, event and version of the record of each message that is marked."""
    marked = Submission.objects.filter(is_proof=True).order_by("environment")
    return list(marked.values_list("environment", "event", "record_version"))


def test_the_upgrade_marks_what_is_marked_today(editor: User) -> None:
    """In each environment a record is registered and updated, and one that was taken over is updated twice."""
    for environment in Environment.values:
        registered = factories.organization(user=editor, environment=environment)
        for organization in (registered, seen(1, editor, environment)):
            for name in ("First", "Second"):
                factories.submission(edit(organization, editor, name=name), user=editor)
                sending = claim(environment)
                assert sending is not None
                settle_sending(sending)
    marked = proofs()
    assert marked == [("production", "Update", 3), ("staging", "Update", 3)]
    Submission.objects.update(is_proof=False)
    import_module("organizations.migrations.0031_proof").mark_proofs(apps, None)
    assert proofs() == marked


class TestPlan:
    def test_the_first_of_a_plan_is_sent_alone(self, editor: User) -> None:
        records = [stated(number, editor) for number in (1, 2, 3)]
        new = factories.organization(f"{BASE}.4", user=editor)
        first, second, third, fourth = factories.plan([*records, new], user=editor).submissions.order_by("pk")
        assert [waits(each) for each in (first, second, third, fourth)] == [[], [first], [first], []]

    def test_a_child_waits_for_its_new_parent_and_for_the_first(self, editor: User) -> None:
        parent = factories.organization(f"{BASE}.5", user=editor)
        records = [stated(1, editor), parent, stated(6, editor, part_of_oid=parent.oid)]
        first, new, child = factories.plan(records, user=editor).submissions.order_by("pk")
        assert (waits(first), waits(new), waits(child)) == ([], [], [first, new])

    def test_a_plan_waits_for_the_message_that_is_under_way(self, editor: User) -> None:
        first = factories.submission(seen(1, editor), user=editor)
        plan = factories.plan([stated(number, editor) for number in (2, 3)], user=editor)
        assert [waits(each) for each in plan.submissions.all()] == [[first], [first]]

    def test_a_branch_is_deactivated_from_its_first_leaf(self, editor: User) -> None:
        parent = stated(1, editor)
        children = [stated(number, editor, part_of_oid=parent.oid) for number in (2, 3)]
        plan = factories.plan([parent, *children], user=editor, kind=PlanKind.DEACTIVATE)
        first, second, last = plan.submissions.order_by("pk")
        assert (last.organization, waits(first), waits(second), waits(last)) == (parent, [], [first], [first, second])
        assert [answer_next(), answer_next(), answer_next()] == [first, second, last]


# Any order of actions ---------------------------------------------------------------------------------------

RECORDS = 4
NUMBERS = st.integers(1, RECORDS)
ACTS = st.one_of(
    st.tuples(st.just("submit"), NUMBERS),
    st.tuples(st.just("plan"), st.sets(NUMBERS, min_size=1)),
    st.tuples(st.just("deactivate"), NUMBERS),
    st.tuples(st.just("cancel"), NUMBERS),
    st.tuples(st.just("claim"), st.none()),
    st.tuples(st.just("settle"), st.sampled_from([Kind.ACCEPTED, Kind.REJECTED, Kind.UNKNOWN, Kind.NOT_EXECUTED])),
    st.tuples(st.just("read"), NUMBERS),
)


def carry_out(act: str, value: object, user: User) -> None:
    rows = list(Organization.objects.order_by("oid_key"))
    chosen = [rows[value - 1]] if isinstance(value, int) else []
    match act:
        case "submit":
            press(chosen[0], user)
        case "deactivate":
            press(chosen[0], user, Intent.DEACTIVATE)
        case "plan" if isinstance(value, set):
            factories.plan([rows[number - 1] for number in value], user=user)
        case "cancel" if chosen[0].last_submission is not None:
            submissions.cancel_submission(chosen[0].last_submission.pk, actor=as_actor(user))
        case "claim":
            Submission.objects.update(not_before=None)
            claim()
        case "settle" if isinstance(value, Kind):
            for sending in Submission.objects.filter(state=State.SENDING)[:1]:
                settle_sending(sending, value)
        case "read":
            store_reading(chosen[0], replace(chosen[0].record(), name="By hand"))


def press(organization: Organization, user: User, intent: Intent | None = None) -> None:
    """Press the button of a page, which takes the locks."""
    review = reviews.review(organization, actor=as_actor(user), intent=intent)
    factories.press(review, user=user)


def first_messages_under_way() -> Sequence[Submission]:
    """The messages to records registered outside the portal that were attempted and have not ended."""
    attempted = Submission.objects.filter(state__in=OPEN_STATES, attempt__gt=0)
    return list(attempted.filter(organization__confirmed="", organization__presence_basis__in=OUTSIDE))


@pytest.mark.slow
@pytest.mark.one_database
@settings(max_examples=15)
@given(st.lists(ACTS, min_size=4, max_size=14))
def test_two_first_messages_are_never_under_way_before_one_was_accepted(acts: list[tuple[str, object]]) -> None:
    empty()
    user = factories.UserFactory(role="approver")
    records = [stated(number, user) for number in range(1, RECORDS)]
    factories.organization(f"{BASE}.{RECORDS}", user=user)
    for act, value in acts:
        with suppress(ActionRefused):
            carry_out(act, value, user)
        accepted = Submission.objects.filter(organization__in=records, state=State.ACCEPTED)
        assert accepted.exists() or len(first_messages_under_way()) <= 1


def empty() -> None:
    """Delete what an earlier example made, and close the circuit breaker."""
    Organization.objects.update(last_submission=None, confirmed_submission=None)
    for model in (Submission, Plan, Organization):
        model.objects.all().delete()
    EnvironmentGate.objects.update(stopped_at=None, hold_until=None, hold_asked_until=None, failures=0, probing=False)
