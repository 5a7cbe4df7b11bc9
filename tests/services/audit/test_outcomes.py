"""The outcome of an answer is stored, and read back without a new classification."""

import math
from dataclasses import replace

import pytest
from hypothesis import given

from organizations.models import Action, AuditEntry, Submission, User
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.services.actors import Actor
from organizations.services.audit import audit, outcomes
from organizations.services.outbox import answers
from tests.factories import BASE
from tests.redox.test_outcome_success import EVENTS, EXCHANGES
from tests.services.sending import claim_new, exchange_result, settle_attempt, store_response


@given(EXCHANGES, EVENTS)
def test_a_stored_outcome_is_read_back_unchanged(exchange, event):
    outcome = classify(exchange, event=event, oid=BASE)
    rounded = math.ceil(outcome.hold_seconds) if outcome.hold_seconds is not None else None
    entry = AuditEntry(body=audit.canonical_json({"judged": outcomes.outcome_facts(outcome)}))
    assert outcomes.stored_outcome(entry) == replace(outcome, hold_seconds=rounded)


@pytest.fixture
def rejected(editor: User, worker: Actor) -> Submission:
    """A submission whose stored answer would get another outcome today."""
    claim = claim_new(editor, worker)
    exchange = exchange_result(503)
    store_response(claim.submission, exchange, repeat=0, actor=worker)
    outcome = Outcome(kind=Kind.REJECTED, known="parse_failed", detail="Said then.", status=400)
    settle_attempt(claim.submission, outcome, exchange, actor=worker)
    return Submission.objects.get()


@pytest.mark.django_db
def test_a_page_explains_the_stored_outcome(rejected):
    then = answers.explain_answer(rejected)
    AuditEntry.objects.filter(action=Action.ATTEMPT_OUTCOME).update(body=b"{}")  # as early releases wrote it
    today = answers.explain_answer(rejected)
    assert (then.headline, then.cause) != (today.headline, today.cause)
    assert "Said then." not in today.cause
