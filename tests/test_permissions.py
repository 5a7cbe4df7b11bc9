"""Who may do what: the tables of rights, and how the groups of a person give rights."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations import permissions
from organizations.models import User
from organizations.permissions import ACTS, ROLES, Right
from organizations.services.accounts.backend import AccountBackend
from tests import factories


def test_each_role_has_these_rights_and_no_others() -> None:
    assert {name: {str(right) for right in rights} for name, rights in ROLES.items()} == {
        "viewer": {"view_portal"},
        "editor": {"view_portal", "edit_records", "send_to_staging"},
        "approver": {"view_portal", "edit_records", "send_to_staging", "send_to_production", "resolve_submissions"},
        "auditor": {"view_portal", "export_history"},
        "administrator": {"view_portal", "manage_people"},
    }


def test_each_right_has_this_text() -> None:
    assert {str(right): act for right, act in ACTS.items()} == {
        "view_portal": "read records and history",
        "edit_records": "edit records",
        "send_to_staging": "send to STAGING",
        "send_to_production": "send to PRODUCTION",
        "resolve_submissions": "decide what became of a submission",
        "export_history": "export the history",
        "manage_people": "manage people and roles",
    }
    assert set(ACTS) == set(Right)


def test_each_environment_needs_its_own_right() -> None:
    assert permissions.right_to_send("staging") == Right.SEND_STAGING
    assert permissions.right_to_send("production") == Right.SEND_PRODUCTION


@pytest.mark.parametrize(
    ("right", "environment", "act", "said"),
    [
        (Right.EDIT, "", "", "edit records"),
        (Right.EDIT, "staging", "", "edit records in STAGING"),
        (Right.EDIT, "staging", "pause a plan", "pause a plan in STAGING"),
        (Right.SEND_STAGING, "staging", "", "send to STAGING"),
    ],
)
def test_an_act_names_its_environment_once(right: Right, environment: str, act: str, said: str) -> None:
    assert permissions.act_in(right, environment, act) == said


@pytest.mark.django_db
class TestPeople:
    def test_rights_come_from_groups_and_are_read_once(self) -> None:
        user = factories.UserFactory(role="auditor")
        user.groups.add(Group.objects.get(name="editor"))
        with CaptureQueriesContext(connection) as queries:
            for _ in range(2):
                assert permissions.rights_of(user) == ROLES["auditor"] | ROLES["editor"]
                assert permissions.roles_in_words(user) == "auditor, editor"
        assert len(queries) == 1
        assert permissions.may(user, Right.EXPORT)
        assert not permissions.may(user, Right.SEND_PRODUCTION)

    @pytest.mark.parametrize("user", [AnonymousUser(), User(username="left", is_active=False, pk=1)])
    def test_signed_out_people_and_closed_accounts_have_no_rights(self, user: User) -> None:
        user._access = permissions._Access(ROLES["approver"], ("approver",))  # type: ignore[attr-defined]
        assert permissions.rights_of(user) == frozenset()

    def test_a_permission_of_another_package_is_not_a_right(self) -> None:
        user = factories.UserFactory()
        user.groups.add(group := Group.objects.create(name="others"))
        kind = ContentType.objects.get(app_label="auth", model="group")
        group.permissions.add(Permission.objects.create(codename=Right.SEND_PRODUCTION, content_type=kind))
        assert permissions.rights_of(user) == frozenset()

    @pytest.mark.parametrize(
        ("role", "values", "manages"),
        [
            ("administrator", {}, True),
            ("approver", {"is_staff": True}, False),
            ("", {"is_superuser": True}, True),
            ("administrator", {"is_active": False}, False),
            ("", {"is_superuser": True, "is_active": False}, False),
        ],
    )
    def test_who_manages_people(self, role: str, values: dict[str, bool], manages: bool) -> None:
        assert permissions.manages_people(factories.UserFactory(role=role, **values)) is manages

    def test_a_request_reads_the_account_with_its_rights_and_roles_by_one_query(self) -> None:
        user = factories.UserFactory(role="auditor")
        group = Group.objects.create(name="others")
        kind = ContentType.objects.get(app_label="auth", model="group")
        group.permissions.add(Permission.objects.create(codename=Right.SEND_PRODUCTION, content_type=kind))
        user.groups.add(Group.objects.get(name="editor"), group)
        with CaptureQueriesContext(connection) as queries:
            read = AccountBackend().get_user(user.pk)
            assert read is not None
            assert read == user
            assert permissions.rights_of(read) == ROLES["auditor"] | ROLES["editor"]
            assert permissions.roles_in_words(read) == "auditor, editor, others"
        assert len(queries) == 1
        user.groups.clear()
        read = AccountBackend().get_user(user.pk)
        assert read is not None
        assert (permissions.rights_of(read), permissions.roles_in_words(read)) == (frozenset(), "no role")

    def test_no_request_has_a_closed_account_or_one_that_does_not_exist(self) -> None:
        closed = factories.UserFactory(role="approver", is_active=False)
        assert AccountBackend().get_user(closed.pk) is None
        assert AccountBackend().get_user(closed.pk + 1) is None

    def test_a_superuser_without_a_role_has_no_right(self) -> None:
        assert permissions.rights_of(factories.UserFactory(is_superuser=True)) == frozenset()

    def test_roles_are_named_in_order(self) -> None:
        user = factories.UserFactory(role="viewer")
        user.groups.add(Group.objects.get(name="auditor"))
        assert permissions.roles_in_words(user) == "auditor, viewer"
        assert permissions.roles_in_words(factories.UserFactory()) == "no role"

    def test_people_with_a_right_are_named_once_in_order_without_closed_accounts(self) -> None:
        both = factories.UserFactory(username="b", role="approver", first_name="Bo", last_name="Both")
        both.groups.add(Group.objects.get(name="editor"))
        factories.UserFactory(username="a", role="editor")
        factories.UserFactory(username="c", role="approver", is_active=False)
        with CaptureQueriesContext(connection) as queries:
            holders = permissions.people_by_right([Right.EDIT, Right.RESOLVE, Right.EXPORT])
        assert {right: list(names.values()) for right, names in holders.items()} == {
            "edit_records": ["a", "Bo Both"],
            "resolve_submissions": ["Bo Both"],
            "export_history": [],
        }
        assert list(holders[Right.RESOLVE]) == [both.pk]
        assert len(queries) == 1
        assert permissions.people_with(Right.RESOLVE) == ["Bo Both"]

    def test_a_refusal_names_the_action_and_whom_to_ask(self) -> None:
        may_edit = "You cannot edit records in STAGING. Editors and Approvers can"
        assert permissions.refusal(Right.EDIT, "staging") == f"{may_edit}: nobody yet."
        factories.UserFactory(username="a", role="editor")
        user = factories.UserFactory(username="b", role="approver")
        assert permissions.refusal(Right.EDIT, "staging") == f"{may_edit}: a, b."
        assert permissions.block_reason(user, Right.EDIT, "staging") == ""
        viewer = factories.UserFactory(role="viewer")
        assert permissions.block_reason(viewer, Right.EDIT, "staging", "copy it") == (
            "You cannot copy it in STAGING. Editors and Approvers can: a, b."
        )

    def test_a_refusal_without_an_environment_names_the_act_alone(self) -> None:
        said = "You cannot export the history. Auditors can: nobody yet."
        assert permissions.act_in(Right.EXPORT) == "export the history"
        assert permissions.refusal(Right.EXPORT) == said
        assert permissions.block_reason(factories.UserFactory(role="viewer"), Right.EXPORT) == said
