"""The frame of every page: environment, menu, banners, the message about the last action."""

import datetime
import re
from types import SimpleNamespace

import pytest
from django import forms
from django.contrib.messages.constants import SUCCESS
from django.contrib.messages.storage.base import Message
from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils.html import escape, strip_tags

from organizations import context
from organizations.models import Environment, User, clock
from organizations.pages.environment_state import EnvironmentState
from organizations.services.accounts import sessions
from organizations.services.delivery import heartbeat
from organizations.text import vocabulary
from tests import factories
from tests.factories import BASE
from tests.page_text import compact

LONG_AGO = datetime.datetime(2001, 5, 9, 19, 3, 22, tzinfo=datetime.UTC)


class Named(forms.Form):
    name = forms.CharField()


def frame(request: HttpRequest | None = None, **names: object) -> str:
    """The frame for an editor in STAGING; the arguments replace its usual values."""
    word = vocabulary.ENVIRONMENT_STATE["connected"]
    state = SimpleNamespace(key=word.key, word=word.word, icon=word.icon, sentence="It answered.", time=LONG_AGO)
    person = SimpleNamespace(name="Editor One", roles="editor", can="edit", cannot="send to PRODUCTION")
    ordinary = {
        "environment": "staging",
        "environment_word": "STAGING",
        "environment_label": "Development",
        "environment_state": state,
        "other_environment": "production",
        "open_submissions": 2,
        "section": "submissions",
        "person": person,
    }
    return compact(render_to_string("base.html", ordinary | names, request=request or RequestFactory().get("/")))


def test_the_environment_is_in_title_bar_and_favicon():
    text = frame()
    assert "<title>| STAGING | orgportal</title>" in text
    assert '<html lang="en" data-environment="staging">' in text
    assert 'aria-label="Environment STAGING"' in text
    assert "favicon-staging.svg" in text
    assert "Redox’s newer pages call this Development" in text


def test_the_menu_marks_the_current_page_and_counts_open_work():
    text = frame()
    assert re.search(
        r'href="/staging/submissions/" aria-current="true">Submissions'
        r'<span id="open-submissions"> <span class="count">2<',
        text,
    )
    assert text.count("aria-current") == 1


def test_the_switch_links_to_the_counterpart():
    assert 'class="env-go small" href="/production/organizations/"' in frame()
    assert 'class="env-go small" href="/production/organizations/1.2.3/"' in frame(
        switch_url="/production/organizations/1.2.3/"
    )


def test_the_frame_links_to_the_search_of_its_environment():
    assert 'class="find-link" href="/search/" aria-label="Search the portal"' in frame(environment="")
    assert 'class="find-link" href="/search/?environment=production"' in frame(environment="production")


def test_a_page_about_both_environments_offers_both_and_claims_neither():
    text = frame(environment="")
    assert "data-environment" not in text
    assert "Both environments" in text
    assert 'href="/staging/organizations/"' in text
    assert 'href="/production/organizations/"' in text


def test_only_an_environment_with_a_problem_has_a_banner():
    assert 'class="banner"' not in frame()
    for key, beginning in (("stopped", "<b>STAGING: Stopped.</b>"), ("faulty", "<b>STAGING:</b>")):
        word = vocabulary.ENVIRONMENT_STATE[key]
        sentence = "The key <b> is wrong."
        state = EnvironmentState(Environment.STAGING, key, word.word, word.icon, sentence, None, word.tone, key)
        for environment in ("staging", ""):
            text = frame(environment=environment, banners=[state])
            assert f"{beginning} {escape(sentence)}" in text
            assert 'href="/staging/connection/">Open Connection' in text


def test_every_page_shows_that_no_worker_runs():
    text = strip_tags(frame(environment="", no_worker_since=LONG_AGO))
    assert "No worker has run since May 9, 2001, 14:03 CDT." in text


def test_the_title_of_a_form_with_problems_begins_with_error():
    assert "<title>Error: " in frame(form=Named({}))
    assert "<title>Error: " not in frame(form=Named())


def test_the_demonstration_switch_works_without_a_script():
    text = frame(demonstration_behaviours=[("answers", "answers", False), ("slow", "answers slowly", True)])
    assert "Nothing leaves this machine." in text
    assert '<form class="row-line push" action="/demonstration/" method="post">' in text
    assert '<option value="slow" selected>answers slowly</option>' in text
    assert "DEMONSTRATION" not in frame()


def test_without_a_sign_in_there_is_no_menu():
    text = frame(environment="", person=None)
    assert '<a class="brand"' in text
    assert "<nav" not in text


def test_the_message_of_the_last_action_is_in_a_status_region():
    request = RequestFactory().get("/")
    request._messages = [Message(SUCCESS, "Saved. Nothing was sent.")]  # type: ignore[attr-defined]
    text = frame(request=request)
    assert re.search(r'id="notes" role="status">\s*<p class="note">.*Saved. Nothing was sent.', text)
    assert '<div class="notes" id="notes" role="status"></div>' in frame()


@pytest.mark.one_database  # PostgreSQL answers one query more, for its clock
@pytest.mark.parametrize("address", ["/help/", "/staging/organizations/"])
def test_the_frame_runs_at_most_four_queries(organization, editor, address):
    factories.submission(organization, user=editor)
    for name in ("one", "two"):
        heartbeat.record_heartbeat(name, clock.now())
    request = RequestFactory().get(address)
    request.user, request.resolver_match = User.objects.get(pk=editor.pk), resolve(address)
    with CaptureQueriesContext(connection) as queries:
        context.frame(request)
    assert len(queries) <= 4


@pytest.mark.one_database  # PostgreSQL answers one query more, for its clock
def test_a_page_of_the_frame_alone_runs_four_queries(client_of, editor, monkeypatch):
    """The session, the person with their rights, the workers, and the gates."""
    monkeypatch.setattr(sessions, "WRITTEN_EVERY", datetime.timedelta(days=1))
    factories.submission(factories.organization(user=editor), user=editor)
    heartbeat.record_heartbeat("one", clock.now())
    client = client_of(user=editor)
    client.get("/help/")  # runs the queries that a process runs only once
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/help/").status_code == 200
    assert len(queries) == 4


def test_the_menu_counts_open_submissions_up_to_a_limit(editor, monkeypatch):
    request = RequestFactory().get("/staging/organizations/")
    request.user, request.resolver_match = editor, resolve("/staging/organizations/")
    assert context.frame(request)["open_submissions"] == ""
    for number in range(2):
        factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
    assert context.frame(request)["open_submissions"] == "2"
    monkeypatch.setattr(context, "MOST_OPEN", 1)
    assert context.frame(request)["open_submissions"] == "1+"
