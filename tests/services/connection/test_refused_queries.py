"""The answer to a Query whose access token Redox refused is always logged."""

from typing import Any

import pytest

from organizations.models import Action, AuditEntry, EnvironmentGate, User, clock
from organizations.services.connection import redox_requests
from organizations.services.delivery import query
from tests.breakers import pause_environment
from tests.factories import as_actor
from tests.redox import servers
from tests.services.delivery.test_waiting_for_redox import unknown
from tests.services.fake_redox import FakeRedox, token_answer
from tests.services.sending import WORKER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def test_a_refused_query_is_logged_with_the_cause_of_the_renewal(redox_server: FakeRedox, editor: User) -> None:
    submission = unknown(editor)
    redox_server.queries, redox_server.tokens = [servers.answer(401, b"over")], [servers.answer(502, b"Bad Gateway")]
    answer = query.query_for_submission(submission, actor=as_actor(editor))

    entry = AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED).latest("sequence")
    assert (answer.cause, entry.facts["detail"]) == ("HTTP 502, no token", "HTTP 502, no token")
    assert (entry.http_status, bytes(entry.raw or b"")) == (401, b"over")


def test_a_refused_query_is_logged_before_the_query_with_a_new_token(redox_server: FakeRedox, editor: User) -> None:
    submission = unknown(editor)
    EnvironmentGate.objects.update(stopped_at=clock.now())  # a Query is sent all the same
    redox_server.queries, redox_server.tokens = (
        [servers.answer(401, b"over"), *redox_server.queries],
        [token_answer("token-2")],
    )
    assert query.query_for_submission(submission, actor=as_actor(editor)).is_answered

    refused, *later_answers = AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED).order_by("sequence")
    assert (refused.http_status, bytes(refused.raw or b"")) == (401, b"over")
    assert refused.facts["detail"].startswith("Redox refused the access token")
    assert [entry.http_status for entry in later_answers] == [200, 200, 200]


def test_a_refused_query_is_logged_if_nothing_may_be_sent_after_it(
    redox_server: FakeRedox, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = unknown(editor)
    redox_server.queries = [servers.answer(401, b"over")]
    discard = redox_requests.discard_token

    def pause_during_token_request(*given: Any) -> bool:
        pause_environment("staging", 60.0, "too many requests", actor=WORKER)
        return discard(*given)

    monkeypatch.setattr(redox_requests, "discard_token", pause_during_token_request)
    answer = query.query_for_submission(submission, actor=as_actor(editor))
    entry = AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED).latest("sequence")
    assert answer.cause.startswith("Redox asked the portal to wait.")
    assert (entry.http_status, bytes(entry.raw or b"")) == (401, b"over")
