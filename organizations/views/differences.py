"""Where the directory shows other values: take them, or keep ours; and the button that asks the directory again."""

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
from organizations.pages.differences import page as differences_page
from organizations.pages.differences.difference_rows import differences_content, read_again_sentence, taken_sentence
from organizations.pages.differences.page import DECIDE, TAKE
from organizations.pages.submission.page import ASK
from organizations.pages.submission.state import cause_of
from organizations.permissions import Right, why_not
from organizations.services.connection.lookup import Answer
from organizations.services.delivery import query
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused, RecordWithdrawn
from organizations.views import expired_session

from .access import actor, needs, organization_or_404, record_url, require, user_of
from .form_page import posted_version
from .showing import show

ASKS = ("record", "review", "differences", "deactivate", "reactivate")
"""The pages that a question about a record can lead back to."""
_NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@require_POST
@needs(Right.EDIT, ASK)
def ask(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask what the directory shows of a record now, and go back to the page named by `back`."""
    organization = ask_now(request, organization_or_404(environment, oid))
    back = request.POST.get("back", "")
    return redirect(record_url(organization, back if back in ASKS else "record"))


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.comes_back
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """What differs, and what can be done about it. Nothing is sent from here."""
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return _show(request, organization, WhoseForm())
    if expired_session.came_back(request):
        return _show(request, organization, _typed(request), notes=[expired_session.SENTENCE], status=422)
    if "ask" in request.POST:
        return _show(request, ask_now(request, organization), _typed(request))
    return _posted(request, organization)


def _posted(request: HttpRequest, organization: Organization) -> HttpResponse:
    decides = "decide" in request.POST
    right, act = (Right.RESOLVE, DECIDE) if decides else (Right.EDIT, TAKE)
    require(request, right, environment=organization.environment, oid=organization.oid, act=act)
    form = WhoseForm(request.POST) if decides else ReasonForm(request.POST)
    if not form.is_valid():
        return _show(request, organization, form, status=422)
    return _carry_out(request, organization, form)


def _carry_out(request: HttpRequest, organization: Organization, form: ReasonForm) -> HttpResponse:
    try:
        done = _act(request, organization, form)
    except RecordWithdrawn as gone:
        raise Http404(str(gone)) from gone
    except ActionRefused as refusal:
        return _refused(request, organization, refusal)
    messages.success(request, done)
    return redirect(record_url(organization))


def ask_now(request: HttpRequest, organization: Organization) -> Organization:
    """Ask the directory about a record; the record with the answer. Says so where it could not be asked."""
    require(request, Right.EDIT, environment=organization.environment, oid=organization.oid, act=ASK)
    answer = query.query_record(organization, actor=actor(request))
    if not answer.was_asked:
        messages.error(request, f"{_what_came(answer)}: {cause_of(answer.cause)}.")
    return organization_or_404(Environment(organization.environment), organization.oid)


def read_meanwhile(request: HttpRequest, organization: Organization) -> list[str]:
    """A sentence where a page was posted that knew another answer of the directory than is known now."""
    if "asked_at" not in request.POST or organization.seen_at is None or _asked_at(request) == organization.seen_at:
        return []
    return [read_again_sentence(organization.seen_at)]


def _what_came(answer: Answer) -> str:
    # A refused sign-in is not an answer of the directory.
    if answer.exchange is None or not answer.exchange.sent or answer.exchange.status == HTTPStatus.UNAUTHORIZED:
        return "The directory could not be asked"
    if answer.exchange.status is None:
        return "No answer came from the directory"
    return "The directory was asked, and its answer decides nothing"


def why_not_ask(request: HttpRequest, organization: Organization) -> str:
    """The sentence beside the button that asks; empty when the person can."""
    return why_not(user_of(request), Right.EDIT, organization.environment, ASK)


def _act(request: HttpRequest, organization: Organization, form: ReasonForm) -> str:
    """Take the directory's values, or decide whose the OID is; what was done, as a sentence."""
    number, version = organization.pk, posted_version(request, organization)
    who, asked_at, count = actor(request), _asked_at(request), len(differences_content(organization).rows)
    match form.cleaned_data.get("whose"):
        case "ours":
            differences.claim(number, reason=form.why, actor=who, asked_at=asked_at)
            return "Decided: this OID is ours. Nothing was sent. Review the record before you send it."
        case "foreign":
            differences.disclaim(number, reason=form.why, actor=who, asked_at=asked_at)
            return "Decided: this OID belongs to another organization. Nothing is sent to it."
    differences.take_theirs(number, version, reason=form.why, actor=who, asked_at=asked_at)
    return taken_sentence(organization, count)


def _refused(request: HttpRequest, before: Organization, refusal: ActionRefused) -> HttpResponse:
    """What is so now, with what was typed."""
    now = organization_or_404(Environment(before.environment), before.oid)
    return _show(request, now, _typed(request), notes=[_sentence(refusal)], status=409)


def _sentence(refusal: ActionRefused) -> str:
    text = str(refusal)
    return text if "Nothing was" in text else f"{text} Nothing was changed."


def _asked_at(request: HttpRequest) -> datetime.datetime | None:
    """When the Query was asked whose values the page showed; the first moment of time where that is not said."""
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
    return show(request, page, status=status)
