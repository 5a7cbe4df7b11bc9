"""The headline of a review, whether it needs a reason, and what must be ticked."""

import datetime
from typing import Any

import pytest

from organizations.models import Event, Intent, Organization, Presence
from organizations.records import Difference
from organizations.redox import messages
from organizations.services.connection import redox_settings
from organizations.services.review.reviews import DirectoryKnowledge, Review, ReviewChange
from organizations.services.review.warnings import ReviewWarning
from tests import factories

MOMENT = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)
ACTIVE, INACTIVE = factories.record(), factories.record(active=False)


def review(organization: dict[str, Any] | None = None, /, **values: Any) -> Review:
    """A review of an Update of an accepted record, with these values replaced."""
    fields: dict[str, Any] = {
        "organization": Organization(
            **({"environment": "staging", "presence": Presence.PRESENT} | (organization or {}))
        ),
        "event": Event.UPDATE,
        "intent": Intent.UPDATE,
        "record": ACTIVE,
        "known": DirectoryKnowledge(ACTIVE),
        "message": b"",
        "sha256": "0123456789abcdef",
        "parent": None,
        "waits_for": None,
    }
    empty = dict.fromkeys(("changes", "overwrites", "equivalent", "warnings", "blockers"), ())
    return Review(**(fields | empty | values))


def changes(number: int) -> tuple[ReviewChange, ...]:
    return (ReviewChange(Difference("name", "Name", "A", "B", "name"), None),) * number


NEW = {"event": Event.NEW, "intent": Intent.CREATE, "known": DirectoryKnowledge()}
DEACTIVATE = {"intent": Intent.DEACTIVATE, "record": INACTIVE}
REACTIVATE = {"intent": Intent.REACTIVATE, "known": DirectoryKnowledge(INACTIVE)}


@pytest.mark.parametrize(
    ("case_review", "verdict"),
    [
        (review(changes=changes(1)), "STAGING, Update, 1 record, 1 field changes"),
        (review(changes=changes(2)), "STAGING, Update, 1 record, 2 fields change"),
        (review(), "STAGING, Update, 1 record, 0 fields change"),
        (review(overwrites=changes(1)), "STAGING, Update, 1 record, 1 directory value overwritten"),
        (
            review(changes=changes(1), overwrites=changes(2)),
            "STAGING, Update, 1 record, 1 field changes, 2 directory values overwritten",
        ),
        (review(**NEW), "STAGING, New, 1 record, first registration"),
        (review({"confirmed": "{}"}, **NEW), "STAGING, New, 1 record, registration again"),
        (review({"environment": "production"}, **NEW), "PRODUCTION, New, 1 record, first registration"),
        (review(**DEACTIVATE), "STAGING, Update, 1 record, Active true to false"),
        (
            review(**DEACTIVATE, overwrites=changes(1)),
            "STAGING, Update, 1 record, Active true to false, 1 directory value overwritten",
        ),
        (review(**REACTIVATE), "STAGING, Update, 1 record, Active false to true"),
        (review(intent=Intent.REACTIVATE), "STAGING, Update, 1 record, Active true as the directory shows it"),
        (
            review(**DEACTIVATE | {"known": DirectoryKnowledge(INACTIVE)}),
            "STAGING, Update, 1 record, Active false as the directory shows it",
        ),
        (review(**DEACTIVATE | {"known": DirectoryKnowledge()}), "STAGING, Update, 1 record, Active true to false"),
        (review({"foreign_since": MOMENT}), "STAGING, Lakeside 1: not to be sent now"),
        (review({"presence": Presence.UNKNOWN}), "STAGING, Lakeside 1: not to be sent now"),
        (
            review({"presence": Presence.NEVER, "seen": "{}", "seen_at": MOMENT}),
            "STAGING, Lakeside 1: not to be sent now",
        ),
    ],
)
def test_the_headline_says_what_the_message_does(case_review: Review, verdict: str) -> None:
    assert case_review.summary == verdict
    assert case_review.shows_message is (not verdict.endswith("not to be sent now"))


@pytest.mark.parametrize(
    ("case_review", "is_needed"),
    [
        (review(changes=changes(1)), False),
        (review(overwrites=changes(1)), False),
        (review(), True),
        (review({"environment": "production"}, changes=changes(1)), True),
    ],
)
def test_a_reason_is_needed_in_production_and_where_nothing_differs(case_review: Review, is_needed: bool) -> None:
    assert case_review.needs_reason is is_needed


def test_only_a_warning_that_was_not_accepted_before_needs_a_tick() -> None:
    unticked, ticked = ReviewWarning("a", "", "A"), ReviewWarning("b", "", "B", accepted_by="Ed")
    warnings_review = review(warnings=(unticked, ticked))
    assert (warnings_review.open_warnings, warnings_review.settled_warnings) == ((unticked,), (ticked,))


def test_the_fingerprint_is_the_start_of_the_hash() -> None:
    assert review().fingerprint == "0123 4567 89ab"


def in_fields(*fields: str) -> tuple[ReviewChange, ...]:
    return tuple(ReviewChange(Difference(field, "", "", "", ""), None) for field in fields)


# An added contact, which is one change of all its fields; a changed field; an overwritten one.
MARKED = {"changes": in_fields("contacts.0", "address.city"), "overwrites": in_fields("name")}


def test_the_unchanged_fields_are_those_with_a_value_that_the_message_neither_changes_nor_overwrites() -> None:
    assert [field.field for field in review(**MARKED).unchanged] == [
        *("oid", "active", "part_of_oid", "address.street"),
        *(f"address.{field}" for field in ("county", "state", "zip_code", "country")),
    ]


def test_an_update_marks_the_lines_that_it_changes_or_overwrites() -> None:
    message = messages.build_message(ACTIVE, Event.UPDATE.value, redox_settings.environment("staging"))
    contact = {"contacts.0", *(f"contacts.0.{field}" for field in ("purpose", "name", "email_addresses", "work_phone"))}
    update, new = review(**MARKED, message=message), review(**MARKED | NEW, message=message)
    assert {line.field for line, is_marked in update.lines if is_marked} == {"name", "address.city", *contact}
    assert [line.text for line, _ in new.lines] == message.decode().split("\n")
    assert not any(is_marked for _, is_marked in new.lines)
    assert review().lines == ()
