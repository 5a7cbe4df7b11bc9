"""How new the last reading of the directory is, and what the next message is compared with."""

import datetime
from typing import NamedTuple

from organizations.models import Evidence, Organization, Presence, clock
from organizations.text.markup import written

OLD_READING_AGE = datetime.timedelta(days=1)


class Freshness(NamedTuple):
    """How new the last reading is. `sentence` is "" if "Directory asked {time}, {age} ago" is enough."""

    asked_at: datetime.datetime | None
    sentence: str
    is_old: bool = False


def lags(organization: Organization) -> bool:
    """Whether the last reading still showed the values before the last acceptance."""
    return organization.not_visible_yet and organization.presence == Presence.PRESENT


def record_freshness(organization: Organization) -> Freshness:
    """How new the last reading of a record is."""
    asked_at = organization.seen_at
    if asked_at is None:
        return Freshness(None, "No Query for this record has been answered.")
    time = written(asked_at, "clock")
    if lags(organization):
        number = organization.confirmed_submission_id
        what = "still showed the content from before" if organization.seen else "did not show this OID after"
        sentence = f"The directory, asked at {time}, {what} submission {number}"
        return Freshness(asked_at, f"{sentence}: not visible yet.")
    if organization.is_read_later and not organization.seen:
        return Freshness(asked_at, f"The directory, asked at {time}, did not show this OID.")
    if not organization.is_read_later:
        return Freshness(asked_at, f"The directory was last read at {time}, before the last acceptance.", is_old=True)
    return Freshness(asked_at, "", clock.now() - asked_at > OLD_READING_AGE)


def without_later_reading(organization: Organization) -> str:
    """Why no reading can be compared with the baseline, for a heading."""
    if organization.seen_at is None:
        return "the directory has not been read"
    if not organization.is_read_later:
        return "the directory has not been read since the last acceptance"
    return "the directory did not show its OID"


def compared_with(organization: Organization, taken_by: str = "") -> str:
    """What the next message is compared with, and on what evidence: "what Redox accepted on May 3 (submission 17)".

    `taken_by` is who took values from the directory, if that is known.
    """
    if organization.taken:
        taken = f"what {taken_by or 'a person'} took from the directory on {_day(organization.known_at)}"
        return f"{accepted_with_evidence(organization)}, and with {taken}" if organization.confirmed else taken
    if not organization.confirmed:
        return f"what the directory showed on {_day(organization.seen_at)}"
    return accepted_with_evidence(organization)


def accepted_with_evidence(organization: Organization) -> str:
    """What was last accepted, with its evidence."""
    number, day = organization.confirmed_submission_id, _day(organization.confirmed_at)
    in_brackets = f" (submission {number})" if number else ""
    sent = f"what submission {number} sent" if number else "what was sent"
    match organization.confirmed_evidence:
        case Evidence.ANSWER:
            return f"what Redox accepted on {day}{in_brackets}"
        case Evidence.BOTH:
            return f"{sent}; Redox's answer and a Query showed on {day} that it arrived"
        case Evidence.QUERY:
            return f"{sent} and a Query showed on {day}"
        case Evidence.EQUIVALENT:
            return f"{sent}; a Query showed something equivalent on {day}"
        case Evidence.PERSON:
            return f"{sent}; {_decider(organization)} decided on {day} that it arrived"
        case _:
            return f"what was accepted on {day}{in_brackets}"


def accepted_heading(organization: Organization) -> str:
    """The heading of the column of accepted or taken values."""
    if organization.taken:
        return f"{taken_heading(organization)} {_day(organization.known_at)}"
    return f"Accepted {_day(organization.confirmed_at)}"


def taken_heading(organization: Organization) -> str:
    """The heading after values were taken. Most values are still the accepted ones, if there are any."""
    return "Accepted or taken" if organization.confirmed else "Taken from the directory"


class ValueSource(NamedTuple):
    """Where the values of a deactivation come from: "as it was last accepted", and since when, if that is known."""

    words: str
    at: datetime.datetime | None = None


def source_of_values(organization: Organization) -> ValueSource:
    """Where the values of the next deactivation or reactivation come from. `services/review/reviews.py` decides it."""
    if organization.taken:
        accepted = "as it was last accepted, with what was taken from the directory"
        only_taken = "as it was taken from the directory"
        return ValueSource(accepted if organization.confirmed else only_taken, organization.known_at)
    if organization.confirmed:
        return ValueSource("as it was last accepted", organization.confirmed_at)
    if organization.later_reading() is not None:
        return ValueSource("with the saved destination ID, and as the directory showed it", organization.seen_at)
    return ValueSource("as it is saved here, because the portal knows no other values")


def _decider(organization: Organization) -> str:
    submission = organization.confirmed_submission
    return (submission.decided_by if submission else "") or "a person"


def _day(moment: datetime.datetime | None) -> str:
    return written(moment, "day") if moment else "an unknown day"
