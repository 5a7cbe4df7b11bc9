"""What a question about one OID says: who is meant, what is absent, what is kept of it and under which time."""

import json

import pytest
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Evidence,
    Organization,
    State,
    Submission,
    User,
    clock,
)
from organizations.practice import PracticeDirectory
from organizations.practice.listing import ANOTHER_OID
from organizations.records import canonical
from organizations.redox.messages import OTHER_OIDS
from organizations.services import asking, audit, environments, exchanges, organizations, resolving
from organizations.services.actors import Actor
from tests import factories
from tests.factories import BASE, acting
from tests.services.sending import accepted, deliver, edit, fresh, sent

pytestmark = pytest.mark.one_database

NOT_UNDERSTOOD = {
    "shows-another": "The directory answered with another organization and not with this OID.",
    "shows-twice": "The directory answered with 2 organizations that have this OID.",
    "shows-no-name": "The directory answered with this OID, but without a name.",
    "shows-another-shape": "The directory's answer was not understood: Organizations is not a list.",
}


def unknown(practice: PracticeDirectory, user: User, behaviour: str = "applies-then-504") -> Submission:
    """A New whose answer was lost and about which the directory can be asked now."""
    submission = factories.submission(factories.organization(user=user), user=user)
    practice.behaviour = behaviour
    assert deliver()
    practice.behaviour = "answers"
    Submission.objects.update(not_before=timezone.now())
    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN
    return submission


def asked_active(practice: PracticeDirectory) -> list[object]:
    """Active of each Query, in order; "" where it was not given."""
    queries = [json.loads(body) for body in sent(practice) if b'"EventType": "Query"' in body]
    return [query.get("Active", "") for query in queries]


def asked_entries(submission: Submission) -> list[AuditEntry]:
    return list(AuditEntry.objects.of_submission(submission.pk).filter(action=Action.SUBMISSION_ASKED))


def test_absent_is_what_three_queries_answer_with_an_empty_list(practice: PracticeDirectory) -> None:
    answer = asking.query("staging", BASE)
    assert (answer.was_asked, answer.record, len(answer.earlier)) == (True, None, 2)
    assert asked_active(practice) == ["", True, False]


def test_who_is_shown_by_the_first_query_is_not_asked_for_again(practice: PracticeDirectory, editor: User) -> None:
    accepted(editor)
    assert asking.query("staging", BASE).record is not None
    assert asked_active(practice) == [""]


def test_a_deactivated_record_that_only_a_query_for_it_shows_is_not_absent(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Active": False})
    practice.behaviour = "shows-active-only"

    assert resolving.resolve_next("staging", actor=worker)

    submission.refresh_from_db()
    seen = fresh(submission.organization).seen_record()
    assert seen is not None
    assert (seen.active, submission.absent_at, submission.state) == (False, None, State.NEEDS_PERSON)
    assert asked_active(practice) == ["", True, False]


def test_every_answer_of_a_question_is_kept_raw_and_the_deciding_one_last(
    practice: PracticeDirectory, editor: User
) -> None:
    submission = unknown(practice, editor)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Active": False})
    practice.behaviour = "shows-active-only"

    answer = asking.ask_about(submission, actor=acting(editor))

    entries = asked_entries(submission)
    kept = [*(each.exchange for each in answer.earlier), answer.exchange]
    assert [exchanges.stored(entry) for entry in entries] == kept
    details = [entry.facts["details"] for entry in entries]
    assert [(each["found"], each.get("active")) for each in details] == [(False, "none"), (False, "true"), (True, None)]
    assert {each["asked_at"] for each in details} == {answer.asked_at.isoformat()}


def test_a_question_that_breaks_off_after_an_empty_list_decides_nothing(
    practice: PracticeDirectory, editor: User, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = unknown(practice, editor, "gateway-error")
    reply = practice.reply

    def only_the_first(request: object, authorization: str) -> object:
        if b'"Active"' in request.body:  # type: ignore[attr-defined]
            practice.behaviour = "gateway-error"
        return reply(request, authorization)  # type: ignore[arg-type]

    monkeypatch.setattr(practice, "reply", only_the_first)
    assert resolving.resolve_next("staging", actor=worker)

    submission.refresh_from_db()
    assert (submission.state, submission.absent_at, asked_active(practice)) == (State.UNKNOWN, None, ["", True])
    assert [entry.http_status for entry in asked_entries(submission)] == [200, 502]
    assert fresh(submission.organization).seen_at is None


def test_ours_may_be_the_second_oid_and_the_other_one_stays_visible(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor)
    practice.behaviour = "shows-two-oids"
    assert resolving.resolve_next("staging", actor=worker)

    submission.refresh_from_db()
    seen = fresh(submission.organization).seen_record()
    assert seen is not None
    assert (seen.oid, seen.identifiers, dict(seen.carried)[OTHER_OIDS]) == (BASE, (), f'["{ANOTHER_OID}"]')
    assert (submission.state, submission.evidence) == (State.ACCEPTED, Evidence.QUERY)
    assert asked_active(practice) == [""]


@pytest.mark.parametrize("behaviour", NOT_UNDERSTOOD)
def test_an_answer_that_is_not_understood_decides_nothing_and_is_kept(
    practice: PracticeDirectory, editor: User, worker: Actor, behaviour: str
) -> None:
    submission = unknown(practice, editor)
    practice.behaviour = behaviour
    for _ in range(2):
        Submission.objects.update(not_before=timezone.now())
        assert resolving.resolve_next("staging", actor=worker)

    submission.refresh_from_db()
    made = fresh(submission.organization)
    assert (submission.state, submission.absent_at, submission.asks) == (State.UNKNOWN, None, 2)
    assert (made.seen_at, made.seen) == (None, "")
    entry = asked_entries(submission)[-1]
    assert (entry.facts["detail"], entry.facts["details"]["asked"]) == (NOT_UNDERSTOOD[behaviour], False)
    assert b"QueryResponse" in bytes(entry.raw or b"")
    assert asked_active(practice) == ["", ""]


@pytest.mark.parametrize("behaviour", NOT_UNDERSTOOD)
def test_a_check_says_what_was_not_understood(practice: PracticeDirectory, editor: User, behaviour: str) -> None:
    accepted(editor)
    practice.behaviour = behaviour
    found = environments.check("staging", actor=acting(editor))
    assert (found.succeeded, found.sentence) == (False, NOT_UNDERSTOOD[behaviour])


def test_after_a_pause_an_answer_that_is_not_understood_lets_no_message_go_in_that_round(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    factories.organization(user=editor)
    EnvironmentGate.objects.filter(pk="staging").update(probing=True, failures=5)
    practice.behaviour = "shows-another"
    assert not environments.pass_gate("staging", actor=worker)


def test_a_reading_has_the_time_before_it_was_asked_for(practice: PracticeDirectory, editor: User) -> None:
    submission = unknown(practice, editor)
    practice.behaviour = "answers"
    before = clock.now()
    answer = asking.query("staging", BASE)
    between = clock.now()
    assert before <= answer.asked_at < between
    _keep(submission, answer, editor)
    assert fresh(submission.organization).seen_at == answer.asked_at


def test_what_was_accepted_after_the_question_is_newer_than_its_answer(
    practice: PracticeDirectory, editor: User
) -> None:
    made = accepted(editor)
    old = asking.query("staging", BASE)
    changed = edit(made, editor, name="Lakeside North")
    submission = factories.submission(changed, user=editor)
    assert deliver()

    _keep(submission, old, editor)

    made = fresh(made)
    assert made.seen_at is not None
    assert made.confirmed_at is not None
    assert made.seen_at < made.confirmed_at
    assert "differs" not in made.open_work


def test_a_reading_never_replaces_one_that_was_asked_for_later(practice: PracticeDirectory, editor: User) -> None:
    made = accepted(editor)
    submission = Submission.objects.get()
    older = asking.query("staging", BASE)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Name": "Changed elsewhere"})
    newer = asking.query("staging", BASE)

    _keep(submission, newer, editor)
    _keep(submission, older, editor)

    kept = Organization.objects.get(pk=made.pk)
    assert newer.record is not None
    assert (kept.seen, kept.seen_at) == (canonical(newer.record), newer.asked_at)
    assert len(asked_entries(submission)) == 2


def test_a_question_about_a_record_keeps_every_answer_as_well(practice: PracticeDirectory, editor: User) -> None:
    made = factories.organization(user=editor)
    asking.ask_about_record(made, actor=acting(editor))
    entries = AuditEntry.objects.filter(action=Action.ORGANIZATION_ASKED)
    assert [b"QueryResponse" in bytes(entry.raw or b"") for entry in entries] == [True] * 3

    practice.behaviour = "shows-another"
    asking.ask_about_record(made, actor=acting(editor))
    details = entries.latest("sequence").facts["details"]
    assert (details["asked"], details["cause"]) == (False, NOT_UNDERSTOOD["shows-another"])


def _keep(submission: Submission, answer: asking.Answer, user: User) -> None:
    with audit.recorded(acting(user)) as history:
        asking.note(history, submission, organizations.locked(submission.organization_id), answer)
