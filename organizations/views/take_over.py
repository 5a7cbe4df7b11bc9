"""Take over organizations that were registered outside the portal: enter OIDs, see what was found, add records."""

from collections.abc import Callable, Collection
from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from organizations.forms.take_over import DestinationForm, FindForm, OtherForm, TakeOverForm
from organizations.models import Environment, Organization, TakeOver, TakeOverState
from organizations.pages.take_over import link as link_page
from organizations.pages.take_over import page as take_over_page
from organizations.pages.take_over.page import CALL_OURS, ENTER_BASE, TAKE_OVER, Entered, known_base_oids
from organizations.permissions import Right
from organizations.posted_numbers import read_numbers
from organizations.services.actors import Actor
from organizations.services.directory import read_candidates
from organizations.services.directory import take_over as service
from organizations.services.errors import ActionRefused, EditConflict, NumberMissing
from organizations.services.records import counterparts
from organizations.services.records.organizations import KnownDestination
from organizations.text.links import numbered_url
from organizations.text.vocabulary import count
from organizations.views import expired_session

from .access import actor, needs, posted_number, require, user_of
from .rendering import reload_page, render_page

CHANGED_SINCE = "Some of these records changed since the page was opened. Compare again. Nothing was changed."
MOST_UNTICKED = 500
"""How many unticked organizations an address can name. Of more, those of the shown page are kept first."""
FILES_AGAIN = "A browser does not keep chosen files: choose them again. Everything else that you entered is still here."


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def begin(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The page on which people enter OIDs and old messages. Only Queries are sent."""
    if request.method != "POST":
        return _show_begin(request, environment, TakeOverForm(initial={"oids": request.GET.get("oids", "")}))
    require(request, Right.EDIT, environment=environment, act=TAKE_OVER)
    if expired_session.must_restore_form(request):
        form = TakeOverForm(initial=read_candidates.without_secrets(request.POST).dict())
        return _show_begin(request, environment, form, notes=[expired_session.NOTICE], status=422)
    if "find" in request.POST:
        return _find(request, environment)
    if "fill" in request.POST:  # from a page that lists OIDs; they can be too many for an address
        return _show_begin(request, environment, TakeOverForm(initial={"oids": request.POST.get("oids", "")}))
    return _read_and_begin(request, environment)


def _find(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Begin to search the whole directory for our organizations."""
    form = take_over_page.find_form(request.POST)
    base_oids = _base_oids(request, environment, form)
    if not form.is_valid():
        return _show_begin(request, environment, TakeOverForm(), find=form, status=422)
    try:
        asks_probes = form.cleaned_data["asks_probes"]
        made = service.begin_scan(environment, base_oids=base_oids, asks_probes=asks_probes, actor=actor(request))
    except ActionRefused as refusal:
        return _show_begin(request, environment, TakeOverForm(), notes=[str(refusal)], status=409)
    return redirect(take_over_url(made))


def _read_and_begin(request: HttpRequest, environment: Environment) -> HttpResponse:
    posted = request.POST.copy()
    # Ticked in a search, and typed.
    posted["oids"] = "\n".join([*posted.getlist("oid"), posted.get("oids", "")])
    form = TakeOverForm(read_candidates.without_secrets(posted), request.FILES)
    base_oids = _base_oids(request, environment, form)
    entered = _read(request, environment, posted)
    for field, sentence in entered.errors:
        form.add_error(field, sentence)
    if not form.is_valid():
        return _show_begin(request, environment, form, status=422)
    return _begin(request, environment, form, entered, base_oids)


def _read(request: HttpRequest, environment: Environment, posted: QueryDict) -> read_candidates.Entered:
    fields = ("oids", read_candidates.OLD_MESSAGES, "list_source")
    oids, old_messages, list_source = (str(posted.get(field, "")) for field in fields)
    return read_candidates.read(environment, oids, old_messages, _files(request), list_source=list_source)


def _files(request: HttpRequest) -> dict[str, bytes]:
    """The files with old messages by their names; none if they are too many, because the form refuses them."""
    files = request.FILES.getlist("message_files")
    return {} if len(files) > settings.MOST_FILES else {file.name or "": file.read() for file in files}


def _begin(
    request: HttpRequest,
    environment: Environment,
    form: TakeOverForm,
    entered: read_candidates.Entered,
    base_oids: Collection[str],
) -> HttpResponse:
    try:
        made = service.begin(
            environment,
            entered.candidates,
            kind=entered.kind,
            base_oids=base_oids,
            problems=[problem._asdict() for problem in entered.problems],
            actor=actor(request),
        )
    except ActionRefused as refusal:
        return _show_begin(request, environment, form, notes=[str(refusal)], status=409)
    return redirect(take_over_url(made))


def _base_oids(request: HttpRequest, environment: Environment, form: TakeOverForm | FindForm) -> Collection[str]:
    """The base OIDs. If none is known, an approver must enter one."""
    known = known_base_oids(environment)
    if known:
        return known
    require(request, Right.RESOLVE, environment=environment, act=ENTER_BASE)
    base_oid, error = read_candidates.read_base_oid(environment, form.data.get(form.add_prefix("base_oid"), ""))
    if error:
        form.add_error("base_oid", error)
    return [base_oid]


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, list_number: int) -> HttpResponse:
    """The answer of the directory about each OID, and the actions that a person can choose."""
    take_over = _take_over_or_404(environment, list_number)
    if request.method != "POST":
        return _show(
            request, take_over, Entered(other_oid=request.GET.get("other", ""), opened=request.GET.get("open", ""))
        )
    act = next((name for name in _ACTS if name in request.POST), "save")
    right, what = (Right.RESOLVE, CALL_OURS) if act == "other" else (Right.EDIT, TAKE_OVER)
    require(request, right, environment=environment, act=what)
    if expired_session.must_restore_form(request):
        return _show(request, take_over, _typed(request), notes=[expired_session.NOTICE], status=422)
    return _act(request, take_over, act)


def _act(request: HttpRequest, take_over: TakeOver, act: str) -> HttpResponse:
    """Carry out the pressed button."""
    try:
        return _ACTS[act](request, take_over, actor(request))
    except ActionRefused as refusal:
        take_over.refresh_from_db()
        return _show(request, take_over, _typed(request), notes=[str(refusal)], status=409)


@require_safe
@needs(Right.VIEW)
def progress(request: HttpRequest, environment: Environment, list_number: int) -> HttpResponse:
    """The progress of the worker, for an open page. If it has ended, the page is loaded again."""
    take_over = _take_over_or_404(environment, list_number)
    if take_over.state == TakeOverState.READY:
        return reload_page()
    return render_page(request, take_over_page.build_progress(take_over, user_of(request)))


@require_safe
@needs(Right.VIEW)
def values(request: HttpRequest, environment: Environment, list_number: int, oid: str) -> HttpResponse:
    """The values of one organization, for an open page. Without JavaScript the page opens its row."""
    take_over = _take_over_or_404(environment, list_number)
    if not request.headers.get("HX-Request"):
        return redirect(f"{take_over_url(take_over)}?open={oid}#of-{oid}")
    return render_page(request, take_over_page.build_values(take_over, oid))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.VIEW)
def link(request: HttpRequest, environment: Environment, list_number: int) -> HttpResponse:
    """Pairs of an added record and one of the other environment, side by side. A POST links those that are ticked."""
    take_over = _take_over_or_404(environment, list_number)
    if request.method != "POST":
        return render_page(request, link_page.build(take_over, user_of(request)))
    require(request, Right.EDIT, environment=environment)
    if not request.POST.getlist("pair"):
        return _show_link(request, take_over, "Choose at least one pair.", status=422)
    return _link(request, take_over)


def _link(request: HttpRequest, take_over: TakeOver) -> HttpResponse:
    pairs = link_page.chosen_pairs(take_over, request.POST.getlist("pair"))
    try:
        if pairs is None:
            raise ActionRefused(CHANGED_SINCE)
        counterparts.link_pairs(pairs, actor=actor(request))
    except EditConflict:
        return _show_link(request, take_over, CHANGED_SINCE, status=409)
    except ActionRefused as refusal:
        return _show_link(request, take_over, str(refusal), status=409)
    other = Environment(take_over.environment).other.label
    messages.success(request, f"{count(len(pairs), 'record')} linked with {other}. Nothing was sent.")
    return redirect(take_over_url(take_over))


def _show_link(request: HttpRequest, take_over: TakeOver, note: str, *, status: int) -> HttpResponse:
    page = link_page.build(take_over, user_of(request), chosen=request.POST.getlist("pair"), notes=[note])
    return render_page(request, page, status=status)


def take_over_url(take_over: TakeOver) -> str:
    return numbered_url("take-over-list", take_over.environment, take_over.pk)


def _stop(request: HttpRequest, take_over: TakeOver, who: Actor) -> HttpResponse:
    service.stop_asking(take_over.pk, actor=who)
    return redirect(_with_unticked(request, take_over, take_over_url(take_over)))


def _ask_again(request: HttpRequest, take_over: TakeOver, who: Actor) -> HttpResponse:
    """Store the destination IDs of this page of the list, and ask again."""
    changed = _store_destinations(request, take_over, who)
    if changed is None:
        return _show(request, take_over, _typed(request), status=422)
    service.ask_again(take_over.pk, actor=who)
    if changed:
        messages.success(request, f"{count(changed, 'destination ID')} saved. Nothing was sent.")
    return redirect(_same_page(request, take_over))


def _save(request: HttpRequest, take_over: TakeOver, who: Actor) -> HttpResponse:
    """Store the destination IDs of this page of the list."""
    changed = _store_destinations(request, take_over, who)
    if changed is None:
        return _show(request, take_over, _typed(request), status=422)
    messages.success(request, f"{count(changed, 'destination ID')} saved. Nothing was sent.")
    return redirect(_same_page(request, take_over))


def _store_destinations(request: HttpRequest, take_over: TakeOver, who: Actor) -> int | None:
    """Store the destination IDs of this page of the list. Returns how many changed; None if one is not valid."""
    forms = _posted_forms(request, take_over)
    if not _are_valid(take_over, forms):
        return None
    shown = _shown_destinations(request, forms)
    return service.set_destinations(take_over.pk, _entered_destinations(forms), shown=shown, actor=who)


def _take(request: HttpRequest, take_over: TakeOver, who: Actor) -> HttpResponse:
    """Store the destination IDs of this page, and choose the ticked organizations, or all."""
    if _store_destinations(request, take_over, who) is None:
        return _show(request, take_over, _typed(request), status=422)
    if "take-all" in request.POST:
        service.take_all(take_over.pk, actor=who)
    else:
        service.take(take_over.pk, request.POST.getlist("oid"), actor=who)
    return redirect(_with_unticked(request, take_over, take_over_url(take_over)))


def _set_for_all(request: HttpRequest, take_over: TakeOver, who: Actor) -> HttpResponse:
    form = take_over_page.for_all_form(request.POST)
    if not form.is_valid():
        return _show(request, take_over, Entered(for_all=form), status=422)
    destination, shown = KnownDestination(form.entered_id, form.entered_source), posted_number(request, "all-number")
    try:
        number = service.set_destination_for_all(take_over.pk, destination, shown, actor=who)
    except NumberMissing as missing:
        form.add_error("number", str(missing))
        return _show(request, take_over, Entered(for_all=form), status=422)
    messages.success(request, f"{count(number, 'destination ID')} saved. Nothing was sent.")
    return redirect(_same_page(request, take_over))


def _take_other(request: HttpRequest, take_over: TakeOver, who: Actor) -> HttpResponse:
    form, oid = OtherForm(request.POST), request.POST.get("other", "")
    organization = _try_to_take_other(take_over, oid, form, who) if form.is_valid() else None
    if organization is None:
        return _show(request, take_over, Entered(other_oid=oid, other_form=form), status=422)
    messages.success(request, f"{organization.name} was taken over. Nothing was sent.")
    return redirect(_with_unticked(request, take_over, take_over_url(take_over)))


def _try_to_take_other(take_over: TakeOver, oid: str, form: OtherForm, who: Actor) -> Organization | None:
    """The new record; None with an error at the field if the OID was not typed."""
    typed_oid, reason = form.oid_text, form.reason_text
    try:
        return service.take_other(take_over.pk, oid, typed_oid=typed_oid, reason=reason, actor=who)
    except NumberMissing as missing:
        form.add_error("typed_oid", str(missing))
    return None


_ACTS: dict[str, Callable[[HttpRequest, TakeOver, Actor], HttpResponse]] = {
    "stop": _stop,
    "again": _ask_again,
    "for-all": _set_for_all,
    "other": _take_other,
    "take-all": _take,
    "take": _take,
    "save": _save,
}
"""The actions of the page's buttons, by the name of the button."""


def _posted_forms(request: HttpRequest, take_over: TakeOver) -> dict[str, DestinationForm]:
    """The forms of the destination IDs on the posted page of the list, by OID."""
    candidates = [each for each in take_over.candidates.all() if f"c{each.pk}-source" in request.POST]
    forms = take_over_page.destination_forms(candidates, request.POST)
    return {each.oid: forms[each.pk] for each in candidates}


def _are_valid(take_over: TakeOver, forms: dict[str, DestinationForm]) -> bool:
    """Whether all are valid. Each is checked, so that the page shows every error.

    Raises:
        ActionRefused: an organization whose form is not valid is a record by now. The page shows no form for it now.
    """
    invalid = [oid for oid, form in forms.items() if not form.is_valid()]
    service.refuse_records(take_over, invalid)
    return not invalid


def _entered_destinations(forms: dict[str, DestinationForm]) -> dict[str, KnownDestination]:
    return {oid: KnownDestination(form.entered_id, form.entered_source) for oid, form in forms.items()}


def _shown_destinations(request: HttpRequest, forms: dict[str, DestinationForm]) -> dict[str, KnownDestination]:
    """The destination IDs that the page showed before somebody typed, by OID."""
    posted = request.POST
    return {
        oid: KnownDestination(posted.get(f"{form.prefix}-was_id", ""), posted.get(f"{form.prefix}-was_source", ""))
        for oid, form in forms.items()
    }


def _same_page(request: HttpRequest, take_over: TakeOver) -> str:
    """The page of the list from which somebody posted. Its address names the organizations that are not ticked."""
    return _with_unticked(request, take_over, f"{take_over_url(take_over)}?page={posted_number(request, 'page') or 1}")


def _with_unticked(request: HttpRequest, take_over: TakeOver, url: str) -> str:
    """`url` with the numbers of the organizations that are not ticked: on the posted page, and on other pages."""
    offered = read_numbers(request.POST.getlist("offered"))
    candidates = take_over.candidates.filter(pk__in=offered).exclude(oid__in=request.POST.getlist("oid"))
    unticked = [*candidates.values_list("pk", flat=True), *sorted(_unticked_in_address(request).difference(offered))]
    if not unticked:
        return url
    return f"{url}{'&' if '?' in url else '?'}unticked={'.'.join(map(str, unticked[:MOST_UNTICKED]))}"


def _unticked_in_address(request: HttpRequest) -> frozenset[int]:
    return frozenset(read_numbers(request.GET.get("unticked", "").split(".")))


def _take_over_or_404(environment: Environment, number: int) -> TakeOver:
    take_over = TakeOver.objects.filter(environment=environment, pk=number).select_related("made_by").first()
    if take_over is None:
        raise Http404(f"No take-over {number} in {environment.label}.")
    return take_over


def _show_begin(
    request: HttpRequest,
    environment: Environment,
    form: TakeOverForm,
    *,
    find: FindForm | None = None,
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    is_unsaved = request.method == "POST" and "find" not in request.POST
    notes = [*notes, *([FILES_AGAIN] if request.FILES else [])]
    user = user_of(request)
    page = take_over_page.build_begin(environment, user, form, find=find, notes=notes, is_unsaved=is_unsaved)
    return render_page(request, page, status=status)


def _show(
    request: HttpRequest,
    take_over: TakeOver,
    entered: Entered | None = None,
    *,
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    number = (request.POST if request.method == "POST" else request.GET).get("page")
    entered = replace(entered or Entered(), unticked=_unticked_in_address(request))
    page = take_over_page.build(take_over, user_of(request), number=number, entered=entered, notes=notes)
    return render_page(request, page, status=status)


def _typed(request: HttpRequest) -> Entered:
    """The posted texts and ticks, for a page that is shown again."""
    chosen = frozenset(request.POST.getlist("oid"))
    if "for-all" in request.POST or "other" in request.POST:
        return Entered()
    return Entered(fields=request.POST, chosen=chosen)
