"""The values of a record that differ in the directory: take them, keep ours, or ask the directory again."""

import datetime
from collections.abc import Collection
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST

from organizations.forms.differences import ReasonForm, WhoseForm
from organizations.models import Environment, Organization
from organizations.pages.addresses import record_url
from organizations.pages.differences import page as differences_page
from organizations.pages.differences.difference_rows import differences_content, read_again_sentence, taken_sentence
from organizations.pages.differences.page import DECIDE, TAKE
from organizations.pages.submission.state import cause_of
from organizations.permissions import ASK, Right, block_reason
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.delivery import query
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused, RecordWithdrawn
from organizations.views import expired_session

from .access import actor, needs, organization_or_404, posted_version, require, user_of
from .rendering import render_page

QUERY_PAGES = ("record", "review", "differences", "deactivate", "reactivate")
"""The pages to which the button "Ask the directory" can lead back."""
_NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@require_POST
@needs(Right.EDIT, ASK)
def ask(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask the directory about a record, and redirect to the page that `back` names."""
    organization = query_now(request, organization_or_404(environment, oid))
    back = request.POST.get("back", "")
    return redirect(record_url(organization, back if back in QUERY_PAGES else "record"))


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The differences, and what a person can do about them. This page sends nothing."""
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return _show(request, organization, WhoseForm())
    if expired_session.must_restore_form(request):
        return _show(request, organization, _typed(request), notes=[expired_session.NOTICE], status=422)
    if "ask" in request.POST:
        return _show(request, query_now(request, organization), _typed(request))
    return _handle_post(request, organization)


def _handle_post(request: HttpRequest, organization: Organization) -> HttpResponse:
    decides = "decide" in request.POST
    right, act = (Right.RESOLVE, DECIDE) if decides else (Right.EDIT, TAKE)
    require(request, right, environment=organization.environment, oid=organization.oid, act=act)
    form = WhoseForm(request.POST) if decides else ReasonForm(request.POST)
    if not form.is_valid():
        return _show(request, organization, form, status=422)
    return _carry_out(request, organization, form)


def _carry_out(request: HttpRequest, organization: Organization, form: ReasonForm) -> HttpResponse:
    try:
        sentence = _take_or_decide(request, organization, form)
    except RecordWithdrawn as gone:
        raise Http404(str(gone)) from gone
    except ActionRefused as refusal:
        return _show_refusal(request, organization, refusal)
    messages.success(request, sentence)
    return redirect(record_url(organization))


def query_now(request: HttpRequest, organization: Organization) -> Organization:
    """Ask the directory about a record. Returns the record with the answer; a message says if the Query failed."""
    require(request, Right.EDIT, environment=organization.environment, oid=organization.oid, act=ASK)
    answer = query.query_record(organization, actor=actor(request))
    if not answer.is_answered:
        messages.error(request, f"{_query_failure(answer)}: {cause_of(answer.cause)}.")
    return organization_or_404(Environment(organization.environment), organization.oid)


def newer_reading_notes(request: HttpRequest, organization: Organization) -> list[str]:
    """A sentence if the directory answered again after the posted page was opened; else none."""
    if "asked_at" not in request.POST or organization.seen_at is None or _asked_at(request) == organization.seen_at:
        return []
    return [read_again_sentence(organization.seen_at)]


def _query_failure(answer: DirectoryAnswer) -> str:
    # A refused access token is not an answer of the directory.
    if answer.exchange is None or not answer.exchange.sent or answer.exchange.status == HTTPStatus.UNAUTHORIZED:
        return "The directory could not be asked"
    if answer.exchange.status is None:
        return "No answer came from the directory"
    return "The directory was asked, and its answer decides nothing"


def ask_block_reason(request: HttpRequest, organization: Organization) -> str:
    """The sentence beside the button that asks; "" if the person can ask."""
    return block_reason(user_of(request), Right.EDIT, organization.environment, ASK)


def _take_or_decide(request: HttpRequest, organization: Organization, form: ReasonForm) -> str:
    """Take the values of the directory, or decide to whom the OID belongs. Returns a sentence for the person."""
    number, version = organization.pk, posted_version(request, organization)
    who, asked_at, count = actor(request), _asked_at(request), len(differences_content(organization).rows)
    match form.cleaned_data.get("whose"):
        case "ours":
            differences.decide_ours(number, reason=form.reason_text, actor=who, asked_at=asked_at)
            return "Decided: this OID is ours. Nothing was sent. Review the record before you send it."
        case "foreign":
            differences.decide_foreign(number, reason=form.reason_text, actor=who, asked_at=asked_at)
            return "Decided: this OID belongs to another organization. Nothing is sent to it."
    differences.take_directory_values(number, version, reason=form.reason_text, actor=who, asked_at=asked_at)
    return taken_sentence(organization, count)


def _show_refusal(request: HttpRequest, before: Organization, refusal: ActionRefused) -> HttpResponse:
    """The current differences, with the typed values."""
    current = organization_or_404(Environment(before.environment), before.oid)
    return _show(request, current, _typed(request), notes=[_sentence(refusal)], status=409)


def _sentence(refusal: ActionRefused) -> str:
    text = str(refusal)
    return text if "Nothing was" in text else f"{text} Nothing was changed."


def _asked_at(request: HttpRequest) -> datetime.datetime | None:
    """When the Query was sent whose values the page showed; the earliest time if the form does not say."""
    try:
        return parse_datetime(request.POST.get("asked_at", "")) or _NEVER
    except ValueError:
        return _NEVER


def _typed(request: HttpRequest) -> WhoseForm:
    return WhoseForm(initial={name: request.POST.get(name, "") for name in ("whose", "reason")})


def _show(
    request: HttpRequest,
    organization: Organization,
    form: ReasonForm,
    *,
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    is_unsaved = request.method == "POST"
    page = differences_page.build(organization, user_of(request), form, notes=notes, is_unsaved=is_unsaved)
    return render_page(request, page, status=status)
