"""The connection check."""

import pytest
from django.test import override_settings

from organizations.models import Action, AuditEntry, EnvironmentGate, User
from organizations.practice import PracticeDirectory
from organizations.services.connection import check
from organizations.services.delivery import courier
from tests.factories import as_actor

pytestmark = pytest.mark.one_database


def test_a_check_gets_a_token_and_a_query_answer_and_sends_no_write(practice: PracticeDirectory, editor: User) -> None:
    result = check.check_connection("staging", actor=as_actor(editor))

    assert (result.succeeded, result.facts["known"]) == (True, False)
    assert practice.effects == []
    gate = EnvironmentGate.objects.get(pk="staging")
    assert (gate.check_succeeded, gate.checked_by) == (True, "Editor One")
    entries = AuditEntry.objects.filter(action=Action.ENVIRONMENT_CHECKED)
    assert [b"QueryResponse" in bytes(entry.raw or b"") for entry in entries] == [True] * 3


def test_a_failed_check_gives_the_reason(practice: PracticeDirectory, editor: User) -> None:
    for behaviour, sentence in (
        ("gateway-error", "was not understood (HTTP 502)"),
        ("never-answers", "got no whole answer"),
        ("refuses-sign-in", "did not accept the credential"),
    ):
        practice.behaviour = behaviour
        with override_settings(REDOX_DEADLINE=0.3):
            result = check.check_connection("staging", actor=as_actor(editor))
        assert not result.succeeded
        assert sentence in result.sentence


@pytest.mark.django_db(transaction=True)
def test_without_a_credential_nothing_is_queried(editor: User) -> None:
    assert check.check_connection("staging", actor=as_actor(editor)).sentence == "STAGING is not connected."
    assert not courier.deliver_due("staging", most=1, actor=as_actor(editor))
