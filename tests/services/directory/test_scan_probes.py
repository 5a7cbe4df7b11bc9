"""Probes: the next free OIDs below our records, which the portal asks for after the search through the directory."""

import pytest

from organizations.models import Action, AuditEntry, CandidateState, Organization, TakeOver, TakeOverState, User
from organizations.practice import PracticeDirectory
from organizations.practice.behaviour import Behaviour
from organizations.redox.environment import GATEWAY_OID
from organizations.services import workers
from organizations.services.delivery import query
from organizations.services.directory import run_take_over, scan_probes, take_over
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.directory.scanning import HERE, put, scanned
from tests.services.sending import WORKER

pytestmark = pytest.mark.django_db


def probes(run: TakeOver, *states: CandidateState) -> list[str]:
    found = run.candidates.filter(source="probe", **({"state__in": states} if states else {}))
    return list(found.order_by("position").values_list("oid", flat=True))


def test_the_next_free_numbers_below_what_is_ours_are_asked_for(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    put(practice, f"{BASE}.2")
    factories.organization(f"{BASE}.1", user=editor)
    run = scanned(editor)
    below = {parent: [oid for oid in probes(run) if oid.rpartition(".")[0] == parent] for parent in (BASE, HERE)}
    assert below == {
        BASE: [f"{BASE}.{number}" for number in range(3, 23)],
        HERE: [f"{HERE}.{number}" for number in range(1, 21)],
    }
    assert f"{BASE}.2.20" in probes(run)
    # Its presence in the directory is not known, and no page showed it.
    assert f"{BASE}.1.1" not in probes(run)


@pytest.mark.one_database
def test_at_most_a_thousand_probes_are_made_and_those_beside_known_organizations_come_first(
    practice: PracticeDirectory, editor: User
) -> None:
    for number in range(1, 61):
        put(practice, f"{BASE}.{number}", part_of_oid=BASE)
    put(practice, f"{BASE}.60.1", part_of_oid=f"{BASE}.60")
    run = scanned(editor)
    asked = probes(run)
    assert len(asked) == len(set(asked)) == scan_probes.MOST_PROBES
    assert asked[20] == f"{BASE}.60.2"
    assert run.problems == [scan_probes.LEFT_OUT]


def keep_probe(run: TakeOver, oid: str) -> None:
    """Remove all probes except this one and another that finds nothing, because asking for each takes long."""
    assert oid in probes(run, CandidateState.WAITING)
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


@pytest.mark.one_database
def test_probes_without_an_answer_are_asked_again(practice: PracticeDirectory, editor: User) -> None:
    run = scanned(editor)
    practice.behaviour = Behaviour.SHOWS_ANOTHER
    advance(run)
    assert len(probes(run, CandidateState.UNANSWERED)) == 20
    assert AuditEntry.objects.filter(action=Action.DIRECTORY_SCANNED).count() == 1
    assert run.state == TakeOverState.READY
    practice.behaviour = Behaviour.ANSWERS
    take_over.ask_again(run.pk, actor=as_actor(editor))
    advance(run)
    assert (probes(run), run.state) == ([], TakeOverState.READY)


def test_two_probes_that_show_others_at_the_same_time_are_both_named(
    practice: PracticeDirectory, editor: User, record_here: Organization
) -> None:
    run = scanned(editor)
    others = [put(practice, f"{HERE}.{number}", part_of_oid=GATEWAY_OID) for number in (3, 4)]
    run.candidates.exclude(oid__in=others).delete()
    questions = [run_take_over.next_candidate("staging", actor=WORKER) for _ in others]
    for question in questions:
        assert question is not None
        question.store(query.query_oid("staging", question.oid))
    run.refresh_from_db()
    assert run.problems == [{"source": oid, "sentence": scan_probes.OTHERS} for oid in others]
    assert not run.candidates.exists()
    assert not AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED).exists()
