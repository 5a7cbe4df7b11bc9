"""State that an OID was registered outside the portal, or withdraw that statement. Only a Query is ever sent."""

from collections.abc import Collection

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from organizations.forms.differences import ReasonForm
from organizations.models import Environment, Organization
from organizations.pages.addresses import record_url
from organizations.pages.record import statement
from organizations.permissions import Right
from organizations.services.errors import ActionRefused, RecordWithdrawn
from organizations.services.records import statements
from organizations.views import expired_session

from .access import actor, needs, organization_or_404, user_of
from .differences import query_now
from .rendering import render_page


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.RESOLVE, statement.STATE)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask for a reason, then store or withdraw the statement."""
    organization = organization_or_404(environment, oid)
    if request.method != "POST":
        return _show(request, organization, ReasonForm())
    if expired_session.must_restore_form(request):
        return _show(request, organization, _typed(request), notes=[expired_session.NOTICE], status=422)
    if "ask" in request.POST:
        return _show(request, query_now(request, organization), _typed(request))
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _show(request, organization, form, status=422)
    return _carry_out(request, organization, form)


def _carry_out(request: HttpRequest, organization: Organization, form: ReasonForm) -> HttpResponse:
    withdraws = "withdraw" in request.POST
    act = statements.take_back_statement if withdraws else statements.state_registered
    try:
        saved = act(organization.pk, reason=form.reason_text, oid=organization.oid, actor=actor(request))
    except RecordWithdrawn as gone:
        raise Http404(str(gone)) from gone
    except ActionRefused as refusal:
        current = organization_or_404(Environment(organization.environment), organization.oid)
        return _show(request, current, form, notes=[f"{refusal} Nothing was changed."], status=409)
    done = "Withdrawn: this OID counts again as not registered" if withdraws else "Stated: this OID is registered"
    messages.success(request, f"{done}. Nothing was sent.")
    return redirect(record_url(saved))


def _typed(request: HttpRequest) -> ReasonForm:
    return ReasonForm(initial={"reason": request.POST.get("reason", "")})


def _show(
    request: HttpRequest,
    organization: Organization,
    form: ReasonForm,
    *,
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    is_unsaved = request.method == "POST"
    shown = statement.build(organization, user_of(request), form, notes=notes, is_unsaved=is_unsaved)
    return render_page(request, shown, status=status)
