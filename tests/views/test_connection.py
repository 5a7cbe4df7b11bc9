"""Checking a connection and going on after a stop, as people do it."""

import pytest

from organizations.models import Action, AuditEntry, Environment, EnvironmentGate, clock
from organizations.pages.connection import page as connection_page
from tests import factories
from tests.breakers import pause_environment, stop_environment
from tests.views.pages import text_of

pytestmark = pytest.mark.one_database

PAGE = "/staging/connection/"
CHECK = "/staging/connection/check/"
GO_ON = "/staging/connection/go-on/"


@pytest.mark.usefixtures("unreachable_redox")
def test_a_viewer_reads_who_can_check(client_of):
    said = text_of(client_of("viewer").get(PAGE))
    assert said.startswith("Connection | STAGING | orgportal ")
    assert "Not checked A credential is set for STAGING." in said
    assert "You cannot check the connection in STAGING. Editors and Approvers can: nobody yet." in said


def test_a_check_asks_once_writes_nothing_and_says_what_it_found(client, practice):
    said = text_of(client.post(CHECK, follow=True))
    assert "Got a token and an answer to a Query. It wrote nothing to the directory." in said
    assert " by Editor One: token in 0 ms, Query in " in said
    assert "This machine’s clock not known" not in said
    assert practice.effects == []
    practice.behaviour = "refuses-sign-in"
    answer = client.post(CHECK, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert "failed: " in text_of(answer)


def test_sending_goes_on_only_after_a_check_that_succeeded(client, practice, worker):
    stop_environment("staging", "No credential", actor=worker)
    said = text_of(client.get(PAGE))
    assert said.count("Sending to STAGING is stopped since ") == 1
    assert "Correct the cause. After a change of settings, restart. Then: Check connection" in said
    assert "Resume sending to STAGING" not in said
    client.post(GO_ON)
    assert EnvironmentGate.objects.get(pk="staging").is_stopped
    client.post(CHECK)
    assert "Resume sending to STAGING" in text_of(client.get(PAGE))
    assert "Sending to STAGING is resumed." in text_of(client.post(GO_ON, follow=True))
    assert not EnvironmentGate.objects.get(pk="staging").is_stopped
    assert AuditEntry.objects.filter(action=Action.ENVIRONMENT_RELEASED).count() == 1


def test_who_checks_while_redox_asked_to_wait_is_told_how_long(client, practice, worker):
    pause_environment("staging", 60, "too many requests", actor=worker)
    answer = client.post(CHECK, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert practice.requests == []


@pytest.mark.usefixtures("unreachable_redox")
def test_who_may_not_send_does_not_go_on(client, editor, worker):
    stop_environment("production", "No credential", actor=worker)
    gate = EnvironmentGate.objects.filter(pk="production")
    gate.update(checked_at=clock.now(), check_succeeded=True)
    page = connection_page.build(Environment.PRODUCTION, editor)
    assert (page.can_resume, page.why_not) == (True, "You cannot send to PRODUCTION. Approvers can: nobody yet.")
    assert client.post("/production/connection/go-on/").status_code == 403
    assert gate.get().is_stopped
    assert connection_page.build(Environment.PRODUCTION, factories.UserFactory(role="approver")).why_not == ""
