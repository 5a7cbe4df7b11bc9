"""Several records at once: the draft of a plan, and the page of a plan that was made."""

from collections.abc import Callable, Collection

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.forms.deactivation import BranchForm
from organizations.forms.plan import PlanForm
from organizations.forms.review import PostedReview
from organizations.models import Environment, Organization, Plan, PlanKind
from organizations.pages.addresses import plan_url
from organizations.pages.plan import draft_page
from organizations.pages.plan import page as plan_page
from organizations.pages.plan.draft import changes_since, draft_content, plan_already_sent
from organizations.pages.plan.draft_page import PlanTarget
from organizations.pages.plan.page import PAUSE_OR_STOP
from organizations.permissions import Right, right_to_send
from organizations.queries import chosen_records
from organizations.services.errors import ActionRefused, OutOfDate, PlanMade
from organizations.services.outbox import plans
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords, PlanDraft
from organizations.views import expired_session

from .access import actor, needs, organization_or_404, require, user_of
from .rendering import render_page

LONGEST_OID = 64
TYPED = ("reason", "why", "replaced_by", "in_words", "number")


@require_safe
@needs(Right.VIEW)
def index(request: HttpRequest, environment: Environment) -> HttpResponse:
    """All plans of an environment, the newest first."""
    return render_page(request, plan_page.build_list(environment, request.GET.get("page")))


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def new(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The draft: the messages for the chosen records, or for a whole branch."""
    target, is_post = _target(request, environment), request.method == "POST"
    if is_post:
        require(request, right_to_send(environment), environment=environment)
    try:
        draft = plan_draft.draft_plan(target.chosen, actor=actor(request))
        if not draft.reviews and not draft.left_out:
            return _show_nothing(request, target, "No record was chosen.")
        return _handle_post(request, target, draft) if is_post else _show(request, target, draft)
    except ActionRefused as error:  # more records than a plan can have
        return _show_nothing(request, target, str(error))


def deactivate_branch(
    request: HttpRequest, organization: Organization, *, notes: Collection[str] = (), status: int = 200
) -> HttpResponse:
    """The draft that deactivates a record and its active descendants, on the page for deactivating the record."""
    target = PlanTarget.branch(organization, PlanKind.DEACTIVATE)
    try:
        draft = plan_draft.draft_plan(target.chosen, actor=actor(request))
    except ActionRefused as error:
        return _show_nothing(request, target, str(error))
    form = draft_page.plan_form(draft, typed=_typed(request) | {"number": ""}) if request.method == "POST" else None
    return _show(request, target, draft, form, notes=notes, status=status)


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """One plan, and the state of each of its submissions."""
    return render_page(request, plan_page.build(_plan_or_404(environment, plan), user_of(request)))


@require_safe
@needs(Right.VIEW)
def state(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """The new state for an open page, or status 204 if nothing changed."""
    chosen, seen = _plan_or_404(environment, plan), request.GET.get("since", "")
    page = plan_page.build_state(chosen, user_of(request), seen)
    response = render_page(request, page) if page else HttpResponse(status=204)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@needs(Right.EDIT, PAUSE_OR_STOP)
def pause(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """Pause the plan. Its maker can, and everybody who can send to the environment."""
    return _act_on_plan(
        request, environment, plan, plans.pause_plan, "Paused. Nothing more is sent until somebody resumes it."
    )


@require_POST
@needs(Right.EDIT, PAUSE_OR_STOP)
def resume(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """Resume a paused plan."""
    return _act_on_plan(request, environment, plan, plans.resume_plan, "Resumed.")


@require_POST
@needs(Right.EDIT, PAUSE_OR_STOP)
def stop(request: HttpRequest, environment: Environment, plan: int) -> HttpResponse:
    """Stop a plan for good."""
    return _act_on_plan(
        request, environment, plan, plans.stop_plan, "Stopped. Submissions that were not sent were cancelled."
    )


def _target(request: HttpRequest, environment: Environment) -> PlanTarget:
    deactivates = request.GET.get("kind") == PlanKind.DEACTIVATE
    kind = PlanKind.DEACTIVATE if deactivates else PlanKind.SEND
    if "branch" in request.GET:
        oid = request.GET["branch"].replace("\x00", "")[:LONGEST_OID]
        return PlanTarget.branch(organization_or_404(environment, oid), kind)
    return PlanTarget(
        ChosenRecords(environment, kind, chosen_records.ids_in(request.GET)), None, request.get_full_path()
    )


def _handle_post(request: HttpRequest, target: PlanTarget, draft: PlanDraft) -> HttpResponse:
    """Make the reviewed plan, or ask for missing values and ticks."""
    if expired_session.must_restore_form(request):
        form = draft_page.plan_form(draft, typed=_typed(request))
        return _show(request, target, draft, form, notes=[expired_session.NOTICE], status=422)
    form, posted = draft_page.plan_form(draft, request.POST), PostedReview(request.POST)
    missing = {question.key for question in draft.questions} - posted.ticked
    is_whole = form.is_valid() and not missing
    if posted.sha256 == draft.sha256 and draft.size and not is_whole:
        return _show(request, target, draft, form, missing=missing, status=422)
    return _make_plan(request, target, form)


def _make_plan(request: HttpRequest, target: PlanTarget, form: PlanForm | BranchForm) -> HttpResponse:
    """Make the reviewed plan, or show why this is not possible and the current draft."""
    posted, reason = PostedReview(request.POST), form.reason_text if form.is_valid() else ""
    typed, by = request.POST.get("number", ""), actor(request)
    try:
        plan = plans.make_plan(
            target.chosen, sha256=posted.sha256, ticked=posted.ticked, reason=reason, typed=typed, actor=by
        )
    except PlanMade as error:
        plan = error.plan
        messages.info(request, plan_already_sent(plan))
    except ActionRefused as error:
        return _show_changed(request, target, error)
    return redirect(plan_url(plan))


def _show_changed(request: HttpRequest, target: PlanTarget, error: ActionRefused) -> HttpResponse:
    """The current draft, and what changed in it."""
    draft = plan_draft.draft_plan(target.chosen, actor=actor(request))
    changes = changes_since(draft_content(draft), request.POST.get("planned", ""), request.POST.get("left", ""))
    note = str(error) if isinstance(error, OutOfDate) else f"{error} Nothing was sent."
    form = draft_page.plan_form(draft, typed=_typed(request) | {"number": ""})
    return _show(request, target, draft, form, notes=[f"{note} {changes}".rstrip()], status=409)


def _typed(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in TYPED}


def _show(
    request: HttpRequest,
    target: PlanTarget,
    draft: PlanDraft,
    form: PlanForm | BranchForm | None = None,
    *,
    missing: Collection[str] = (),
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    page = draft_page.build(
        target,
        draft,
        user_of(request),
        form,
        ticked=request.POST.getlist("tick"),
        missing=missing,
        notes=notes,
    )
    return render_page(request, page, status=status)


def _show_nothing(request: HttpRequest, target: PlanTarget, why: str) -> HttpResponse:
    status = 409 if request.method == "POST" else 200
    return render_page(request, draft_page.build_nothing(target, why), status=status)


def _plan_or_404(environment: Environment, number: int) -> Plan:
    plan = Plan.objects.filter(environment=environment, pk=number).select_related("made_by").first()
    if plan is None:
        raise Http404(f"No plan {number} in {environment.label}.")
    return plan


def _act_on_plan(
    request: HttpRequest, environment: Environment, number: int, act: Callable[..., Plan], done: str
) -> HttpResponse:
    plan = _plan_or_404(environment, number)
    if plan.made_by_id != user_of(request).pk:
        require(request, right_to_send(environment), environment=environment, act=PAUSE_OR_STOP)
    try:
        act(plan.pk, actor=actor(request))
        messages.success(request, done)
    except ActionRefused as error:
        messages.error(request, str(error))
    return redirect(plan_url(plan))
