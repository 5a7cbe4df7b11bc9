"""The filters of the history, read from an address, and the entries that match.

A filter that cannot be read is an error and is never ignored: with a mistyped date, an auditor must not read a longer
history than they asked for.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull
from django.http import QueryDict
from django.utils import timezone

from organizations.models import Action, AuditEntry, AuditHead, Environment, Organization, Submission, User
from organizations.models.audit import EDITS
from organizations.posted_numbers import read_number
from organizations.queries.filters import Filters
from organizations.queries.submission_story import included_edits
from organizations.services import search_index, search_text

PORTAL = "portal"
"""The choice of `who` for the portal itself and its workers."""
MOST_RECORDS = 20_000
"""For at most this many records, the entries about them are found by the ids of the records."""
MOST_SEARCHED = 50_000
"""How many of the newest entries are searched for words that no index narrows, because they are short or common."""
FIRST_YEAR, LAST_YEAR = 2000, 2199
OUTCOMES = ("accepted", "rejected", "not_sent", "not_executed", "unknown", "needs_person")
GROUPS: Mapping[str, tuple[Action, ...]] = {
    "edits": (
        *EDITS,
        Action.ORGANIZATION_DISCARDED,
        Action.ORGANIZATION_WITHDRAWN,
        Action.ORGANIZATION_DEACTIVATION_WANTED,
        Action.ORGANIZATION_REACTIVATION_WANTED,
        Action.ORGANIZATION_ACTIVE_RETURNED,
        Action.ORGANIZATION_LINKED,
        Action.ORGANIZATION_UNLINKED,
        Action.ORGANIZATION_TAKEN,
    ),
    "submissions": (
        Action.SUBMISSION_MADE,
        Action.SUBMISSION_APPROVED,
        Action.SUBMISSION_RETURNED,
        Action.SUBMISSION_VOIDED,
        Action.SUBMISSION_CANCELLED,
        Action.SUBMISSION_SETTLED,
        Action.PLAN_MADE,
        Action.PLAN_PAUSED,
        Action.PLAN_RESUMED,
        Action.PLAN_STOPPED,
    ),
    "answers": (
        Action.ATTEMPT_INTENT,
        Action.ATTEMPT_RESPONSE,
        Action.ATTEMPT_OUTCOME,
        Action.ATTEMPT_LATE,
        Action.ORGANIZATION_CONFIRMED,
    ),
    "directory": (
        Action.SUBMISSION_ASKED,
        Action.ORGANIZATION_ASKED,
        Action.ORGANIZATION_SEEN,
        Action.DIRECTORY_ASKED,
        Action.DIRECTORY_SCANNED,
        Action.TAKE_OVER_BEGUN,
        Action.TAKE_OVER_STOPPED,
        Action.TAKE_OVER_DESTINATIONS,
        Action.TAKE_OVER_CHOSEN,
        Action.ORGANIZATION_STATED,
        Action.ORGANIZATION_UNSTATED,
        Action.ORGANIZATION_REOPENED,
        Action.ORGANIZATION_CLAIMED,
        Action.ORGANIZATION_DISCLAIMED,
        Action.DIRECTORY_SEARCHED,
    ),
    "connection": (
        Action.ENVIRONMENT_STOPPED,
        Action.ENVIRONMENT_PAUSED,
        Action.ENVIRONMENT_RESUMED,
        Action.ENVIRONMENT_CHECKED,
        Action.SETTINGS_SEEN,
    ),
    "people": (Action.PERSON_SIGNED_IN, Action.PERSON_SIGNED_OUT, Action.PERSON_CHANGED),
    "refused": (Action.PERSON_REFUSED, Action.PERMISSION_REFUSED),
    "exports": (Action.EXPORT_MADE,),
}
"""The actions that one choice of the filter "what" finds. Each action is in exactly one group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters(Filters):
    """`since` and `until` are days of the shown time zone; both belong to the range.

    `single` shows single entries instead of stories, `utc` all times in UTC.
    """

    NARROWING: ClassVar = ("record", "submission", "who", "what", "environment", "outcome", "since", "until")
    PARAMETERS: ClassVar = {"since": "from", "until": "to", "utc": "times", "single": "show"}
    FLAGS: ClassVar = {"utc": "utc", "single": "entries"}

    record: str = ""
    submission: str = ""
    who: str = ""
    what: str = ""
    environment: str = ""
    outcome: str = ""
    since: datetime.date | None = None
    until: datetime.date | None = None
    utc: bool = False
    single: bool = False

    @property
    def is_searched_in_part(self) -> bool:
        """Whether the indexes do not narrow the words of `record`: the newest entries alone are searched for them."""
        if _known_oid(self.record):
            return False
        return any(
            search_index.has_too_many(index, self.record) for index in (search_index.RECORDS, search_index.ENTRIES)
        )

    @property
    def zone(self) -> datetime.tzinfo:
        return datetime.UTC if self.utc else timezone.get_current_timezone()


class FilterProblem(NamedTuple):
    """Why a filter of an address cannot be read: `typed` is not a known choice, not a date, and so on."""

    kind: Literal["choice", "date", "order", "submission", "words"]
    typed: str = ""


def read(params: QueryDict) -> tuple[AuditFilters, dict[str, FilterProblem]]:
    """The filters that an address sets, and the problem of each filter that cannot be read."""
    problems: dict[str, FilterProblem] = {}
    since, until = _dates(params, problems)
    return (
        AuditFilters(
            record=_record(params, problems),
            submission=_submission(params, problems),
            who=_choice(params, "who", problems),
            what=_choice(params, "what", problems),
            environment=_choice(params, "environment", problems),
            outcome=_choice(params, "outcome", problems),
            since=since,
            until=until,
            utc=AuditFilters.flag_in(params, "utc"),
            single=AuditFilters.flag_in(params, "single"),
        ),
        problems,
    )


def _record(params: QueryDict, problems: dict[str, FilterProblem]) -> str:
    record = search_text.clean_query(AuditFilters.text_in(params, "record"))
    if search_text.has_too_many_words(record):
        problems["record"] = FilterProblem("words", record)
    return record


def _submission(params: QueryDict, problems: dict[str, FilterProblem]) -> str:
    number = AuditFilters.text_in(params, "submission").strip()
    if not number or read_number(number):
        return number
    problems["submission"] = FilterProblem("submission", number)
    return ""


def _choice(params: QueryDict, name: str, problems: dict[str, FilterProblem]) -> str:
    value = AuditFilters.text_in(params, name)
    if not value or value in _choices(name):
        return value
    problems[name] = FilterProblem("choice", value)
    return ""


def _choices(name: str) -> list[str]:
    match name:
        case "who":
            return [PORTAL, *(str(person.pk) for person in people())]
        case "what":
            return list(GROUPS)
        case "environment":
            return list(Environment.values)
    return list(OUTCOMES)


def _dates(params: QueryDict, problems: dict[str, FilterProblem]) -> tuple[datetime.date | None, datetime.date | None]:
    since, until = _date(params, "since", problems), _date(params, "until", problems)
    if since and until and until < since:
        problems["until"] = FilterProblem("order")
    return since, until


def _date(params: QueryDict, name: str, problems: dict[str, FilterProblem]) -> datetime.date | None:
    text = AuditFilters.text_in(params, name).strip()
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        problems[name] = FilterProblem("date", text)
        return None
    return day


def people() -> QuerySet[User]:
    """All accounts, by user name."""
    return User.objects.order_by("username").only("username", "first_name", "last_name")


def matching(filters: AuditFilters, last: int | None = None) -> QuerySet[AuditEntry]:
    """The entries that match, in no order; up to the entry `last`, if it is given."""
    entries = AuditEntry.objects.all() if last is None else AuditEntry.objects.filter(sequence__lte=last)
    if filters.record and (about := _about(filters)) is not None:
        entries = entries.filter(about)
    elif filters.record:
        newest = AuditHead.objects.get(pk=1).sequence if last is None else last
        entries = entries.filter(_about_any(filters.record), sequence__gt=newest - MOST_SEARCHED)
    if filters.submission:
        entries = entries.filter(_of_submission(int(filters.submission)))
    if filters.who == PORTAL:
        entries = entries.filter(actor_id=None).exclude(action=Action.PERSON_REFUSED)
    elif filters.who:
        entries = entries.filter(actor_id=int(filters.who))
    if filters.what:
        entries = entries.filter(action__in=GROUPS[filters.what])
    if filters.environment:
        entries = entries.filter(environment=filters.environment)
    if filters.outcome:
        entries = entries.filter(outcome=filters.outcome)
    if filters.since:
        entries = entries.filter(at__gte=_midnight(filters.since, filters.zone))
    if filters.until:
        entries = entries.filter(at__lt=_midnight(filters.until + datetime.timedelta(days=1), filters.zone))
    return entries


def _midnight(day: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.min, zone)


def _of_submission(number: int) -> Q:
    """The entries of a submission, and the edits that it included."""
    submission = Submission.objects.filter(pk=number).defer("message").first()
    included = list(included_edits(submission).values_list("pk", flat=True)) if submission else []
    return Q(submission_id=number) | Q(pk__in=included)


def _about(filters: AuditFilters) -> Q | None:
    """All entries about a record, whatever its name and OID were then, and entries that contain the words themselves.

    None if only a part of the entries is searched, by `_about_any`. The name of the person who acted does not count as
    a word; the filter "who" finds people.
    """
    typed = filters.record
    oid = _known_oid(typed)
    if oid:
        entries = AuditEntry.objects.filter(_with_oid(oid)).exclude(organization_id=None)
        ids = list(entries.values_list("organization_id", flat=True).distinct())
        return _with_oid(oid) | Q(organization_id__in=ids)
    contain_words = search_index.matching(search_index.ENTRIES, typed)
    record_ids = None if contain_words is None else _records_with_words(typed, contain_words)
    if contain_words is None or record_ids is None:
        return None if filters.is_searched_in_part else _about_any(typed)
    return contain_words | Q(organization_id__in=search_index.id_list(record_ids))


def _records_with_words(typed: str, entries_with_words: Q) -> list[int] | None:
    """The ids of the records that contain the words now or did after an edit; None if there are too many.

    It is a list, because with a subquery PostgreSQL reads the whole history.
    """
    records = search_index.matching(search_index.RECORDS, typed)
    if records is None:
        return None
    now = Organization.objects.filter(records).order_by().values_list("pk", flat=True)
    edits = AuditEntry.objects.filter(entries_with_words, action__in=EDITS).order_by()
    ids: set[int] = set()
    for numbers in (now[: MOST_RECORDS + 1], edits.values_list("organization_id", flat=True)[: MOST_RECORDS + 1]):
        ids.update(number for number in numbers if number is not None)
        if max(len(numbers), len(ids)) > MOST_RECORDS:
            return None
    return sorted(ids)


def _about_any(typed: str) -> Q:
    """The same condition as `_about`, checked for each entry. Used if many match: the newest then fill a page."""
    contain_words = search_text.matching_rows(typed)
    record = Organization.objects.filter(contain_words, pk=OuterRef("organization_id"))
    edits = AuditEntry.objects.filter(contain_words, action__in=EDITS, organization_id=OuterRef("organization_id"))
    # Not `Exists`, for which PostgreSQL would first read all these records and edits.
    record_exists, edit_exists = (
        Q(IsNull(Subquery(rows.order_by().values("pk")[:1]), False)) for rows in (record, edits)
    )
    return contain_words | record_exists | edit_exists


def _known_oid(typed: str) -> str:
    """The OID in the text if the history has it, else "". Part of an OID is searched for like a word."""
    oid = search_text.oid_in(typed)
    return oid if oid and AuditEntry.objects.filter(_with_oid(oid)).exists() else ""


def _with_oid(oid: str) -> Q:
    # Both environments are named because the index begins with them.
    return Q(environment__in=Environment.values, oid=oid)
