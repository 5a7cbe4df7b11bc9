"""The search through the whole directory (the scan): what it finds, what it stores, and how it continues."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Organization,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
    clock,
)
from organizations.practice import PracticeDirectory
from organizations.practice.behaviour import Behaviour
from organizations.practice.listing import ANOTHER_OID
from organizations.redox.directory_query import Listing
from organizations.redox.environment import GATEWAY_OID
from organizations.redox.messages import OTHER_OIDS
from organizations.redox.paging import MOST_PAGES, Position
from organizations.services import failpoints, workers
from organizations.services.directory import lease, run_take_over, scan, take_over
from organizations.services.directory.page_query import MAY_MISS_SOME
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.directory.scanning import (
    ELSEWHERE,
    HERE,
    LATE,
    begin,
    continue_to_the_end,
    pages_asked_for,
    put,
    read_page,
    read_to_the_end,
    scanned,
    states,
)
from tests.services.sending import WORKER

pytestmark = pytest.mark.django_db

OTHERS = 30


def run_entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=Action.DIRECTORY_SCANNED).order_by("sequence"))


def stored_oids(entry: AuditEntry) -> list[str]:
    return [record["oid"] for record in json.loads(bytes(entry.raw or b""))]


def test_the_scan_finds_organizations_below_a_base_oid_or_part_of_ours(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    practice.register_others("staging", OTHERS)
    ours = [
        put(practice, BASE),
        put(practice, f"{BASE}.4.2", part_of_oid=f"{BASE}.4"),
        put(practice, ELSEWHERE, part_of_oid=f"{BASE}.4"),
        put(practice, f"{HERE}.9", part_of_oid=HERE),
        put(practice, LATE, part_of_oid=f"{HERE}.9"),
    ]
    put(practice, HERE)
    put(practice, "2.999.8", part_of_oid=GATEWAY_OID)
    run = scanned(editor, limit=7)
    assert states(run) == dict.fromkeys(ours, "found") | {HERE: "here"}
    assert run.read_count == len(practice.organizations("staging"))
    shown = run.candidates.get(oid=LATE)
    assert (shown.name, shown.part_of_oid, shown.active) == ("By curl 9.7", f"{HERE}.9", True)
    assert run.made_at <= (shown.asked_at or run.made_at) <= clock.now()
    assert run.candidates.get(oid=HERE).organization == record_here


@pytest.mark.one_database
def test_a_parent_may_follow_its_child_on_the_same_page(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    put(practice, ELSEWHERE, part_of_oid=LATE)
    put(practice, LATE, part_of_oid=HERE)
    run = scanned(editor)
    assert states(run) == {ELSEWHERE: "found", LATE: "found"}


@pytest.mark.one_database
def test_a_child_on_an_earlier_page_than_its_parent_is_found_once_the_parent_is_a_record(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    put(practice, ELSEWHERE, part_of_oid=LATE)
    put(practice, LATE, part_of_oid=HERE)
    first = scanned(editor, limit=1)
    assert states(first) == {LATE: "found"}
    take_over.stop_asking(first.pk, actor=as_actor(editor))
    take_over.take(first.pk, [LATE], actor=as_actor(editor))
    run_take_over.add_next("staging")
    second = scanned(editor, limit=1)
    assert states(second) == {ELSEWHERE: "found", LATE: "here"}


def test_an_oid_that_people_decided_is_foreign_is_not_found(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    Organization.objects.update(foreign_since=clock.now())
    put(practice, HERE)
    put(practice, f"{HERE}.9", part_of_oid=HERE)
    run = scanned(editor)
    assert states(run) == {}


@pytest.mark.one_database
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(("oid", "part_of"), [(f"{BASE}.1", GATEWAY_OID), (f"{HERE}.1", HERE), (HERE, BASE)])
def test_an_organization_with_several_oids_is_kept_under_the_one_that_makes_it_ours(
    practice: PracticeDirectory, editor: User, record_here: Organization, oid: str, part_of: str, is_first: bool
) -> None:
    put(practice, oid, part_of_oid=part_of)
    organization = practice.organizations("staging")[oid]
    identifiers = [*organization["Identifiers"], {"ID": ANOTHER_OID, "IDType": "OID"}]
    practice.forget("staging", oid)
    practice.register("staging", organization | {"Identifiers": identifiers if is_first else identifiers[::-1]})
    run = scanned(editor)
    assert list(states(run)) == [oid]
    (shown,) = run.candidates.listed()
    assert json.loads(dict((shown.seen_record() or factories.record()).carried)[OTHER_OIDS]) == [ANOTHER_OID]


@pytest.mark.one_database
def test_being_part_of_a_record_that_was_never_sent_makes_nothing_ours(
    practice: PracticeDirectory, editor: User
) -> None:
    factories.organization(ELSEWHERE, user=editor)
    put(practice, ELSEWHERE)
    put(practice, LATE, part_of_oid=ELSEWHERE)
    run = scanned(editor, limit=1)
    assert states(run) == {ELSEWHERE: "here"}


@pytest.mark.one_database
def test_nothing_about_others_is_stored(practice: PracticeDirectory, editor: User) -> None:
    practice.register_others("staging", OTHERS)
    put(practice, f"{BASE}.1")
    run = scanned(editor, limit=7)
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    (entry,) = run_entries()
    assert stored_oids(entry) == [f"{BASE}.1"]
    assert list(states(run)) == [f"{BASE}.1"]
    names = [organization["Name"] for organization in practice.organizations("staging").values()]
    stored = [
        f"{bytes(each.body)!r} {bytes(each.raw or b'')!r} {each.search_text}" for each in AuditEntry.objects.all()
    ]
    assert [name for name in names if any(name in text for text in stored)] == ["By curl 1.1"]


@pytest.mark.one_database
def test_the_history_has_one_entry_of_a_scan_with_its_counts_and_the_absent_oids(
    practice: PracticeDirectory, editor: User
) -> None:
    put(practice, f"{BASE}.1")
    run = begin(editor)
    while workers.take_over_next("staging", actor=WORKER):
        TakeOver.objects.update(lease_until=None)
    run.refresh_from_db()
    assert run.state == TakeOverState.READY
    (entry,) = run_entries()
    details = entry.facts["details"]
    absent = {f"{BASE}.{number}" for number in range(2, 22)} | {f"{BASE}.1.{number}" for number in range(1, 21)}
    assert set(details["absent"]) == absent
    assert (details["read"], details["found"], details["unanswered"]) == (1, 1, 0)
    assert not AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED).exists()


def put_large(practice: PracticeDirectory, oid: str, size: int) -> None:
    put(practice, oid)
    organization = practice.organizations("staging")[oid]
    practice.register("staging", organization | {"Extensions": {"Remark": {"string": "x" * size}}})


@pytest.mark.one_database
def test_results_that_are_too_large_for_one_entry_have_further_entries(
    practice: PracticeDirectory, editor: User
) -> None:
    for number in range(1, 6):
        put_large(practice, f"{BASE}.{number}", 400_000)
    run = scanned(editor, limit=2)
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    entries = run_entries()
    assert [stored_oids(entry) for entry in entries] == [
        [f"{BASE}.1", f"{BASE}.2"],
        [f"{BASE}.3", f"{BASE}.4"],
        [f"{BASE}.5"],
    ]
    assert [entry.raw_cut for entry in entries] == [False, False, False]
    assert [entry.facts["details"]["part"] for entry in entries] == [1, 2, 3]


# Pages -------------------------------------------------------------------------------------------------------


@pytest.mark.one_database
def test_an_answer_that_is_cut_off_halves_the_pages(practice: PracticeDirectory, editor: User) -> None:
    practice.register_others("staging", 120)
    put(practice, f"{BASE}.1")
    practice.behaviour = Behaviour.SHOWS_LARGE
    run = begin(editor)
    read_page(run)
    assert EnvironmentGate.objects.get(pk="staging").failures == 0  # Redox answered
    read_to_the_end(run)
    assert list(pages_asked_for(practice)) == [(0, 100), (0, 50), (50, 50), (100, 50), (121, 50)]
    assert next(pages_asked_for(practice, active=False)) == (0, 50)
    assert (states(run), run.read_count) == ({f"{BASE}.1": "found"}, 121)


@pytest.mark.one_database
def test_an_organization_that_is_too_large_alone_is_left_out_and_named(
    practice: PracticeDirectory, editor: User
) -> None:
    put(practice, f"{BASE}.1")
    put(practice, f"{BASE}.3")
    put_large(practice, f"{BASE}.2", 2**20)
    run = scanned(editor, limit=2)
    assert states(run) == {f"{BASE}.1": "found", f"{BASE}.3": "found"}
    assert run.problems == [{"source": "Organization 2 of the directory", "sentence": scan.TOO_LARGE}]


@pytest.mark.one_database
def test_many_organizations_that_are_too_large_end_the_scan(practice: PracticeDirectory, editor: User) -> None:
    run = begin(editor, limit=1)
    TakeOver.objects.update(problems=[{"source": "", "sentence": scan.TOO_LARGE}] * scan.MOST_PROBLEMS)
    put_large(practice, f"{BASE}.2", 2**20)
    read_page(run)
    assert (run.state, run.end_reason) == (TakeOverState.READY, scan.MANY_PROBLEMS)


@pytest.mark.one_database
def test_an_unreadable_organization_is_asked_for_by_its_oid(practice: PracticeDirectory, editor: User) -> None:
    put(practice, f"{BASE}.1")
    practice.behaviour = Behaviour.SHOWS_NO_NAME
    run = scanned(editor)
    assert states(run) == {f"{BASE}.1": "waiting"}
    practice.behaviour = Behaviour.ANSWERS
    TakeOver.objects.update(lease_until=None)
    assert workers.take_over_next("staging", actor=WORKER)
    assert states(run) == {f"{BASE}.1": "found"}


@pytest.mark.one_database
def test_an_unreadable_organization_is_found_if_a_later_page_shows_it_again(
    practice: PracticeDirectory, editor: User
) -> None:
    for number in (1, 2):
        put(practice, f"{BASE}.{number}")
    run = begin(editor, limit=1)
    practice.behaviour = Behaviour.SHOWS_NO_NAME
    read_page(run)
    assert states(run) == {f"{BASE}.1": "waiting"}
    practice.behaviour = Behaviour.SHOWS_LAST_AGAIN
    read_page(run)
    assert states(run) == {f"{BASE}.1": "found"}


@pytest.mark.one_database
def test_a_repeated_page_ends_the_scan_and_a_person_can_continue_it(practice: PracticeDirectory, editor: User) -> None:
    for number in (1, 2):
        put(practice, f"{BASE}.{number}")
    practice.behaviour = Behaviour.SHOWS_ANOTHER
    run = scanned(editor, limit=1)
    assert (run.state, run.end_reason, run.read_count) == (TakeOverState.ASKING, scan.REPEATED, 1)
    assert run.probes_total > 0
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    practice.behaviour = Behaviour.ANSWERS
    continue_to_the_end(run, editor)
    assert list(pages_asked_for(practice)) == [(0, 1), (1, 1), (1, 1), (2, 1)]
    assert states(run) == {f"{BASE}.2": "found"}


@pytest.mark.one_database
@pytest.mark.parametrize("behaviour", [Behaviour.SHOWS_TWICE, Behaviour.SHOWS_LAST_AGAIN, Behaviour.ANSWERS])
def test_organizations_that_the_directory_repeats_count_once_and_the_scan_remembers_it(
    practice: PracticeDirectory, editor: User, behaviour: Behaviour
) -> None:
    oids = [put(practice, f"{BASE}.{number}") for number in range(1, 8)]
    practice.register_others("staging", 5)
    practice.behaviour = behaviour
    run = scanned(editor, limit=3)
    assert set(states(run)) == set(oids)
    assert run.read_count == len(practice.organizations("staging"))
    repeats = [MAY_MISS_SOME] if behaviour is not Behaviour.ANSWERS else []
    assert [problem["sentence"] for problem in run.problems] == repeats


@pytest.mark.one_database
def test_an_empty_page_before_the_total_ends_the_scan() -> None:
    listing = Listing(records=(), unreadable=(), repeated=(), received=0, total=5, fingerprint="", distinct=frozenset())
    place = scan._Place(Position(index=3))
    following = scan._after_listing(place, listing)
    assert (following.then, following.reason) == (scan._Then.ASK_OIDS, scan.EMPTY)
    assert following.place is not None
    assert following.place.position.index == 3


@pytest.mark.one_database
def test_after_many_pages_a_person_decides_whether_the_scan_continues(
    practice: PracticeDirectory, editor: User
) -> None:
    practice.register_others("staging", 5)
    run = begin(editor, limit=1)
    TakeOver.objects.update(position=Position(limit=1, pages=MOST_PAGES - 1).to_json())
    read_page(run)
    assert (run.state, run.end_reason, run.position["pages"]) == (TakeOverState.READY, scan.CAP, MOST_PAGES)
    continue_to_the_end(run, editor)
    assert (run.read_count, run.position) == (5, {})


@pytest.mark.one_database
def test_deactivated_organizations_that_a_query_without_active_leaves_out_are_found(
    practice: PracticeDirectory, editor: User
) -> None:
    practice.register_others("staging", 60)
    put(practice, f"{BASE}.1")
    put(practice, f"{BASE}.2", active=False)
    practice.behaviour = Behaviour.SHOWS_ACTIVE_ONLY
    run = scanned(editor, limit=5)
    assert states(run) == {f"{BASE}.1": "found", f"{BASE}.2": "found"}
    assert [run.candidates.get(oid=oid).active for oid in states(run)] == [True, False]
    assert run.read_count == sum(each["Active"] for each in practice.organizations("staging").values())


@pytest.mark.one_database
def test_a_directory_that_ignores_the_filter_is_not_read_twice(practice: PracticeDirectory, editor: User) -> None:
    run = begin(editor)
    while "active" not in run.position:
        read_page(run)
    practice.behaviour = Behaviour.SHOWS_ANOTHER  # active, whatever was asked for
    read_to_the_end(run)
    assert list(pages_asked_for(practice, active=False)) == [(0, 100)]
    assert (run.position, run.end_reason) == ({}, "")


# Breaking off and continuing ---------------------------------------------------------------------------------


def test_a_scan_that_breaks_off_keeps_its_results_and_continues_at_its_position(
    practice: PracticeDirectory, editor: User
) -> None:
    for number in range(1, 8):
        put(practice, f"{BASE}.{number}")
    practice.behaviour = Behaviour.SHOWS_FIRST_PAGE
    run = scanned(editor, limit=3)
    assert list(pages_asked_for(practice)) == [(0, 3), *[(3, 3)] * scan.MOST_FAILURES]
    assert (run.state, len(states(run)), run.read_count) == (TakeOverState.READY, 3, 3)
    assert run.end_reason != ""
    assert run.probes_total == 0
    practice.behaviour = Behaviour.ANSWERS
    continue_to_the_end(run, editor)
    assert (len(states(run)), run.read_count, run.position) == (7, 7, {})
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    assert [len(stored_oids(entry)) for entry in run_entries()] == [3, 4]


@pytest.mark.one_database
def test_an_answer_of_another_shape_ends_the_scan_at_once(practice: PracticeDirectory, editor: User) -> None:
    put(practice, f"{BASE}.1")
    practice.behaviour = Behaviour.SHOWS_ANOTHER_SHAPE
    run = begin(editor)
    read_page(run)
    assert (run.state, Position.from_json(run.position)) == (TakeOverState.READY, Position())
    assert "was not understood" in run.end_reason


@pytest.mark.one_database
@pytest.mark.parametrize("behaviour", [Behaviour.TOO_MANY, Behaviour.REFUSES_SIGN_IN])
def test_while_redox_asks_to_wait_no_page_is_read_and_the_scan_does_not_end(
    practice: PracticeDirectory, editor: User, behaviour: Behaviour
) -> None:
    practice.behaviour = behaviour
    run = begin(editor)
    assert scan.scan_next("staging", actor=WORKER, pace=0)
    assert not scan.scan_next("staging", actor=WORKER, pace=0)
    assert len(list(pages_asked_for(practice))) == 1
    practice.behaviour = Behaviour.ANSWERS
    read_to_the_end(run)
    assert (run.state, run.position) == (TakeOverState.ASKING, {})


@pytest.mark.one_database
def test_due_messages_are_sent_before_pages_are_read(practice: PracticeDirectory, editor: User) -> None:
    begin(editor)
    factories.submission(factories.organization(f"{BASE}.8", user=editor), user=editor)
    assert not scan.scan_next("staging", actor=WORKER)
    assert list(pages_asked_for(practice)) == []


def test_all_workers_together_read_at_most_two_pages_a_second(practice: PracticeDirectory, editor: User) -> None:
    practice.register_others("staging", 3)
    run = begin(editor, limit=1)
    before = clock.now()
    assert scan.scan_next("staging", actor=WORKER)
    run.refresh_from_db()
    assert run.lease_until is not None
    assert run.lease_until >= before + timedelta(seconds=0.5)
    assert not scan.scan_next("staging", actor=WORKER)
    TakeOver.objects.update(lease_until=clock.now())
    assert scan.scan_next("staging", actor=WORKER)


@pytest.mark.one_database
def test_other_take_overs_continue_while_a_scan_waits_for_its_pace(practice: PracticeDirectory, editor: User) -> None:
    practice.register_others("staging", 3)
    begin(editor, limit=1)
    other = take_over.begin(
        "staging",
        [take_over.NewCandidate(f"{BASE}.1")],
        kind=TakeOverKind.OIDS,
        base_oids=[BASE],
        actor=as_actor(editor),
    )
    while workers.take_over_next("staging", actor=WORKER):
        pass
    assert states(other) == {f"{BASE}.1": "absent"}


def test_another_worker_continues_after_the_lease_ended(practice: PracticeDirectory, editor: User) -> None:
    put(practice, f"{BASE}.1")
    run = begin(editor)
    assert lease.lease_scan("staging", actor=WORKER)  # and the worker ends
    assert not scan.scan_next("staging", actor=WORKER)
    TakeOver.objects.update(lease_until=clock.now())
    assert scan.scan_next("staging", actor=WORKER)
    assert states(run) == {f"{BASE}.1": "found"}


def test_a_worker_whose_lease_ended_stores_nothing(practice: PracticeDirectory, editor: User) -> None:
    for number in (1, 2):
        put(practice, f"{BASE}.{number}")
    run = begin(editor, limit=1)
    late: list[TakeOver] = []

    def another_worker() -> None:
        """Reads the same page while the first worker is late."""
        if not late:
            late.append(run)
            TakeOver.objects.update(lease_until=clock.now())
            assert scan.scan_next("staging", actor=WORKER, pace=0)

    with failpoints.calling(another_worker, "after-reading-page"):
        assert scan.scan_next("staging", actor=WORKER, pace=0)
    run.refresh_from_db()
    assert list(pages_asked_for(practice)) == [(0, 1), (0, 1)]
    assert (run.position["index"], run.read_count, list(states(run))) == (1, 1, [f"{BASE}.1"])


def test_two_workers_read_each_page_once(practice: PracticeDirectory, editor: User) -> None:
    for number in range(12):
        put(practice, f"{BASE}.{number}")
    run = begin(editor, limit=2)

    def work() -> None:
        while TakeOver.objects.filter(pk=run.pk).reading_pages().exists():
            scan.scan_next("staging", actor=WORKER, pace=0)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(work), pool.submit(work)]:
            each.result()
    run.refresh_from_db()
    assert list(pages_asked_for(practice)) == [(index, 2) for index in range(0, 13, 2)]
    assert (len(states(run)), run.read_count) == (12, 12)


def test_a_page_that_arrives_after_a_person_stopped_the_scan_is_not_stored(
    practice: PracticeDirectory, editor: User
) -> None:
    put(practice, f"{BASE}.1")
    run = begin(editor)
    with failpoints.calling(lambda: take_over.stop_asking(run.pk, actor=as_actor(editor)), "after-reading-page"):
        assert scan.scan_next("staging", actor=WORKER)
    run.refresh_from_db()
    assert (states(run), run.read_count, run.state) == ({}, 0, TakeOverState.READY)
    continue_to_the_end(run, editor)
    assert states(run) == {f"{BASE}.1": "found"}
