"""The filters of the history: what each finds, days of a time zone, and errors."""

import datetime
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizations.models import Action, AuditEntry, Organization, clock
from organizations.models.audit import EDITS
from organizations.pages.audit import export as audit_export
from organizations.pages.audit import filter_words
from organizations.queries import audit_filters
from organizations.queries.audit_filters import GROUPS, AuditFilters
from organizations.services import search_text
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.records import organizations
from organizations.text.vocabulary import ATTEMPT
from tests import bulk, factories
from tests.factories import BASE, as_actor
from tests.views.history import PORTAL, add_entries, save_edit

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

CREATED, EDITED = Action.ORGANIZATION_CREATED, Action.ORGANIZATION_EDITED


def filters_of(query: str) -> AuditFilters:
    filters, problems = audit_filters.read(QueryDict(query))
    assert problems == {}
    return filters


def entries(query: str) -> list[AuditEntry]:
    """The matching entries, oldest first."""
    return list(audit_filters.matching(filters_of(query)).order_by("sequence"))


def actions(query: str) -> list[str]:
    return [entry.action for entry in entries(query)]


def numbers(query: str) -> list[int]:
    return [entry.sequence for entry in entries(query)]


def test_each_action_belongs_to_exactly_one_group():
    grouped = [action for actions in GROUPS.values() for action in actions]
    assert sorted(grouped) == sorted(Action)


def test_the_words_of_the_page_name_every_filter_and_choice():
    assert tuple(filter_words.GROUPS) == tuple(GROUPS)
    assert tuple(ATTEMPT) == audit_filters.OUTCOMES
    assert tuple(filter_words.LABELS) == AuditFilters.NARROWING


def test_filters_by_person_and_action(north, editor):
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    save_edit(north, other, name="Lakeside Quay")
    add_entries()
    with audit.atomic(Actor(name="Somebody not signed in")) as history:
        history.log(Action.PERSON_REFUSED, object={"type": "person", "id": "", "name": "anna"})
    queries = (f"who={editor.pk}", f"who={other.pk}", "who=portal", "what=edits", "what=connection")
    action_lists = [actions(query) for query in queries]
    assert action_lists == [[CREATED], [EDITED], ["settings.seen"], [CREATED, EDITED], ["settings.seen"]]
    assert filter_words.chip_text(filters_of(f"who={other.pk}"), "who") == f"Person: Editor Two ({other.username})"


def test_filters_by_environment_and_outcome(db):
    cases = (("staging", "accepted"), ("production", ""), ("staging", "rejected"))
    with audit.atomic(PORTAL) as history:
        for attempt, (environment, outcome) in enumerate(cases, 1):
            history.log(Action.ATTEMPT_LATE, environment=environment, outcome=outcome, submission=1, attempt=attempt)
    assert numbers("environment=production") == [2]
    assert numbers("outcome=accepted") == [1]
    assert numbers("outcome=rejected&environment=production") == []


def test_a_record_is_found_by_every_name_and_oid_it_ever_had(north, editor):
    record = save_edit(north, editor, name="Harbor Point")
    record = save_edit(record, editor, oid=f"{BASE}.77")
    factories.organization(f"{BASE}.2", user=editor, name="Mill Valley")
    for typed in ("Lakeside North", "harbor POINT", f"{BASE}.1", f"{BASE}.77", f"urn:oid:{BASE}.77."):
        assert actions(f"record={typed}") == [CREATED, EDITED, EDITED], typed
    record = Organization.objects.get(pk=record.pk)
    organizations.withdraw(record.pk, record.version, actor=as_actor(editor))
    assert actions("record=Lakeside North")[-1] == Action.ORGANIZATION_WITHDRAWN


def test_a_whole_oid_finds_no_children_and_a_partial_oid_does(north, editor):
    factories.organization(f"{BASE}.1.5", user=editor, part_of_oid=north.oid)
    assert len(numbers(f"record={BASE}.1")) == 1
    assert len(numbers("record=99999.1.1.1.1.1")) == 2


def test_the_name_of_the_person_is_not_searched_as_a_record(north):
    save_edit(north, factories.UserFactory(role="editor", first_name="Zoë", last_name="Lakeside"), name="Clínica Peñón")
    numbers_by_text = {
        typed: numbers(f"record={typed}") for typed in ("Editor One", "Zoe", "'", "clinica penon", "north")
    }
    assert list(numbers_by_text.values()) == [[], [], [], [1, 2], [1, 2]]


def test_the_story_of_a_submission_starts_with_the_edits_that_it_sent(north, editor):
    other = factories.organization(f"{BASE}.2", user=editor, name="Lakeside South")
    save_edit(north, editor, name="Lakeside North Shore")
    sent = factories.submission(north, user=editor)
    factories.submission(other, user=editor)
    save_edit(north, editor, name="Lakeside North Beach")
    assert actions(f"submission={sent.pk}") == [CREATED, EDITED, Action.SUBMISSION_MADE]
    assert numbers("submission=999999999999999999") == []


# Words ------------------------------------------------------------------------------------------------------

texts = st.lists(st.sampled_from(("harbor", "harbour", "arb", "har bor", "oak", "9")), max_size=2).map(" ".join)
facts = st.tuples(st.sampled_from((CREATED, EDITED, Action.SUBMISSION_MADE)), texts, st.none() | st.integers(1, 4))


def numbers_about(
    words: tuple[str, ...], records: list[str], entries: list[tuple[Action, str, int | None]]
) -> set[int]:
    """The entries about records with these words, by reading every row. Records and entries are numbered from 1."""

    def has_words(text: str) -> bool:
        return all(word in text for word in words)

    of_now = {number for number, text in enumerate(records, 1) if has_words(text)}
    of_edits = {number for action, text, number in entries if action in EDITS and has_words(text)} - {None}
    return {
        sequence
        for sequence, (_, text, number) in enumerate(entries, 1)
        if has_words(text) or number in of_now or number in of_edits
    }


@pytest.mark.parametrize("most", [audit_filters.MOST_RECORDS, 0], ids=["few records", "many records"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(texts, max_size=3), entries=st.lists(facts, max_size=8), typed=texts)
def test_words_find_what_reading_every_row_finds(monkeypatch, most, records, entries, typed):
    monkeypatch.setattr(audit_filters, "MOST_RECORDS", most)
    words = search_text.query_words(typed)
    with transaction.atomic():
        rows = [bulk.row(f"{BASE}.{number}", BASE, "staging") for number, _ in enumerate(records, 1)]
        for number, (row, text) in enumerate(zip(rows, records, strict=True), 1):
            row.pk, row.search_text = number, text
        Organization.objects.bulk_create(rows)
        AuditEntry.objects.bulk_create(
            AuditEntry(
                sequence=sequence,
                previous_hash=f"{sequence}",
                at=bulk.MOMENT,
                body=b"{}",
                action=action,
                search_text=text,
                organization_id=number,
            )
            for sequence, (action, text, number) in enumerate(entries, 1)
        )
        fitting = audit_filters.matching(AuditFilters(record=typed)).values_list("sequence", flat=True)
        assert set(fitting) == numbers_about(words, records, entries)
        transaction.set_rollback(True)


def test_short_words_are_searched_in_the_newest_entries_only(db, editor, monkeypatch):
    for number in ("1", "2", "3"):
        factories.organization(f"{BASE}.{number}", user=editor, name=f"UW {number}")
    assert numbers("record=uw") == [1, 2, 3]
    assert filter_words.chip_text(filters_of("record=uw"), "record") == "Record: uw"
    monkeypatch.setattr(audit_filters, "MOST_SEARCHED", 2)
    assert numbers("record=uw") == [2, 3]
    assert numbers(f"record={BASE}.1") == [1]
    chip = "Record: uw (only in the newest 2 entries; add a longer or rarer word to search all)"
    assert filter_words.chip_text(filters_of("record=uw"), "record") == chip
    export = audit_export.export(filters_of("record=uw"), clock.now(), "Editor One")
    add_entries()
    assert [entry.sequence for entry in export.entries] == [2, 3]
    assert export.narrowed_to == [chip]


# Days --------------------------------------------------------------------------------------------------------

DAY, SECOND = datetime.timedelta(days=1), datetime.timedelta(seconds=1)
CHICAGO_MAY_1 = datetime.datetime(2027, 5, 1, 5, 0, tzinfo=datetime.UTC)  # midnight in Chicago
CHICAGO_MARCH_14 = datetime.datetime(2027, 3, 14, 6, 0, tzinfo=datetime.UTC)  # a day of 23 hours there


@pytest.fixture
def add_at(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Returns a function that adds entries at these times of the database's clock."""

    def added(*moments: datetime.datetime) -> None:
        for moment in moments:
            with monkeypatch.context() as patch:
                patch.setattr(clock, "now", lambda moment=moment: moment)
                add_entries()

    return added


def test_the_range_includes_both_days_in_the_selected_time_zone(add_at):
    add_at(CHICAGO_MAY_1 - SECOND, CHICAGO_MAY_1, CHICAGO_MAY_1 + DAY - SECOND, CHICAGO_MAY_1 + DAY)
    assert numbers("from=2027-05-01&to=2027-05-01") == [2, 3]
    assert numbers("from=2027-05-01") == [2, 3, 4]
    assert numbers("to=2027-04-30") == [1]
    assert numbers("from=2027-05-01&to=2027-05-01&times=utc") == [1, 2]
    assert filter_words.chip_text(filters_of("from=2027-05-01"), "since") == "From: May 1, 2027"


def test_days_with_a_clock_change_are_complete(add_at):
    add_at(*(CHICAGO_MARCH_14 + datetime.timedelta(hours=hours) for hours in (-0.01, 0, 22.99, 23)))
    assert numbers("from=2027-03-14&to=2027-03-14") == [2, 3]


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_any_text_as_a_date_gives_a_valid_range_or_an_error(typed):
    filters, problems = audit_filters.read(QueryDict(urlencode({"to": typed})))
    assert str(audit_filters.matching(filters).query)
    assert (filters.until is None and typed.strip() != "") == bool(problems)


# Errors ----------------------------------------------------------------------------------------

NO_CHOICE = "This is not one of the choices."
ERRORS = {
    "from=2027-02-31": ("since", "'2027-02-31' is not a date. Give year, month and day, for example 2027-03-31."),
    "to=tomorrow": ("until", "'tomorrow' is not a date. Give year, month and day, for example 2027-03-31."),
    "from=0001-01-01": ("since", "'0001-01-01' is not a date. Give year, month and day, for example 2027-03-31."),
    "to=9999-12-31": ("until", "'9999-12-31' is not a date. Give year, month and day, for example 2027-03-31."),
    "from=2027-05-02&to=2027-05-01": ("until", "The last day is before the first."),
    "who=999999": ("who", NO_CHOICE),
    "who=1 OR 1=1": ("who", NO_CHOICE),
    "what=everything": ("what", NO_CHOICE),
    "environment=test": ("environment", NO_CHOICE),
    "outcome=%00": ("outcome", NO_CHOICE),
    "record=a+b+c+d+e+f+g+h+i+j+k": ("record", "Enter at most 10 words."),
    "submission=x": ("submission", "'x' is not the number of a submission."),
    "submission=-1": ("submission", "'-1' is not the number of a submission."),
    "submission=²": ("submission", "'²' is not the number of a submission."),
    f"submission={'9' * 30}": ("submission", f"'{'9' * 20}' is not the number of a submission."),
}


def test_an_invalid_filter_is_an_error_and_never_ignored(db):
    for query, (name, error) in ERRORS.items():
        _, problems = audit_filters.read(QueryDict(query))
        assert {key: filter_words.problem_text(problem) for key, problem in problems.items()} == {name: error}, query


def test_a_filter_is_removed_and_the_others_stay(editor):
    filters = filters_of(f"who={editor.pk}&what=edits&from=2027-05-01&times=utc&show=entries")
    assert filters.without("what").address() == f"?who={editor.pk}&from=2027-05-01&times=utc&show=entries"
    assert filters.without("since").address() == f"?who={editor.pk}&what=edits&times=utc&show=entries"
