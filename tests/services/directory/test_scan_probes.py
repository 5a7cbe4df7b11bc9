"""Probes: the next free OIDs below our records, which the portal asks for after the search through the directory."""

import datetime
import json
import time
from functools import partial
from importlib import import_module
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.test import override_settings

from organizations.models import (
    Action,
    AuditEntry,
    CandidateState,
    Organization,
    TakeOver,
    TakeOverState,
    User,
    clock,
)
from organizations.practice import PracticeDirectory
from organizations.practice.behaviour import Behaviour
from organizations.practice.replies import NoReply, Reply
from organizations.practice.server import ReceivedRequest
from organizations.redox.environment import GATEWAY_OID
from organizations.services import failpoints, workers
from organizations.services.audit import audit
from organizations.services.directory import lease, run_take_over, scan_probes, take_over
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.directory.scanning import HERE, begin, put, read_to_the_end, scanned
from tests.services.directory.taking_over import state_of
from tests.services.sending import WORKER

pytestmark = pytest.mark.django_db


def probes(run: TakeOver, *states: CandidateState) -> list[str]:
    found = run.candidates.filter(source="probe", **({"state__in": states} if states else {}))
    return list(found.order_by("position").values_list("oid", flat=True))


def add_next(run: TakeOver) -> bool:
    """Add the probes below the next record, without asking."""
    with audit.atomic(WORKER) as history:
        added = scan_probes.add_next_probes(history, TakeOver.objects.select_for_update().get(pk=run.pk))
    run.refresh_from_db()
    return added


def probed(run: TakeOver) -> TakeOver:
    """The scan with all its probes, none of which was asked about."""
    while add_next(run):
        pass
    return run


def test_the_next_free_numbers_below_what_is_ours_are_asked_for(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    put(practice, f"{BASE}.2")
    factories.organization(f"{BASE}.1", user=editor)
    run = scanned(editor)
    assert (run.probes_added, run.probes_total) == (0, 60)
    asked = probes(probed(run))
    below = {parent: [oid for oid in asked if oid.rpartition(".")[0] == parent] for parent in (BASE, HERE)}
    assert below == {
        BASE: [f"{BASE}.{number}" for number in range(3, 23)],
        HERE: [f"{HERE}.{number}" for number in range(1, 21)],
    }
    assert f"{BASE}.2.20" in asked
    # Its presence in the directory is not known, and no page showed it.
    assert f"{BASE}.1.1" not in asked


@pytest.mark.one_database
def test_probes_are_added_below_one_record_after_the_other_whatever_their_number(
    practice: PracticeDirectory, editor: User
) -> None:
    for number in range(1, 61):
        put(practice, f"{BASE}.{number}", part_of_oid=BASE)
    run = scanned(editor)
    below, steps = [], 0
    while add_next(run):
        waiting = probes(run, CandidateState.WAITING)
        assert len(waiting) == 20
        assert (run.probes_added, run.probes_total) == (20 * (steps + 1), 1220)
        below.append(waiting[0].rpartition(".")[0])
        run.candidates.probes(CandidateState.WAITING).update(state=CandidateState.ABSENT)
        steps += 1
    assert below == [BASE, *(f"{BASE}.{number}" for number in range(1, 61))]
    assert run.probes_left == 0
    (entry,) = AuditEntry.objects.filter(action=Action.DIRECTORY_SCANNED)
    listed = entry.facts["details"]["absent"]
    assert len(listed) == len(set(listed)) == scan_probes.MOST_ABSENT
    assert len(probes(run)) == 220


def test_a_worker_asks_about_every_probe_and_then_ends_the_scan(practice: PracticeDirectory, editor: User) -> None:
    run = scanned(editor)
    advance(run)
    assert (run.state, run.probes_added, run.probes_left, probes(run)) == (TakeOverState.READY, 20, 0, [])
    entry = AuditEntry.objects.get(action=Action.DIRECTORY_SCANNED)
    assert entry.facts["details"]["absent"] == [f"{BASE}.{number}" for number in range(1, 21)]


def test_no_probes_are_added_while_an_oid_waits(practice: PracticeDirectory, editor: User) -> None:
    run = scanned(editor)
    assert add_next(run)
    run.candidates.exclude(oid=f"{BASE}.1").delete()
    run.candidates.update(lease_until=clock.now() + datetime.timedelta(minutes=1))
    TakeOver.objects.update(probed_until="", lease_until=None)
    assert not run_take_over.ask_next_of_scan("staging", actor=WORKER)
    run.refresh_from_db()
    assert (run.state, run.lease_until, probes(run)) == (TakeOverState.ASKING, None, [f"{BASE}.1"])
    run.candidates.update(lease_until=None)
    assert run_take_over.ask_next_of_scan("staging", actor=WORKER)
    run.refresh_from_db()
    assert (run.lease_until, probes(run, CandidateState.ABSENT)) == (None, [f"{BASE}.1"])


def test_only_the_worker_with_the_last_lease_adds_probes(practice: PracticeDirectory, editor: User) -> None:
    take_over.begin_scan("production", base_oids=[BASE], actor=as_actor(editor))
    run = scanned(editor)
    TakeOver.objects.update(lease_until=None)
    frozen = lease.lease_scan("staging", reads_pages=False, actor=WORKER)
    assert frozen is not None
    TakeOver.objects.update(token=frozen.token)
    for token, added in ((frozen.token + 1, False), (frozen.token, True)):
        TakeOver.objects.filter(pk=run.pk).update(token=token)
        assert run_take_over._add_probes_or_end(frozen, WORKER) == added
        assert bool(probes(run)) == added


def test_what_a_probe_finds_gets_probes_too(practice: PracticeDirectory, editor: User) -> None:
    run = scanned(editor)
    assert add_next(run)
    run.candidates.filter(oid=f"{BASE}.20").update(state=CandidateState.FOUND)
    run.candidates.probes(CandidateState.WAITING).delete()
    probed(run)
    assert probes(run, CandidateState.WAITING) == [f"{BASE}.20.{number}" for number in range(1, 21)]
    assert (run.probes_added, run.probes_total) == (40, 40)


def test_a_scan_can_leave_out_probes(practice: PracticeDirectory, editor: User) -> None:
    run = begin(editor)
    TakeOver.objects.update(asks_probes=False)
    read_to_the_end(run)
    advance(run)
    assert (run.state, run.probes_total, probes(run)) == (TakeOverState.READY, 0, [])
    assert not any("Limit" not in json.loads(each.body) for each in practice.requests)


def test_a_person_stops_the_probes_and_continues_below_the_next_record(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    run = scanned(editor)
    assert add_next(run)
    run.candidates.exclude(oid=f"{HERE}.1").delete()
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    run.refresh_from_db()
    assert (run.state, run.probes_left) == (TakeOverState.READY, 20)
    run.candidates.all().delete()
    take_over.ask_again(run.pk, actor=as_actor(editor))
    assert add_next(run)
    assert probes(run, CandidateState.WAITING)[0] == f"{BASE}.1"
    assert run.probes_left == 0


def test_a_search_that_ended_before_the_upgrade_gets_no_more_probes(practice: PracticeDirectory, editor: User) -> None:
    run = scanned(editor)
    assert add_next(run)
    TakeOver.objects.update(probed_until="", probes_added=0, probes_total=0)
    migration = import_module("organizations.migrations.0035_probes_in_steps")
    migration.note_earlier_probes(apps, SimpleNamespace(connection=connection))
    run.refresh_from_db()
    assert (run.probes_added, run.probes_total) == (20, 20)
    assert not add_next(run)


@override_settings(REDOX_SETTLE=120.0)
def test_at_most_two_queries_a_second_are_sent_about_probes(
    practice: PracticeDirectory, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = scanned(editor)
    assert add_next(run)
    run.candidates.exclude(oid__in=[f"{BASE}.1", f"{BASE}.2"]).delete()
    times, reply_to = [], practice.reply

    def reply(request: ReceivedRequest, authorization: str) -> Reply | NoReply:
        times.append(time.monotonic())
        return reply_to(request, authorization)

    monkeypatch.setattr(practice, "reply", reply)
    TakeOver.objects.update(lease_until=None, asks_probes=False)
    while state_of(run) == TakeOverState.ASKING:
        run_take_over.ask_next_of_scan("staging", actor=WORKER, pace=0.5)
    assert len(times) == 6
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.5


def keep_probe(run: TakeOver, oid: str) -> None:
    """Remove all probes except this one and another that finds nothing, because asking for each takes long."""
    assert oid in probes(probed(run), CandidateState.WAITING)
    others = run.candidates.probes(CandidateState.WAITING).exclude(oid=oid).order_by("-position")
    others.exclude(pk=others[0].pk).delete()


def advance(run: TakeOver) -> None:
    while workers.take_over_next("staging", actor=WORKER):
        TakeOver.objects.update(lease_until=None)
    run.refresh_from_db()


def test_a_probe_finds_what_no_page_showed_and_the_others_are_removed(
    practice: PracticeDirectory, editor: User
) -> None:
    oids = [put(practice, f"{BASE}.{number}") for number in range(1, 5)]
    practice.behaviour = Behaviour.SHOWS_GAPS
    run = scanned(editor, limit=2)
    keep_probe(run, f"{BASE}.3")
    practice.behaviour = Behaviour.ANSWERS
    advance(run)
    assert dict(run.candidates.values_list("oid", "state")) == dict.fromkeys(oids, "found")
    (asked,) = AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED).values_list("oid", flat=True).distinct()
    assert asked == f"{BASE}.3"


def test_a_probe_that_finds_an_organization_of_others_keeps_only_its_oid(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    run = scanned(editor)
    put(practice, f"{HERE}.3", name="Somebody else", part_of_oid=GATEWAY_OID)
    keep_probe(run, f"{HERE}.3")
    advance(run)
    assert run.problems == [{"source": f"{HERE}.3", "sentence": scan_probes.OTHERS}]
    assert not run.candidates.exists()
    assert not AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED).exists()


def test_an_answer_that_shows_others_is_not_kept_after_a_stop(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    run = scanned(editor)
    put(practice, f"{HERE}.3", name="Somebody else", part_of_oid=GATEWAY_OID)
    assert add_next(run)
    run.candidates.exclude(oid=f"{HERE}.3").delete()
    TakeOver.objects.update(lease_until=None)
    stop = partial(take_over.stop_asking, run.pk, actor=as_actor(editor))
    with failpoints.calling(stop, "after-asking-about-candidate"):
        assert run_take_over.ask_next_of_scan("staging", actor=WORKER)
    run.refresh_from_db()
    assert (run.state, run.problems, probes(run, CandidateState.UNANSWERED)) == ("ready", [], [f"{HERE}.3"])
    assert not AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED).exists()


def test_a_probe_whose_values_cannot_be_read_is_listed_if_its_oid_is_below_a_base_oid(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    run = probed(scanned(editor))
    oids = [f"{BASE}.3", f"{HERE}.3"]
    run.candidates.exclude(oid__in=oids).delete()
    for oid in oids:
        put(practice, oid)
        practice.register("staging", practice.organizations("staging")[oid] | {"Active": "yes"})
    advance(run)
    assert dict(run.candidates.values_list("oid", "state")) == {f"{BASE}.3": "refused", f"{HERE}.3": "unanswered"}
    assert list(run.candidates.listed().values_list("oid", flat=True)) == [f"{BASE}.3"]


@pytest.mark.one_database
def test_probes_without_an_answer_are_asked_again(practice: PracticeDirectory, editor: User) -> None:
    run = probed(scanned(editor))
    practice.behaviour = Behaviour.SHOWS_ANOTHER
    advance(run)
    assert len(probes(run, CandidateState.UNANSWERED)) == 20
    assert AuditEntry.objects.filter(action=Action.DIRECTORY_SCANNED).count() == 1
    assert run.state == TakeOverState.READY
    practice.behaviour = Behaviour.ANSWERS
    take_over.ask_again(run.pk, actor=as_actor(editor))
    advance(run)
    assert (probes(run), run.state) == ([], TakeOverState.READY)
