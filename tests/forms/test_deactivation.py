"""The reason for deactivating or reactivating, and in PRODUCTION the name: what is refused and what is stored."""

from typing import Any

import pytest

from organizations.forms.deactivation import DeactivationForm, Replacement
from organizations.models import Intent
from tests.factories import BASE

PIER = Replacement("Lakeside Pier", f"{BASE}.5")
NOT_OURS = "Not ours."


def form_of(intent: Intent = Intent.DEACTIVATE, name: str = "", **typed: str) -> DeactivationForm:
    def replacement(text: str) -> Replacement | str:
        return PIER if text == PIER.name else NOT_OURS

    given: dict[str, Any] = {"why": "closed", "in_words": "Lease ended"} | typed
    return DeactivationForm(given, intent=intent, name=name, environment_name="STAGING", replacement=replacement)


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"why": ""}, {"why": "Choose a reason."}),
        ({"why": "\x00"}, {"why": "Choose a reason."}),
        ({"why": "open"}, {"why": "Choose a reason."}),
        ({"why": "other", "in_words": " "}, {"in_words": "Enter the reason in words."}),
        ({"why": "replaced"}, {"replaced_by": "Name the record that replaces it."}),
        ({"why": "replaced", "replaced_by": "\x00" * 10_000}, {"replaced_by": NOT_OURS}),
        ({"in_words": "x" * 501}, {"in_words": "Reason has 501 characters; at most 500 can be kept."}),
        (
            {"in_words": "a\u202eb"},
            {"in_words": "The reason contains a character that cannot be sent (U+202E, place 2). Delete it."},
        ),
        (
            {"in_words": "\x00"},
            {"in_words": "The reason contains a character that cannot be sent (U+0000, place 1). Delete it."},
        ),
    ],
)
def test_each_error_is_at_its_field(typed, errors):
    assert {name: found[0] for name, found in form_of(**typed).errors.items()} == errors


@pytest.mark.parametrize(
    ("intent", "typed", "reason"),
    [
        (Intent.DEACTIVATE, {}, "Location closed: Lease ended"),
        (Intent.DEACTIVATE, {"in_words": ""}, "Location closed"),
        (
            Intent.DEACTIVATE,
            {"why": "replaced", "replaced_by": PIER.name},
            f"Replaced by Lakeside Pier ({BASE}.5). Lease ended",
        ),
        (
            Intent.DEACTIVATE,
            {"why": "replaced", "replaced_by": PIER.name, "in_words": ""},
            f"Replaced by Lakeside Pier ({BASE}.5)",
        ),
        (Intent.DEACTIVATE, {"replaced_by": PIER.name}, "Location closed: Lease ended"),
        (Intent.DEACTIVATE, {"replaced_by": "\x00" * 10_000}, "Location closed: Lease ended"),
        (Intent.REACTIVATE, {"why": "open", "replaced_by": PIER.name}, "Location open again: Lease ended"),
    ],
)
def test_the_stored_reason_combines_choice_and_text(intent, typed, reason):
    form = form_of(intent, **typed)
    assert form.is_valid()
    assert form.reason_text == reason


@pytest.mark.parametrize("typed", ["Lakeside 1", "  lakeside  1 ", "LAKESIDE 1"])
def test_the_typed_name_ignores_case_and_spaces(typed):
    assert form_of(name="Lakeside 1", typed_name=typed).is_valid()


@pytest.mark.parametrize("typed", ["", "Lakeside 2", "Lakeside1"])
def test_another_name_is_refused(typed):
    errors = form_of(name="Lakeside 1", typed_name=typed).errors
    assert errors == {"typed_name": ["This is not the name. Type: Lakeside 1."]}


@pytest.mark.parametrize(("typed", "number"), [("", 0), ("x", 0), ("-1", 0), ("17", 17)])
def test_an_invalid_submission_number_is_ignored(typed, number):
    form = form_of(seen_submission=typed)
    form.is_valid()
    assert form.last_submission_seen == number
