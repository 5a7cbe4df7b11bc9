"""The facts from the log: what arrived, what Redox answered, and what the directory had and showed."""

import datetime
import itertools
import json
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from organizations.models import Action, AuditEntry, EnvironmentGate, Event, Organization, State, Submission
from organizations.records import OrganizationRecord, readable
from organizations.redox import messages
from tests.faults.world import Content, LoggedExchange
from tests.truth.history import History, texts

YES = (
    re.compile(r"New organization was added successfully\."),
    re.compile(r"Organization with id:[0-9.]+ has been updated successfully\."),
)
NOT_EXECUTED = {401, 425, 429}
LOST = {408, 409}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a Query showed for an OID, and when. `record` is None if the directory listed nothing."""

    at: datetime.datetime
    record: OrganizationRecord | None


@dataclass(frozen=True, slots=True)
class Known:
    """The newest knowledge of one field: how it was written, in every spelling that means the same, and when."""

    written: frozenset[str]
    folded: str
    at: datetime.datetime


class Facts:
    """The log of one history at one time, with the lookups that the checks in `judges.py` need."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.world = history.world
        self.gate = EnvironmentGate.objects.get(pk="staging")
        found = Organization.objects.select_related("last_submission", "confirmed_submission")
        self._organizations = {each.oid: each for each in found}
        self._submissions = list(Submission.objects.order_by("pk"))
        self._wanted = {oid: each.record() for oid, each in self._organizations.items()}
        self._known: dict[str, dict[str, Known]] = {}

    def of_record(self, oid: str) -> list[Submission]:
        return [submission for submission in self._submissions if submission.oid == oid]

    def organization(self, oid: str) -> Organization:
        return self._organizations[oid]

    def wanted(self, oid: str) -> OrganizationRecord:
        return self._wanted[oid]

    # Messages and replies

    def arrived(self, submission: Submission) -> bool:
        return any(reply.exchange.sent for reply in self.all_replies(submission))

    def applied(self, submission: Submission) -> bool:
        """Whether the message ever took effect in the directory."""
        since, sha256 = submission.created_at, submission.message_sha256
        return any(content.sha256 == sha256 and content.at > since for content in self.world.contents)

    def replies(self, submission: Submission) -> list[LoggedExchange]:
        """The replies to a submission that the portal read."""
        return [reply for reply in self.all_replies(submission) if reply.was_read]

    def all_replies(self, submission: Submission) -> list[LoggedExchange]:
        """All replies to this submission, read or not. Another submission may have had the same bytes."""
        message, end = bytes(submission.message), submission.ended_at or self.world.time
        within = (reply for reply in self.world.replies if submission.created_at < reply.at <= end)
        return [reply for reply in within if reply.request == message]

    def reply_to(self, submission: Submission, attempt: object) -> LoggedExchange | None:
        """The last reply to an attempt; to the last attempt if `attempt` is not a number."""
        if not isinstance(attempt, int):
            return next(iter(self.replies(submission)[::-1]), None)
        intents = AuditEntry.objects.of_submission(submission.pk).filter(action=Action.ATTEMPT_INTENT)
        began = dict(intents.values_list("attempt", "at"))
        after = began.get(attempt + 1, self.world.time)
        found = [reply for reply in self.replies(submission) if began[attempt] < reply.at < after]
        return found[-1] if found else None

    def said_yes(self, submission: Submission) -> bool:
        return any(map(is_yes, self.replies(submission)))

    def said_no(self, submission: Submission) -> bool:
        return any(map(is_no, self.replies(submission)))

    # The directory

    def content_at(self, oid: str, moment: datetime.datetime) -> Content | None:
        found = [content for content in self.world.contents if content.oid == oid and content.at <= moment]
        return found[-1] if found and found[-1].organization is not None else None

    def content(self, oid: str) -> Content | None:
        return self.content_at(oid, self.world.time)

    def readings(self, oid: str) -> list[Reading]:
        """The answers to Queries about an OID that can be understood, the oldest first."""
        return [reading for answer in self.world.answers if (reading := reading_of(answer, oid)) is not None]

    def newest_reading(self, oid: str) -> Reading | None:
        """The last answer about an OID after the last acceptance of a message about it."""
        found, since = self._telling(oid), self.organization(oid).confirmed_at
        return found[-1] if found and (since is None or found[-1].at > since) else None

    def _telling(self, oid: str) -> list[Reading]:
        """The readings without the first ones that still show the content from before the last acceptance."""
        readings, accepted = self.readings(oid), self.organization(oid).confirmed_submission
        # A reading that proved the message counts: content that was visible once is not "not visible yet".
        since, before = self.organization(oid).known_at, accepted.before_record() if accepted else None
        if accepted is None or before is None or since is None or accepted.event != Event.UPDATE:
            return readings
        old, new = folded_shown_texts(before), folded_shown_texts(sent_record(accepted))
        later = [each for each in readings if each.at >= since]
        lagging = itertools.takewhile(lambda each: each.record and folded_shown_texts(each.record) == old, later)
        left_out = {each.at for each in lagging} if old != new else set()
        return [each for each in readings if each.at not in left_out]

    def known(self, oid: str) -> dict[str, Known]:
        """The newest knowledge of each field, accepted or seen. Fields that a Query cannot show are only accepted."""
        if oid in self._known:
            return self._known[oid]
        known = self._known.setdefault(oid, {})
        for at, record, is_read in sorted(self._evidence(oid), key=lambda each: each[0]):
            written, folded = texts(record), folded_texts(record)
            for key in written:
                if key == "destination_id" and is_read:
                    continue
                before = known.get(key)
                same = before.written if before and before.folded == folded[key] else frozenset()
                known[key] = Known(same | {written[key]}, folded[key], at)
        return known

    def _read(self, oid: str) -> list[tuple[datetime.datetime, OrganizationRecord, bool]]:
        """The readings since the last one that did not show the OID, and what a person took before that."""
        readings, organization = self._telling(oid), self.organization(oid)
        missing = [place for place, reading in enumerate(readings) if reading.record is None]
        since = readings[missing[-1] :] if missing else readings
        found = [(reading.at, reading.record, True) for reading in since if reading.record is not None]
        taken = organization.baseline_record() if organization.taken else None
        return [(organization.known_at or self.world.time, taken, True), *found] if missing and taken else found

    def _evidence(self, oid: str) -> list[tuple[datetime.datetime, OrganizationRecord, bool]]:
        found = self._read(oid)
        for submission in self.of_record(oid):
            sent = sent_record(submission)
            said = [reply.at for reply in self.replies(submission) if is_yes(reply)]
            # An acceptance by a reading, or by a decision that used one, is not newer than that reading.
            rests_on = submission.evidence_at or submission.ended_at
            if said or (submission.state == State.ACCEPTED and rests_on):
                found.append((said[0] if said else rests_on or self.world.time, sent, False))
        return found


def is_yes(reply: LoggedExchange) -> bool:
    """Whether Redox answered with one of the two documented successes."""
    status, body = reply.exchange.status or 0, json_of(reply.exchange.body)
    said = body.get("Meta", {}).get("Extensions", {}).get("ResponseDetail", {}).get("string", "")
    return 200 <= status <= 299 and any(pattern.fullmatch(said) for pattern in YES)


def is_no(reply: LoggedExchange) -> bool:
    """Whether Redox rejected the message: with its own error, or with a status that says that the message is wrong."""
    status = reply.exchange.status or 0
    if json_of(reply.exchange.body).get("Meta", {}).get("Errors"):
        return True
    return 400 <= status <= 499 and status not in NOT_EXECUTED | LOST


def is_already_there(reply: LoggedExchange) -> bool:
    return b"already exists" in reply.exchange.body


@cache
def json_of(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; empty for anything else."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def reading_of(answer: LoggedExchange, oid: str) -> Reading | None:
    """What an answer shows for an OID; None if it is about another OID or proves nothing alone."""
    content = json_of(answer.exchange.body)
    if json_of(answer.request).get("Identifier", {}).get("ID") != oid or "Organizations" not in content:
        return None
    found = [each for each in content["Organizations"] if oid in _oids(each)]
    # Absent only after the last of three Queries: without Active, with true and with false.
    is_last = json_of(answer.request).get("Active") is False
    if (content["Organizations"] or not is_last) and len(found) != 1:
        return None
    return Reading(answer.at, record_of(json.dumps(found[0]), oid) if found else None)


def _oids(organization: dict[str, Any]) -> list[str]:
    return [each["ID"] for each in organization.get("Identifiers", []) if each["IDType"] == "OID"]


@cache
def record_of(organization: str, oid: str) -> OrganizationRecord:
    """An organization of the directory, as JSON, in the neutral shape; the OID is the one that was asked for."""
    content = json.loads(organization)
    meta = {"DataModel": "Organization", "EventType": "QueryResponse"}
    found = messages.read_query_answer(json.dumps({"Meta": meta, "Organizations": [content]}).encode(), oid)
    assert found is not None
    return found


@cache
def folded_texts(record: OrganizationRecord) -> dict[str, str]:
    """Each field, normalized so that values that mean the same are equal. Fields that no Query shows are unchanged."""
    return texts(replace(record, carried=())) | texts(readable(record)) | _unreadable(record)


def _unreadable(record: OrganizationRecord) -> dict[str, str]:
    return {key: text for key, text in texts(record).items() if key == "destination_id" or key.startswith("carried.")}


def sent_record(submission: Submission) -> OrganizationRecord:
    return _record_in(bytes(submission.message))


@cache
def _record_in(message: bytes) -> OrganizationRecord:
    return messages.record_from_message(message)


def shown_texts(record: OrganizationRecord) -> dict[str, str]:
    """The fields that a Query shows, unchanged."""
    return _without_unreadable(texts(record))


def folded_shown_texts(record: OrganizationRecord) -> dict[str, str]:
    """The fields that a Query shows, normalized so that values that mean the same are equal."""
    return _without_unreadable(folded_texts(record))


def _without_unreadable(found: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in found.items() if key != "destination_id" and not key.startswith("carried.")}
