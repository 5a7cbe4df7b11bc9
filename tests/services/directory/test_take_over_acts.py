"""What people do with a take-over: what each act refuses, and its entry in the history."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from organizations.models import (
    Action,
    AuditEntry,
    CandidateState,
    Organization,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
    clock,
)
from organizations.oid import Oid
from organizations.records import canonical
from organizations.redox.environment import GATEWAY_OID
from organizations.services import failpoints
from organizations.services.directory import ownership_here, take_over
from organizations.services.directory.take_over import NewCandidate
from organizations.services.errors import ActionRefused, NumberMissing, OutOfDate, ReasonMissing
from organizations.services.records import directory_state, organizations
from organizations.services.records.organizations import KnownDestination
from tests import factories
from tests.factories import BASE, DESTINATION, as_actor
from tests.services.directory.taking_over import begin, state_of, states
from tests.services.sending import WORKER

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ONE, TWO, THREE = (f"{BASE}.{number}" for number in (1, 2, 3))
OTHER = "2.16.840.1.113883.3.6147.458.77777.1.1.1.1"
SAID = KnownDestination(DESTINATION, "dashboard")


def shown(user: User, *oids: str, **values: Any) -> TakeOver:
    """A take-over that is ready, whose OIDs the directory showed, beside another one."""
    factories.take_over(user=user, seen={f"{BASE}.99": factories.record(f"{BASE}.99")})
    return factories.take_over(user=user, seen={oid: factories.record(oid, **values) for oid in oids})


def set_state(run: TakeOver, value: TakeOverState) -> None:
    TakeOver.objects.filter(pk=run.pk).update(state=value)


def scans() -> QuerySet[TakeOver]:
    return TakeOver.objects.filter(kind=TakeOverKind.SCAN)


def last_entry(action: Action) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("sequence")


def details(action: Action) -> dict[str, Any]:
    """The details of the last entry about this."""
    entry = last_entry(action)
    assert entry.environment == "staging"
    found: dict[str, Any] = entry.facts["details"]
    return found


# Begin


def test_what_was_entered_is_stored_and_each_oid_once(editor: User) -> None:
    here = factories.organization(TWO, user=editor, name="Typed")
    message = factories.record(ONE, name="m" * 250)
    run = begin(
        ONE,
        NewCandidate(TWO, "line 2"),
        NewCandidate(ONE, "s" * 400, DESTINATION, "message", message),
        NewCandidate(THREE),
        user=editor,
        problems=[{"source": "x"}],
    )
    first, second, third = run.candidates.order_by("position")
    assert (first.oid, first.state, first.source, first.name) == (ONE, "waiting", "s" * 300, "m" * 200)
    assert (first.destination_id, first.destination_source, first.oid_key) == (DESTINATION, "message", Oid(ONE).key)
    assert (first.message_record(), first.organization) == (message, None)
    assert (second.oid, second.state, second.source, second.name) == (TWO, "here", "line 2", "Typed")
    assert (second.message, second.organization, second.position) == ("", here, 1)
    assert (third.message, third.organization, third.name, third.source) == ("", None, "", "")
    assert (run.made_by, run.base_oids, run.problems, run.state) == (editor, [BASE], [{"source": "x"}], "asking")
    assert details(Action.TAKE_OVER_BEGUN) == {"take_over": run.pk, "count": 3, "kind": "oids"}
    assert last_entry(Action.TAKE_OVER_BEGUN).facts["object"] == {"type": "take_over", "id": str(run.pk)}


def test_as_many_as_are_allowed_are_taken(editor: User) -> None:
    many = [f"{BASE}.{number}" for number in range(1, take_over.MOST_OIDS + 1)]
    assert begin(*many, user=editor).candidates.count() == take_over.MOST_OIDS
    with pytest.raises(ActionRefused, match="You entered 1,001"):
        begin(*many, f"{ONE}.1", user=editor)
    with pytest.raises(ActionRefused):
        begin(user=editor)
    assert TakeOver.objects.count() == 1


def test_only_a_person_begins() -> None:
    with pytest.raises(ValueError, match="a person"):
        take_over.begin("staging", [NewCandidate(ONE)], kind=TakeOverKind.OIDS, base_oids=[], actor=WORKER)
    with pytest.raises(ValueError, match="a person"):
        take_over.begin_scan("staging", base_oids=[], actor=WORKER)


def test_a_search_of_the_whole_directory_begins_at_its_first_page_once_in_each_environment(editor: User) -> None:
    begin(ONE, user=editor)
    begun: list[bool] = []
    with failpoints.calling(lambda: begun.append(scans().exists()), "before-structure-lock"):
        run = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))
    assert begun == [False]
    assert (run.kind, run.base_oids, run.made_by, run.is_reading_pages) == ("scan", [BASE], editor, True)
    assert details(Action.TAKE_OVER_BEGUN) == {"take_over": run.pk, "kind": "scan"}
    take_over.begin_scan("production", base_oids=[BASE], actor=as_actor(editor))
    with pytest.raises(ActionRefused):
        take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))
    set_state(run, TakeOverState.READY)
    take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))


def test_a_search_is_not_continued_while_another_one_runs(editor: User) -> None:
    first = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))
    take_over.stop_asking(first.pk, actor=as_actor(editor))
    second = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))
    sentence = f"The directory is being searched already, in take-over {second.pk}."
    with pytest.raises(ActionRefused, match=sentence):
        take_over.ask_again(first.pk, actor=as_actor(editor))
    assert state_of(first) == TakeOverState.READY
    take_over.stop_asking(second.pk, actor=as_actor(editor))
    take_over.ask_again(first.pk, actor=as_actor(editor))
    assert state_of(first) == TakeOverState.ASKING


# Stop, and ask again


def test_a_stop_leaves_what_was_found_and_the_others_can_be_asked_for_later(editor: User) -> None:
    run = begin(ONE, TWO, user=editor)
    run.candidates.filter(oid=ONE).update(state=CandidateState.FOUND)
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    assert list(run.candidates.order_by("position").values_list("state", "sentence")) == [
        ("found", ""),
        ("unanswered", take_over.STOPPED),
    ]
    run.refresh_from_db()
    assert (run.state, run.end_reason, run.token) == ("ready", "A person stopped it.", 1)
    assert run.state_at > run.made_at
    assert details(Action.TAKE_OVER_STOPPED) == {"take_over": run.pk, "count": 1, "kind": "oids"}
    assert not AuditEntry.objects.filter(action=Action.DIRECTORY_SCANNED).exists()
    with pytest.raises(ActionRefused, match="not being asked any more"):
        take_over.stop_asking(run.pk, actor=as_actor(editor))
    take_over.ask_again(run.pk, actor=as_actor(editor))
    assert list(run.candidates.order_by("position").values_list("state", "sentence")) == [
        ("found", ""),
        ("waiting", ""),
    ]
    run.refresh_from_db()
    assert (run.state, run.end_reason, run.token) == ("asking", "", 2)
    assert details(Action.TAKE_OVER_BEGUN) == {"take_over": run.pk, "count": 1, "kind": "oids"}


def test_a_stop_writes_down_what_a_search_of_the_whole_directory_found(editor: User) -> None:
    run = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    entry = last_entry(Action.DIRECTORY_SCANNED)
    assert (entry.facts["detail"], entry.facts["details"]["take_over"]) == ("A person stopped it.", run.pk)
    take_over.ask_again(run.pk, actor=as_actor(editor))  # it continues at its position
    assert state_of(run) == TakeOverState.ASKING


@pytest.mark.parametrize(
    "act",
    [
        take_over.ask_again,
        partial(take_over.set_destinations, destinations={}),
        partial(take_over.take, oids=[ONE]),
        partial(take_over.take_other, oid=ONE, typed_oid=ONE, reason="Bought"),
    ],
    ids=["ask again", "destination IDs", "take", "take alone"],
)
def test_nothing_is_decided_before_the_structure_is_locked(editor: User, act: Callable[..., object]) -> None:
    run = shown(editor, ONE)
    asking = partial(set_state, run, TakeOverState.ASKING)
    with failpoints.calling(asking, "before-structure-lock"), pytest.raises(ActionRefused, match="still being asked"):
        act(run.pk, actor=as_actor(editor))


def test_nothing_is_asked_again_if_all_were_found(editor: User) -> None:
    run = shown(editor, ONE)
    with pytest.raises(ActionRefused, match="Every OID of this list was found"):
        take_over.ask_again(run.pk, actor=as_actor(editor))
    assert state_of(run) == TakeOverState.READY


ACTS: dict[str, Callable[[TakeOver, User], object]] = {
    "ask again": lambda run, user: take_over.ask_again(run.pk, actor=as_actor(user)),
    "say": lambda run, user: take_over.set_destinations(run.pk, {ONE: SAID}, actor=as_actor(user)),
    "say for all": lambda run, user: take_over.set_destination_for_all(run.pk, SAID, 1, actor=as_actor(user)),
    "take": lambda run, user: take_over.take(run.pk, [ONE], actor=as_actor(user)),
    "take all": lambda run, user: take_over.take_all(run.pk, actor=as_actor(user)),
    "take alone": lambda run, user: take_over.take_other(run.pk, ONE, typed_oid=ONE, reason="x", actor=as_actor(user)),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (TakeOverState.ASKING, "The directory is still being asked. Wait, or stop it first."),
        (TakeOverState.TAKING, "Records are being added. Wait until all are added."),
    ],
)
def test_while_the_worker_is_busy_with_it_nothing_else_is_done(
    editor: User, act: str, now: TakeOverState, sentence: str
) -> None:
    run = shown(editor, ONE)
    set_state(run, now)
    with pytest.raises(ActionRefused, match=sentence):
        ACTS[act](run, editor)
    assert (state_of(run), Organization.objects.exists()) == (now, False)


# Destination IDs


def test_what_a_person_says_of_destination_ids_is_in_the_history_if_it_changes_any(editor: User) -> None:
    run = shown(editor, ONE, TWO)
    run.candidates.filter(oid=TWO).update(state=CandidateState.REFUSED)
    assert take_over.set_destinations(run.pk, {ONE: SAID, TWO: SAID}, actor=as_actor(editor)) == 1
    said = {"oid": ONE, "destination_id": DESTINATION, "source": "dashboard"}
    assert details(Action.TAKE_OVER_DESTINATIONS) == {"take_over": run.pk, "count": 1, "destinations": [said]}
    assert take_over.set_destinations(run.pk, {ONE: SAID}, actor=as_actor(editor)) == 0
    assert AuditEntry.objects.filter(action=Action.TAKE_OVER_DESTINATIONS).count() == 1


def test_who_says_what_somebody_else_said_meanwhile_changes_nothing(editor: User) -> None:
    run = shown(editor, ONE)
    before = {ONE: KnownDestination("", "")}
    assert take_over.set_destinations(run.pk, {ONE: SAID}, shown=before, actor=as_actor(editor)) == 1
    assert take_over.set_destinations(run.pk, {ONE: SAID}, shown=before, actor=as_actor(editor)) == 0


def test_one_for_all_needs_their_number_and_is_only_for_what_is_ours_and_has_none(editor: User) -> None:
    run = shown(editor, ONE, OTHER, TWO, f"{BASE}.3", f"{BASE}.4")
    run.candidates.filter(oid=TWO).update(state=CandidateState.REFUSED)
    take_over.set_destinations(run.pk, {f"{BASE}.3": KnownDestination("", "memory")}, actor=as_actor(editor))
    with pytest.raises(NumberMissing, match="Type 2"):
        take_over.set_destination_for_all(run.pk, SAID, 3, actor=as_actor(editor))
    assert take_over.set_destination_for_all(run.pk, SAID, 2, actor=as_actor(editor)) == 2
    given = run.candidates.filter(destination_id=DESTINATION)
    assert set(given.values_list("oid", flat=True)) == {ONE, f"{BASE}.4"}
    with pytest.raises(ActionRefused, match="already known"):
        take_over.set_destination_for_all(run.pk, SAID, 0, actor=as_actor(editor))


@pytest.mark.parametrize(
    "save",
    [
        lambda run, user: take_over.set_destinations(run.pk, {ONE: SAID, TWO: SAID, THREE: SAID}, actor=as_actor(user)),
        lambda run, user: take_over.set_destination_for_all(run.pk, SAID, 3, actor=as_actor(user)),
    ],
    ids=["each", "one for all"],
)
def test_a_destination_id_of_an_organization_that_became_a_record_before_the_lock_is_refused(
    editor: User, save: Callable[[TakeOver, User], int]
) -> None:
    """The candidate would keep it, and the record would not get it."""
    run, other = shown(editor, ONE, TWO, THREE), factories.organization(f"{BASE}.98", user=editor)
    become_one = partial(Organization.objects.filter(pk=other.pk).update, oid=ONE, oid_key=Oid(ONE).key)
    one, two = "^1 of these organizations is a record", "^2 of these organizations are records"
    with failpoints.calling(become_one, "before-structure-lock"), pytest.raises(ActionRefused, match=one):
        save(run, editor)
    assert not run.candidates.exclude(destination_source="").exists()
    become_one()
    assert take_over.set_destination_for_all(run.pk, SAID, 2, actor=as_actor(editor)) == 2
    factories.organization(TWO, user=editor)
    with pytest.raises(ActionRefused, match=two):
        take_over.set_destinations(run.pk, dict.fromkeys((ONE, TWO, THREE), SAID), actor=as_actor(editor))


# Choose


def test_what_is_chosen_waits_for_the_worker(editor: User) -> None:
    run = shown(editor, ONE, TWO)
    TakeOver.objects.filter(pk=run.pk).update(end_reason="A person stopped it.")
    assert take_over.take(run.pk, [ONE, ONE], actor=as_actor(editor)) == 1
    assert states(run) == {ONE: "chosen", TWO: "found"}
    run.refresh_from_db()
    assert (run.state, run.taken_by, run.end_reason) == ("taking", editor, "")
    assert details(Action.TAKE_OVER_CHOSEN) == {"take_over": run.pk, "count": 1, "oids": [ONE, ONE]}


def test_all_are_those_that_were_found_and_are_ours_and_are_not_here(editor: User) -> None:
    run = shown(editor, ONE, TWO, f"{BASE}.3", OTHER)
    run.candidates.filter(oid=f"{BASE}.3").update(state=CandidateState.REFUSED)
    factories.organization(TWO, user=editor)
    assert take_over.take_all(run.pk, actor=as_actor(editor)) == 1
    assert list(run.candidates.filter(state=CandidateState.CHOSEN).values_list("oid", flat=True)) == [ONE]


def test_nothing_chosen_or_something_that_cannot_be_chosen_is_refused(editor: User) -> None:
    run = shown(editor, ONE, TWO)
    run.candidates.filter(oid=TWO).update(state=CandidateState.TAKEN)
    with pytest.raises(ActionRefused, match="Choose at least one organization"):
        take_over.take(run.pk, [], actor=as_actor(editor))
    with pytest.raises(OutOfDate, match="Look at the list again"):
        take_over.take(run.pk, [ONE, TWO], actor=as_actor(editor))
    factories.organization(ONE, user=editor, name="Typed")
    with pytest.raises(ActionRefused, match=f"{ONE}: It is already the record Typed."):
        take_over.take(run.pk, [ONE], actor=as_actor(editor))
    assert state_of(run) == TakeOverState.READY


# Take over alone


def alone(run: TakeOver, user: User, oid: str = OTHER, *, typed: str = OTHER, reason: str = " Bought ") -> Organization:
    return take_over.take_other(run.pk, oid, typed_oid=typed, reason=reason, actor=as_actor(user))


def test_an_organization_that_is_not_ours_is_added_alone_with_all_that_is_known(approver: User) -> None:
    message = factories.record(OTHER, carried=(("Endpoints", '[{"Name":"XCPD"}]'),))
    run = shown(approver, OTHER)
    run.candidates.update(source="line 7", sentence="x", message=canonical(message))
    take_over.set_destinations(run.pk, {OTHER: SAID}, actor=as_actor(approver))
    organization = alone(run, approver, typed=f" {OTHER} ")
    candidate = run.candidates.get()
    assert (candidate.state, candidate.sentence, candidate.organization) == ("taken", "", organization)
    assert (organization.destination_id, organization.destination_source) == (DESTINATION, "dashboard")
    assert organization.seen_at == candidate.asked_at
    assert organization.carried["Endpoints"] == '[{"Name":"XCPD"}]'
    entry = last_entry(Action.ORGANIZATION_SEEN)
    assert (entry.environment, entry.facts["reason"]) == ("staging", "Bought")
    assert entry.facts["details"] == {"destination_source": "dashboard", "source": "line 7", "take_over": run.pk}
    assert state_of(run) == TakeOverState.READY


def test_what_is_part_of_an_organization_that_only_an_approver_called_ours_is_not_ours(approver: User) -> None:
    below = f"{OTHER}.1"
    seen = {OTHER: factories.record(OTHER), below: factories.record(below, part_of_oid=OTHER)}
    run = factories.take_over(user=approver, seen=seen)
    assert alone(run, approver).added_as_other
    reasons = ownership_here.take_block_reasons(run, run.candidates.all())
    assert reasons[below] == ownership_here.NOT_OURS
    Organization.objects.update(added_as_other=False)
    assert below not in ownership_here.take_block_reasons(run, run.candidates.all())


def test_what_is_part_of_a_record_is_ours_again_if_the_record_gets_an_oid_of_ours(approver: User) -> None:
    below = f"{OTHER}.1"
    run = factories.take_over(
        user=approver, seen={OTHER: factories.record(OTHER), below: factories.record(below, part_of_oid=ONE)}
    )
    organization = alone(run, approver)
    with transaction.atomic():
        directory_state.mark_absent(organization, clock.now())
    record = replace(organization.record(), oid=ONE)
    organizations.edit(organization.pk, organization.version, record, stands_for="", actor=as_actor(approver))
    factories.accept(organization)
    # Another take-over without base OIDs, so that only the record makes it ours.
    TakeOver.objects.update(base_oids=[])
    assert below not in ownership_here.take_block_reasons(TakeOver.objects.get(), run.candidates.all())


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        ({"typed": ONE}, NumberMissing, f"Type the OID: {OTHER}"),
        ({"reason": "  "}, ReasonMissing, "Enter a reason."),
        ({"oid": GATEWAY_OID, "typed": GATEWAY_OID}, ActionRefused, "It is never a record of ours"),
        ({"oid": ONE, "typed": ONE}, OutOfDate, "Look at the list again"),
        ({"oid": TWO, "typed": TWO}, OutOfDate, "Look at the list again"),
    ],
    ids=["another OID", "no reason", "the gateway", "not shown", "not in the list"],
)
def test_it_is_refused_without_the_oid_a_reason_or_an_answer_of_the_directory(
    approver: User, values: dict[str, str], error: type[ActionRefused], sentence: str
) -> None:
    gateway = factories.record(GATEWAY_OID, part_of_oid=OTHER)
    run = factories.take_over(user=approver, seen={OTHER: factories.record(OTHER), GATEWAY_OID: gateway, ONE: None})
    with pytest.raises(error, match=sentence):
        alone(run, approver, **values)
    assert not Organization.objects.exists()


@pytest.mark.parametrize("values", [{"state": CandidateState.REFUSED}, {"seen": ""}, {"asked_at": None}])
def test_it_is_refused_if_it_is_not_among_what_was_found(approver: User, values: dict[str, Any]) -> None:
    run = shown(approver, OTHER)
    run.candidates.update(**values)
    with pytest.raises(OutOfDate, match="Look at the list again"):
        alone(run, approver)
    assert not Organization.objects.exists()


def test_it_is_refused_if_it_is_here_already(approver: User) -> None:
    run = shown(approver, OTHER)
    factories.organization(OTHER, user=approver, name="Typed")
    with pytest.raises(ActionRefused, match="It is already the record Typed"):
        alone(run, approver)


def test_what_is_ours_can_be_added_alone_as_well(approver: User) -> None:
    run = shown(approver, ONE, TWO)
    assert alone(run, approver, ONE, typed=ONE).oid == ONE
    assert states(run) == {ONE: "taken", TWO: "found"}
