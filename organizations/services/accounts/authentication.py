"""Sign in and out, and check one's own password. Tries are throttled, and repeated history entries are counted."""

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest

from organizations.models import Action, User
from organizations.services import throttle
from organizations.services.accounts.accounts import actor_of
from organizations.services.audit import repeated_actions
from organizations.services.throttle import TooManyTries

WRONG = "wrong name or password"
WRONG_OLD = "wrong old password"
TOO_MANY = "too many wrong tries"


def try_to_sign_in(request: HttpRequest, username: str, password: str) -> User | None:
    """Sign in the person with this name and password. None, with a history entry, if they are wrong.

    Raises:
        TooManyTries: the password was not checked. The history counts this try too.
    """
    try:
        attempt = throttle.reserve_try(*throttle.sign_in_limits(username, actor_of(request).address))
    except TooManyTries as error:
        # Names do not matter here: an entry for each would fill the history.
        _note_refused_sign_in(request, "" if error.is_of_network else username, TOO_MANY)
        raise
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        _note_refused_sign_in(request, username, WRONG)
        return None
    throttle.record_success(attempt)
    sign_in(request, user)
    return user


def sign_in(request: HttpRequest, user: User, *, signed_in_by: str = "password") -> None:
    """Begin a session with a new id, so that an older session id is useless (ASVS 3.2.1)."""
    login(request, user)
    request.session["signed_in_by"] = signed_in_by
    _note(request, Action.PERSON_SIGNED_IN, user)


def sign_out(request: HttpRequest) -> None:
    """End the session."""
    if isinstance(request.user, User):
        _note(request, Action.PERSON_SIGNED_OUT, request.user)
    logout(request)


def is_own_password(request: HttpRequest, user: User, password: str) -> bool:
    """Whether this is the password of the signed-in person. A wrong one is noted in the history.

    Raises:
        TooManyTries: the password was not checked.
    """
    try:
        attempt = throttle.reserve_try(throttle.password_limit(user))
    except TooManyTries:
        _note_wrong_password(request, user, TOO_MANY)
        raise
    if user.check_password(password):
        throttle.record_success(attempt)
        return True
    _note_wrong_password(request, user, WRONG_OLD)
    return False


def _note_refused_sign_in(request: HttpRequest, username: str, reason: str) -> None:
    about = {"type": "person", "id": "", "name": username[:150]}
    repeated_actions.log_action(
        actor_of(request),
        Action.PERSON_REFUSED,
        reason,
        username,
        together={"object": about | {"name": ""}, "reason": reason},
        object=about,
        reason=reason,
    )


def _note_wrong_password(request: HttpRequest, user: User, reason: str) -> None:
    about = {"type": "password", "id": str(user.pk), "name": user.get_username()}
    repeated_actions.log_action(actor_of(request), Action.PERSON_REFUSED, reason, object=about, reason=reason)


def _note(request: HttpRequest, action: Action, user: User) -> None:
    about = {"type": "person", "id": str(user.pk), "name": user.get_username()}
    repeated_actions.log_action(actor_of(request), action, object=about)
