"""Find records of both environments by many OIDs and own identifiers, in a fixed number of queries."""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db.models import F, Q, Window
from django.db.models.functions import DenseRank

from organizations.folding import name_key
from organizations.models import (
    Candidate,
    CandidateState,
    Environment,
    Identifier,
    Organization,
    Presence,
    State,
    Submission,
)

MOST_MATCHES = 5
"""How many records with the same own identifier are named."""

_COLUMNS = ("pk", "environment", "oid", "name", "staging_record_id")
_SHOWN = (CandidateState.FOUND, CandidateState.CHOSEN, CandidateState.TAKEN, CandidateState.REFUSED)
_ASKED = (*_SHOWN, CandidateState.ABSENT, CandidateState.UNANSWERED)


class RecordKey(NamedTuple):
    """The columns that identify a record. `staging_id`: the counterpart of a PRODUCTION record."""

    pk: int
    environment: str
    oid: str
    name: str
    staging_id: int | None


class RecordPair(NamedTuple):
    """A record and its counterpart, or None."""

    staging: RecordKey | None
    production: RecordKey | None


class Matches(NamedTuple):
    """The records that an OID or own identifier names, and their pairs. `is_whole`: there are no others."""

    keys: tuple[RecordKey, ...] = ()
    pairs: tuple[RecordPair, ...] = ()
    is_whole: bool = True


class Found(NamedTuple):
    """The records by OID and by own identifier. Texts that name none are missing."""

    by_oid: Mapping[str, Matches]
    by_identifier: Mapping[str, Matches]


class Asked(NamedTuple):
    """The last time that a take-over asked about an OID. `shown` is None if there was no answer.

    `name` is that in the directory; "" if the directory's values cannot be read.
    """

    at: datetime.datetime
    shown: bool | None
    name: str


def find(oids: Collection[str], texts: Collection[str]) -> Found:
    """The records with these OIDs, and those with these own identifiers, each with its counterpart.

    Of the own identifiers those with exactly this text come first, then those in another spelling.
    """
    here = Organization.objects.filter(environment__in=Environment.values, oid__in=oids)  # as their index begins
    keys = [RecordKey(*row) for row in here.values_list(*_COLUMNS)]
    with_oid = sorted(keys, key=lambda key: key.environment != Environment.STAGING)
    with_identifier = _with_identifiers(texts)
    pair_of = _pairs([*with_oid, *(key for keys in with_identifier.values() for key in keys)])
    by_oid: dict[str, list[RecordKey]] = defaultdict(list)
    for key in with_oid:
        by_oid[key.oid].append(key)
    return Found(
        {oid: _matches(keys, pair_of) for oid, keys in by_oid.items()},
        {
            text: _matches(keys[:MOST_MATCHES], pair_of, is_whole=len(keys) <= MOST_MATCHES)
            for text, keys in with_identifier.items()
        },
    )


def _with_identifiers(texts: Collection[str]) -> dict[str, list[RecordKey]]:
    """The first records with each of these own identifiers, at least one more than are named if there are more."""
    key_of = {text: name_key(text) for text in texts}
    exact = _first_records("value", texts)
    folded = _first_records("value_key", {key for key in key_of.values() if key})
    both = {text: list(dict.fromkeys((*exact[text], *folded[key_of[text]]))) for text in texts}
    return {text: keys for text, keys in both.items() if keys}


def _first_records(column: str, values: Collection[str]) -> defaultdict[str, list[RecordKey]]:
    """The first records with an own identifier with each of these values in a column, by value."""
    # Two identifiers of one record can have the same value: they get the same place.
    place = Window(DenseRank(), partition_by=F(column), order_by=("organization__oid_key", "organization_id"))
    rows = Identifier.objects.filter(**{f"{column}__in": values}).annotate(place=place)
    first = rows.filter(place__lte=MOST_MATCHES + 1).order_by(column, "place")
    records: defaultdict[str, list[RecordKey]] = defaultdict(list)
    for value, *key in first.values_list(column, *(f"organization__{name}" for name in _COLUMNS)):
        if RecordKey(*key) not in records[value]:
            records[value].append(RecordKey(*key))
    return records


def _pairs(keys: Collection[RecordKey]) -> dict[int, RecordPair]:
    """Each record with its counterpart, by the id of the record."""
    staging_ids = {key.staging_id for key in keys if key.staging_id}
    ids = {key.pk for key in keys if key.environment == Environment.STAGING}
    others = Organization.objects.filter(Q(pk__in=staging_ids) | Q(staging_record__in=ids))
    counterparts = [RecordKey(*row) for row in others.values_list(*_COLUMNS)]
    by_id = {key.pk: key for key in counterparts}
    by_staging_id = {key.staging_id: key for key in counterparts if key.staging_id}
    return {
        key.pk: RecordPair(key, by_staging_id.get(key.pk))
        if key.environment == Environment.STAGING
        else RecordPair(by_id.get(key.staging_id or 0), key)
        for key in keys
    }


def _matches(keys: Collection[RecordKey], pair_of: Mapping[int, RecordPair], *, is_whole: bool = True) -> Matches:
    return Matches(tuple(keys), tuple(dict.fromkeys(pair_of[key.pk] for key in keys)), is_whole)


def records(ids: Collection[int]) -> dict[int, Organization]:
    """These records by id, with the submissions that decide their status."""
    submissions = ("last_submission", "confirmed_submission")
    long_texts = [f"{submission}__{column}" for submission in submissions for column in ("message", "before")]
    rows = Organization.objects.filter(pk__in=ids).select_related(*submissions).defer("search_text", *long_texts)
    return {row.pk: row for row in rows}


def attempted_submissions(organizations: Iterable[Organization]) -> dict[int, Submission]:
    """The last submission of each record that was attempted, by the record's id; one query."""
    last = {each.pk: each.last_submission for each in organizations if each.last_submission is not None}
    waiting = [pk for pk, submission in last.items() if submission.attempt == 0]
    earlier = Submission.objects.filter(organization__in=waiting, attempt__gt=0).defer("message", "before")
    attempted = {pk: submission for pk, submission in last.items() if submission.attempt}
    return attempted | {submission.organization_id: submission for submission in earlier.order_by("pk")}


def rejected_as_absent(organizations: Iterable[Organization]) -> frozenset[int]:
    """Which of these records Redox called not valid when they became absent; one query. A Query found the others."""
    absent = [each.pk for each in organizations if each.presence == Presence.ABSENT]
    rejected = Submission.objects.filter(organization__in=absent, known_answer="is_not_valid", state=State.REJECTED)
    later = rejected.filter(ended_at__gte=F("organization__presence_at"))
    return frozenset(later.values_list("organization_id", flat=True))


def last_asked(oids: Collection[str]) -> dict[tuple[str, str], Asked]:
    """When a take-over last asked about each of these OIDs, by environment and OID; one query."""
    asked = Candidate.objects.filter(oid__in=oids, state__in=_ASKED).exclude(asked_at=None).order_by("asked_at")
    rows = asked.values_list("take_over__environment", "oid", "asked_at", "state", "name", "active")
    return {
        (environment, oid): Asked(at, _was_shown(state), "" if active is None else name)
        for environment, oid, at, state, name, active in rows
        if at
    }


def _was_shown(state: str) -> bool | None:
    return None if state == CandidateState.UNANSWERED else state in _SHOWN
