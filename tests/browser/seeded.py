"""A portal in the middle of its work: a record for each state that a page can show."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from organizations.models import Intent, Organization, Plan, State, Submission, TakeOver, User, clock
from organizations.practice import PracticeDirectory
from organizations.records import IdentifierRecord
from organizations.services.actors import person
from organizations.services.connection import check
from organizations.services.delivery import query
from organizations.services.outbox import submissions
from organizations.services.records import counterparts, organizations
from tests import factories

from . import record_setup

BASE = factories.BASE
PRODUCTION_OID = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
PRODUCTION = f"/production/organizations/{PRODUCTION_OID}/"
ROUND = (  # place below the base, name, how Redox behaves when its New arrives
    (2, "Lakeside East", "says-no-xml"),
    (3, "Lakeside West & Valley", "says-no-parse"),
    (4, "Lakeside South", "applies-then-504"),
    (5, "Lakeside Harbor", "says-no-exists"),
)
LONG_NAME = "Lakeside Interdisciplinary Rehabilitation and Occupational Health Center of Northern Dane County"


class Seeded:
    """Records by name and submissions by state, in STAGING; in PRODUCTION a pair of counterparts."""

    def __init__(self) -> None:
        here = Organization.objects.filter(environment="staging")
        self.oids: dict[str, str] = dict(here.values_list("name", "oid"))

    def submission(self, state: State) -> str:
        """The URL of the latest submission in this state."""
        latest = Submission.objects.filter(state=state, environment="staging").latest("pk")
        return f"/staging/submissions/{latest.pk}/"

    def plan(self) -> str:
        """The URL of the only plan."""
        return f"/staging/plans/{Plan.objects.get().pk}/"

    def take_over(self) -> str:
        """The URL of the only take-over."""
        return f"/staging/directory/take-over/{TakeOver.objects.get().pk}/"

    def record(self, name: str, page: str = "") -> str:
        """The URL of a record in STAGING, or of one of its pages."""
        return f"/staging/organizations/{self.oids[name]}/{page}"


def fill(practice: PracticeDirectory, people: Callable[..., User]) -> None:
    """Create these records and submissions. Only this step needs the practice directory."""
    _Seeder(practice, people("editor"), people("approver")).run()


@dataclass(slots=True)
class _Seeder:
    practice: PracticeDirectory
    editor: User
    approver: User

    def run(self) -> None:
        self._registered()
        self._answered()
        self._production()
        self._waiting()
        self._taken_over()
        self.practice.behaviour = "answers"
        check.check_connection("staging", actor=person(self.approver))
        # Otherwise its page would send a Query and reload during a test.
        query.query_for_submission(Submission.objects.get(state=State.NEEDS_PERSON), actor=person(self.approver))

    def _taken_over(self) -> None:
        elsewhere = "2.16.840.1.113883.3.6147.458.77777.1.1.1.1"
        seen = {
            f"{BASE}.91": factories.record(f"{BASE}.91", name="Lakeside Pier"),
            elsewhere: factories.record(elsewhere, name="Example Clinic"),
            f"{BASE}.92": None,
            f"{BASE}.1": None,
        }
        factories.take_over(user=self.editor, seen=seen)

    def _below(self, number: int, name: str, **values: Any) -> Organization:
        return factories.organization(f"{BASE}.{number}", user=self.editor, name=name, part_of_oid=BASE, **values)

    def _registered(self) -> None:
        record_setup.register(user=self.editor, name="Lakeside Clinics", aliases=("Lakeside", "Lakeside Clinics, LLC"))
        north = self._below(1, "Lakeside North", identifiers=(IdentifierRecord(kind="FACID", value="LSC-014"),))
        record_setup.send(north, user=self.editor)
        address = replace(factories.record().address, zip_code="53703")
        record_setup.edit(north, user=self.approver, part_of_oid=BASE, address=address, contacts=())
        old_town = self._below(6, "Lakeside Old Town")
        record_setup.send(old_town, user=self.editor)
        record_setup.send(old_town, user=self.editor, intent=Intent.DEACTIVATE, reason="Location closed: lease ended")

    def _answered(self) -> None:
        for number, name, behaviour in ROUND:
            self.practice.behaviour = behaviour
            record_setup.send(self._below(number, name), user=self.editor)
            # An unknown submission stays unknown during the tests.
            later = clock.now() + datetime.timedelta(hours=1)
            Submission.objects.filter(state=State.UNKNOWN).update(not_before=later)
        self.practice.behaviour = "answers"

    def _waiting(self) -> None:
        cancelled = factories.submission(self._below(7, "Lakeside Bridge"), user=self.editor)
        submissions.cancel_submission(cancelled.pk, actor=person(self.editor), reason="")
        factories.submission(self._below(8, "Lakeside Mill"), user=self.editor)
        self._below(9, LONG_NAME)
        landings = [self._below(number, f"Lakeside Landing {number}") for number in (10, 11)]
        factories.plan(landings, user=self.editor)

    def _production(self) -> None:
        counterpart = Organization.objects.get(oid=f"{BASE}.1")
        record, actor = factories.record(PRODUCTION_OID, name="Lakeside North"), person(self.approver)
        created = organizations.create(record, "production", stands_for="location", actor=actor)
        counterparts.link(counterpart, created, actor=actor)
        record_setup.send(created, user=self.approver)
