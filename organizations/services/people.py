"""People: signing in and out, refused acts, and changes of accounts and roles, each with its entry."""

import datetime

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import Group
from django.http import HttpRequest

from organizations.folding import fold
from organizations.models import Action, AuditEntry, User, clock
from organizations.permissions import ROLES, Right, act_in, refusal

from . import audit
from .actors import Actor, person, system

MOST_TRIES = 5
TRIES_WITHIN = datetime.timedelta(minutes=15)


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request."""
    address = getattr(request, "client_address", "")
    request_id = getattr(request, "request_id", "")
    if isinstance(request.user, User):
        signed_in_by = request.session.get("signed_in_by", "password")
        return person(request.user, signed_in_by=signed_in_by, address=address, request_id=request_id)
    return Actor(name="Somebody not signed in", address=address, request_id=request_id)


def sign_in(request: HttpRequest, user: User, *, signed_in_by: str = "password") -> None:
    """Begin a session. The session's id changes, so that one from before is worth nothing (ASVS 3.2.1)."""
    login(request, user)
    request.session["signed_in_by"] = signed_in_by
    _note(actor_of(request), Action.PERSON_SIGNED_IN, user)


def sign_out(request: HttpRequest) -> None:
    """End the session."""
    if isinstance(request.user, User):
        _note(actor_of(request), Action.PERSON_SIGNED_OUT, request.user)
    logout(request)


def sign_in_refused(request: HttpRequest, username: str) -> None:
    """Note a sign-in with a wrong name or password. The password is not handed here."""
    actor = actor_of(request)
    with audit.recorded(actor) as history:
        history.add(
            Action.PERSON_REFUSED,
            object={"type": "person", "id": "", "name": username[:150]},
            reason="wrong name or password",
        )


def closed_until(request: HttpRequest, username: str) -> datetime.datetime | None:
    """Until when a name is not let in from this address, after five wrong tries in a quarter of an hour (ASVS 2.2.1).

    The tries are counted in the history, which all processes share. None: it may be tried.
    """
    address = actor_of(request).address
    recent = AuditEntry.objects.filter(
        action=Action.PERSON_REFUSED,
        at__gt=clock.now() - TRIES_WITHIN,
        search_text__contains=fold(username),
    ).order_by("-sequence")
    tries = [entry.at for entry in recent[:200] if _is_try(entry, username, address)]
    return tries[MOST_TRIES - 1] + TRIES_WITHIN if len(tries) >= MOST_TRIES else None


def _is_try(entry: AuditEntry, username: str, address: str) -> bool:
    facts = entry.facts
    return bool(facts["object"]["name"] == username and facts["actor"]["address"] == address)


def refused(request: HttpRequest, right: Right, *, environment: str = "", oid: str = "", act: str = "") -> str:
    """Note an act that a person had no right to, and give back the sentence for the page."""
    sentence = refusal(right, environment, act)
    with audit.recorded(actor_of(request)) as history:
        history.add(
            Action.PERMISSION_REFUSED,
            object={"type": "right", "id": right.value, "name": request.path},
            environment=environment,
            oid=oid,
            reason=sentence,
            details={"act": act_in(right, environment, act)},
        )
    return sentence


def save(user: User, *, groups: list[Group] | None = None, what: str, actor: Actor) -> User:
    """Save an account, with its roles when they are given. Who manages people may open the pages for it."""
    if groups is not None:
        manages = any(Right.MANAGE_PEOPLE in ROLES.get(group.name, ()) for group in groups)
        user.is_staff = user.is_superuser or manages
    with audit.recorded(actor) as history:
        user.save()
        if groups is not None:
            user.groups.set(groups)
        roles = sorted(user.groups.values_list("name", flat=True))
        history.add(
            Action.PERSON_CHANGED,
            object={"type": "person", "id": str(user.pk), "name": user.get_username()},
            reason=what,
            details={"roles": roles, "active": user.is_active, "staff": user.is_staff},
        )
    return user


def change_password(user: User, password: str, *, actor: Actor) -> None:
    """Set a password."""
    user.set_password(password)
    save(user, what="password changed", actor=actor)


def export_made(request: HttpRequest, what: str, *, environment: str = "", count: int) -> None:
    """Note that records or history left the portal as a file."""
    with audit.recorded(actor_of(request)) as history:
        history.add(
            Action.EXPORT_MADE,
            object={"type": "export", "id": "", "name": what},
            environment=environment,
            details={"rows": count},
        )


def check_password(request: HttpRequest, username: str, password: str) -> User | None:
    """The account that this name and password open, or None."""
    user = authenticate(request, username=username, password=password)
    return user if isinstance(user, User) else None


def demonstration_actor() -> Actor:
    return system("Demonstration")


def _note(actor: Actor, action: Action, user: User) -> None:
    with audit.recorded(actor) as history:
        history.add(action, object={"type": "person", "id": str(user.pk), "name": user.get_username()})
