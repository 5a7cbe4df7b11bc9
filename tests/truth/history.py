"""One history during its run: the world, the people, their edits, and their worker."""

import datetime
from contextlib import suppress
from dataclasses import dataclass, field

from organizations.models import Organization, State, Submission, User, Verdict
from organizations.records import OrganizationRecord, fields_as_text
from organizations.services import workers
from organizations.services.actors import system
from organizations.services.delivery import heartbeat
from tests.faults.world import Died, Showing, Way, World

WORKER = system("Worker model")
RECORDS = ("parent", "child")
SETTLE, LEASE = 120, 210
"""Seconds that the portal waits before it asks about a message (SETTLE), and for a worker that may be dead (LEASE)."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A person saved these fields of a record."""

    at: datetime.datetime
    oid: str
    person: str
    fields: frozenset[str]


@dataclass(slots=True)
class History:
    """The state that the steps of one history share, and what people did in it."""

    world: World
    people: tuple[User, ...]
    oids: tuple[str, str]
    edits: list[Edited] = field(default_factory=list)
    decisions: dict[int, Verdict] = field(default_factory=dict)
    began: datetime.datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.world.time

    def copied(self, world: World) -> "History":
        return History(world, self.people, self.oids, [*self.edits], dict(self.decisions))

    def organization(self, record: str) -> Organization:
        """A record as the views load it."""
        found = Organization.objects.in_environment("staging")
        related = ("last_submission", "last_submission__submitter", "edited_by", "staging_record")
        return found.select_related(*related).get(oid=self.oids[RECORDS.index(record)])

    def last_submission(self, *states: State) -> Submission | None:
        found = Submission.objects.filter(state__in=states) if states else Submission.objects.all()
        return found.select_related("organization", "submitter").order_by("-pk").first()

    def note_edit(self, person: User, before: OrganizationRecord | None, after: OrganizationRecord) -> None:
        """Note who edited these fields; all fields if the record was created."""
        old, new = texts(before) if before else {}, texts(after)
        changed = frozenset(key for key in old | new if old.get(key) != new.get(key))
        self.edits.append(Edited(self.world.now(), after.oid, person.get_full_name(), changed))

    def work(self, way: Way, showing: Showing | None = Showing.AS_IT_IS, *, dies: bool = False) -> None:
        """One round of a worker; `showing` is how the directory answers Queries; None: it does not answer."""
        world = self.world
        world.way, world.dies, world.answers_queries = way, dies, showing is not None
        world.showing = showing or Showing.AS_IT_IS
        with suppress(Died):
            heartbeat.record_heartbeat("model", self.began)
            workers.run_once(WORKER)
        world.dies, world.way, world.answers_queries, world.showing = False, Way.YES, True, Showing.AS_IT_IS


def texts(record: OrganizationRecord) -> dict[str, str]:
    """Each field of a record as pages print it, by its key."""
    return {shown.field: shown.value for shown in fields_as_text(record)}
