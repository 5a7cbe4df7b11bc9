"""Checking the connection and resuming an environment over HTTP."""

import pytest
from django.contrib.messages import get_messages

from organizations.models import Action, AuditEntry, Environment, EnvironmentGate, clock
from organizations.pages.connection import page as connection_page
from tests import factories
from tests.breakers import pause_environment, stop_environment
from tests.views.pages import text_of

pytestmark = pytest.mark.one_database

PAGE = "/staging/connection/"
CHECK = "/staging/connection/check/"
RESUME = "/staging/connection/go-on/"


@pytest.mark.usefixtures("unreachable_redox")
def test_a_viewer_reads_who_can_check(client_of):
    text = text_of(client_of("viewer").get(PAGE))
    assert text.startswith("Connection | STAGING | orgportal ")
    assert "Not checked A credential is set for STAGING." in text
    assert "You cannot check the connection in STAGING. Editors and Approvers can: nobody yet." in text


def test_a_check_writes_nothing_and_shows_its_result(client, practice):
    text = text_of(client.post(CHECK, follow=True))
    assert "Got a token and an answer to a Query. It wrote nothing to the directory." in text
    assert " by Editor One: token in 0 ms, Query in " in text
    assert "This machine’s clock not known" not in text
    assert practice.effects == []
    practice.behaviour = "refuses-sign-in"
    answer = client.post(CHECK, follow=True)
    assert [message.level_tag for message in get_messages(answer.wsgi_request)] == ["error"]
    assert "failed: " in text_of(answer)


def test_sending_resumes_only_after_a_successful_check(client, practice, worker):
    stop_environment("staging", "No credential", actor=worker)
    text = text_of(client.get(PAGE))
    assert text.count("Sending to STAGING was stopped at ") == 1
    assert "Correct the cause. After a change of settings, restart. Then: Check connection" in text
    assert "Resume sending to STAGING" not in text
    client.post(RESUME)
    assert EnvironmentGate.objects.get(pk="staging").is_stopped
    client.post(CHECK)
    assert "Resume sending to STAGING" in text_of(client.get(PAGE))
    assert "Sending to STAGING is resumed." in text_of(client.post(RESUME, follow=True))
    assert not EnvironmentGate.objects.get(pk="staging").is_stopped
    assert AuditEntry.objects.filter(action=Action.ENVIRONMENT_RESUMED).count() == 1


def test_no_check_is_made_while_redox_asks_to_wait(client, practice, worker):
    pause_environment("staging", 60, "too many requests", actor=worker)
    answer = client.post(CHECK, follow=True)
    assert [message.level_tag for message in get_messages(answer.wsgi_request)] == ["error"]
    assert practice.requests == []


@pytest.mark.usefixtures("unreachable_redox")
def test_an_editor_cannot_resume_production(client, editor, worker):
    stop_environment("production", "No credential", actor=worker)
    gate = EnvironmentGate.objects.filter(pk="production")
    gate.update(checked_at=clock.now(), check_succeeded=True)
    page = connection_page.build(Environment.PRODUCTION, editor)
    assert (page.can_resume, page.block_reason) == (True, "You cannot send to PRODUCTION. Approvers can: nobody yet.")
    assert client.post("/production/connection/go-on/").status_code == 403
    assert gate.get().is_stopped
    assert connection_page.build(Environment.PRODUCTION, factories.UserFactory(role="approver")).block_reason == ""
