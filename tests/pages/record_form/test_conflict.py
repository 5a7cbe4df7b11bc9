"""Two versions of a record side by side: which choices are preselected, required, kept or dropped."""

from dataclasses import replace

import pytest
from django.utils import timezone
from django.utils.timezone import localtime

from organizations.models import Organization
from organizations.pages.record_form import conflict as conflict_page
from organizations.pages.record_form.conflict import VersionConflict
from organizations.services.records import organizations
from organizations.text import vocabulary
from tests import factories
from tests.factories import BASE, as_actor
from tests.page_text import text_of_page
from tests.views.typing import open_form, record_texts

pytestmark = pytest.mark.django_db

DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"


@pytest.fixture
def save_theirs(organization, second):
    """Save changes as Editor Two while the form of the other editor is open."""

    def save(*, stands_for="", city="", **changes):
        now = Organization.objects.get(pk=organization.pk)
        address = replace(now.record().address, city=city or now.city)
        record = replace(now.record(), **{"address": address} | changes)
        return organizations.edit(now.pk, now.version, record, stands_for=stands_for, actor=as_actor(second))

    return save


def conflict_between(organization, texts, *, version=1, seen=0, **choices):
    """The texts typed on `version` against what is saved now; the choices were made on the version `seen`."""
    editing = open_form(organization, version=version)
    form = editing.form(texts, checked=True)
    assert form.is_valid()
    assert editing.organization
    posted = {f"choice-{key}": side for key, side in choices.items()} | ({"theirs": str(seen)} if seen else {})
    conflict = VersionConflict.of(editing, form, editing.organization, posted, seen)
    return conflict, conflict_page.build(editing, form, conflict, missing=conflict.missing if seen else ())


def both_changed(organization, save_theirs):
    """Both changed the name. The other person changed the city, this person the ZIP."""
    save_theirs(name="Theirs", city="Monona")
    return record_texts(organization.record(), name="Mine", zip_code="53703")


def chosen(page):
    return {each.row.label: each.chosen for each in page.rows}


def test_both_versions_are_side_by_side_with_preselected_choices(organization, save_theirs):
    _, page = conflict_between(organization, both_changed(organization, save_theirs))
    assert [(each.row.label, each.row.before, each.row.theirs, each.row.mine, each.chosen) for each in page.rows] == [
        ("Name", "Lakeside 1", "Theirs", "Mine", None),
        ("City", "Madison", "Monona", "Madison", "theirs"),
        ("ZIP", "53704", "53704", "53703", "mine"),
    ]
    assert (page.who, page.errors, page.note, page.version) == ("Editor Two", [], "", 1)
    assert "Street" in page.equal
    text = text_of_page(page)
    assert "while you were editing. Your changes are kept on this page. They are not saved yet." in text
    assert f"{len(page.equal)} fields equal" in text


def test_the_environment_switch_leads_to_the_counterpart(organization, save_theirs, editor):
    twin = factories.organization(f"{BASE}.9", user=editor, environment="production")
    Organization.objects.filter(pk=twin.pk).update(staging_record=organization)
    _, page = conflict_between(organization, both_changed(organization, save_theirs))
    assert page.switch_url == f"/production/organizations/{twin.oid}/"


def test_a_field_that_both_changed_must_be_chosen(organization, save_theirs):
    texts = both_changed(organization, save_theirs)
    choices = {"address.city": "theirs", "address.zip_code": "mine", "oid": "nobody", "city": "mine"}
    conflict, page = conflict_between(organization, texts, seen=2, **choices)
    assert conflict.missing == {"name"}
    assert page.errors == [("id_choice-name", "Choose a value for Name.")]
    assert chosen(page) == {"Name": None, "City": "theirs", "ZIP": "mine"}


def test_a_choice_between_older_values_is_dropped_and_others_stay(organization, save_theirs):
    texts = both_changed(organization, save_theirs)
    now = save_theirs(name="Theirs again")
    choices = {"name": "theirs", "address.city": "mine", "address.zip_code": "mine"}
    _, page = conflict_between(organization, texts, seen=2, **choices)
    time = vocabulary.moment_text(localtime(now.edited_at), timezone.now(), "clock")
    assert page.note == (
        f"Editor Two saved this record again at {time}, while you were choosing."
        " Choose again for the values that changed."
    )
    assert chosen(page) == {"Name": None, "City": "mine", "ZIP": "mine"}


@pytest.mark.parametrize("seen", [0, 1, 7])
def test_a_choice_between_values_that_were_never_shown_does_not_count(organization, save_theirs, seen):
    conflict, _ = conflict_between(organization, both_changed(organization, save_theirs), seen=seen, name="theirs")
    assert conflict.choices == {}


def test_without_a_known_base_version_every_difference_is_mine(organization):
    _, page = conflict_between(organization, record_texts(organization.record(), name="Mine"), version=99)
    assert chosen(page) == {"Name": "mine"}


def test_contacts_and_the_kind_of_record_are_compared(organization, save_theirs):
    (contact,) = organization.record().contacts
    save_theirs(contacts=(replace(contact, name="Theirs"),), stands_for="location")
    texts = record_texts(replace(organization.record(), contacts=(replace(contact, name="Mine"),)))
    conflict, page = conflict_between(organization, texts, seen=2, stands_for="theirs")
    assert chosen(page) == {"Kind of record": "theirs", "Contact 1, Contact name": None}
    assert page.errors == [("id_choice-contact-0.name", "Choose a value for Contact name of contact 1.")]
    conflict, _ = conflict_between(organization, texts, seen=2, **{"stands_for": "theirs", "contact-0.name": "theirs"})
    record, stands_for = conflict.merged()
    assert (stands_for, record.contacts[0].name) == ("location", "Theirs")


@pytest.mark.parametrize(("destination", "source"), [("", "none"), (DESTINATION, "message")])
def test_the_source_of_a_destination_id_is_kept(editor, destination, source):
    directory = factories.record(destination_known=False)
    organization = factories.seen_organization(directory, user=editor)
    organizations.edit(organization.pk, 1, replace(directory, name="Theirs"), stands_for="", actor=as_actor(editor))
    texts = record_texts(directory, name="Mine", destination_id=destination, destination_source=source)
    conflict, _ = conflict_between(organization, texts, seen=2, name="mine", destination_id="mine")
    editing = open_form(organization)
    form = editing.form(texts, checked=True)
    both = editing.form(conflict_page.merged_texts(editing, form, conflict), checked=True)
    assert both.is_valid()
    assert (both.record().destination_id, both.record().destination_known) == (destination, True)
    assert both.destination_source == source
