"""Several records at once: the page of what would be sent, and the lasting page of what became of it."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.forms.deactivation import BranchForm, Replacement
from organizations.forms.plan import PlanForm
from organizations.forms.review import Bound
from organizations.models import Environment, Organization, Plan, PlanKind
from organizations.pages.replacing import other_record
from organizations.permissions import Right, may, sending, why_not
from organizations.presentation import choosing
from organizations.presentation import draft as drawn
from organizations.presentation import plan as shown
from organizations.presentation.choices import suggesting
from organizations.services import drafts, plans
from organizations.services.actors import Actor
from organizations.services.drafts import Chosen, Draft
from organizations.services.faults import NotDone, OutOfDate, PlanMade

from . import lost
from .access import actor, counterpart_url, needs, organization_or_404, record_url, require, user_of

HOLD = "pause or stop a plan"
ROWS = 50
LONGEST_OID = 64


class Target(NamedTuple):
    """What a plan is about: the records, the one whose branch they are (if any), and the address of its page."""

    chosen: Chosen
    root: Organization | None
    url: str


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
    target = _target(request, environment)
    if request.method == "POST":
        require(request, sending(environment), environment=environment)
    try:
        draft = drafts.draft(target.chosen, actor=actor(request))
        if not draft.reviews and not draft.left_out:
            return _nothing(request, target, "No record was chosen.")
        return _answer(request, target, draft)
    except NotDone as fault:  # more records than one plan holds, now or by the time the button was pressed
        return _nothing(request, target, str(fault))


def deactivate_branch(
    request: HttpRequest, organization: Organization, *, notes: Collection[str] = (), status: int = 200
) -> HttpResponse:
    """The plan that deactivates a record with what is active below it, at the address of the record alone."""
    target = _branch(organization, PlanKind.DEACTIVATE)
    try:
        draft = drafts.draft(target.chosen, actor=actor(request))
    except NotDone as fault:
        return _nothing(request, target, str(fault))
    form = _form(draft, initial=_typed(request) | {"number": ""})
    return _show(request, target, draft, form, notes=notes, status=status)


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
    return response


@require_POST
@needs(Right.EDIT, HOLD)
def pause(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """Hold what waits: who made the plan may, and whoever may send to the environment."""
    return _hold(request, environment, plan, plans.pause, "Paused. Nothing more is sent until it goes on.")


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


def _target(request: HttpRequest, environment: Environment) -> Target:
    deactivates = request.GET.get("kind") == PlanKind.DEACTIVATE
    kind = PlanKind.DEACTIVATE if deactivates else PlanKind.SEND
    if "branch" in request.GET:
        oid = request.GET["branch"].replace("\x00", "")[:LONGEST_OID]
        return _branch(organization_or_404(environment, oid), kind)
    return Target(Chosen(environment, kind, choosing.ids_in(request.GET)), None, request.get_full_path())


def _branch(organization: Organization, kind: PlanKind) -> Target:
    query = {"branch": organization.oid} | ({"kind": kind.value} if kind == PlanKind.DEACTIVATE else {})
    url = reverse("plan-new", args=[organization.environment]) + "?" + urlencode(query)
    return Target(drafts.branch(organization, kind), organization, url)


def _answer(request: HttpRequest, target: Target, draft: Draft) -> HttpResponse:
    if request.method != "POST":
        return _show(request, target, draft, _form(draft))
    bound = Bound(request.POST)
    if lost.came_back(request):
        form = _form(draft, initial=_typed(request))
        return _show(request, target, draft, form, notes=[lost.SENTENCE], status=422)
    return _made(request, target, draft, bound)


def _made(request: HttpRequest, target: Target, draft: Draft, bound: Bound) -> HttpResponse:
    """Send what was reviewed, or say why not and show what is so now."""
    form = _form(draft, request.POST)
    missing = {question.key for question in draft.questions} - bound.ticked
    is_whole = form.is_valid() and not missing
    if bound.sha256 == draft.sha256 and draft.size and not is_whole:
        return _show(request, target, draft, form, missing=missing, status=422)
    try:
        plan = plans.make(
            target.chosen,
            sha256=bound.sha256,
            ticked=bound.ticked,
            reason=form.given if form.is_valid() else "",
            typed=request.POST.get("number", ""),
            actor=actor(request),
        )
    except PlanMade as fault:
        plan = fault.plan
        messages.info(request, drawn.already_sent(plan))
    except NotDone as fault:
        return _shown_anew(request, target, fault)
    return redirect(plan_url(plan))


def _shown_anew(request: HttpRequest, before: Target, fault: NotDone) -> HttpResponse:
    """The plan as it is now; a branch may have another record by now."""
    root = before.root
    environment = Environment(before.chosen.environment)
    target = _branch(organization_or_404(environment, root.oid), before.chosen.kind) if root else before
    draft = drafts.draft(target.chosen, actor=actor(request))
    news = drawn.what_is_new(drawn.page(draft), request.POST.get("planned", ""), request.POST.get("left", ""))
    note = str(fault) if isinstance(fault, OutOfDate) else f"{fault} Nothing was sent."
    form = _form(draft, initial=_typed(request) | {"number": ""})
    notes = [f"{note} {news}".rstrip()]
    return _show(request, target, draft, form, notes=notes, status=409)


def _form(draft: Draft, data: Any = None, **values: Any) -> PlanForm | BranchForm:
    word, number = draft.environment.label, draft.number_to_type
    if draft.kind != PlanKind.DEACTIVATE:
        return PlanForm(data, needs_reason=draft.needs_reason, number_to_type=number, word=word, **values)
    planned = [made.organization.pk for made in draft.reviews]

    def replacement(typed: str) -> Replacement | str:
        return other_record(draft.environment, typed, without=planned)

    form = BranchForm(data, number_to_type=number, word=word, replacement=replacement, **values)
    form.fields["replaced_by"].widget.attrs |= suggesting(draft.environment)
    return form


def _typed(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in ("reason", "why", "replaced_by", "in_words", "number")}


def _show(
    request: HttpRequest,
    target: Target,
    draft: Draft,
    form: PlanForm | BranchForm,
    *,
    missing: Collection[str] = (),
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    root = target.root
    context: dict[str, Any] = {
        "page": drawn.page(draft, root=root, ticked=request.POST.getlist("tick"), missing=missing),
        "form": form,
        "root": root,
        "action": target.url,
        "section": "organizations",
        "notes": notes,
        "back_url": _back_url(target),
        "switch_url": counterpart_url(root) if root else "",
        "why_not": why_not(user_of(request), sending(draft.environment)),
        "is_unsaved": request.method == "POST",
    }
    template = "deactivation/branch.html" if draft.kind == PlanKind.DEACTIVATE else "plans/new.html"
    return render(request, template, context, status=status)


def _nothing(request: HttpRequest, target: Target, why: str) -> HttpResponse:
    context = {"section": "organizations", "why": why, "back_url": _back_url(target)}
    return render(request, "plans/nothing.html", context, status=409 if request.method == "POST" else 200)


def _back_url(target: Target) -> str:
    """The list, or the record whose branch it is."""
    if target.root is not None:
        return record_url(target.root)
    return reverse("organizations", args=[target.chosen.environment])


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
        "hold_why_not": ""
        if is_maker
        else why_not(user_of(request), sending(plan.environment), plan.environment, HOLD),
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
