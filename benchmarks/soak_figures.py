"""Makes the submissions, kills the workers, and counts afterwards. Import it after `prepare`."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from subprocess import DEVNULL, PIPE

from django.contrib.auth.models import Group

from benchmarks import ground
from benchmarks.faulty import FAULTS, QUERY_FAULTS, Effect, Faulty
from organizations.models import Action, AuditEntry, Evidence, Organization, State, Submission, User, Verdict
from organizations.records import AddressRecord, ContactRecord, OrganizationRecord, readable_fingerprint
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.services.actors import Actor, person
from organizations.services.delivery import decide, query
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import reviews

_BASE = "2.16.840.1.113883.3.6147.458.99999.1"
_CHILDREN = 12
_DESTINATIONS = ("0b9b4c4e-0000-4000-8000-000000000001", "0b9b4c4e-0000-4000-8000-000000000002")
_NURSERY = (sys.executable, "-m", "benchmarks.nursery")


class Workers:
    """Worker processes. Every second the oldest one is killed and another one is started."""

    def __init__(self, number: int) -> None:
        self.kills = 0
        self._nursery = subprocess.Popen(_NURSERY, cwd=ground.ROOT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True)
        self._running = [self._start() for _ in range(number)]
        self._ending = threading.Event()
        self._killing = threading.Thread(target=self._kill_one_each_second)
        self._killing.start()

    def _kill_one_each_second(self) -> None:
        while not self._ending.wait(1.0):
            os.kill(self._running.pop(0), signal.SIGKILL)
            self._running.append(self._start())
            self.kills += 1

    def stop(self) -> None:
        self._ending.set()
        self._killing.join()
        for process in self._running:
            os.kill(process, signal.SIGTERM)
        self._nursery.communicate()

    def _start(self) -> int:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write("\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


class Journey:
    """Every record from its New through its updates."""

    def __init__(self, records: int, updates: int, editor: Actor, approver: Actor) -> None:
        self.editor, self.approver = editor, approver
        self.decided = self.ended = 0
        self.all = records * (1 + updates)
        self._printed_at = time.monotonic()
        self._updates_left = {}
        self._open: dict[int, int] = {}  # submission -> record
        for number in range(records):
            self._print_progress()
            organization = organizations.create(_record(number), "staging", stands_for="location", actor=editor)
            self._updates_left[organization.pk] = updates
            self._send(organization.pk)

    @property
    def is_over(self) -> bool:
        return not self._open

    def advance(self) -> None:
        """Make the next Update of each record whose last submission has ended, and decide what needs a decision."""
        ids = list(self._open)
        for start in range(0, len(ids), 500):
            batch = Submission.objects.filter(pk__in=ids[start : start + 500])
            for submission in batch.exclude(state__in=(State.QUEUED, State.SENDING, State.UNKNOWN)):
                if submission.state == State.NEEDS_PERSON:
                    self._decide(submission)
                    continue
                self._print_progress()
                record = self._open.pop(submission.pk)
                self.ended += 1
                if self._updates_left[record]:
                    self._updates_left[record] -= 1
                    self._edit(record)
                    self._send(record)

    def _print_progress(self) -> None:
        """Print the progress once a minute."""
        if time.monotonic() - self._printed_at > 60:
            self._printed_at = time.monotonic()
            print(f"{len(self._open):,} open, {self.ended:,} of {self.all:,} ended", file=sys.stderr, flush=True)

    def _edit(self, record: int) -> None:
        organization = Organization.objects.get(pk=record)
        number = self._updates_left[record]
        changed = replace(organization.record(), name=f"{organization.name.partition(',')[0]}, {number}")
        if number % 2:
            changed = replace(changed, destination_id=_DESTINATIONS[number // 2 % 2])
        organizations.edit(record, organization.version, changed, stands_for="location", actor=self.editor)

    def _send(self, record: int) -> None:
        organization = Organization.objects.get(pk=record)
        review = reviews.review(organization, actor=self.editor)
        submission = submissions.submit_record(
            record,
            sha256=review.sha256,
            seen_submission=organization.last_submission_id or 0,
            reason="Measurement",
            ticked=frozenset(submissions.warning_key(warning) for warning in review.warnings),
            actor=self.editor,
        )
        self._open[submission.pk] = record

    def _decide(self, submission: Submission) -> None:
        """Decide as a careful person would: query, and send again if that is allowed."""
        query.query_for_submission(submission, actor=self.approver)
        answer = decide.last_answer(submission)
        if answer is None:
            return
        verdict = _verdict(submission, answer)
        with suppress(ActionRefused):
            decide.decide_submission(
                submission.pk, verdict, sequence=answer.entry.sequence, reason="Measurement", actor=self.approver
            )
            self.decided += 1


def _verdict(submission: Submission, answer: decide.ComparedAnswer) -> Verdict:
    choices = decide.allowed_verdicts(submission, answer)
    if Verdict.SEND_AGAIN in choices:
        return Verdict.SEND_AGAIN
    sent = messages.record_from_message(bytes(submission.message))
    is_as_sent = answer.record is not None and readable_fingerprint(answer.record) == readable_fingerprint(sent)
    return Verdict.ARRIVED if is_as_sent and Verdict.ARRIVED in choices else Verdict.OURS


def run(directory: Faulty, *, records: int, updates: int, workers: int, minutes: float) -> None:
    """Run the soak and print the table."""
    started = time.monotonic()
    running = Workers(workers)
    try:
        journey = Journey(records, updates, _person("editor"), _person("approver"))
        while not journey.is_over and time.monotonic() - started < minutes * 60:
            journey.advance()
            time.sleep(0.1)
    finally:
        running.stop()
    elapsed = time.monotonic() - started
    time.sleep(directory.late + 1)
    rows = [
        ("submissions", str(Submission.objects.count())),
        ("minutes", f"{elapsed / 60:.1f}"),
        ("workers killed", str(running.kills)),
        ("exchanges, and those with a fault", f"{sum(directory.counts.values())}, {_faults(directory)}"),
        ("kinds of fault that occurred", f"{_kinds(directory)} of {len(FAULTS | QUERY_FAULTS)}"),
        ("effects in the directory", str(len(directory.records.effects))),
        ("decided by a person", str(journey.decided)),
        *_accepted_by(),
        *_findings(directory),
    ]
    print(f"{ground.machine()}; settle {_settle()} s\n\n{ground.table(('', 'number'), rows)}", flush=True)


def _accepted_by() -> list[tuple[str, str]]:
    """The number of acceptances for each kind of evidence."""
    counts = Counter(Submission.objects.filter(state=State.ACCEPTED).values_list("evidence", flat=True))
    return [(f"accepted by {Evidence(evidence).label}", str(number)) for evidence, number in sorted(counts.items())]


def _settle() -> str:
    from django.conf import settings  # noqa: PLC0415

    return f"{settings.REDOX_SETTLE:g}"


def _faults(directory: Faulty) -> int:
    return sum(number for name, number in directory.counts.items() if name != "none")


def _kinds(directory: Faulty) -> int:
    return sum(directory.counts.get(name, 0) > 0 for name in FAULTS | QUERY_FAULTS)


def _findings(directory: Faulty) -> list[tuple[str, str]]:
    """The counts that must all be 0."""
    effects = directory.records.effects
    sent = {(each.oid, _text(_organization(each))): each for each in Submission.objects.order_by("id")}
    seen = {(each.oid, _text(each.organization)) for each in effects}
    news = Counter(each.oid for each in effects if each.event == "New")
    accepted = {key: each for key, each in sent.items() if each.state == State.ACCEPTED}
    lost = Counter(each.evidence for key, each in accepted.items() if key not in seen)
    return [
        ("not ended", str(Submission.objects.open().count())),
        ("rejected or cancelled", str(Submission.objects.filter(state__in=(State.REJECTED, State.CANCELLED)).count())),
        ("lost: accepted without an effect", str(sum(lost.values()))),
        *((f"lost by {Evidence(evidence).label}", str(number)) for evidence, number in sorted(lost.items())),
        ("doubled: a second New took effect", str(sum(number - 1 for number in news.values()))),
        ("out of order: an older message after a newer one", str(_out_of_order(effects, sent))),
        ("child before its parent", str(_child_first(effects))),
        ("attempts without exactly one outcome", str(_without_one_outcome())),
        ("wrong final records", str(_wrong_at_the_end(directory))),
    ]


def _out_of_order(effects: list[Effect], sent: dict[tuple[str, str], Submission]) -> int:
    newest: dict[str, int] = {}
    number = 0
    for effect in effects:
        place = sent[effect.oid, _text(effect.organization)].pk
        number += place < newest.get(effect.oid, 0)
        newest[effect.oid] = max(place, newest.get(effect.oid, 0))
    return number


def _child_first(effects: list[Effect]) -> int:
    oids: set[str] = set()
    number = 0
    for effect in effects:
        parent = effect.organization["PartOf"]["Identifier"]["Value"]
        number += parent != GATEWAY_OID and parent not in oids
        oids.add(effect.oid)
    return number


def _without_one_outcome() -> int:
    intents = AuditEntry.objects.filter(action=Action.ATTEMPT_INTENT).values_list("submission_id", "attempt")
    outcomes = AuditEntry.objects.filter(action=Action.ATTEMPT_OUTCOME).values_list("submission_id", "attempt")
    outcome_counts = Counter(outcomes)
    return sum(outcome_counts[each] != 1 for each in set(intents)) + len(set(outcome_counts) - set(intents))


def _wrong_at_the_end(directory: Faulty) -> int:
    """How many records differ from their last accepted message, in the directory or in the portal."""
    number = 0
    for organization in Organization.objects.exclude(confirmed_submission=None).select_related("last_submission"):
        last = organization.last_submission
        if last is None or last.state != State.ACCEPTED:
            continue
        there = directory.records.organizations.get(organization.oid)
        confirmed = messages.record_from_message(bytes(last.message))
        number += there != _organization(last) or confirmed != organization.confirmed_record()
    return number


def _organization(submission: Submission) -> dict[str, object]:
    organization: dict[str, object] = json.loads(bytes(submission.message))["Organizations"][0]
    return organization


def _text(organization: dict[str, object]) -> str:
    return json.dumps(organization, sort_keys=True)


def _person(role: str) -> Actor:
    user = User.objects.create_user(role, first_name=role.capitalize(), last_name="One")
    user.groups.add(Group.objects.get(name=role))
    return person(user)


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
