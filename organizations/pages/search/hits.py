"""The one search box: an OID, a submission, Redox's number of a message, or words in records of both environments."""

from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Environment, Organization, Submission, tree
from organizations.pages.organizations import filter_words
from organizations.pages.organizations.rows import RecordRow
from organizations.queries.matches import match
from organizations.queries.record_filters import RecordFilters
from organizations.queries.record_rows import organizations_of
from organizations.services import search_text
from organizations.text.evidence import state_word
from organizations.text.markup import link
from organizations.text.vocabulary import Word

HITS_AN_ENVIRONMENT = 25
MOST_DIGITS = 18  # a number beyond is none of a row


class RecordHit(NamedTuple):
    """A record that was found: its row with what was found, and the names of the records above it."""

    row: RecordRow
    path: str


class SubmissionHit(NamedTuple):
    """A submission that was found, and by which of its numbers."""

    submission: Submission
    word: Word
    found_by: str

    @property
    def url(self) -> str:
        return reverse("submission", args=[self.submission.environment, self.submission.pk])


@dataclass(frozen=True, slots=True)
class Section:
    """What was found in one environment: the first hits, how many there are, and where all of them stand."""

    environment: Environment
    hits: list[RecordHit]
    total: int
    all_url: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found, as the page prints it."""

    submissions: list[SubmissionHit]
    sections: list[Section]
    note: str

    @property
    def total(self) -> int:
        return len(self.submissions) + sum(section.total for section in self.sections)


def by_oid(text: str, first: Environment) -> list[Organization]:
    """The records with exactly this OID; that of the environment that counts comes first."""
    oid = search_text.oid_in(text)
    if not oid:
        return []
    found = Organization.objects.filter(oid=oid).only("environment", "oid", "name")
    return sorted(found, key=lambda record: record.environment != first)


def also_in(record: Organization) -> SafeString:
    """The sentence about the same OID in the other environment."""
    url = reverse("record", args=[record.environment, record.oid])
    word = Environment(record.environment).label
    return format_html("Also in {}: {}.", word, link(url, "open"))


def find(text: str) -> Found:
    """Submissions by number or Redox's IDs, and records by words, in both environments."""
    note = filter_words.note(text)
    return Found(_submissions(text), [_section(environment, text) for environment in Environment], note)


def _submissions(text: str) -> list[SubmissionHit]:
    number = text.removeprefix("#")
    wanted = Q(redox_message_id=text) | Q(redox_log_id=text)
    if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS:
        wanted |= Q(pk=int(number))
    found = Submission.objects.filter(wanted).select_related("organization").defer("message").order_by("-pk")
    return [SubmissionHit(each, state_word(each), _found_by(each, text)) for each in found[:HITS_AN_ENVIRONMENT]]


def _found_by(submission: Submission, text: str) -> str:
    if submission.redox_message_id == text:
        return "Redox message ID"
    return "Redox log ID" if submission.redox_log_id == text else "submission number"


def _section(environment: Environment, text: str) -> Section:
    words = search_text.words(text)
    found = Organization.objects.in_environment(environment).filter(search_text.holding(text))
    ids = list(found.order_by("oid_key").values_list("pk", flat=True)[: HITS_AN_ENVIRONMENT + 1])
    shown = organizations_of(ids[:HITS_AN_ENVIRONMENT], with_texts=True)
    total = found.count() if len(ids) > HITS_AN_ENVIRONMENT else len(ids)
    lines = tree.ancestors_of(environment, [record.oid for record in shown])
    hits = [
        RecordHit(
            RecordRow(organization=record, match=match(record, words)),
            " › ".join(above.name for above in lines.get(record.oid, [])),
        )
        for record in shown
    ]
    all_url = reverse("organizations", args=[environment]) + RecordFilters(q=text, view="list").address()
    return Section(environment, hits, total, all_url)
