"""Change accounts, passwords and roles, with a history entry for each change; log refused actions and exports."""

from django.contrib.auth.models import Group
from django.http import HttpRequest

from organizations.models import Action, RoleGrant, User, clock
from organizations.permissions import Right, act_in, manages_people, refusal
from organizations.services.accounts import passwords
from organizations.services.actors import Actor, name_with_username, person
from organizations.services.audit import audit, repeated_actions
from organizations.services.errors import ActionRefused, NameTaken, PasswordRefused

ACCOUNT_FIELDS = ["first_name", "last_name", "email", "is_active", "session_stamp"]
PASSWORD_FIELDS = ["password", "must_change_password", "disclosed_passwords"]
UNIQUE_FIELDS = ["first_name", "last_name", "is_active"]


def actor_of(request: HttpRequest) -> Actor:
    """The actor of this request."""
    address = getattr(request, "client_address", "")
    request_id = getattr(request, "request_id", "")
    if isinstance(request.user, User):
        signed_in_by = request.session.get("signed_in_by", "password")
        return person(request.user, signed_in_by=signed_in_by, address=address, request_id=request_id)
    return Actor(name="Somebody not signed in", address=address, request_id=request_id)


def note_refusal(request: HttpRequest, right: Right, *, environment: str = "", oid: str = "", act: str = "") -> str:
    """Write a history entry about an action that a person has no right to. Returns the sentence for the page."""
    sentence = refusal(right, environment, act)
    what = act_in(right, environment, act)
    repeated_actions.log_action(
        actor_of(request),
        Action.PERMISSION_REFUSED,
        right.value,
        what,
        object={"type": "right", "id": right.value, "name": request.path},
        environment=environment,
        oid=oid,
        reason=sentence,
        details={"act": what},
    )
    return sentence


def save(
    user: User,
    *,
    groups: list[Group] | None = None,
    password: str | None = None,
    is_own_password: bool = False,
    opened_with: str | None = None,
    what: str,
    actor: Actor,
) -> User:
    """Save an account, with roles and a new password if they are given.

    Closing an account ends its sessions. A password that somebody else sets must be changed at the next sign-in.
    `is_own_password`: the person typed it into a command. `opened_with`: the fingerprint of the account on the page.

    Raises:
        PasswordRefused: the password does not follow the rules.
        NameTaken: the name cannot be used, for example because another person has a similar one.
        ActionRefused: the account does not allow this change, somebody changed it after its page was opened, or the
            actor is no longer an administrator.
    """
    with audit.atomic(actor) as history:
        roles = _lock_roles()
        _require_manager(actor, user)
        before = _lock_account(user, opened_with) if user.pk else None
        old_roles = {group.pk for group in before.groups.all()} if before else set()
        new_roles = old_roles if groups is None else {group.pk for group in groups}
        _check(user, before, actor, changes_roles=new_roles != old_roles, sets_password=password is not None)
        if password is not None:
            _set_password(user, before, password, is_own=is_own_password or _is_self(actor, before))
        _write(user, before, sets_password=password is not None)
        if groups is not None:
            user.groups.set(groups)
        added, removed = ([roles[pk] for pk in sorted(pks)] for pks in (new_roles - old_roles, old_roles - new_roles))
        _record_grants(user, added, removed, actor)
        _note(history, user, before, what, added, removed)
    return user


def change_password(user: User, password: str, *, actor: Actor) -> None:
    """Set a password.

    Raises:
        PasswordRefused: the password does not follow the rules.
        ActionRefused: only the person can set this password.
    """
    user.refresh_from_db()  # only the password changes
    save(user, password=password, what="password changed", actor=actor)


def give_first_password(user: User, *, opened_with: str, actor: Actor) -> str:
    """Generate and set a password for somebody who has none or forgot it. Returns the password.

    It is stored only as a hash, so the caller must show it now. The person's sessions end.

    Raises:
        ActionRefused: the account is the actor's own, only the person can set the password, or somebody changed the
            account after its page was opened.
    """
    if _is_self(actor, user):
        raise ActionRefused("Change your own password on your account page: it asks for the old one.")
    password = passwords.generate(user)
    save(user, password=password, opened_with=opened_with, what="first password made", actor=actor)
    return password


def note_export(request: HttpRequest, what: str, *key: str, environment: str = "", count: int) -> None:
    """Write a history entry about an export. A HEAD request exports nothing.

    Repeats of the same export are counted in one entry. `key` distinguishes exports with the same `what`.
    """
    if request.method == "HEAD":
        return
    repeated_actions.log_action(
        actor_of(request),
        Action.EXPORT_MADE,
        what,
        *key,
        object={"type": "export", "id": "", "name": what},
        environment=environment,
        details={"rows": count},
    )


def _lock_roles() -> dict[int, Group]:
    """The roles by id, locked, so that two accounts saved at the same time cannot get the same name."""
    return {group.pk: group for group in Group.objects.order_by("pk").select_for_update(no_key=True)}


def _require_manager(actor: Actor, user: User) -> None:
    """Refuse an actor who has lost the right, so that two administrators cannot close each other's accounts."""
    if actor.person is None or actor.id == user.pk:
        return
    if not manages_people(User.objects.get(pk=actor.person.pk)):
        raise ActionRefused("You can no longer manage people and roles. Nothing was saved.")


def _lock_account(user: User, opened_with: str | None) -> User:
    """The stored account, locked. Raises ActionRefused if it changed after its form was opened."""
    before = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    stale = before.stale_error(opened_with) if opened_with is not None else None
    if stale:
        raise ActionRefused(stale)
    return before


def _is_self(actor: Actor, before: User | None) -> bool:
    return before is not None and actor.id == before.pk


def _check(user: User, before: User | None, actor: Actor, *, changes_roles: bool, sets_password: bool) -> None:
    """Refuse changes of this account that nobody can make."""
    if before is not None and sets_password and not user.is_active:
        raise ActionRefused(f"The account of {before.display_name} is closed. Reopen it first. Nothing was saved.")
    if before is not None and before.username != user.username:
        raise ActionRefused(f"The user name stays '{before.username}': the history names the person by it.")
    if before is not None and _is_self(actor, before):
        if changes_roles:
            raise ActionRefused("You cannot change your own roles. Ask another administrator.")
        if before.is_active and not user.is_active:
            raise ActionRefused("You cannot close your own account. Ask another administrator.")
    elif before is not None and before.is_superuser and sets_password and actor.person is not None:
        raise ActionRefused(
            f"Only {before.display_name} can set this password: the account was made at the machine. "
            f"If it is forgotten, set it there: ./dev changepassword {before.username}"
        )
    is_renamed = before is None or any(getattr(user, name) != getattr(before, name) for name in UNIQUE_FIELDS)
    error = user.name_error() if is_renamed and (user.is_active or before is None) else None
    if error is not None:
        raise NameTaken(*error)


def _set_password(user: User, before: User | None, password: str, *, is_own: bool) -> None:
    passwords.require(password, user)
    if before is not None:
        if is_own and before.check_password(password):
            raise PasswordRefused("This is the old password. Choose another one.")
        if is_own and before.is_disclosed_password(password):
            raise PasswordRefused("Somebody else set this password before and knows it. Choose another one.")
        replaced = [before.password] if before.must_change_password else []
        user.disclosed_passwords = [*before.disclosed_passwords, *replaced]
    user.set_password(password)
    user.must_change_password = not is_own


def _write(user: User, before: User | None, *, sets_password: bool) -> None:
    if before is None:
        user.save()
        return
    is_closed_now = before.is_active and not user.is_active
    user.session_stamp = before.session_stamp + (1 if is_closed_now else 0)
    user.save(update_fields=[*ACCOUNT_FIELDS, *(PASSWORD_FIELDS if sets_password else [])])


def _note(
    history: audit.History, user: User, before: User | None, what: str, added: list[Group], removed: list[Group]
) -> None:
    names = [before.get_full_name(), user.get_full_name()] if before else []
    history.log(
        Action.PERSON_CHANGED,
        object={"type": "person", "id": str(user.pk), "name": user.get_username(), "display": user.get_full_name()},
        reason=what,
        details={
            "roles": sorted(user.groups.values_list("name", flat=True)),
            "given": sorted(group.name for group in added),
            "taken": sorted(group.name for group in removed),
            "active": user.is_active,
            **({"was": names[0], "now": names[1]} if len(set(names)) > 1 else {}),
        },
    )


def _record_grants(user: User, added: list[Group], removed: list[Group], actor: Actor) -> None:
    RoleGrant.objects.filter(user=user, group__in=[*added, *removed]).delete()
    by, now = name_with_username(actor.name, actor.username), clock.now()
    RoleGrant.objects.bulk_create(
        RoleGrant(user=user, group=group, given_by=by, given_by_id=actor.id, given_at=now) for group in added
    )
