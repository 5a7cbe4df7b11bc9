"""Signing in and out, and asking for one's own password once more: throttled, and noted without growing without end."""

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest

from organizations.models import Action, User
from organizations.services import throttle
from organizations.services.accounts.accounts import actor_of
from organizations.services.audit import repeated_acts
from organizations.services.throttle import TooManyTries

WRONG = "wrong name or password"
WRONG_OLD = "wrong old password"
TOO_MANY = "too many wrong tries"


def try_to_sign_in(request: HttpRequest, username: str, password: str) -> User | None:
    """Sign in the person that this name and password belong to. None, with an entry in the history: they are wrong.

    Raises:
        TooManyTries: nobody looked at the password; the history counts this as well.
    """
    try:
        made = throttle.reserve_try(*throttle.sign_in_limits(username, actor_of(request).address))
    except TooManyTries as error:
        # The name may be any; so many of them would be so many entries.
        _refused(request, "" if error.is_of_block else username, TOO_MANY)
        raise
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        _refused(request, username, WRONG)
        return None
    throttle.record_success(made)
    sign_in(request, user)
    return user


def sign_in(request: HttpRequest, user: User, *, signed_in_by: str = "password") -> None:
    """Begin a session. The session's id changes, so that one from before is worth nothing (ASVS 3.2.1)."""
    login(request, user)
    request.session["signed_in_by"] = signed_in_by
    _note(request, Action.PERSON_SIGNED_IN, user)


def sign_out(request: HttpRequest) -> None:
    """End the session."""
    if isinstance(request.user, User):
        _note(request, Action.PERSON_SIGNED_OUT, request.user)
    logout(request)


def is_own_password(request: HttpRequest, user: User, password: str) -> bool:
    """Whether this is the password of the person signed in; a wrong one is noted in the history.

    Raises:
        TooManyTries: nobody looked at the password.
    """
    try:
        made = throttle.reserve_try(throttle.password_limit(user))
    except TooManyTries:
        _wrong_password(request, user, TOO_MANY)
        raise
    if user.check_password(password):
        throttle.record_success(made)
        return True
    _wrong_password(request, user, WRONG_OLD)
    return False


def _refused(request: HttpRequest, username: str, reason: str) -> None:
    about = {"type": "person", "id": "", "name": username[:150]}
    repeated_acts.log_act(
        actor_of(request),
        Action.PERSON_REFUSED,
        reason,
        username,
        together={"object": about | {"name": ""}, "reason": reason},
        object=about,
        reason=reason,
    )


def _wrong_password(request: HttpRequest, user: User, reason: str) -> None:
    about = {"type": "password", "id": str(user.pk), "name": user.get_username()}
    repeated_acts.log_act(actor_of(request), Action.PERSON_REFUSED, reason, object=about, reason=reason)


def _note(request: HttpRequest, action: Action, user: User) -> None:
    about = {"type": "person", "id": str(user.pk), "name": user.get_username()}
    repeated_acts.log_act(actor_of(request), action, object=about)
