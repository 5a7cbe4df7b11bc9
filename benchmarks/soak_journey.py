"""The people of a soak: they make each record, send it, edit it and send it again until every Update has ended."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from django.db import InterfaceError, OperationalError, connection

from organizations.models import Organization, State, Submission, Verdict
from organizations.records import AddressRecord, ContactRecord, OrganizationRecord, readable_fingerprint
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.services.actors import Actor
from organizations.services.delivery import decide, query
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import reviews

_BASE = "2.16.840.1.113883.3.6147.458.99999.1"
_CHILDREN = 12
_DESTINATIONS = ("0b9b4c4e-0000-4000-8000-000000000001", "0b9b4c4e-0000-4000-8000-000000000002")
_RUNNING = (State.QUEUED, State.SENDING, State.UNKNOWN)


class Journey:
    """Every record from its New through its Updates.

    Each step looks first whether it was done already: if the database ends during a commit,
    the portal cannot tell whether the commit was made.
    """

    def __init__(self, records: int, updates: int, editor: Actor, approver: Actor) -> None:
        self.editor, self.approver = editor, approver
        self.decided = self.ended = 0
        self.all = records * (1 + updates)
        self._printed_at = time.monotonic()
        self._updates_left: dict[int, int] = {}
        self._open: dict[int, int] = {}  # submission -> record
        for number in range(records):
            self._print_progress()
            pk = until_answered(self._create, number)
            self._updates_left[pk] = updates
            self._open[until_answered(self._send, pk, 0)] = pk

    @property
    def is_over(self) -> bool:
        return not self._open

    def advance(self) -> None:
        """Make the next Update of each record whose last submission has ended, and decide what needs a decision."""
        ids = list(self._open)
        for start in range(0, len(ids), 500):
            batch = Submission.objects.filter(pk__in=ids[start : start + 500]).exclude(state__in=_RUNNING)
            for submission in until_answered(list, batch.all()):
                if submission.state == State.NEEDS_PERSON:
                    until_answered(self._decide, submission)
                    continue
                self._print_progress()
                self._continue(submission)

    def _continue(self, ended: Submission) -> None:
        record = self._open.pop(ended.pk)
        self.ended += 1
        if self._updates_left[record]:
            self._updates_left[record] -= 1
            until_answered(self._edit, record)
            self._open[until_answered(self._send, record, ended.pk)] = record

    def _print_progress(self) -> None:
        """Print the progress once a minute. What ends while the records are made is counted after that."""
        if time.monotonic() - self._printed_at > 60:
            self._printed_at = time.monotonic()
            made = f"{len(self._updates_left):,} records made"
            print(f"{made}, {self.ended:,} of {self.all:,} submissions ended", file=sys.stderr, flush=True)

    def _create(self, number: int) -> int:
        record = _record(number)
        created = Organization.objects.filter(environment="staging", oid=record.oid).first()
        created = created or organizations.create(record, "staging", stands_for="location", actor=self.editor)
        return created.pk

    def _edit(self, record: int) -> None:
        organization = Organization.objects.get(pk=record)
        number = self._updates_left[record]
        name = f"{organization.name.partition(',')[0]}, {number}"
        if organization.name == name:
            return
        changed = replace(organization.record(), name=name)
        if number % 2:
            changed = replace(changed, destination_id=_DESTINATIONS[number // 2 % 2])
        organizations.edit(record, organization.version, changed, stands_for="location", actor=self.editor)

    def _send(self, record: int, before: int) -> int:
        """The submission of what is saved; `before` is the last one that is known."""
        organization = Organization.objects.get(pk=record)
        last = organization.last_submission_id or 0
        if last != before:
            return last
        review = reviews.review(organization, actor=self.editor)
        return submissions.submit_record(
            record,
            sha256=review.sha256,
            shown_submission=last,
            reason="Measurement",
            ticked=frozenset(submissions.warning_key(warning) for warning in review.warnings),
            actor=self.editor,
        ).pk

    def _decide(self, submission: Submission) -> None:
        """Decide as a careful person would: query, and send again if that is allowed."""
        with suppress(ActionRefused):
            query.query_for_submission(submission, actor=self.approver)
            answer = decide.last_answer(submission)
            if answer is None:
                return
            verdict = _verdict(submission, answer)
            decide.decide_submission(
                submission.pk, verdict, sequence=answer.entry.sequence, reason="Measurement", actor=self.approver
            )
            self.decided += 1


def until_answered[**P, T](step: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """The result of the step, which is made again as long as the database is gone."""
    while True:
        try:
            return step(*arguments, **named)
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(0.2)


def _verdict(submission: Submission, answer: decide.ComparedAnswer) -> Verdict:
    choices = decide.allowed_verdicts(submission, answer)
    if Verdict.SEND_AGAIN in choices:
        return Verdict.SEND_AGAIN
    sent = messages.record_from_message(bytes(submission.message))
    is_as_sent = answer.record is not None and readable_fingerprint(answer.record) == readable_fingerprint(sent)
    return Verdict.ARRIVED if is_as_sent and Verdict.ARRIVED in choices else Verdict.OURS


def _record(number: int) -> OrganizationRecord:
    parent = (number - 1) // _CHILDREN
    return OrganizationRecord(
        oid=_oid(number),
        name=f"Lakeside {number}",
        part_of_oid=GATEWAY_OID if number == 0 else _oid(parent),
        contacts=(ContactRecord(purpose="Technical", name="Desk", email_addresses=("desk@lakeside.example",)),),
        address=AddressRecord(street=f"{number} Shore Rd", city="Madison", state="WI", zip_code="53704", country="USA"),
    )


def _oid(number: int) -> str:
    return _BASE if number == 0 else f"{_BASE}.1.{number}"
