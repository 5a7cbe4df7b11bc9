"""Taking over: what the worker asks the directory, what it stores, and which organizations become records."""

from typing import Any

import pytest

from organizations.models import (
    Action,
    AuditEntry,
    Candidate,
    CandidateState,
    Organization,
    Presence,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
)
from organizations.practice import PracticeDirectory
from organizations.redox.environment import GATEWAY_OID
from organizations.services import failpoints
from organizations.services.directory import ownership_here, read_candidates, run_take_over, take_over
from organizations.services.directory.take_over import NewCandidate
from organizations.services.errors import ActionRefused, OutOfDate
from organizations.services.records.organizations import KnownDestination
from organizations.services.review import reviews
from organizations.services.review.blockers import BlockerKind
from tests import factories
from tests.factories import BASE, as_actor
from tests.redox.old_messages_samples import body as old_message
from tests.services.directory.scanning import put
from tests.services.directory.taking_over import ask_all, begin, states
from tests.services.sending import WORKER

pytestmark = pytest.mark.django_db

DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"
OTHER = "2.16.840.1.113883.3.6147.458.77777.1.1.1.1"


def candidate(run: TakeOver, oid: str) -> Candidate:
    return run.candidates.get(oid=oid)


def take_all(run: TakeOver, user: User) -> list[Organization]:
    found = run.candidates.filter(state=CandidateState.FOUND).values_list("oid", flat=True)
    take_over.take(run.pk, list(found), actor=as_actor(user))
    ask_all()
    return list(Organization.objects.order_by("oid_key"))


def test_an_organization_that_the_directory_shows_becomes_a_record_with_all_its_values(
    practice: PracticeDirectory, editor: User
) -> None:
    put(practice, f"{BASE}.1", aliases=("By hand",))
    run = begin(f"{BASE}.1", f"{BASE}.2", user=editor)
    ask_all()
    assert states(run) == {f"{BASE}.1": "found", f"{BASE}.2": "absent"}
    (organization,) = take_all(run, editor)
    assert (organization.standing, organization.presence, organization.open_work) == ("seen", Presence.PRESENT, "")
    assert organization.record().aliases == ("By hand",)
    assert "Type" in organization.carried
    assert candidate(run, f"{BASE}.1").organization == organization
    # The person chose it, the worker added it: nobody was signed in.
    actor = AuditEntry.objects.get(action=Action.ORGANIZATION_SEEN).facts["actor"]
    assert (actor["id"], actor["signed_in_by"]) == (editor.pk, "")


@pytest.mark.one_database
def test_nothing_is_sent_until_a_person_enters_the_destination_id(practice: PracticeDirectory, editor: User) -> None:
    put(practice, f"{BASE}.1")
    run = begin(f"{BASE}.1", user=editor)
    ask_all()
    (organization,) = take_all(run, editor)
    assert not organization.destination_known
    assert [each.kind for each in reviews.review(organization).blockers] == [BlockerKind.DESTINATION_NOT_KNOWN]


@pytest.mark.one_database
def test_a_destination_id_that_a_person_entered_keeps_its_source_and_is_not_a_change(
    practice: PracticeDirectory, editor: User
) -> None:
    put(practice, f"{BASE}.1")
    run = begin(f"{BASE}.1", user=editor)
    ask_all()
    take_over.set_destinations(
        run.pk, {f"{BASE}.1": KnownDestination(DESTINATION, "dashboard")}, actor=as_actor(editor)
    )
    (organization,) = take_all(run, editor)
    assert (organization.destination_id, organization.destination_source) == (DESTINATION, "dashboard")
    assert (organization.changes, organization.open_work) == (0, "")
    review = reviews.review(organization)
    assert review.nothing_differs
    assert review.message
    assert "destination-unseen" in {warning.key for warning in review.warnings}


@pytest.mark.one_database
def test_a_destination_id_that_another_person_entered_meanwhile_is_not_overwritten(
    editor: User, approver: User
) -> None:
    oids = [f"{BASE}.1", f"{BASE}.2"]
    run = factories.take_over(user=editor, seen={oid: factories.record(oid) for oid in oids})
    nothing, one = KnownDestination("", ""), KnownDestination(DESTINATION, "memory")
    shown = dict.fromkeys(oids, nothing)
    take_over.set_destinations(run.pk, {oids[0]: one, oids[1]: nothing}, shown=shown, actor=as_actor(editor))
    # The second page still shows the first row as empty, and its person does not fill it in.
    take_over.set_destinations(run.pk, {oids[0]: nothing, oids[1]: one}, shown=shown, actor=as_actor(approver))
    assert set(run.candidates.values_list("destination_id", flat=True)) == {DESTINATION}
    other = KnownDestination(DESTINATION.replace("d8", "e8"), "dashboard")
    with pytest.raises(OutOfDate, match=oids[0]):
        take_over.set_destinations(run.pk, {oids[0]: other}, shown=shown, actor=as_actor(approver))


@pytest.mark.one_database
def test_the_endpoints_of_an_old_message_are_kept(practice: PracticeDirectory, editor: User) -> None:
    """A Query never shows them, and an Update without them would remove them."""
    put(practice, f"{BASE}.1", name="New")
    message = factories.record(f"{BASE}.1", name="Old", carried=(("Endpoints", '[{"Name":"XCPD"}]'),))
    old = NewCandidate(f"{BASE}.1", "message 1", DESTINATION, "message", message)
    run = take_over.begin("staging", [old], kind=TakeOverKind.MESSAGES, base_oids=[BASE], actor=as_actor(editor))
    ask_all()
    (organization,) = take_all(run, editor)
    assert (organization.name, organization.destination_id) == ("New", DESTINATION)
    assert organization.carried["Endpoints"] == '[{"Name":"XCPD"}]'


@pytest.mark.one_database
def test_an_update_that_removes_secrets_of_the_endpoints_of_an_old_message_has_a_warning(
    practice: PracticeDirectory, editor: User
) -> None:
    put(practice, f"{BASE}.1")
    body = old_message(f"{BASE}.1", Endpoints=[{"Url": "https://a.example", "password": "x"}])
    entered = read_candidates.read("staging", "", body, {})
    run = take_over.begin("staging", entered.candidates, kind=entered.kind, base_oids=[BASE], actor=as_actor(editor))
    ask_all()
    (organization,) = take_all(run, editor)
    stored = {"Endpoints": '[{"Url":"https://a.example"}]', "Endpoints.secrets": '["password"]'}
    assert organization.carried.items() >= stored.items()
    review = reviews.review(organization)
    assert "endpoints-left-out" in {warning.key for warning in review.open_warnings}
    assert b"Endpoints.secrets" not in review.message


@pytest.mark.one_database
def test_an_oid_that_is_a_record_here_is_not_asked_for(practice: PracticeDirectory, editor: User) -> None:
    organization = factories.organization(f"{BASE}.1", user=editor)
    run = begin(f"{BASE}.1", user=editor)
    ask_all()
    assert (states(run), candidate(run, f"{BASE}.1").organization) == ({f"{BASE}.1": "here"}, organization)
    run.refresh_from_db()
    assert run.state == TakeOverState.READY
    assert not AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED).exists()


@pytest.mark.one_database
def test_an_organization_that_is_not_ours_is_not_taken_over(practice: PracticeDirectory, editor: User) -> None:
    put(practice, OTHER)
    put(practice, GATEWAY_OID, part_of_oid=OTHER)
    run = begin(OTHER, GATEWAY_OID, user=editor)
    ask_all()
    for oid, why in ((OTHER, "not ours"), (GATEWAY_OID, "Redox's own organization")):
        with pytest.raises(ActionRefused, match=why):
            take_over.take(run.pk, [oid], actor=as_actor(editor))
    assert not Organization.objects.exists()


@pytest.mark.one_database
def test_an_organization_below_one_that_is_taken_over_too_is_ours(practice: PracticeDirectory, editor: User) -> None:
    put(practice, f"{BASE}.1")
    put(practice, OTHER, part_of_oid=f"{BASE}.1")
    run = begin(OTHER, f"{BASE}.1", user=editor)
    ask_all()
    assert [each.oid for each in take_all(run, editor)] == [OTHER, f"{BASE}.1"]


def chosen(user: User, *oids: str) -> TakeOver:
    """A take-over whose OIDs wait until the worker adds them, and an earlier one with which nothing is to be done."""
    factories.take_over(user=user, seen={f"{BASE}.99": factories.record(f"{BASE}.99")})
    run = factories.take_over(user=user, seen={oid: factories.record(oid) for oid in oids})
    take_over.take(run.pk, oids, actor=as_actor(user))
    return run


def test_the_worker_locks_the_structure_before_it_adds(editor: User) -> None:
    run = chosen(editor, BASE)
    here: list[bool] = []
    with failpoints.calling(lambda: here.append(Organization.objects.exists()), "before-structure-lock"):
        assert run_take_over.add_next("staging")
    assert here == [False]
    assert states(run) == {BASE: "taken"}
    assert not run_take_over.add_next("staging")


def test_a_worker_adds_nothing_if_another_one_did_so_before_the_lock(editor: User) -> None:
    run = chosen(editor, BASE)
    others = TakeOver.objects.filter(pk=run.pk)
    with failpoints.calling(lambda: others.update(state=TakeOverState.READY), "before-structure-lock"):
        assert run_take_over.add_next("staging")
    assert not Organization.objects.exists()


def test_at_most_fifty_are_added_at_once(editor: User) -> None:
    run = chosen(editor, *(f"{BASE}.{number}" for number in range(1, run_take_over.ADDED_AT_ONCE + 2)))
    begun = TakeOver.objects.get(pk=run.pk)
    assert run_take_over.add_next("staging")
    assert (Organization.objects.count(), TakeOver.objects.get(pk=run.pk).state) == (50, TakeOverState.TAKING)
    assert run_take_over.add_next("staging")
    run.refresh_from_db()
    assert (Organization.objects.count(), run.state, run.end_reason) == (51, TakeOverState.READY, "")
    assert run.state_at > begun.state_at


def test_what_would_close_a_circle_is_refused_and_the_others_are_added(editor: User) -> None:
    one, two = f"{BASE}.1", f"{BASE}.2"
    shown = {one: factories.record(one, part_of_oid=two), two: factories.record(two, part_of_oid=one)}
    run = factories.take_over(user=editor, seen=shown)
    take_over.take(run.pk, [one, two], actor=as_actor(editor))
    ask_all()
    assert states(run) == {one: "taken", two: "refused"}
    assert "circle" in candidate(run, two).sentence
    assert [each.oid for each in Organization.objects.all()] == [one]


@pytest.mark.one_database
@pytest.mark.parametrize("missing", [{"seen": ""}, {"asked_at": None}])
def test_what_the_directory_did_not_show_is_not_added(editor: User, missing: dict[str, Any]) -> None:
    run = chosen(editor, BASE)
    run.candidates.update(**missing)
    ask_all()
    assert (states(run), candidate(run, BASE).sentence) == ({BASE: "refused"}, "The directory did not show it.")
    assert not Organization.objects.exists()


@pytest.mark.one_database
def test_what_is_not_ours_any_more_when_the_worker_adds_it_is_not_added(editor: User) -> None:
    parent = factories.organization(OTHER, user=editor)
    Organization.objects.filter(pk=parent.pk).update(presence=Presence.PRESENT)
    oid = f"{OTHER}.1"
    run = factories.take_over(user=editor, seen={oid: factories.record(oid, part_of_oid=OTHER)})
    take_over.take(run.pk, [oid], actor=as_actor(editor))
    Organization.objects.filter(pk=parent.pk).update(presence=Presence.ABSENT)
    ask_all()
    assert (states(run), candidate(run, oid).sentence) == ({oid: "refused"}, ownership_here.NOT_OURS)
    assert [each.oid for each in Organization.objects.all()] == [OTHER]


@pytest.mark.one_database
def test_the_reason_that_a_person_can_act_on_is_kept(editor: User) -> None:
    run = chosen(editor, BASE)
    run.candidates.update(seen="")
    factories.organization(BASE, user=editor, name="Typed")
    ask_all()
    assert candidate(run, BASE).sentence == "It is already the record Typed."


@pytest.mark.one_database
def test_the_history_of_an_added_record_names_its_take_over_and_its_source(editor: User) -> None:
    run = chosen(editor, BASE)
    run.candidates.update(source="line 7")
    assert run_take_over.advance("staging", actor=WORKER)
    details = AuditEntry.objects.get(action=Action.ORGANIZATION_SEEN).facts["details"]
    assert (details["take_over"], details["source"]) == (run.pk, "line 7")


@pytest.mark.one_database
def test_nothing_is_added_for_a_person_who_lost_the_right_to_edit(practice: PracticeDirectory, editor: User) -> None:
    put(practice, f"{BASE}.1")
    run = begin(f"{BASE}.1", user=editor)
    ask_all()
    take_over.take(run.pk, [f"{BASE}.1"], actor=as_actor(editor))
    editor.groups.clear()
    ask_all()
    run.refresh_from_db()
    assert (states(run), run.state) == ({f"{BASE}.1": "found"}, "ready")
    assert "cannot edit records any more" in run.end_reason
    assert not Organization.objects.exists()


def test_an_oid_that_somebody_else_added_meanwhile_is_refused_and_the_others_are_added(
    practice: PracticeDirectory, editor: User
) -> None:
    for number in (1, 2):
        put(practice, f"{BASE}.{number}")
    run = begin(f"{BASE}.1", f"{BASE}.2", user=editor)
    ask_all()
    take_over.take(run.pk, [f"{BASE}.1", f"{BASE}.2"], actor=as_actor(editor))
    factories.organization(f"{BASE}.1", user=editor, name="Typed")
    ask_all()
    assert states(run) == {f"{BASE}.1": "refused", f"{BASE}.2": "taken"}
    assert "the record Typed" in candidate(run, f"{BASE}.1").sentence
