"""The record that somebody names in a form, by its OID or its name."""

import pytest

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


def test_of_similar_names_only_the_exact_one_matches(peak, editor):
    factories.organization(f"{BASE}.2", user=editor, name="Clinica Penon")
    assert choices.oid_named("staging", "Clinica Penon") == f"{BASE}.2"
    assert choices.oid_named("staging", "CLINICA PENON") == ""


def test_a_record_is_found_by_its_label_in_the_list(peak, editor):
    factories.organization(f"{BASE}.1.1", user=editor, name="Clínica Peñón North", part_of_oid=f"{BASE}.1")
    labels = {each.label: each.value for each in choices.parents("staging", "north")}
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
    assert [each.value for each in choices.parents("staging", "nórth clinica")] == [f"{BASE}.1"]


def test_the_list_of_parents_has_a_maximum_length():
    bulk.records(choices.MOST_PARENTS + 5)
    assert len(choices.parents("staging", "")) == choices.MOST_PARENTS
