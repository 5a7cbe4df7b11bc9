"""What the database refuses, even if a service has an error; and its tables, which the migrations make."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from organizations.models import Action, AuditEntry, Candidate, Organization, Plan, Submission, TakeOver
from organizations.services.actors import system
from organizations.services.audit import audit
from tests import factories
from tests.factories import BASE

pytestmark = pytest.mark.django_db
PORTAL = system("Test")

# Each with a table and values that it does not take.
REFUSED: list[tuple[str, Any, dict[str, Any]]] = [
    ("organization_environment_known", Organization, {"environment": "test"}),
    ("organization_presence_known", Organization, {"presence": "maybe"}),
    ("organization_basis_known", Organization, {"presence_basis": "guessed"}),
    ("organization_evidence_known", Organization, {"confirmed_evidence": "hearsay"}),
    ("organization_part_of_something", Organization, {"part_of_oid": ""}),
    ("organization_not_part_of_itself", Organization, {"part_of_oid": BASE}),
    ("organization_counterpart_side", Organization, {"staging_record": models.F("pk")}),
    ("submission_state_known", Submission, {"state": "sent"}),
    ("submission_event_known", Submission, {"event": "Delete"}),
    ("submission_evidence_known", Submission, {"evidence": "hearsay"}),
    ("submission_accepted_by_evidence", Submission, {"state": "accepted"}),
    ("submission_intent_known", Submission, {"intent": "delete"}),
    ("submission_environment_known", Submission, {"environment": "test"}),
    ("plan_environment_known", Plan, {"environment": "test"}),
    ("plan_kind_known", Plan, {"kind": "delete"}),
    ("plan_state_known", Plan, {"state": "sent"}),
    ("take_over_environment_known", TakeOver, {"environment": "test"}),
    ("take_over_kind_known", TakeOver, {"kind": "guess"}),
    ("take_over_state_known", TakeOver, {"state": "sent"}),
    ("candidate_state_known", Candidate, {"state": "sent"}),
]


def test_the_database_refuses_unknown_values():
    user = factories.editor()
    factories.plan([factories.organization(user=user)], user=user)
    factories.take_over(user=user)
    for constraint, model, values in REFUSED:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            model.objects.update(**values)


def test_every_check_constraint_has_a_test():
    names = {
        constraint.name
        for model in apps.get_app_config("organizations").get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
    }
    assert {constraint for constraint, *_ in REFUSED} == names


@pytest.mark.parametrize(
    ("action", "constraint"),
    [(Action.ATTEMPT_INTENT, "audit_one_intent_an_attempt"), (Action.ATTEMPT_OUTCOME, "audit_one_outcome_an_attempt")],
)
def test_an_attempt_has_one_intent_and_one_outcome(action, constraint):
    user = factories.editor()
    submission = factories.submission(factories.organization(user=user), user=user)

    def note(attempt):
        with audit.atomic(PORTAL) as history:
            history.log_submission(action, submission, attempt=attempt)

    note(1)
    note(2)
    with pytest.raises(IntegrityError) as error:
        note(2)
    # SQLite names the columns of the index, PostgreSQL the index.
    assert constraint in str(error.value) or "submission_id, organizations_auditentry.attempt" in str(error.value)
    assert AuditEntry.objects.filter(action=action).count() == 2


def test_an_attempt_may_have_two_responses():
    user = factories.editor()
    submission = factories.submission(factories.organization(user=user), user=user)
    for repeat in (0, 1):
        with audit.atomic(PORTAL) as history:
            history.log_submission(Action.ATTEMPT_RESPONSE, submission, attempt=1, exchange={"repeat": repeat})
    assert AuditEntry.objects.filter(action=Action.ATTEMPT_RESPONSE).count() == 2


def test_the_migrations_make_the_models() -> None:
    loader = MigrationLoader(connection)
    assert loader.detect_conflicts() == {}
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    assert {app: [each.operations for each in migrations] for app, migrations in changes.items()} == {}
