"""What a roll-call claims about one record: the evidence of its status, and whether it equals the last reading."""

import datetime
from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from organizations.models import Organization, Presence, State, User, clock
from organizations.pages.roll_call import claims
from organizations.pages.roll_call.claims import DIFFERS, EQUAL, NOT_KNOWN, Background
from organizations.queries import roll_call
from organizations.services.records import statements
from organizations.text.markup import written
from tests import factories
from tests.changes import mark_foreign, save_edit, store_empty_reading, store_reading, store_reading_with
from tests.factories import BASE, as_actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


@pytest.fixture
def new(editor: User) -> Organization:
    """A record that was never sent."""
    return factories.organization(f"{BASE}.7", user=editor)


@pytest.fixture
def taken_over(editor: User) -> Organization:
    directory = replace(factories.record(), destination_known=False)
    return factories.seen_organization(directory, user=editor)


def read(organization: Organization) -> Organization:
    return roll_call.records([organization.pk])[organization.pk]


def basis(organization: Organization) -> str:
    row = read(organization)
    return strip_tags(str(claims.status_evidence(row, Background.of([row]))))


def compared(organization: Organization) -> tuple[str, str]:
    comparison = claims.compare(read(organization))
    return comparison.word, comparison.sentence


def asked(organization: Organization) -> str:
    at = read(organization).seen_at
    assert at is not None
    return f"Directory asked {written(at, 'clock')}."


# The evidence of the status


def test_a_record_that_was_never_sent_says_so(new):
    assert basis(new) == "Never sent."


def test_an_acceptance_names_redox_and_its_time(accepted):
    at = datetime.datetime(2026, 5, 3, 19, 2, tzinfo=datetime.UTC)
    factories.change_submissions(ended_at=at)
    assert basis(accepted) == f"Accepted by Redox, {written(at)}."


def test_values_that_were_taken_after_an_acceptance_name_the_reading(accepted):
    at = clock.now()
    Organization.objects.update(taken=accepted.confirmed, known_at=at)
    assert basis(accepted) == f"Taken from the directory, asked {written(at)}."


def test_a_record_that_was_taken_over_names_the_reading(taken_over):
    at = datetime.datetime(2026, 5, 3, 19, 2, tzinfo=datetime.UTC)
    Organization.objects.update(seen_at=at)
    assert basis(taken_over) == f"Seen {written(at)}, Active = true."


def test_a_statement_names_its_reason(new, editor):
    statements.state_registered(new.pk, reason="Registered with curl", actor=as_actor(editor))
    assert basis(new) == f"Stated {written(clock.now(), 'day')}: Registered with curl."


def test_an_attempt_without_an_answer_is_not_called_never_sent(new, editor):
    """A newer submission that waits does not hide that attempt."""
    first = factories.submission(new, user=editor)
    now = clock.now()
    factories.change_submission(first, state=State.REJECTED, attempt=1, sent_at=now, ended_at=now)
    save_edit(new, editor, name="Lakeside South")
    factories.submission(new, user=editor)
    assert basis(new) == f"New rejected {written(now)}, submission {first.pk}."


def test_an_absent_record_names_redox_or_a_query(accepted):
    now = clock.now()
    Organization.objects.update(presence=Presence.ABSENT, presence_at=now)
    assert basis(accepted) == f"The directory did not show this OID when asked on {written(now)}."
    factories.change_submissions(state=State.REJECTED, known_answer="is_not_valid", ended_at=now)
    assert basis(accepted).startswith(f"Redox answered on {written(now)} ")
    Organization.objects.update(presence_at=now + datetime.timedelta(minutes=1))
    assert basis(accepted).startswith("The directory did not show ")


def test_a_foreign_oid_names_its_organization_and_nothing_is_compared(accepted):
    foreign = mark_foreign(accepted)
    assert basis(foreign).startswith("Somebody decided that this OID belongs to another organization (Boston Harbor")
    assert basis(foreign).endswith(f" Decided {written(clock.now(), 'day')}.")
    assert compared(foreign) == (NOT_KNOWN, "")


# The comparison with the last reading


def test_nothing_is_compared_before_the_directory_was_read(accepted, new):
    for organization in (accepted, new):
        assert compared(organization) == (NOT_KNOWN, "No Query for this record has been answered.")


def test_a_reading_from_before_the_acceptance_proves_nothing(accepted):
    store_reading_with(accepted)
    Organization.objects.update(known_at=clock.now() + datetime.timedelta(minutes=1))
    assert compared(accepted)[0] == NOT_KNOWN
    assert compared(accepted)[1].endswith(", before the last acceptance.")


def test_accepted_values_are_equal_whatever_is_saved_here(accepted, editor):
    store_reading_with(accepted)
    equal = (EQUAL, f"The directory shows what was accepted. {asked(accepted)}")
    assert compared(accepted) == equal
    save_edit(accepted, editor, name="Not sent")
    assert compared(accepted) == equal


def test_accepted_values_that_differ_are_counted(accepted):
    differing = store_reading_with(accepted, name="By hand")
    sentence = "In 1 field the directory shows another value than was last accepted."
    assert compared(differing) == (DIFFERS, f"{sentence} {asked(differing)}")


def test_a_record_that_the_directory_does_not_show_any_more_differs(accepted):
    missing = store_empty_reading(accepted)
    Organization.objects.update(not_visible_yet=False)
    assert compared(missing)[0] == DIFFERS
    assert compared(missing)[1].endswith(", did not show this OID.")


def test_a_reading_that_still_shows_the_values_before_the_acceptance_is_not_compared(accepted):
    store_reading_with(accepted, name="Before")
    Organization.objects.update(not_visible_yet=True)
    assert compared(accepted)[0] == NOT_KNOWN
    assert compared(accepted)[1].endswith(": not visible yet.")


def test_taken_values_equal_their_reading_until_a_later_one_differs(taken_over):
    assert compared(taken_over) == (EQUAL, f"The directory shows what was taken from it. {asked(taken_over)}")
    store_reading_with(taken_over, name="By hand")
    assert compared(taken_over)[0] == DIFFERS


def test_values_of_a_message_that_is_being_sent_are_not_called_equal(accepted, editor):
    """The record's count of differences leaves them out, because nobody else changed them."""
    changed = save_edit(accepted, editor, name="On its way")
    submission = factories.submission(changed, user=editor)
    factories.change_submission(submission, state=State.UNKNOWN, attempt=1, sent_at=clock.now())
    row = store_reading(accepted, replace(changed.record(), destination_id="", destination_known=False))
    assert row.differs == 0
    assert compared(accepted)[0] == DIFFERS


def test_saved_values_are_compared_if_nothing_was_accepted(new, editor):
    statements.state_registered(new.pk, reason="Registered with curl", actor=as_actor(editor))
    directory = replace(new.record(), destination_id="", destination_known=False)
    store_reading(new, directory)
    assert compared(new) == (EQUAL, f"The directory shows what is saved here. {asked(new)}")
    store_reading(new, replace(directory, name="By hand"))
    sentence = "In 1 field the directory shows another value than is saved here."
    assert compared(new) == (DIFFERS, f"{sentence} {asked(new)}")


def test_an_oid_whose_owner_is_not_decided_is_not_compared(new):
    store_reading(new, factories.record(name="Harbor General", destination_known=False))
    assert compared(new)[0] == NOT_KNOWN
    assert compared(new)[1].startswith("The directory already shows this OID, as Harbor General, ")


def test_an_older_reading_of_an_absent_record_is_not_compared(accepted):
    store_reading_with(accepted)
    Organization.objects.update(presence=Presence.ABSENT, presence_at=clock.now() + datetime.timedelta(minutes=1))
    assert compared(accepted) == (NOT_KNOWN, "")


# Active


def test_active_of_a_record_that_was_never_sent_is_not_known(new):
    assert claims.known_active(read(new)) is None


def test_active_is_the_accepted_value_until_a_later_reading_shows_another(accepted):
    assert claims.known_active(read(accepted)) is True
    store_reading_with(accepted, active=False)
    assert claims.known_active(read(accepted)) is False


def test_active_of_an_absent_record_is_not_known(accepted):
    Organization.objects.update(presence=Presence.ABSENT)
    assert claims.known_active(read(accepted)) is None
