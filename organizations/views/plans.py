"""Several records at once: the page of what would be sent, and the lasting page of what became of it."""

from collections.abc import Callable, Collection
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.forms.plan import PlanForm
from organizations.forms.review import Bound
from organizations.models import Environment, Plan, PlanKind
from organizations.permissions import Right, may, sending
from organizations.presentation import draft as drawn
from organizations.presentation import plan as shown
from organizations.services import drafts, plans
from organizations.services.actors import Actor
from organizations.services.drafts import Chosen, Draft
from organizations.services.faults import NotDone, OutOfDate, PlanMade

from . import lost
from .access import actor, needs, organization_or_404, record_url, require, user_of, why_not

HOLD = "pause or stop a plan"
ROWS = 50
MOST_DIGITS = 9
LONGEST_OID = 64


@require_safe
@needs(Right.VIEW)
def index(request: HttpRequest, environment: Environment) -> HttpResponse:
    """All plans of an environment, the newest first."""
    found = Plan.objects.filter(environment=environment).order_by("-pk").values_list("pk", flat=True)
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    context = {
        "section": "submissions",
        "page": page,
        "lines": shown.lines(list(page)),
        "switch_url": reverse("plans", args=[environment.other]),
    }
    return render(request, "plans/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@lost.comes_back
@needs(Right.VIEW)
def new(request: HttpRequest, environment: Environment) -> HttpResponse:
    """What the address names, records or a whole branch, as the messages that would be sent."""
    chosen = _chosen(request, environment)
    if request.method == "POST":
        require(request, sending(environment), environment=environment)
    try:
        draft = drafts.draft(chosen, actor=actor(request))
        if not draft.reviews and not draft.left_out:
            return _nothing(request, environment, "No record was chosen.")
        return _answer(request, chosen, draft)
    except NotDone as fault:  # more records than one plan holds, now or by the time the button was pressed
        return _nothing(request, environment, str(fault))


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """One plan, with everything that became of it."""
    return render(request, "plans/page.html", _context(request, _plan_or_404(environment, plan)))


@require_safe
@needs(Right.VIEW)
def state(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """The state for a page that stands open; nothing (204) while the page says what is so."""
    context = _context(request, _plan_or_404(environment, plan))
    since = request.GET.get("since", "")
    if since == context["page"].since:
        response = HttpResponse(status=204)
    else:
        context["changed"] = not since.startswith(f"{context['page'].stage}-")
        response = render(request, "plans/state.html", context)
    patch_vary_headers(response, ["HX-Request"])
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@needs(Right.EDIT, HOLD)
def pause(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """Hold what waits: who made the plan may, and whoever may send to the environment."""
    return _hold(request, environment, plan, plans.pause, "Paused. Nothing more of it is sent until it goes on.")


@require_POST
@needs(Right.EDIT, HOLD)
def go_on(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """Let a paused plan go on."""
    return _hold(request, environment, plan, plans.go_on, "It goes on.")


@require_POST
@needs(Right.EDIT, HOLD)
def stop(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """End a plan for good."""
    return _hold(request, environment, plan, plans.stop, "Stopped. What was not attempted was cancelled.")


def plan_url(plan: Plan) -> str:
    return reverse("plan", args=[plan.environment, plan.pk])


def _chosen(request: HttpRequest, environment: Environment) -> Chosen:
    deactivates = request.GET.get("kind") == PlanKind.DEACTIVATE
    kind = PlanKind.DEACTIVATE if deactivates else PlanKind.SEND
    if "branch" in request.GET:
        oid = request.GET["branch"].replace("\x00", "")[:LONGEST_OID]
        return drafts.branch(organization_or_404(environment, oid), kind)
    typed = request.GET.getlist("record")
    ids = tuple(int(text) for text in typed if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS)
    return Chosen(environment, kind, ids)


def _answer(request: HttpRequest, chosen: Chosen, draft: Draft) -> HttpResponse:
    if request.method != "POST":
        return _show(request, draft, _form(draft))
    bound = Bound(request.POST)
    if lost.came_back(request):
        form = _form(draft, initial=_typed(request))
        return _show(request, draft, form, ticked=bound.ticked, notes=[lost.SENTENCE], status=422)
    return _made(request, chosen, draft, bound)


def _made(request: HttpRequest, chosen: Chosen, draft: Draft, bound: Bound) -> HttpResponse:
    """Send what was reviewed, or say why not and show what is so now."""
    form = _form(draft, request.POST)
    missing = {question.key for question in draft.questions} - bound.ticked
    is_whole = form.is_valid() and not missing
    if bound.sha256 == draft.sha256 and draft.size and not is_whole:
        return _show(request, draft, form, ticked=bound.ticked, missing=missing, status=422)
    try:
        plan = plans.make(
            chosen,
            sha256=bound.sha256,
            ticked=bound.ticked,
            reason=form.why,
            typed=request.POST.get("number", ""),
            actor=actor(request),
        )
    except PlanMade as fault:
        plan = fault.plan
        messages.info(request, drawn.already_sent(plan))
    except NotDone as fault:
        note = str(fault) if isinstance(fault, OutOfDate) else f"{fault} Nothing was sent."
        anew = drafts.draft(chosen, actor=actor(request))
        form = _form(anew, initial=_typed(request) | {"number": ""})
        return _show(request, anew, form, ticked=bound.ticked, notes=[note], status=409)
    return redirect(plan_url(plan))


def _form(draft: Draft, data: Any = None, **values: Any) -> PlanForm:
    word = draft.environment.label
    return PlanForm(data, needs_reason=draft.needs_reason, number_to_type=draft.number_to_type, word=word, **values)


def _typed(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in ("reason", "number")}


def _show(
    request: HttpRequest,
    draft: Draft,
    form: PlanForm,
    *,
    ticked: Collection[str] = (),
    missing: Collection[str] = (),
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    page = drawn.page(draft, ticked=ticked, missing=missing)
    asked = [each.question for each in page.asked]
    context: dict[str, Any] = {
        "page": page,
        "form": form,
        "section": "organizations",
        "box_errors": [(f"id_tick-{each.key}", f"Tick: {each.brief}") for each in asked if each.error],
        "notes": notes,
        "back_url": _back_url(request, draft.environment),
        "why_not": why_not(request, sending(draft.environment)),
        "is_unsaved": request.method == "POST",
    }
    return render(request, "plans/new.html", context, status=status)


def _nothing(request: HttpRequest, environment: Environment, why: str) -> HttpResponse:
    context = {"section": "organizations", "why": why, "back_url": _back_url(request, environment)}
    return render(request, "plans/nothing.html", context, status=409 if request.method == "POST" else 200)


def _back_url(request: HttpRequest, environment: Environment) -> str:
    """The list, or the record whose branch it is."""
    if "branch" in request.GET:
        return record_url(organization_or_404(environment, request.GET["branch"].replace("\x00", "")[:LONGEST_OID]))
    return reverse("organizations", args=[environment])


def _plan_or_404(environment: Environment, number: int) -> Plan:
    found = Plan.objects.filter(environment=environment, pk=number).select_related("made_by").first()
    if found is None:
        raise Http404(f"No plan {number} in {environment.label}.")
    return found


def _context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    is_maker = plan.made_by_id == user_of(request).pk and may(user_of(request), Right.EDIT)
    return {
        "section": "submissions",
        "plan": plan,
        "page": shown.page(plan),
        "hold_why_not": "" if is_maker else why_not(request, sending(plan.environment), plan.environment, HOLD),
        "switch_url": reverse("submissions", args=[Environment(plan.environment).other]),
    }


def _hold(
    request: HttpRequest, environment: Environment, number: int, act: Callable[..., Plan], done: str
) -> HttpResponse:
    plan = _plan_or_404(environment, number)
    if plan.made_by_id != user_of(request).pk:
        require(request, sending(environment), environment=environment, act=HOLD)
    who: Actor = actor(request)
    try:
        act(plan.pk, actor=who)
        messages.success(request, done)
    except NotDone as fault:
        messages.error(request, str(fault))
    return redirect(plan_url(plan))
