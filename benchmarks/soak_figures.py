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
from subprocess import DEVNULL, PIPE

from django.contrib.auth.models import Group
from django.db import connection

from benchmarks import ground
from benchmarks.faulty import FAULTS, QUERY_FAULTS, Effect, Faulty
from benchmarks.soak_journey import Journey
from organizations.models import Action, AuditEntry, Evidence, Organization, State, Submission, User
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.services.actors import Actor, person
from tests.cluster import Server

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
            with suppress(ProcessLookupError):  # one that started without a database has ended
                os.kill(self._running.pop(0), signal.SIGKILL)
                self.kills += 1
            self._running.append(self._start())

    def stop(self) -> None:
        self._ending.set()
        self._killing.join()
        for process in self._running:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        self._nursery.communicate()

    def _start(self) -> int:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write("\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


class Stops:
    """Stops the database server every so many seconds and starts it again. Without a server it does nothing."""

    def __init__(self, server: Server | None, every: float) -> None:
        self.number = 0
        self._server, self._every = server, every
        self._ending = threading.Event()
        self._stopping = threading.Thread(target=self._stop_regularly)
        self._stopping.start()

    def _stop_regularly(self) -> None:
        while self._server is not None and not self._ending.wait(self._every):
            self._server.stop_at_once()
            self.number += 1
            self._server.start()

    def end(self) -> None:
        """Return when the server runs and stays."""
        self._ending.set()
        self._stopping.join()


def run(
    directory: Faulty,
    *,
    records: int,
    updates: int,
    workers: int,
    minutes: float,
    server: Server | None = None,
    stop_every: float = 0,
) -> None:
    """Run the soak and print the table."""
    started = time.monotonic()
    running, stops = Workers(workers), Stops(server, stop_every)
    try:
        journey = Journey(records, updates, _person("editor"), _person("approver"))
        while not journey.is_over and time.monotonic() - started < minutes * 60:
            journey.advance()
            time.sleep(0.1)
    finally:
        stops.end()
        running.stop()
        connection.close()
    elapsed = time.monotonic() - started
    time.sleep(directory.late + 1)
    rows = [
        ("submissions", str(Submission.objects.count())),
        ("minutes", f"{elapsed / 60:.1f}"),
        ("workers killed", str(running.kills)),
        ("database server stopped", str(stops.number)),
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
