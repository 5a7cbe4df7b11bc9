"""The record that somebody names in a form, by its OID or its name."""

import pytest

from organizations.models import Organization
from organizations.queries import choices
from tests import bulk, factories
from tests.factories import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def peak(editor):
    factories.organization(user=editor, name="Clínica Peñón")
    factories.organization(f"{BASE}.1", user=editor, name="Clínica Peñón North", part_of_oid=BASE)
    return BASE


def test_a_record_is_found_by_each_spelling_of_its_oid_or_name(peak):
    for typed in (
        "Clínica Peñón",
        "  CLINICA  PENON ",
        "“Clínica Peñón”",
        BASE,
        f"urn:oid:{BASE}.",
        f"\u200e{BASE}",
        f"OID: {BASE}",
        f"{BASE},",
        BASE.replace(".", ".\n ", 1),
    ):
        assert choices.oid_named("staging", typed) == peak, typed


def test_a_text_that_names_no_record_finds_none(peak):
    for typed in ("Clinica", "Clinica Penon Nort", "", "'", "\x00", f"{BASE}.2", f"{BASE} {BASE}"):
        assert choices.oid_named("staging", typed) == "", typed


def test_among_similar_names_only_the_exact_one_matches(peak, editor):
    factories.organization(f"{BASE}.2", user=editor, name="Clinica Penon")
    assert choices.oid_named("staging", "Clinica Penon") == f"{BASE}.2"
    assert choices.oid_named("staging", "CLINICA PENON") == ""


def test_a_record_is_found_by_its_label_in_the_list(peak, editor):
    factories.organization(f"{BASE}.1.1", user=editor, name="Clínica Peñón North", part_of_oid=f"{BASE}.1")
    labels = {each.label: each.value for each in choices.parents("staging", "north").choices}
    assert list(labels.values()) == [f"{BASE}.1", f"{BASE}.1.1"]
    for label, oid in labels.items():
        assert choices.oid_named("staging", label) == oid
    assert choices.oid_named("staging", "Clínica Peñón North, below Lakeside") == ""


@pytest.mark.parametrize("typed", ["", " ", "'", "\x00", "—"])
def test_an_empty_name_names_no_record(editor, typed):
    factories.organization(user=editor, name="")
    factories.organization(f"{BASE}.1", user=editor, name=typed.replace("\x00", "") or "'")
    assert choices.oid_named("staging", typed) == ""


def test_suggestions_contain_every_word(peak):
    assert [each.value for each in choices.parents("staging", "nórth clinica").choices] == [f"{BASE}.1"]


def destination_of(record_id: int) -> str:
    return f"0b9b4c4e-0000-4000-8000-{record_id:012}"


def test_the_most_used_destinations_come_first_with_their_first_record_and_number(monkeypatch):
    bulk.records(7)
    records = Organization.objects.order_by("-name")
    for record, number in zip(records, (3, 1, 1, 1, 2, 2), strict=False):
        Organization.objects.filter(pk=record.pk).update(destination_id=destination_of(number))
    names = list(records.values_list("name", flat=True))
    in_use = [(destination_of(1), names[3], 3), (destination_of(2), names[5], 2), (destination_of(3), names[0], 1)]
    assert choices.destinations("staging") == in_use
    assert choices.destinations("production") == []
    monkeypatch.setattr(choices, "MOST_DESTINATIONS", 1)
    monkeypatch.setattr(choices, "MOST_USES", 1)
    assert choices.destinations("staging") == [(destination_of(1), names[3], 2)]


def test_only_some_destinations_are_compared(monkeypatch):
    bulk.records(5)
    for record in Organization.objects.all():
        Organization.objects.filter(pk=record.pk).update(destination_id=destination_of(record.pk))
    monkeypatch.setattr(choices, "MOST_COMPARED", 2)
    assert len(choices.destinations("staging")) == 2


def test_the_list_of_parents_has_a_maximum_length():
    bulk.records(choices.MOST_PARENTS + 5)
    assert len(choices.parents("staging", "").choices) == choices.MOST_PARENTS
