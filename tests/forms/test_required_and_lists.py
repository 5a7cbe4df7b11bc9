"""What the form of a record marks as required, and its lists of states and countries."""

import re
from dataclasses import replace

import pytest

from organizations.forms.record import RecordForm
from organizations.forms.typed import GATEWAY, OTHER, OURS, Typed
from tests.factories import BASE

from .test_record_form import checked, form_context, posted, texts


@pytest.mark.parametrize("place", [OURS, GATEWAY, OTHER])
def test_the_fields_marked_as_required_are_those_refused_when_empty(place):
    filled = texts(place=place, parent=BASE, other_oid=f"{BASE}.9")
    filled = replace(filled, identifiers=({"value": "LSC-014", "kind": "FACID"},))
    assert checked(filled).is_valid()
    parts = {"main": (lambda form: form.main), "contacts": lambda form: form.contacts[0]}
    for part, of in (parts | {"identifiers": lambda form: form.identifiers[0]}).items():
        for name in of(checked(filled)).fields:
            if part == "main":
                form = checked(filled.having(**{name: ""}))
            else:
                form = checked(replace(filled, **{part: ({**filled.rows(part)[0], name: ""},)}))
            unread = {"parent": OURS, "other_oid": OTHER}
            is_marked = of(form)[name].is_marked_required and unread.get(name, place) == place
            assert is_marked == (not form.is_valid()) or name == "place", name
            assert ("aria-required" in str(of(form)[name])) == of(form)[name].is_marked_required


@pytest.mark.parametrize("name", ["state", "country"])
def test_each_entry_of_a_list_is_valid_input(name):
    offered = RecordForm(texts(), form_context(), checked=False).main[name].field.widget.choices
    for value, _ in offered:
        form = checked(**{name: value, "zip_code": ""})
        assert (getattr(form.main.values["address"], name), form.changes_sentence) == (value, ""), value


@pytest.mark.parametrize(
    ("name", "text", "stored", "label"),
    [
        ("state", "WI", "WI", "Wisconsin (WI)"),
        ("state", "", "WI", "Not given"),
        ("state", "Wisconsn", "Wisconsn", "Wisconsn, as stored"),
        ("state", "wisconsin", "WI", "wisconsin, as typed"),
        ("country", "U.S.", "U.S.", "U.S., as stored"),
        ("country", "Kanada", "USA", "Kanada, as typed"),
        ("country", "", "USA", "Not given"),
    ],
)
def test_a_text_outside_the_list_is_an_additional_entry(name, text, stored, label):
    context = form_context(stored=texts(**{name: stored}))
    for is_checked in (False, True):
        form = RecordForm(texts(**{name: text}), context, checked=is_checked)
        html = str(form.main[name])
        assert re.search(rf'<option value="{re.escape(text)}"[^>]* selected[^>]*>{re.escape(label)}</option>', html)


@pytest.mark.parametrize(("country", "state"), [("Canada", "Ontario"), ("USA", "WI"), ("u.s.", "WI"), ("", "WI")])
def test_the_state_is_free_text_for_any_other_country(country, state):
    form = RecordForm(
        Typed.from_post(posted(country=country, state="WI", state_abroad="Ontario")), form_context(), checked=True
    )
    assert form.main.values["address"].state == state
    assert form.main.is_abroad == (country == "Canada")
    assert ("<select" in str(form.main["state"])) != form.main.is_abroad
    # Input posted by another program has no second field.
    assert Typed.from_post(posted(country=country, state="Ontario")).fields["state"] == "Ontario"
