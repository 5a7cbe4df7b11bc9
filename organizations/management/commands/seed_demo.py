"""Make the people and records of the demonstration with the services and real deliveries, so that its history is real.

Both environments have at least two records with each directory status and each open work, with two exceptions:
"sending" lasts only until Redox answers, and nothing awaits approval, because approvers send themselves. The directory
is asked about the unknown submissions made here after a day, and about those that people make later after seconds.
STAGING has each kind of evidence for an acceptance once, except that of earlier releases. Two records are only in
STAGING, so that people can prepare them in PRODUCTION. Records that were taken over are in both and not linked.

The directory of each environment also has five records of the company that are not in the portal, and records of
others.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import CommandError

from organizations.management import demonstration_records as made_up
from organizations.models import Environment, Intent, Organization, RecordKind, State, Submission, User, Verdict, clock
from organizations.permissions import ROLES
from organizations.practice.others import others
from organizations.practice.store import Store
from organizations.records import OrganizationRecord
from organizations.services import demonstration, installation, locks, workers
from organizations.services.accounts import accounts
from organizations.services.actors import person, system
from organizations.services.audit import audit
from organizations.services.connection import check
from organizations.services.delivery import decide, query
from organizations.services.outbox import submissions
from organizations.services.records import counterparts, organizations, statements
from organizations.services.review import reviews
from orgportal import startup

from ._base import PortalCommand

NAMES = {
    "viewer": ("Viewer", "One"),
    "editor": ("Editor", "One"),
    "approver": ("Approver", "One"),
    "auditor": ("Auditor", "One"),
    "administrator": ("Administrator", "One"),
}
SECOND_EDITOR = "editor-two"
SETTLES_WITHIN = 30.0
A_DAY = 24 * 60 * 60.0
A_MOMENT = 0.1
OTHERS = 300
REGISTERED_WITH_CURL = datetime(2026, 3, 2, 15, tzinfo=UTC)

# Locations (region, number) that are not registered in the usual way, so that every state exists at least twice.
NEVER_SENT = ((6, 8), (6, 9))
REJECTED = {(5, 8): "says-no-xml", (5, 9): "says-no-duplicate"}
UNKNOWN = {(4, 8): "applies-then-breaks", (4, 9): "applies-then-504"}
WAITING = {(4, 6): (4, 8), (4, 7): (4, 9)}
THERE_BEFORE = ((3, 8), (3, 9))
STATED = ((2, 8), (2, 9))
SEEN = ((1, 8), (1, 9))
SPECIAL = {*NEVER_SENT, *REJECTED, *UNKNOWN, *WAITING, *THERE_BEFORE, *STATED, *SEEN}

# Only in STAGING: accepted by a Query, by Redox's answer and a Query, and by a decision; and two other decisions.
BY_QUERY, BY_BOTH, BY_DECISION = (6, 3), (6, 4), (6, 5)
OURS, FOREIGN = (3, 6), (3, 7)
EVIDENCE = {BY_QUERY, BY_BOTH, BY_DECISION, OURS, FOREIGN}

ONLY_IN_STAGING = {(6, 6), (6, 7)}
DEACTIVATED = {(2, 1): "Location closed: lease ended", (2, 2): "Registered by mistake: never opened"}
UPDATED = ((1, 1), (1, 2), (1, 3))
UPDATE_REJECTED = {(3, 1): "says-no-parse", (3, 4): "says-no-xml"}
UPDATE_UNKNOWN = {(3, 2): "applies-then-504", (3, 3): "gateway-error"}
CHANGED_BY_HAND = ((6, 1), (6, 2))
EDITED = {(1, 4): "editor", (1, 5): SECOND_EDITOR, (5, 1): SECOND_EDITOR, (5, 2): "editor", (6, 1): SECOND_EDITOR}


class Command(PortalCommand):
    help = "Fills the database of the demonstration. Refuses other databases."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not the demonstration. Start it with: ./dev demo")
        startup.verify()
        settings.REDOX_SETTLE = A_DAY
        installation.mark_as_demonstration()
        installation.write_mark_to_file()
        startup.verify_database()
        everybody = make_people()
        for environment in Environment:
            self.say(f"Making the records of {environment.label} ...")
            Seed(environment, everybody).run()
        self.stdout.write(f"{Organization.objects.count()} records, {len(everybody)} people.")


@contextmanager
def query_at_once() -> Iterator[None]:
    """Query the directory about unknown submissions after a moment, not after a day."""
    settle = settings.REDOX_SETTLE
    settings.REDOX_SETTLE = A_MOMENT
    try:
        yield
    finally:
        settings.REDOX_SETTLE = settle


def make_people() -> dict[str, User]:
    """A person for each role, who signs in with a button, and a second editor."""
    actor = system("Demonstration")
    everybody = {}
    for username, names in {**NAMES, SECOND_EDITOR: ("Editor", "Two")}.items():
        user = User(username=username, first_name=names[0], last_name=names[1])
        user.set_unusable_password()
        role = username if username in ROLES else "editor"
        everybody[username] = accounts.save(
            user, groups=[Group.objects.get(name=role)], what="account made", actor=actor
        )
    return everybody


class Seed:
    """Fills one environment."""

    def __init__(self, environment: Environment, everybody: dict[str, User]) -> None:
        self.environment = environment
        self.people = everybody
        self.editor = person(everybody["editor"])
        self.sender = person(everybody["approver" if environment == Environment.PRODUCTION else "editor"])
        self.worker = system("Worker demonstration")
        self.locations: dict[tuple[int, int], Organization] = {}

    def run(self) -> None:
        demonstration.set_behaviour("answers")
        self.register([self.add(made_up.company(self.environment), RecordKind.PATIENT_INDEX)])
        regions = range(1, len(made_up.REGIONS) + 1)
        self.register([self.add(made_up.region(self.environment, each), RecordKind.NOT_SAID) for each in regions])
        self.make_locations()
        special = SPECIAL | EVIDENCE if self.environment == Environment.STAGING else SPECIAL
        self.register(self.locations[place] for place in self.locations if place not in special)
        self.make_special()
        if self.environment == Environment.STAGING:
            self.make_evidence()
        self.change_registered()
        self.fill_directory()
        demonstration.set_behaviour("answers")
        check.check_connection(self.environment, actor=self.sender)

    def add(self, record: OrganizationRecord, stands_for: RecordKind) -> Organization:
        organization = organizations.create(record, self.environment, stands_for=stands_for, actor=self.editor)
        if self.environment == Environment.PRODUCTION:
            oid = record.oid.replace(made_up.BASES["production"], made_up.BASES["staging"], 1)
            staging = Organization.objects.get(environment=Environment.STAGING, oid=oid)
            counterparts.link(staging, organization, actor=self.editor)
        return organization

    def make_locations(self) -> None:
        for region, places in enumerate(made_up.REGIONS.values(), start=1):
            for number in range(1, len(places) + 1):
                place = (region, number)
                if place in ONLY_IN_STAGING and self.environment == Environment.PRODUCTION:
                    continue
                record = made_up.location(self.environment, *place)
                if place in WAITING:
                    record = replace(record, part_of_oid=made_up.location(self.environment, *WAITING[place]).oid)
                if place in SEEN:
                    self.locations[place] = self.take_over(record)
                else:
                    self.locations[place] = self.add(record, RecordKind.LOCATION)

    def make_special(self) -> None:
        for place in THERE_BEFORE:
            self.register_by_hand(replace(made_up.location(self.environment, *place), name="Lakeside Clinic (by hand)"))
        self.register(self.locations[place] for place in THERE_BEFORE)
        for place in STATED:
            reason = "Registered with curl before the portal; see ticket 104."
            statements.state_registered(self.locations[place].pk, reason=reason, actor=self.sender)
        for place, behaviour in {**REJECTED, **UNKNOWN}.items():
            self.register([self.locations[place]], behaviour)
        for place in WAITING:
            self.submit(self.locations[place])

    def make_evidence(self) -> None:
        """Make records that are accepted by other evidence than an answer of Redox to the message."""
        with query_at_once():
            for place, behaviour in {BY_QUERY: "applies-then-504", BY_BOTH: "strange-yes"}.items():
                self.register([self.locations[place]], behaviour)
                self.settle(place, State.ACCEPTED)
            record = made_up.location(self.environment, *BY_DECISION)
            self.register_by_hand(replace(record, name=f"{record.name} (by hand)"))
            self.register([self.locations[BY_DECISION]], "gateway-error")
            self.settle(BY_DECISION, State.NEEDS_PERSON)
        self.decide(BY_DECISION, Verdict.ARRIVED, "Ours: registered with curl on the same day, ticket 131.")
        ours = made_up.location(self.environment, *OURS)
        self.register_by_hand(replace(ours, name=f"{ours.name} (by hand)"))
        self.register_by_hand(made_up.foreign_organization(made_up.location(self.environment, *FOREIGN)))
        self.register(self.locations[place] for place in (OURS, FOREIGN))
        self.decide(OURS, Verdict.OURS, "Registered with curl in March, ticket 104.")
        self.decide(FOREIGN, Verdict.FOREIGN, "Redox gave this OID to a hospital in Boston, ticket 132.")

    def settle(self, place: tuple[int, int], state: State) -> None:
        """Run the worker until it has resolved an unknown submission to this state."""
        demonstration.set_behaviour("answers")
        until = time.monotonic() + SETTLES_WITHIN
        while self.last_of(place).state != state:
            if time.monotonic() > until:
                raise CommandError(f"Submission {self.last_of(place).pk} did not end.")
            if not workers.run_once(self.worker):
                time.sleep(A_MOMENT)

    def decide(self, place: tuple[int, int], verdict: Verdict, reason: str) -> None:
        approver, submission = person(self.people["approver"]), self.last_of(place)
        query.query_for_submission(submission, actor=approver)
        answer = decide.last_answer(submission)
        if answer is None:
            raise CommandError(f"The practice directory did not answer about submission {submission.pk}.")
        decide.decide_submission(submission.pk, verdict, sequence=answer.entry.sequence, reason=reason, actor=approver)

    def last_of(self, place: tuple[int, int]) -> Submission:
        return Submission.objects.filter(organization=self.locations[place]).latest("pk")

    def change_registered(self) -> None:
        for place, reason in DEACTIVATED.items():
            self.submit(self.locations[place], reason=reason, intent=Intent.DEACTIVATE)
        self.deliver("answers")
        for place in UPDATED:
            self.edit(place, "editor")
            self.submit(self.locations[place], reason="New switchboard, ticket 118")
        self.deliver("answers")
        for place, behaviour in {**UPDATE_REJECTED, **UPDATE_UNKNOWN}.items():
            self.edit(place, "editor")
            self.submit(self.locations[place], reason="New switchboard, ticket 121")
            self.deliver(behaviour)
        demonstration.set_behaviour("answers")
        for place in CHANGED_BY_HAND:
            self.change_by_hand(place)
        for place, username in EDITED.items():
            self.edit(place, username)

    def register(self, records: Iterable[Organization], behaviour: str = "answers") -> None:
        for organization in records:
            self.submit(organization)
        self.deliver(behaviour)

    def submit(self, location: Organization, reason: str = "First registration", intent: Intent | None = None) -> None:
        organization = Organization.objects.get(pk=location.pk)
        review = reviews.review(organization, actor=self.sender, intent=intent)
        submissions.submit_record(
            organization.pk,
            sha256=review.sha256,
            shown_submission=organization.last_submission_id or 0,
            reason=reason,
            ticked=frozenset(submissions.warning_key(warning) for warning in review.open_warnings),
            intent=intent,
            actor=self.sender,
        )

    def deliver(self, behaviour: str) -> None:
        demonstration.set_behaviour(behaviour)
        until = time.monotonic() + SETTLES_WITHIN
        while self.is_due():
            if workers.run_once(self.worker):
                until = time.monotonic() + SETTLES_WITHIN
            elif time.monotonic() > until:
                raise CommandError(f"Nothing is delivered to {self.environment.label}. Is its connection set?")
            else:
                time.sleep(0.05)

    def is_due(self) -> bool:
        return Submission.objects.due(self.environment, clock.now()).exists()

    def edit(self, place: tuple[int, int], username: str) -> None:
        organization = Organization.objects.get(pk=self.locations[place].pk)
        record = organization.record()
        contact = replace(record.contacts[0], work_phone=f"+160855501{10 * place[0] + place[1]:02}")
        changed = replace(record, contacts=(contact, *record.contacts[1:]))
        if place[1] % 2:
            changed = replace(changed, address=replace(record.address, street=f"{record.address.street}, Suite 2"))
        organizations.edit(
            organization.pk,
            organization.version,
            changed,
            stands_for=organization.stands_for,
            actor=person(self.people[username]),
        )

    def change_by_hand(self, place: tuple[int, int]) -> None:
        """Change a record in the directory outside the portal, and read it."""
        organization = Organization.objects.select_related("last_submission").get(pk=self.locations[place].pk)
        self.rename_by_hand(organization)
        if organization.last_submission is not None:
            query.query_for_submission(organization.last_submission, actor=self.sender)

    def rename_by_hand(self, organization: Organization) -> None:
        """Store another name, and another spelling of the country with the same meaning."""
        store = Store(Path(settings.DEMO_BEHAVIOUR_FILE).parent)
        entry = store.find(self.environment, oid=organization.oid)[0]
        changes = {"Name": f"{organization.name} (by hand)", "Address": entry["Address"] | {"Country": "US"}}
        store.put(self.environment, organization.oid, entry | changes)
        store.close()

    def register_by_hand(self, record: OrganizationRecord) -> None:
        """Register a record outside the portal."""
        store = Store(Path(settings.DEMO_BEHAVIOUR_FILE).parent)
        store.put(self.environment, record.oid, _directory_entry(record))
        store.close()

    def fill_directory(self) -> None:
        """Add the records that are not in the portal: some of the company, and those of others."""
        with closing(Store(Path(settings.DEMO_BEHAVIOUR_FILE).parent)) as store:
            for record in made_up.outside_the_portal(self.environment):
                entry = _directory_entry(record) | {key: json.loads(value) for key, value in record.carried}
                entry["Active"] = record.active
                entry["Identifiers"] += [{"ID": own.value, "IDType": own.kind} for own in record.identifiers]
                store.put(self.environment, record.oid, entry, changed_at=REGISTERED_WITH_CURL.timestamp())
            store.add_missing(self.environment, others(OTHERS))

    def take_over(self, record: OrganizationRecord) -> Organization:
        self.register_by_hand(record)
        answer = query.query_oid(self.environment, record.oid)
        if answer.record is None:
            raise CommandError(f"The practice directory did not show {record.oid}: {answer.cause}")
        with audit.atomic(self.editor) as history:
            locks.lock_structure(self.environment)
            return organizations.add_seen(history, answer.record, self.environment, seen_at=answer.asked_at)


def _directory_entry(record: OrganizationRecord) -> dict[str, Any]:
    """A record as the practice directory stores it, in the form of Redox's how-to."""
    contact, address = record.contacts[0], record.address
    return {
        "Name": record.name,
        "DestinationID": record.destination_id,
        "Active": True,
        "Identifiers": [{"ID": record.oid, "IDType": "OID"}],
        "PartOf": {"Identifier": {"Value": record.part_of_oid}},
        "Contacts": [
            {
                "Purpose": contact.purpose,
                "Name": contact.name,
                "EmailAddresses": list(contact.email_addresses),
                "PhoneNumber": {"Work": contact.work_phone},
            }
        ],
        "Address": {
            "StreetAddress": address.street,
            "City": address.city,
            "State": address.state,
            "ZIP": address.zip_code,
            "Country": address.country,
        },
    }
