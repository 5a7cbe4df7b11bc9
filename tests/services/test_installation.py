"""The rows and marks of an installation: demonstration and real databases."""

from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.test import override_settings

from organizations.models import Action, AuditEntry, EnvironmentGate, Installation, User
from organizations.permissions import ROLES, rights_of
from organizations.services import demonstration, installation
from organizations.services.accounts import accounts
from organizations.services.actors import system
from orgportal.start_errors import SettingsError
from tests import factories
from tests.connected import redox

pytestmark = pytest.mark.one_database


@pytest.mark.django_db
class TestDemonstrationAndRealDatabase:
    def test_a_demonstration_database_runs_only_as_a_demonstration(self) -> None:
        installation.mark_as_demonstration()
        with override_settings(DEMO=False), pytest.raises(SettingsError, match="names a demonstration database"):
            installation.check_demonstration_mark()

    def test_a_real_database_does_not_run_as_a_demonstration(self, editor: User) -> None:
        with override_settings(DEMO=True), pytest.raises(SettingsError, match="names a real database"):
            installation.check_demonstration_mark()

    def test_a_database_in_use_is_never_marked(self, editor: User) -> None:
        with pytest.raises(SettingsError, match="in use"):
            installation.mark_as_demonstration()
        assert not Installation.objects.get().demonstration

    def test_a_demonstration_database_does_not_start_with_the_address_of_another_machine(self) -> None:
        installation.mark_as_demonstration()
        settings = override_settings(DEMO=True, REDOX=redox("https://redox.example"))
        with settings, pytest.raises(SettingsError, match="leads to another machine"):
            installation.check_demonstration_mark()

    def test_only_a_demonstration_has_a_switch_of_behaviour(self, tmp_path: Path) -> None:
        with override_settings(DEMO=False), pytest.raises(PermissionDenied):
            demonstration.set_behaviour("slow")

    def test_only_a_demonstration_has_a_sign_in_by_role(self) -> None:
        factories.UserFactory(username="editor", role="editor")
        assert demonstration.person_with_role("editor") is None


@pytest.mark.django_db
def test_required_rows_can_be_created_again() -> None:
    installation.ensure_rows()
    installation.ensure_rows()
    assert EnvironmentGate.objects.count() == 2
    assert rights_of(factories.UserFactory(role="editor")) == ROLES["editor"]


@pytest.mark.django_db
def test_an_account_and_its_entry_are_saved_together() -> None:
    user = User(username="new")
    accounts.save(user, groups=[], what="account made", actor=system("Test"))
    entry = AuditEntry.objects.get(action=Action.PERSON_CHANGED)
    assert entry.facts["object"]["name"] == "new"
    accounts.change_password(user, "a password of some length", actor=system("Test"))
    assert "a password of some length" not in "".join(bytes(e.body).decode() for e in AuditEntry.objects.all())
