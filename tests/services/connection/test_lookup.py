"""The lookup of one OID: which record it finds, when the OID is absent, and what is stored."""

import json

import pytest
from django.utils import timezone

from organizations.models import Action, AuditEntry, EnvironmentGate, Evidence, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.practice.listing import ANOTHER_OID
from organizations.redox.messages import OTHER_OIDS
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import check
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.delivery import query
from organizations.services.records import organizations
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import (
    probe_if_half_open,
    reload,
    resolve_next,
    send_and_lose_answer,
    sent_messages,
)

pytestmark = pytest.mark.one_database

NOT_UNDERSTOOD = ("shows-another", "shows-twice", "shows-no-name", "shows-another-shape")


@pytest.fixture
def unknown(practice: PracticeDirectory, editor: User) -> Submission:
    """A New that arrived, whose answer was lost, and that can be queried now."""
    submission = send_and_lose_answer(factories.organization(user=editor), editor)
    practice.register("staging", json.loads(bytes(submission.message))["Organizations"][0])
    Submission.objects.update(not_before=timezone.now())
    return submission


def deactivate_there(practice: PracticeDirectory) -> None:
    practice.register("staging", practice.organizations("staging")[BASE] | {"Active": False})


def asked_active(practice: PracticeDirectory) -> list[object]:
    """The Active of each Query, in order; "" if the Query has none."""
    queries = [json.loads(body) for body in sent_messages(practice) if b'"EventType": "Query"' in body]
    return [query.get("Active", "") for query in queries]


def asked_entries(submission: Submission) -> list[AuditEntry]:
    return list(AuditEntry.objects.of_submission(submission.pk).filter(action=Action.SUBMISSION_ASKED))


def test_an_oid_is_absent_after_an_empty_list_to_three_queries(practice: PracticeDirectory) -> None:
    answer = query.query_oid("staging", BASE)
    assert (answer.is_answered, answer.record, len(answer.earlier)) == (True, None, 2)
    assert asked_active(practice) == ["", True, False]


def test_a_record_that_the_first_query_shows_is_not_queried_again(
    practice: PracticeDirectory, unknown: Submission
) -> None:
    assert query.query_oid("staging", BASE).record is not None
    assert asked_active(practice) == [""]


def test_a_deactivated_record_that_only_a_query_for_it_shows_is_not_absent(
    practice: PracticeDirectory, unknown: Submission, worker: Actor
) -> None:
    deactivate_there(practice)
    practice.behaviour = "shows-active-only"

    assert resolve_next("staging", actor=worker)

    unknown.refresh_from_db()
    record = reload(unknown.organization).seen_record()
    assert record is not None
    assert (record.active, unknown.absent_at, unknown.state) == (False, None, State.NEEDS_PERSON)
    assert asked_active(practice) == ["", True, False]


def test_every_answer_of_a_lookup_is_logged_raw_with_the_deciding_one_last(
    practice: PracticeDirectory, unknown: Submission, worker: Actor
) -> None:
    deactivate_there(practice)
    practice.behaviour = "shows-active-only"

    answer = query.query_for_submission(unknown, actor=worker)

    entries = asked_entries(unknown)
    exchanges_seen = [*(each.exchange for each in answer.earlier), answer.exchange]
    assert [exchanges.stored_exchange(entry) for entry in entries] == exchanges_seen
    details = [entry.facts["details"] for entry in entries]
    assert [(each["found"], each.get("active")) for each in details] == [(False, "none"), (False, "true"), (True, None)]
    assert {each["asked_at"] for each in details} == {answer.asked_at.isoformat()}
    unknown.refresh_from_db()
    assert (unknown.state, reload(unknown.organization).seen_record()) == (State.UNKNOWN, answer.record)


def test_a_lookup_that_fails_after_an_empty_list_has_no_result(
    practice: PracticeDirectory, unknown: Submission, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.forget("staging", BASE)
    reply = practice.reply

    def only_the_first(request: object, authorization: str) -> object:
        if b'"Active"' in request.body:  # type: ignore[attr-defined]
            practice.behaviour = "gateway-error"
        return reply(request, authorization)  # type: ignore[arg-type]

    monkeypatch.setattr(practice, "reply", only_the_first)
    assert resolve_next("staging", actor=worker)

    unknown.refresh_from_db()
    assert (unknown.state, unknown.absent_at, asked_active(practice)) == (State.UNKNOWN, None, ["", True])
    assert [entry.http_status for entry in asked_entries(unknown)] == [200, 502]
    assert reload(unknown.organization).seen_at is None


def test_our_oid_may_be_the_second_one_and_the_first_stays_visible(
    practice: PracticeDirectory, unknown: Submission, worker: Actor
) -> None:
    practice.behaviour = "shows-two-oids"
    assert resolve_next("staging", actor=worker)

    unknown.refresh_from_db()
    record = reload(unknown.organization).seen_record()
    assert record is not None
    assert (record.oid, record.identifiers, dict(record.carried)[OTHER_OIDS]) == (BASE, (), f'["{ANOTHER_OID}"]')
    assert (unknown.state, unknown.evidence) == (State.ACCEPTED, Evidence.QUERY)
    assert asked_active(practice) == [""]


def test_an_unreadable_answer_is_logged_and_changes_nothing(
    practice: PracticeDirectory, unknown: Submission, worker: Actor
) -> None:
    causes = set()
    for asks, behaviour in enumerate(NOT_UNDERSTOOD, start=1):
        practice.behaviour = behaviour
        Submission.objects.update(not_before=timezone.now())
        assert resolve_next("staging", actor=worker)

        unknown.refresh_from_db()
        organization = reload(unknown.organization)
        assert (unknown.state, unknown.absent_at, unknown.asks) == (State.UNKNOWN, None, asks)
        assert (organization.seen_at, organization.seen) == (None, "")
        entry = asked_entries(unknown)[-1]
        causes.add(cause := entry.facts["detail"])
        assert entry.facts["details"]["asked"] is False
        assert b"QueryResponse" in bytes(entry.raw or b"")
        checked = check.check_connection("staging", actor=worker)
        assert (checked.succeeded, checked.sentence) == (False, cause)
    assert len(causes - {""}) == len(NOT_UNDERSTOOD)


def test_after_a_pause_any_whole_answer_to_the_probe_closes_the_breaker(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    factories.organization(user=editor)
    EnvironmentGate.objects.filter(pk="staging").update(probing=True, failures=5)
    practice.behaviour = "shows-another"
    assert probe_if_half_open("staging", actor=worker)
    assert len(practice.requests) == 1
    EnvironmentGate.objects.filter(pk="staging").update(probing=True)
    practice.behaviour = "gateway-error"
    assert not probe_if_half_open("staging", actor=worker)


def test_a_reading_is_dated_before_its_query(unknown: Submission, worker: Actor) -> None:
    time_before = clock.now()
    answer = query.query_oid("staging", BASE)
    between = clock.now()
    assert time_before <= answer.asked_at < between
    keep(unknown, answer, worker)
    assert reload(unknown.organization).seen_at == answer.asked_at


def test_a_query_of_a_record_logs_every_answer(practice: PracticeDirectory, editor: User) -> None:
    organization = factories.organization(user=editor)
    query.query_record(organization, actor=as_actor(editor))
    entries = AuditEntry.objects.filter(action=Action.ORGANIZATION_ASKED)
    assert [b"QueryResponse" in bytes(entry.raw or b"") for entry in entries] == [True] * 3

    practice.behaviour = "shows-another"
    query.query_record(organization, actor=as_actor(editor))
    details = entries.latest("sequence").facts["details"]
    assert details["asked"] is False
    assert details["cause"].startswith("The directory answered with another organization")


def keep(submission: Submission, answer: DirectoryAnswer, actor: Actor) -> None:
    with audit.atomic(actor) as history:
        query.store_submission_answer(
            history, submission, organizations.lock_record(submission.organization_id), answer
        )
