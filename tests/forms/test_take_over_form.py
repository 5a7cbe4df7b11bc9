"""The forms of a take-over: what must be entered together."""

import pytest

from organizations.forms.take_over import DestinationForAllForm, DestinationForm, OtherForm, TakeOverForm

DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"
ROUTING = "a07afe3b-d247-4415-827f-6837707e1b8b"
IDS = {"routing_names": {ROUTING: "Query for/create/update/delete an organization, STAGING"}, "own_ids": {}}


@pytest.mark.parametrize(
    ("destination_id", "source", "wrong"),
    [
        ("", "", set()),
        (DESTINATION, "memory", set()),
        ("", "none", set()),
        (DESTINATION, "", {"source"}),
        (DESTINATION, "none", {"source"}),
        ("", "dashboard", {"destination_id"}),
        ("not a UUID", "memory", {"destination_id"}),
        (ROUTING, "memory", {"destination_id"}),
        (DESTINATION, "hearsay", {"source"}),
    ],
)
def test_a_destination_id_and_how_it_is_known_belong_together(
    destination_id: str, source: str, wrong: set[str]
) -> None:
    form = DestinationForm({"destination_id": destination_id, "source": source}, **IDS)
    assert set(form.errors) == wrong


def test_it_has_none_contradicts_a_destination_id() -> None:
    form = DestinationForm({"destination_id": DESTINATION, "source": "none"}, **IDS)
    sentence = "A destination ID and “It has none” contradict each other. Delete the ID, or choose how you know it."
    assert form.errors == {"source": [sentence]}


def test_one_destination_id_for_all_needs_a_source() -> None:
    assert set(DestinationForAllForm({"number": "3"}, **IDS).errors) == {"source"}


def test_an_empty_form_is_refused() -> None:
    assert set(TakeOverForm({"oids": " \n", "old_messages": ""}).errors) == {"oids"}
    assert TakeOverForm({"oids": "", "old_messages": "curl"}).is_valid()


def test_taking_over_alone_needs_a_reason() -> None:
    assert set(OtherForm({"typed_oid": "1.2.3"}).errors) == {"reason"}
