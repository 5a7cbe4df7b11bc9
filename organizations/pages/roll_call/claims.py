"""What the portal knows about one record in the directory: each claim with its evidence and time, without a query."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Organization, Presence, Submission
from organizations.pages.organizations.rows import standing_of
from organizations.pages.record import summary, to_do
from organizations.queries import roll_call
from organizations.text import evidence, freshness
from organizations.text.markup import moment, written
from organizations.text.vocabulary import NOT_IN_DIRECTORY, OPEN_WORK, count

EQUAL, DIFFERS, NOT_KNOWN = "Equal", "Differs", "Not known"


class Background(NamedTuple):
    """What `status_evidence` needs of other tables, read for all records at once."""

    attempted: Mapping[int, Submission]
    rejected_as_absent: frozenset[int]

    @classmethod
    def of(cls, organizations: Iterable[Organization]) -> Self:
        listed = list(organizations)
        return cls(roll_call.attempted_submissions(listed), roll_call.rejected_as_absent(listed))


class Comparison(NamedTuple):
    """Whether the values here equal those of the last reading: one of the three words, and what is known."""

    word: str
    sentence: str = ""


def status_evidence(organization: Organization, background: Background) -> SafeString | str:
    """The evidence of the directory status and its time, in a sentence."""
    if organization.is_foreign:
        return to_do.foreign_sentence(organization)
    if organization.presence == Presence.ABSENT and organization.presence_at is not None:
        source = "answer" if organization.pk in background.rejected_as_absent else "query"
        return NOT_IN_DIRECTORY[source].format(moment=written(organization.presence_at))
    if standing_of(organization).key not in ("active", "deactivated"):
        return summary.unaccepted_basis(organization, background.attempted.get(organization.pk), focus=False)
    if organization.taken:  # with Active, in the reading of that time
        time = moment(organization.known_at, focus=False)
        return format_html(evidence.TAKEN_IN_SUBMISSION_LINE, time=time)
    if organization.confirmed_submission is None:
        return format_html("Accepted {}.", moment(organization.confirmed_at, focus=False))
    return evidence.plan_row_sentence(organization.confirmed_submission)


def compare(organization: Organization) -> Comparison:
    """The accepted values, or those saved here if nothing was accepted, against the last reading."""
    if organization.is_foreign:
        return Comparison(NOT_KNOWN)
    asked_at, sentence = organization.seen_at, freshness.record_freshness(organization).sentence
    if asked_at is None or sentence:
        return Comparison(DIFFERS if organization.is_missing else NOT_KNOWN, sentence)
    asked = f"Directory asked {written(asked_at, 'clock')}."
    if organization.is_there_unclaimed:
        return Comparison(NOT_KNOWN, f"{to_do.unclaimed_meaning(organization)} {asked}")
    if organization.presence == Presence.ABSENT:
        return Comparison(NOT_KNOWN)  # that reading is older than what says that it is absent
    number, ours = _differing_fields(organization)
    if not number:
        return Comparison(EQUAL, f"The directory shows what {ours}. {asked}")
    return Comparison(DIFFERS, f"{_differing_sentence(organization, number)} {asked}")


def known_active(organization: Organization) -> bool | None:
    """Active as the directory is known to have it; None if that is not known."""
    if organization.shown_active is not None:
        return organization.shown_active
    return organization.confirmed_active if organization.presence == Presence.PRESENT else None


def _differing_fields(organization: Organization) -> tuple[int, str]:
    """In how many fields the reading differs, and from what."""
    if organization.baseline_record() is None:
        return organization.changes, "is saved here"
    ours = "was taken from it" if not organization.confirmed else "was accepted"
    last = organization.last_submission
    if last is not None and last.is_open and last.attempt:
        # The column leaves out the values of a message that may have arrived.
        return len(to_do.differences_of(organization)), ours
    return organization.differs, ours


def _differing_sentence(organization: Organization, number: int) -> str:
    if organization.baseline_record() is not None:
        return OPEN_WORK["directory_differs"].say(k=number)
    return f"In {count(number, 'field')} the directory shows another value than is saved here."
