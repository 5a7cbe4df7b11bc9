"""What the history is narrowed to. All of it stands in the address; what cannot be meant is said, never ignored.

An auditor who mistypes a date must not read a longer history than was asked for.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from organizations.models import Action, AuditEntry, Environment, Organization, Submission, User
from organizations.models.audit import EDITS
from organizations.queries.submission_story import carried_edits
from organizations.services import search_text
from organizations.services.actors import described
from organizations.text.vocabulary import ATTEMPT, MONTHS

MOST_DIGITS = 18  # longer numbers do not fit a BIGINT
PORTAL = "portal"  # who: no person, but the portal itself and its workers
FIRST_YEAR, LAST_YEAR = 2000, 2199

# What people look for; each action is in exactly one group.
GROUPS: Mapping[str, tuple[str, tuple[Action, ...]]] = {
    "edits": (
        "Edits",
        (
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
    ),
    "submissions": (
        "Submissions",
        (
            Action.SUBMISSION_MADE,
            Action.SUBMISSION_APPROVED,
            Action.SUBMISSION_RETURNED,
            Action.SUBMISSION_VOIDED,
            Action.SUBMISSION_CANCELLED,
            Action.SUBMISSION_SETTLED,
            Action.PLAN_MADE,
            Action.PLAN_PAUSED,
            Action.PLAN_GONE_ON,
            Action.PLAN_STOPPED,
        ),
    ),
    "answers": (
        "Attempts and answers",
        (
            Action.ATTEMPT_INTENT,
            Action.ATTEMPT_RESPONSE,
            Action.ATTEMPT_OUTCOME,
            Action.ATTEMPT_LATE,
            Action.ORGANIZATION_CONFIRMED,
        ),
    ),
    "directory": (
        "What the directory shows",
        (
            Action.SUBMISSION_ASKED,
            Action.ORGANIZATION_ASKED,
            Action.ORGANIZATION_SEEN,
            Action.ORGANIZATION_STATED,
            Action.ORGANIZATION_REOPENED,
            Action.ORGANIZATION_CLAIMED,
            Action.ORGANIZATION_DISCLAIMED,
        ),
    ),
    "connection": (
        "Connection",
        (
            Action.ENVIRONMENT_STOPPED,
            Action.ENVIRONMENT_HELD,
            Action.ENVIRONMENT_RELEASED,
            Action.ENVIRONMENT_CHECKED,
            Action.SETTINGS_SEEN,
        ),
    ),
    "people": ("People", (Action.PERSON_SIGNED_IN, Action.PERSON_SIGNED_OUT, Action.PERSON_CHANGED)),
    "refused": ("Refused", (Action.PERSON_REFUSED, Action.PERMISSION_REFUSED)),
    "exports": ("Exports", (Action.EXPORT_MADE,)),
}
LABELS = {
    "record": "Record",
    "submission": "Submission",
    "who": "Person",
    "what": "What",
    "environment": "Environment",
    "outcome": "Outcome",
    "since": "From",
    "until": "To",
}
# As the address and the form name the two dates.
PARAMETERS = {"since": "from", "until": "to"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Empty narrows nothing. Both dates are days of the zone that is shown, and both belong to the range."""

    record: str = ""
    submission: str = ""
    who: str = ""
    what: str = ""
    environment: str = ""
    outcome: str = ""
    since: datetime.date | None = None
    until: datetime.date | None = None
    utc: bool = False
    single: bool = False  # single entries instead of stories

    @property
    def in_force(self) -> tuple[str, ...]:
        return tuple(name for name in LABELS if getattr(self, name))

    @property
    def zone(self) -> datetime.tzinfo:
        return datetime.UTC if self.utc else timezone.get_current_timezone()

    def without(self, name: str) -> "Filters":
        return replace(self, **{name: None if name in PARAMETERS else ""})  # type: ignore[arg-type]

    def address(self, **more: object) -> str:
        """The query of the address that says the same; "?" where nothing is to be said."""
        said = {PARAMETERS.get(name, name): getattr(self, name) for name in self.in_force}
        return f"?{urlencode(said | self.view | more)}"

    @property
    def view(self) -> dict[str, str]:
        """What the address says of how the entries are shown."""
        return ({"times": "utc"} if self.utc else {}) | ({"show": "entries"} if self.single else {})


def read(params: QueryDict) -> tuple[Filters, dict[str, str]]:
    """The filters that an address names, and for each that cannot be meant what is wrong with it."""
    faults: dict[str, str] = {}
    choices = {name: params.get(name, "") for name in ("who", "what", "environment", "outcome")}
    for name, value in choices.items():
        if value and not _exists(name, value):
            faults[name] = "There is no such choice."
    since, until = (_date(params.get(PARAMETERS[name], "").strip(), name, faults) for name in PARAMETERS)
    if since and until and until < since:
        faults["until"] = "The last day lies before the first."
    submission = params.get("submission", "").strip()
    if submission and not (submission.isascii() and submission.isdigit() and len(submission) <= MOST_DIGITS):
        faults["submission"] = f"'{submission[:20]}' is not the number of a submission."
        submission = ""
    record = search_text.typed(params.get("record", ""))
    if search_text.has_too_many_words(record):
        faults["record"] = f"Enter at most {search_text.MOST_WORDS} words."
    known = {name: "" if name in faults else value for name, value in choices.items()}
    utc, single = params.get("times") == "utc", params.get("show") == "entries"
    found = Filters(record=record, submission=submission, since=since, until=until, utc=utc, single=single, **known)
    return found, faults


def narrowed(filters: Filters) -> QuerySet[AuditEntry]:
    """The entries that fit, in no order."""
    found = AuditEntry.objects.all()
    if filters.record:
        found = found.filter(_about(filters.record))
    if filters.submission:
        found = found.filter(_story_of(int(filters.submission)))
    if filters.who == PORTAL:
        found = found.filter(actor_id=None).exclude(action=Action.PERSON_REFUSED)
    elif filters.who:
        found = found.filter(actor_id=int(filters.who))
    if filters.what:
        found = found.filter(action__in=GROUPS[filters.what][1])
    for name in ("environment", "outcome"):
        if getattr(filters, name):
            found = found.filter(Q((name, getattr(filters, name))))
    if filters.since:
        found = found.filter(at__gte=_midnight(filters.since, filters.zone))
    if filters.until:
        found = found.filter(at__lt=_midnight(filters.until + datetime.timedelta(days=1), filters.zone))
    return found


def said(filters: Filters, name: str) -> str:
    """One filter in words: "Who: Editor One"."""
    value = getattr(filters, name)
    if name in PARAMETERS:
        return f"{LABELS[name]}: {MONTHS[value.month - 1]} {value.day}, {value.year}"
    if name == "submission":
        return f"{LABELS[name]} {value}"
    return f"{LABELS[name]}: {dict(options(name)).get(value, value)}"


def options(name: str) -> Iterator[tuple[str, str]]:
    """What can be chosen: (value, words)."""
    if name == "who":
        for person in User.objects.order_by("username").only("username", "first_name", "last_name"):
            yield str(person.pk), described(person.display_name, person.get_username())
        yield PORTAL, "The portal itself"
    elif name == "what":
        yield from ((key, label) for key, (label, _) in GROUPS.items())
    elif name == "environment":
        yield from ((each.value, each.label) for each in Environment)
    elif name == "outcome":
        yield from ((word.key, word.word) for word in ATTEMPT.values())


def _exists(name: str, value: str) -> bool:
    return value in dict(options(name))


def _date(text: str, name: str, faults: dict[str, str]) -> datetime.date | None:
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        faults[name] = f"'{text[:20]}' is not a date. Give year, month and day, such as 2027-03-31."
        return None
    return day


def _midnight(day: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.min, zone)


def _story_of(number: int) -> Q:
    """A submission from the edits that it carried to its end."""
    submission = Submission.objects.filter(pk=number).defer("message").first()
    carried = list(carried_edits(submission).values_list("pk", flat=True)) if submission else []
    return Q(submission_id=number) | Q(pk__in=carried)


def _about(typed: str) -> Q:
    """Everything about a record, under whatever name and OID it had then, and entries that hold the words themselves.

    The name of who acted is not among these words: that is what "Who" is for.
    """
    exact = _known_oid(typed)
    if exact:
        held = AuditEntry.objects.filter(_of_oid(exact)).exclude(organization_id=None)
        # As numbers: for a search inside the search PostgreSQL reads the whole history.
        ids = list(held.values_list("organization_id", flat=True).distinct())
        return _of_oid(exact) | Q(organization_id__in=ids)
    holds = search_text.holding(typed)
    now = Organization.objects.filter(holds).values("pk")
    before = AuditEntry.objects.filter(holds, action__in=EDITS).exclude(organization_id=None).values("organization_id")
    return holds | Q(organization_id__in=now) | Q(organization_id__in=before)


def _known_oid(typed: str) -> str:
    """The OID that was typed, if the history knows it; part of one is searched for like a word."""
    oid = search_text.oid_in(typed)
    return oid if oid and AuditEntry.objects.filter(_of_oid(oid)).exists() else ""


def _of_oid(oid: str) -> Q:
    # With both environments named, because the index begins with them.
    return Q(environment__in=Environment.values, oid=oid)
