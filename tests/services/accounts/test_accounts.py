"""Accounts: who granted which role, names that are too similar, and what is refused."""

import re
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group

from organizations.models import Action, AuditEntry, RoleGrant, User
from organizations.services.accounts import accounts
from organizations.services.actors import Actor, person, system
from organizations.services.errors import ActionRefused, NameTaken, PasswordRefused
from tests import factories

pytestmark = pytest.mark.django_db
GOOD = "three-quiet-otters"


@pytest.fixture
def boss() -> User:
    return factories.UserFactory(username="boss", first_name="Boss", last_name="One", role="administrator")


def save(user: User, actor: User | Actor, *roles: str, **values: object) -> User:
    groups = [Group.objects.get(name=role) for role in roles]
    acting_person = person(actor) if isinstance(actor, User) else actor
    return accounts.save(user, groups=groups, what="account made", actor=acting_person, **values)  # type: ignore[arg-type]


def grants(user: User) -> dict[str, str]:
    return {name: grant.given_by if grant else "" for name, grant in user.roles_given()}


def last_entry() -> dict[str, object]:
    facts: dict[str, object] = AuditEntry.objects.filter(action=Action.PERSON_CHANGED).latest("sequence").facts
    return facts


def test_each_role_names_who_granted_it(boss: User) -> None:
    other = factories.UserFactory(username="other", role="administrator")
    anna = save(User(username="anna"), boss, "viewer", "editor")
    save(anna, other, "editor", "approver")
    assert grants(anna) == {"editor": "Boss One (boss)", "approver": "other"}
    details = last_entry()["details"]
    assert isinstance(details, dict)
    assert (details["given"], details["taken"]) == (["approver"], ["viewer"])
    save(anna, other)
    save(anna, other, "editor")
    assert grants(anna) == {"editor": "other"}


@pytest.mark.one_database
def test_a_role_without_a_grant_has_no_entry_about_it(boss: User) -> None:
    assert grants(boss) == {"administrator": ""}


def test_roles_of_an_earlier_release_are_read_from_the_history(boss: User) -> None:
    anna = save(User(username="anna"), boss, "viewer")
    save(anna, system("Demonstration"), "viewer", "editor")
    anna.groups.add(Group.objects.get(name="auditor"))  # not through the service, so that there is no entry
    grants_before = grants(anna)
    RoleGrant.objects.all().delete()
    import_module("organizations.migrations.0016_accounts").find_grants(apps, None)
    assert grants(User.objects.get(pk=anna.pk)) == grants_before
    assert grants_before == {"auditor": "", "editor": "Demonstration", "viewer": "Boss One (boss)"}


@pytest.mark.parametrize(
    "names",
    [
        {"first_name": "Bőss", "last_name": "ONE"},
        {"first_name": "Boss-One"},
        {"last_name": "boss\u200b one"},
        {"last_name": "boss"},  # the user name of another person
        {"username": "BOSS", "last_name": "Somebody else"},
        {"last_name": "В\u043ess Two"},  # with a Cyrillic letter
        {"username": "b\u043ess"},
        {"username": "bőss"},
        {"username": "anna two"},
        {"username": "b\u043ess", "is_active": False},
    ],
)
def test_a_name_similar_to_another_one_is_refused(boss: User, names: dict[str, str]) -> None:
    with pytest.raises(NameTaken):
        save(User(**({"username": "new"} | names)), boss, "approver")
    assert User.objects.count() == 1


@pytest.mark.one_database
@pytest.mark.parametrize(
    "names",
    [
        *({"first_name": name} for name in ("Redox", "the portal", "Directory", "WORKER host-1", "Somebody", "You")),
        {"first_name": "The", "last_name": "Dírectory"},
        {"username": "redox", "first_name": "Anna"},
        {"username": "worker-1"},
    ],
)
def test_a_name_that_the_portal_uses_is_refused(boss: User, names: dict[str, str]) -> None:
    with pytest.raises(NameTaken, match="The portal itself uses the name") as refusal:
        save(User(**({"username": "new"} | names)), boss)
    assert refusal.value.field == ("username" if "username" in names else "last_name")


@pytest.mark.one_database
def test_each_name_of_a_portal_actor_is_refused() -> None:
    sources = "".join(path.read_text() for path in Path(accounts.__file__).parents[2].rglob("*.py"))
    acting = set(re.findall(r'(?:system\(|Actor\(name=)f?"([^"]+)"', sources))
    assert {"Worker {name}", "Demonstration", "Command restore", "Somebody not signed in"} <= acting
    free = [name for name in acting if User(username="new", first_name=name).name_error() is None]
    assert free == []


@pytest.mark.one_database
@pytest.mark.parametrize("name", ["Anna Worker", "Workerson", "Portal-Garcia", "Commander Two", "Youssef"])
def test_a_name_that_only_contains_a_portal_name_is_allowed(boss: User, name: str) -> None:
    save(User(username="new", first_name=name), boss)


def test_a_closed_account_cannot_be_reopened_while_another_has_its_name(boss: User) -> None:
    closed = factories.UserFactory(username="closed", first_name="Anna", last_name="Two", is_active=False)
    save(User(username="anna", first_name="Anna", last_name="Two"), boss)
    closed.is_active = True
    with pytest.raises(NameTaken):
        save(closed, boss)


def test_existing_accounts_with_the_same_name_can_still_be_changed(boss: User) -> None:
    one, _ = (factories.UserFactory(first_name="Anna", last_name="Two") for _ in range(2))
    assert grants(save(one, boss, "editor")) == {"editor": "Boss One (boss)"}


@pytest.mark.one_database
def test_nobody_else_sets_the_password_of_the_first_administrator(boss: User) -> None:
    first = User.objects.create_superuser("first", password=factories.PASSWORD)
    with pytest.raises(ActionRefused, match="Only first can set this password"):
        save(first, boss, password=GOOD)
    accounts.change_password(first, GOOD, actor=person(first))
    assert User.objects.get(pk=first.pk).check_password(GOOD)


@pytest.mark.one_database
def test_nobody_changes_their_own_roles_or_closes_their_own_account(boss: User) -> None:
    with pytest.raises(ActionRefused, match="You cannot change your own roles"):
        save(boss, boss, "administrator", "approver")
    boss.is_active = False
    with pytest.raises(ActionRefused, match="You cannot close your own account"):
        save(boss, boss, "administrator")


def test_an_administrator_with_a_closed_account_cannot_close_another(boss: User) -> None:
    """If two administrators close each other at the same time, the second is refused, so that one remains."""
    other = factories.UserFactory(username="other", role="administrator")
    for user, actor in ((other, boss), (boss, other)):
        user.is_active = False
        act = partial(accounts.save, user, what="account closed", actor=person(actor))
        if actor == boss:
            act()
        else:
            with pytest.raises(ActionRefused, match="can no longer manage people and roles"):
                act()
    assert list(User.objects.filter(is_active=True)) == [boss]


@pytest.mark.one_database
def test_a_first_password_is_generated_and_must_be_changed(boss: User) -> None:
    anna = save(User(username="anna"), boss)
    password = accounts.give_first_password(anna, opened_with=anna.fingerprint(), actor=person(boss))
    user = User.objects.get(pk=anna.pk)
    assert (user.check_password(password), user.must_change_password) == (True, True)
    with pytest.raises(ActionRefused, match="Change your own password"):
        accounts.give_first_password(boss, opened_with=boss.fingerprint(), actor=person(boss))


@pytest.mark.one_database
def test_a_password_counts_as_known_to_others_unless_its_person_set_it(boss: User) -> None:
    anna = save(User(username="anna"), boss, password=GOOD)
    assert anna.must_change_password
    accounts.change_password(anna, "four-loud-herons", actor=person(anna))
    assert not User.objects.get(pk=anna.pk).must_change_password


@pytest.mark.one_database
def test_a_password_that_somebody_else_set_is_not_accepted_as_a_new_one(boss: User) -> None:
    anna = save(User(username="anna"), boss, password=GOOD)
    accounts.change_password(anna, "five-late-trains", actor=system("Command changepassword"))
    accounts.change_password(anna, "four-loud-herons", actor=person(anna))
    for password in (GOOD, "five-late-trains"):
        with pytest.raises(PasswordRefused, match="Somebody else set this password"):
            accounts.change_password(anna, password, actor=person(anna))
    accounts.change_password(anna, "nine-cold-spoons", actor=person(anna))
    accounts.change_password(anna, "four-loud-herons", actor=person(anna))


@pytest.mark.one_database
def test_a_closed_account_gets_no_password(boss: User) -> None:
    anna = save(User(username="anna"), boss, password=GOOD)
    anna.is_active = False
    save(anna, boss)
    for set_password in (
        lambda: accounts.give_first_password(anna, opened_with=anna.fingerprint(), actor=person(boss)),
        lambda: accounts.change_password(anna, "four-loud-herons", actor=system("Command changepassword")),
    ):
        with pytest.raises(ActionRefused, match="The account of anna is closed"):
            set_password()
    assert User.objects.get(pk=anna.pk).check_password(GOOD)


def test_an_account_changed_between_the_form_and_its_save_is_not_overwritten(boss: User) -> None:
    anna = save(User(username="anna"), boss, "viewer")
    opened_with, stale = anna.fingerprint(), User.objects.get(pk=anna.pk)
    save(anna, boss)
    with pytest.raises(ActionRefused, match="changed after you opened the page"):
        save(stale, boss, "viewer", opened_with=opened_with)
    assert grants(anna) == {}


def test_a_user_name_is_never_changed_or_reused(boss: User) -> None:
    anna = save(User(username="anna", is_active=False), boss)
    with pytest.raises(NameTaken, match="already exists"):
        save(User(username="Anna", first_name="Somebody", last_name="Else"), boss)
    anna.username = "bert"
    with pytest.raises(ActionRefused, match="The user name stays 'anna'"):
        save(anna, boss)


@pytest.mark.one_database
def test_an_entry_holds_the_former_name_of_a_person(boss: User) -> None:
    anna = save(User(username="anna", first_name="Per", last_name="Son"), boss)
    anna.first_name, anna.last_name = "Old", "X"
    save(anna, boss)
    details = last_entry()["details"]
    assert isinstance(details, dict)
    assert (details["was"], details["now"]) == ("Per Son", "Old X")


def test_an_account_with_a_user_name_that_is_invalid_today_can_still_be_changed(boss: User) -> None:
    anna = factories.UserFactory(username="ánna two")
    anna.first_name, anna.last_name = "Anna", "Two"
    assert save(anna, boss, "viewer").get_full_name() == "Anna Two"
