"""The upgrade of a database from the release before evidence was stored: what the portal knows afterwards."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps
from django.utils import timezone

from organizations.folding import name_key
from organizations.models import AuditEntry, Evidence, Organization, Submission
from organizations.services import search_text
from organizations.services.audit import audit
from organizations.services.delivery import settle
from organizations.services.records import directory_state
from tests import databases, factories
from tests.factories import BASE, as_actor

BEFORE = [("organizations", "0006_plans")]
FILLED = Path(__file__).parent / "filled_before_evidence.json"
"""Rows as that release's own services made them, by sending to the practice directory. Left out: tables without
records, the raw bytes of answers, and bodies of entries that the upgrade does not read."""
TABLES = ("user", "organization", "contact", "identifier", "submission", "auditentry")
OWN = ("pk", "organization", "organization_id", "submission_id", "last_submission", "confirmed_submission")
SPOILED = "production"
"""In which the same rows are once more, and some of them cannot be read."""


@pytest.fixture
def before(transactional_db: None) -> Iterator[StateApps]:
    """A database with the tables as that release had them, filled."""
    with databases.empty():
        apps = migrate(BEFORE)
        fill(apps, "staging")
        fill(apps, SPOILED, above=1000)
        yield apps


def migrate(targets: list[tuple[str, str]]) -> StateApps:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


def upgrade() -> None:
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def fill(apps: StateApps, environment: str, *, above: int = 0) -> None:
    """Put the rows into an environment, with higher numbers. Both environments have the same people."""
    rows: dict[str, list[Any]] = {name: [] for name in TABLES}
    for stored in json.loads(FILLED.read_text()):
        if stored["model"] == "user" and above:
            continue
        row = stored | {name: stored[name] + above for name in OWN if stored.get(name)}
        row |= {name: f"{above}{stored[name]}" for name in ("hash", "previous_hash") if name in stored}
        if "environment" in stored:
            row["environment"] = environment
        model = apps.get_model("organizations", row.pop("model"))
        values = {"pk": row.pop("pk")}
        for name, value in row.items():
            field = cast(Any, model._meta.get_field(name))
            values[field.attname] = value.encode() if name in ("message", "body") else field.to_python(value)
        rows[model._meta.model_name or ""].append(model(**values))
    with transaction.atomic():
        for name in TABLES:
            apps.get_model("organizations", name)._default_manager.bulk_create(rows[name])


def record(number: int, environment: str = "staging") -> Organization:
    return Organization.objects.get(environment=environment, oid=f"{BASE}.{number}")


def ends(number: int, environment: str = "staging") -> list[tuple[str, str, str]]:
    """State, evidence and who decided, of each submission of a record."""
    own = Submission.objects.filter(environment=environment, oid=f"{BASE}.{number}").order_by("pk")
    return list(own.values_list("state", "evidence", "decided_by"))


def entries_of(number: int, action: str) -> list[AuditEntry]:
    own = AuditEntry.objects.filter(environment="staging", oid=f"{BASE}.{number}", action=action)
    return list(own.order_by("sequence"))


ANSWER, QUERY, EQUIVALENT = ("accepted", "answer", ""), ("accepted", "query", ""), ("accepted", "equivalent", "")
ENDS = {
    1: [ANSWER],
    2: [QUERY],
    3: [ANSWER, QUERY],
    4: [ANSWER, EQUIVALENT],  # only the spelling of the country changed
    5: [ANSWER, EQUIVALENT],  # only the last digits of the ZIP code changed, and the message never arrived
    6: [ANSWER, EQUIVALENT, ANSWER],
    7: [("accepted", "both", "")],  # Redox answered with another success text
    8: [("accepted", "person", "Approver One")],
    9: [("rejected", "", "Approver One")],  # in part, or somebody else's
    10: [ANSWER, ANSWER],  # a person sent it again
    11: [],
    12: [("rejected", "", "")],
    13: [ANSWER],
    14: [ANSWER],
    15: [ANSWER, ANSWER],
    16: [ANSWER, EQUIVALENT],  # a reading before the review had shown what was sent
    17: [],
    18: [("unknown", "", "")],
}
# In how many fields the directory differs, how many are saved here and not sent, and whether it lags behind.
COUNTS = {5: (1, 0, False), 8: (9, 0, False), 13: (1, 0, False), 14: (0, 0, True), 15: (0, 1, False)}


@pytest.mark.slow
def test_a_database_of_the_release_before_is_upgraded(before: StateApps) -> None:
    """Unusual stored values do not stop the upgrade, and are found as if they were saved today."""
    make_unreadable(before)
    edit = write_as_before_folding(before)
    wait_as_before_renaming(before)
    upgrade()
    renamed_fields_keep_their_values()
    every_end_names_its_evidence()
    records_taken_over_and_decided_keep_their_baseline()
    acceptances_by_something_equivalent_are_read_once_more()
    the_stored_counts_equal_the_counts_of_the_portal()
    only_what_can_be_read_is_known()
    stored_texts_are_searched_as_if_saved_today()
    assert AuditEntry.objects.get(pk=edit).search_text == "st marys clinica 2.16.840 ticket 7"


def every_end_names_its_evidence() -> None:
    assert {number: ends(number) for number in ENDS} == ENDS
    for organization in Organization.objects.filter(environment="staging").exclude(confirmed_submission=None):
        accepted = cast(Submission, organization.confirmed_submission)
        assert organization.confirmed_evidence == accepted.evidence
        known_at, evidence_at = cast(Any, organization.known_at), cast(Any, accepted.evidence_at)
        assert known_at <= min(evidence_at, cast(Any, organization.confirmed_at))
    # Read back after the acceptance: this later reading is not its evidence.
    acceptance, read_back = entries_of(3, "organization.confirmed")[-1], entries_of(3, "submission.asked")
    update = Submission.objects.get(environment="staging", oid=f"{BASE}.3", event="Update")
    rests_on = cast(Any, update.evidence_at)
    assert [rests_on == entry.at for entry in read_back] == [True, False]
    assert rests_on <= acceptance.at < read_back[1].at


def the_stored_counts_equal_the_counts_of_the_portal() -> None:
    for organization in Organization.objects.filter(environment="staging"):
        number = int(organization.oid.rsplit(".", 1)[1])
        counted = (organization.differs, organization.changes, organization.not_visible_yet)
        if organization.confirmed:
            assert counted == COUNTS.get(number, (0, 0, False)), number
        wanted_hash, since = organization.wanted_hash, organization.differs_since
        shown = (organization.shown_active, organization.shown_part_of_oid)
        directory_state.update_derived_columns(organization)
        assert (organization.shown_active, organization.shown_part_of_oid) == shown, number
        again = (organization.differs, organization.changes, organization.not_visible_yet)
        assert (again, organization.wanted_hash, organization.differs_since) == (counted, wanted_hash, since), number


def acceptances_by_something_equivalent_are_read_once_more() -> None:
    due = Submission.objects.to_read_back("staging", timezone.now())
    # The second of three messages of record 6 is not: the third wrote the whole record.
    assert {submission.oid.rsplit(".", 1)[1] for submission in due} == {"4", "5", "16"}
    assert {submission.evidence for submission in due} == {Evidence.EQUIVALENT}


def records_taken_over_and_decided_keep_their_baseline() -> None:
    never_sent, refused, ours = record(11), record(12), record(9)
    assert (never_sent.taken, never_sent.changes) == (never_sent.seen, 0)
    baseline = refused.baseline_record()
    assert baseline is not None
    assert (baseline.name, refused.name, refused.known_at) == ("Theirs", "Lakeside East", refused.seen_at)
    assert (ours.presence, ours.open_work, ours.is_foreign) == ("present", "rejected", False)
    newest = ours.newest_record()
    assert newest is not None
    assert newest.name == "Theirs"
    assert "Type" in ours.carried  # an Update would remove it


def stored_texts_are_searched_as_if_saved_today() -> None:
    for organization in Organization.objects.all():
        saved_today = organization.record()
        assert organization.search_text == search_text.record_search_text(saved_today)
        assert organization.name_key == name_key(organization.name) != ""
        assert organization.double_key == search_text.record_near_duplicate_key(saved_today)


def make_unreadable(before: StateApps) -> None:
    """Spoil messages and entries that the upgrade reads."""
    submissions = before.get_model("organizations", "Submission")._default_manager.filter(environment=SPOILED)
    entries = before.get_model("organizations", "AuditEntry")._default_manager.filter(environment=SPOILED)
    submissions.filter(oid=f"{BASE}.3", event="Update").update(message=b"not JSON")
    entries.filter(action="submission.asked", oid=f"{BASE}.16").update(body=b"{}")
    entries.filter(action="organization.seen").update(body=b"{}")
    entries.filter(oid=f"{BASE}.2").delete()


def only_what_can_be_read_is_known() -> None:
    assert ends(3, SPOILED)[-1] == EQUIVALENT
    assert ends(16, SPOILED)[-1] == QUERY  # the entry of the earlier reading was emptied
    assert ends(2, SPOILED) == [EQUIVALENT]  # no entry says more
    assert record(12, SPOILED).taken == ""


def write_as_before_folding(before: StateApps) -> int:
    """Give a record and an entry the search text of an earlier release. Returns the entry's id."""
    organizations = before.get_model("organizations", "Organization")._default_manager.filter(environment=SPOILED)
    entries = before.get_model("organizations", "AuditEntry")._default_manager.filter(environment=SPOILED)
    stored = organizations.get(oid=f"{BASE}.1")
    name = "St. Mary’s Clínica"
    old_text = stored.search_text.replace(stored.name.lower(), name.lower())
    assert name.lower() in old_text
    organizations.filter(pk=stored.pk).update(name=name, search_text=old_text)
    edit: int = entries.filter(oid=f"{BASE}.1").order_by("pk").last().pk
    by_zoe = {"actor_name": "Zoë O’Brien", "search_text": "zoë o’brien st. mary’s clínica 2.16.840 ticket 7."}
    entries.filter(pk=edit).update(**by_zoe)
    return edit


def wait_as_before_renaming(before: StateApps) -> None:
    """Fill the fields of a submission that got other names."""
    submissions = before.get_model("organizations", "Submission")._default_manager.filter(environment="staging")
    submissions.filter(oid=f"{BASE}.18").update(tries=3, only_ask=True)
    submissions.get(oid=f"{BASE}.18").after.add(submissions.get(oid=f"{BASE}.1"))


def renamed_fields_keep_their_values() -> None:
    own = Submission.objects.filter(environment="staging")
    waiting = own.get(oid=f"{BASE}.18")
    assert (waiting.counted_attempts, waiting.is_restored) == (3, True)
    assert list(waiting.waits_for.all()) == [own.get(oid=f"{BASE}.1")]
    assert list(own.filter(is_restored=True)) == list(own.exclude(waits_for=None)) == [waiting]


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "outcome"), [("accepted", "accepted"), ("rejected", "rejected"), ("queued", "")])
def test_submissions_settled_before_the_upgrade_can_be_found_by_outcome(state: str, outcome: str) -> None:
    editor = factories.editor()
    submission = factories.submission(factories.organization(user=editor), user=editor)
    submission.state, submission.evidence = state, Evidence.QUERY
    with audit.atomic(as_actor(editor)) as history:
        settle.log_state(history, submission, "Seen.")
    settled = AuditEntry.objects.filter(action="submission.settled")
    assert settled.get().outcome == outcome
    settled.update(outcome="")
    import_module("organizations.migrations.0014_outcome_of_what_was_settled").name_outcomes(apps, None)
    assert settled.get().outcome == outcome
