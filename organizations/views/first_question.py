"""The first question in the form of a new record: ask the directory about its OID, or lead to the take-over."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from organizations.fields import FieldError, read_oid
from organizations.forms.organization import IS_GATEWAY
from organizations.forms.typed import Typed
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.first_question import (
    ENTER_OID,
    NOT_SAVED,
    YES,
    OidAnswer,
    has_more_than_the_oid,
    oid_answer,
    take_over_url,
)
from organizations.services import search_text
from organizations.services.connection import redox_settings
from organizations.services.directory.ask_oid import ask_about_oid
from organizations.services.errors import OidTaken
from organizations.services.records import organizations
from organizations.views import expired_session

from .access import actor
from .record_form import show_form


def respond(request: HttpRequest, editing: Editing) -> HttpResponse | None:
    """The response to a button of the question, or to a save after the answer "yes"; None for anything else."""
    if expired_session.must_restore_form(request):
        return None
    typed, act = Typed.from_post(request.POST), request.POST.get("act", "")
    if act == "take-over" and not has_more_than_the_oid(typed):
        return redirect(take_over_url(editing.environment, _oid(typed)))
    if act in ("review", "save") and request.POST.get("registered") == YES:
        return show_form(request, editing, editing.form(typed), status=422, notes=[NOT_SAVED])
    if act != "ask-oid":
        return None
    return show_form(request, editing, editing.form(typed), answer=_ask(request, editing, typed))


def _ask(request: HttpRequest, editing: Editing, typed: Typed) -> OidAnswer:
    try:
        oid = read_oid(typed.fields["oid"]).value if typed.fields["oid"].strip() else ""
        organizations.check_oid_free(oid, editing.environment)
    except (FieldError, OidTaken) as error:
        return OidAnswer(str(error))
    if not oid:
        return OidAnswer(ENTER_OID)
    if oid in redox_settings.gateway_oids(editing.environment):
        return OidAnswer(IS_GATEWAY)
    return oid_answer(editing.environment, ask_about_oid(editing.environment, oid, actor=actor(request)))


def _oid(typed: Typed) -> str:
    return search_text.oid_in(typed.fields["oid"])
