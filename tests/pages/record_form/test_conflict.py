"""Two versions of a record side by side: what is chosen beforehand, what must be chosen, and which choices hold."""

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
from tests.factories import BASE, acting
from tests.page_text import text_of_page
from tests.views.typing import open_form, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def save_theirs(made, second):
    """Editor Two saves these changes behind the other's back."""

    def save(*, stands_for="", city="", **changes):
        now = Organization.objects.get(pk=made.pk)
        address = replace(now.record().address, city=city or now.city)
        record = replace(now.record(), **{"address": address} | changes)
        return organizations.edit(now.pk, now.version, record, stands_for=stands_for, actor=acting(second))

    return save


def between(made, texts, *, version=1, seen=0, **choices):
    """What was typed from that version on against what is saved now; `seen` is what the choices were made by."""
    editing = open_form(made, version=version)
    form = editing.form(texts, checked=True)
    assert form.is_valid()
    assert editing.organization
    posted = {f"choice-{key}": side for key, side in choices.items()} | ({"theirs": str(seen)} if seen else {})
    conflict = VersionConflict.of(editing, form, editing.organization, posted, seen)
    return conflict, conflict_page.build(editing, form, conflict, missing=conflict.missing if seen else ())


def both_changed(made, save_theirs):
    """Both changed the name, they the city, and this person the ZIP."""
    save_theirs(name="Theirs", city="Monona")
    return typed(made.record(), name="Mine", zip_code="53703")


def chosen(page):
    return {each.row.label: each.chosen for each in page.rows}


def test_both_versions_are_beside_each_other_with_what_can_be_chosen_beforehand(made, save_theirs):
    _, page = between(made, both_changed(made, save_theirs))
    assert [(each.row.label, each.row.before, each.row.theirs, each.row.mine, each.chosen) for each in page.rows] == [
        ("Name", "Lakeside 1", "Theirs", "Mine", None),
        ("City", "Madison", "Monona", "Madison", "theirs"),
        ("ZIP", "53704", "53704", "53703", "mine"),
    ]
    assert (page.who, page.errors, page.note, page.version) == ("Editor Two", [], "", 1)
    assert "Street" in page.equal
    text = text_of_page(page)
    assert "while you were editing. Nothing of yours is lost and nothing was saved yet." in text
    assert f"{len(page.equal)} fields equal" in text


def test_the_switch_of_environments_leads_to_the_counterpart(made, save_theirs, editor):
    twin = factories.organization(f"{BASE}.9", user=editor, environment="production")
    Organization.objects.filter(pk=twin.pk).update(staging_record=made)
    _, page = between(made, both_changed(made, save_theirs))
    assert page.switch_url == f"/production/organizations/{twin.oid}/"


def test_a_field_that_both_changed_must_be_chosen(made, save_theirs):
    texts = both_changed(made, save_theirs)
    choices = {"address.city": "theirs", "address.zip_code": "mine", "oid": "nobody", "city": "mine"}
    conflict, page = between(made, texts, seen=2, **choices)
    assert conflict.missing == {"name"}
    assert page.errors == [("id_choice-name", "Choose a value for Name.")]
    assert chosen(page) == {"Name": None, "City": "theirs", "ZIP": "mine"}


def test_a_choice_between_older_values_is_asked_again_and_any_other_stays(made, save_theirs):
    texts = both_changed(made, save_theirs)
    now = save_theirs(name="Theirs again")
    choices = {"name": "theirs", "address.city": "mine", "address.zip_code": "mine"}
    _, page = between(made, texts, seen=2, **choices)
    time = vocabulary.moment(localtime(now.edited_at), timezone.now(), "clock")
    assert page.note == (
        f"Editor Two saved this record again at {time}, while you were choosing."
        " Choose again for the values that changed."
    )
    assert chosen(page) == {"Name": None, "City": "mine", "ZIP": "mine"}


@pytest.mark.parametrize("seen", [0, 1, 7])
def test_a_choice_between_values_that_were_never_shown_does_not_count(made, save_theirs, seen):
    conflict, _ = between(made, both_changed(made, save_theirs), seen=seen, name="theirs")
    assert conflict.choices == {}


def test_without_a_known_beginning_every_difference_counts_as_ones_own(made):
    _, page = between(made, typed(made.record(), name="Mine"), version=99)
    assert chosen(page) == {"Name": "mine"}


def test_contacts_and_what_a_record_stands_for_are_part_of_it(made, save_theirs):
    (contact,) = made.record().contacts
    save_theirs(contacts=(replace(contact, name="Theirs"),), stands_for="location")
    texts = typed(replace(made.record(), contacts=(replace(contact, name="Mine"),)))
    conflict, page = between(made, texts, seen=2, stands_for="theirs")
    assert chosen(page) == {"Kind of record": "theirs", "Contact 1, Contact name": None}
    assert page.errors == [("id_choice-contact-0.name", "Choose a value for Contact name of contact 1.")]
    conflict, _ = between(made, texts, seen=2, **{"stands_for": "theirs", "contact-0.name": "theirs"})
    record, stands_for = conflict.merged()
    assert (stands_for, record.contacts[0].name) == ("location", "Theirs")


def test_a_destination_that_is_said_to_be_none_stays_said(editor):
    seen = factories.record(destination_known=False)
    taken = organizations.take_over(seen, "staging", actor=acting(editor))
    organizations.edit(taken.pk, 1, replace(seen, name="Theirs"), stands_for="", actor=acting(editor))
    texts = typed(seen, name="Mine", destination_none="on")
    conflict, _ = between(taken, texts, seen=2, name="mine", destination_id="mine")
    editing = open_form(taken)
    both = editing.form(editing.texts_of(*conflict.merged()), checked=True)
    assert both.is_valid()
    assert both.record().destination_known
