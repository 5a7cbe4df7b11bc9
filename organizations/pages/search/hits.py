"""What the search box finds in both environments: submissions by their numbers, records by words."""

from dataclasses import dataclass
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Environment, Organization, Submission
from organizations.pages.addresses import environment_url, record_url, submission_url
from organizations.pages.organizations import filter_words
from organizations.pages.organizations.rows import RecordRow
from organizations.queries import search, submissions
from organizations.queries.matches import match
from organizations.queries.record_filters import LIST, RecordFilters
from organizations.services import search_text
from organizations.text.evidence import state_word
from organizations.text.markup import link
from organizations.text.vocabulary import Word


class RecordHit(NamedTuple):
    """A record that was found, with the names of the records above it."""

    row: RecordRow
    path: str


class SubmissionHit(NamedTuple):
    """A submission that was found, and by which of its numbers."""

    submission: Submission
    word: Word
    found_by: str

    @property
    def url(self) -> str:
        return submission_url(self.submission)


@dataclass(frozen=True, slots=True)
class EnvironmentHits:
    """The first hits in one environment, the number of all hits, and the list of all.

    `misses_records`: there may be more hits, because not all records were searched.
    """

    environment: Environment
    hits: list[RecordHit]
    total: int
    all_url: str
    misses_records: bool

    @property
    def is_capped(self) -> bool:
        """Whether there are more hits than were counted, and more than the list of all hits shows."""
        return self.total > search.MOST_TOTAL

    @property
    def counted(self) -> str:
        return f"more than {search.MOST_TOTAL:,}" if self.is_capped else f"{self.total:,}"

    @property
    def all_words(self) -> str:
        """The words of the link to the list."""
        first = f"The first {search.MOST_TOTAL:,}" if self.is_capped else f"All {self.total:,}"
        return f"{first} in {self.environment.label}"


@dataclass(frozen=True, slots=True)
class SearchHits:
    """`note` says which part of the search is left out."""

    submissions: list[SubmissionHit]
    environments: list[EnvironmentHits]
    note: str

    @property
    def total(self) -> int:
        return len(self.submissions) + sum(environment.total for environment in self.environments)

    @property
    def counted(self) -> str:
        if any(environment.is_capped for environment in self.environments):
            return f"More than {search.MOST_TOTAL:,}"
        return f"{self.total:,}"


def also_in(record: Organization) -> SafeString:
    """The sentence about the same OID in the other environment."""
    url = record_url(record)
    return format_html("Also in {}: {}.", Environment(record.environment).label, link(url, "open"))


def find(text: str) -> SearchHits:
    named = submissions.submissions_named(text, search.MOST_HITS)
    environments = [_in_environment(environment, text) for environment in Environment]
    return SearchHits(
        [SubmissionHit(submission, state_word(submission), _found_by(submission, text)) for submission in named],
        environments,
        filter_words.note(text, misses_records=any(each.misses_records for each in environments)),
    )


def _found_by(submission: Submission, text: str) -> str:
    if submission.redox_message_id == text:
        return "Redox message ID"
    return "Redox log ID" if submission.redox_log_id == text else "submission number"


def _in_environment(environment: Environment, text: str) -> EnvironmentHits:
    words = search_text.query_words(text)
    records = search.records_with_words(environment, text)
    hits = [
        RecordHit(
            RecordRow(organization=record, match=match(record, words)), " › ".join(records.paths.get(record.oid, []))
        )
        for record in records.organizations
    ]
    all_url = environment_url("organizations", environment) + RecordFilters(q=text, view=LIST).address()
    return EnvironmentHits(environment, hits, records.total, all_url, records.misses_records)
