"""The steps of a history: actions of people, the worker and its failures, time, and changes of the directory.

Each step calls the functions that the views and the worker call. A step that is not possible now does nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any

from organizations.models import AuditEntry, Intent, Plan, PlanKind, State, Submission, Verdict
from organizations.pages.submission import attempts
from organizations.pages.submission import state as submission_page
from organizations.records import AddressRecord, OrganizationRecord
from organizations.redox.environment import GATEWAY_OID
from organizations.services.connection import check
from organizations.services.delivery import decide, query, resume
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused
from organizations.services.outbox import plans, submissions
from organizations.services.records import organizations
from organizations.services.review import plan_draft, reviews
from tests.factories import as_actor
from tests.faults.world import Showing, Way, respell
from tests.truth.history import RECORDS, History

DESTINATION = "7f296bb4-83fd-498d-92f3-a76960648788"


class Change(Enum):
    """What an editor changes. The last two change only the spelling."""

    NAME = "Name"
    STREET = "Street"
    PHONE = "Work phone"
    DESTINATION = "Destination ID"
    PARENT = "PartOf"
    ZIP_FOUR = "ZIP to ZIP+4 and back"
    ALIASES = "the order of the aliases"


def changed(record: OrganizationRecord, change: Change, parent_oid: str) -> OrganizationRecord:
    """The record after an edit. Each edit has two values in turn, so that repeating it changes the record again."""
    return _CHANGES[change](record, parent_oid)


def _name(record: OrganizationRecord, parent_oid: str) -> OrganizationRecord:
    return replace(record, name=record.name.removesuffix(" New") if " New" in record.name else f"{record.name} New")


def _street(record: OrganizationRecord, parent_oid: str) -> OrganizationRecord:
    return _placed(record, street="3 Hill Rd" if record.address.street == "2 Hill Rd" else "2 Hill Rd")


def _phone(record: OrganizationRecord, parent_oid: str) -> OrganizationRecord:
    contact = record.contacts[0]
    phone = "+16085550103" if contact.work_phone == "+16085550102" else "+16085550102"
    return replace(record, contacts=(replace(contact, work_phone=phone), *record.contacts[1:]))


def _destination(record: OrganizationRecord, parent_oid: str) -> OrganizationRecord:
    is_left_out = not record.destination_known or record.destination_id
    return replace(record, destination_id="" if is_left_out else DESTINATION, destination_known=True)


def _parent(record: OrganizationRecord, parent_oid: str) -> OrganizationRecord:
    return replace(record, part_of_oid=GATEWAY_OID if record.part_of_oid == parent_oid else parent_oid)


def _zip_four(record: OrganizationRecord, parent_oid: str) -> OrganizationRecord:
    zip_code = record.address.zip_code
    return _placed(record, zip_code=zip_code[:5] if len(zip_code) > 5 else f"{zip_code}-1234")


def _aliases(record: OrganizationRecord, parent_oid: str) -> OrganizationRecord:
    return replace(record, aliases=tuple(reversed(record.aliases)))


_CHANGES: dict[Change, Callable[[OrganizationRecord, str], OrganizationRecord]] = {
    Change.NAME: _name,
    Change.STREET: _street,
    Change.PHONE: _phone,
    Change.DESTINATION: _destination,
    Change.PARENT: _parent,
    Change.ZIP_FOUR: _zip_four,
    Change.ALIASES: _aliases,
}


def _placed(record: OrganizationRecord, **values: str) -> OrganizationRecord:
    address: AddressRecord = replace(record.address, **values)
    return replace(record, address=address)


class Step:
    """One event. Its text is one line of the printed history."""

    def do(self, history: History) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self}>"


@dataclass(frozen=True, repr=False)
class Edit(Step):
    person: int
    record: str
    change: Change

    def __str__(self) -> str:
        return f"{('Editor One', 'Editor Two')[self.person]} edits {self.change.value} of the {self.record}"

    def do(self, history: History) -> None:
        person, organization = history.people[self.person], history.organization(self.record)
        parent_oid = history.oids[0] if self.record == "child" else GATEWAY_OID
        before = organization.record()
        after = changed(before, self.change, parent_oid)
        with suppress(ActionRefused):
            organizations.edit(organization.pk, organization.version, after, stands_for="", actor=as_actor(person))
            history.note_edit(person, before, after)


@dataclass(frozen=True, repr=False)
class Send(Step):
    """Review and submit. With a way, a worker sends it at once; without one it stays queued."""

    record: str
    intent: Intent | None = None
    way: Way | None = Way.YES
    person: int = 0

    def __str__(self) -> str:
        act = {None: "sends", Intent.DEACTIVATE: "deactivates", Intent.REACTIVATE: "reactivates"}[self.intent]
        became = f": {self.way.value}" if self.way else ", which waits"
        return f"{('Editor One', 'Editor Two')[self.person]} {act} the {self.record}{became}"

    def do(self, history: History) -> None:
        organization, actor = history.organization(self.record), as_actor(history.people[self.person])
        made = reviews.review(organization, actor=actor, intent=self.intent)
        with suppress(ActionRefused):
            submissions.submit_record(
                organization.pk,
                sha256=made.sha256,
                shown_submission=organization.last_submission_id or 0,
                reason="ticket 7",
                ticked=frozenset(map(submissions.warning_key, made.open_warnings)),
                intent=self.intent,
                actor=actor,
            )
        if self.way is not None:
            history.work(self.way)


@dataclass(frozen=True, repr=False)
class SendBranch(Step):
    kind: PlanKind
    way: Way

    def __str__(self) -> str:
        return f"Editor One makes a plan of both records ({self.kind.label}): {self.way.value}"

    def do(self, history: History) -> None:
        actor = as_actor(history.people[0])
        chosen = plan_draft.choose_branch(history.organization("parent"), self.kind)
        drawn = plan_draft.draft_plan(chosen, actor=actor)
        ticked = frozenset(question.key for question in drawn.questions)
        typed = str(drawn.number_to_type)
        with suppress(ActionRefused):
            plans.make_plan(chosen, sha256=drawn.sha256, ticked=ticked, reason="ticket 7", typed=typed, actor=actor)
        history.work(self.way)


@dataclass(frozen=True, repr=False)
class Wait(Step):
    """Time passes, then a worker runs everything that is due."""

    seconds: int
    way: Way = Way.YES
    showing: Showing | None = Showing.AS_IT_IS

    def __str__(self) -> str:
        query = f"Queries show it {self.showing.value}" if self.showing else "Queries fail"
        return f"{self.seconds} seconds later a worker looks ({query}; what it sends: {self.way.value})"

    def do(self, history: History) -> None:
        history.world.pass_time(self.seconds)
        history.work(self.way, self.showing)


@dataclass(frozen=True, repr=False)
class WorkerDies(Step):
    """A worker is killed in the middle of what it sends."""

    way: Way

    def __str__(self) -> str:
        return f"a worker is killed while it sends ({self.way.value})"

    def do(self, history: History) -> None:
        history.work(self.way, dies=True)


@dataclass(frozen=True, repr=False)
class Cancel(Step):
    def __str__(self) -> str:
        return "Editor Two cancels what waits"

    def do(self, history: History) -> None:
        submission = history.last_submission(State.QUEUED)
        if submission is not None:
            with suppress(ActionRefused):
                submissions.cancel_submission(submission.pk, actor=as_actor(history.people[1]))


@dataclass(frozen=True, repr=False)
class Discard(Step):
    record: str

    def __str__(self) -> str:
        return f"Editor Two discards the saved changes of the {self.record}"

    def do(self, history: History) -> None:
        organization = history.organization(self.record)
        before = organization.record()
        with suppress(ActionRefused):
            after = organizations.discard(organization.pk, organization.version, actor=as_actor(history.people[1]))
            history.note_edit(history.people[1], before, after.record())


@dataclass(frozen=True, repr=False)
class Ask(Step):
    showing: Showing | None = Showing.AS_IT_IS

    def __str__(self) -> str:
        return f"Editor One asks the directory ({f'it shows it {self.showing.value}' if self.showing else 'it fails'})"

    def do(self, history: History) -> None:
        submission = history.last_submission(*submission_page.CAN_BE_QUERIED)
        if submission is None:
            return
        world = history.world
        world.answers_queries, world.showing = self.showing is not None, self.showing or Showing.AS_IT_IS
        query.query_for_submission(submission, actor=as_actor(history.people[0]))
        world.answers_queries, world.showing = True, Showing.AS_IT_IS


@dataclass(frozen=True, repr=False)
class AskAboutRecord(Step):
    """Ask the directory from the page of a record or of its review, in any state of its submissions."""

    record: str
    showing: Showing | None = Showing.AS_IT_IS

    def __str__(self) -> str:
        shows = f"it shows it {self.showing.value}" if self.showing else "it fails"
        return f"Editor One asks the directory about the {self.record} ({shows})"

    def do(self, history: History) -> None:
        world = history.world
        world.answers_queries, world.showing = self.showing is not None, self.showing or Showing.AS_IT_IS
        query.query_record(history.organization(self.record), actor=as_actor(history.people[0]))
        world.answers_queries, world.showing = True, Showing.AS_IT_IS


@dataclass(frozen=True, repr=False)
class TakeTheirs(Step):
    record: str

    def __str__(self) -> str:
        return f"Editor Two takes what the directory shows of the {self.record}"

    def do(self, history: History) -> None:
        organization = history.organization(self.record)
        with suppress(ActionRefused):
            actor = as_actor(history.people[1])
            differences.take_directory_values(organization.pk, organization.version, reason="Seen there", actor=actor)


@dataclass(frozen=True, repr=False)
class Decide(Step):
    """The approver queries the directory, compares, and takes one of the choices."""

    choice: int

    def __str__(self) -> str:
        return f"the approver asks and takes choice {self.choice + 1} of those that there are"

    def do(self, history: History) -> None:
        submission = history.last_submission(State.NEEDS_PERSON)
        if submission is None:
            return
        approver = as_actor(history.people[2])
        query.query_for_submission(submission, actor=approver)
        shown = decide.last_answer(submission)
        if shown is None:
            return
        offered = decide.allowed_verdicts(submission, shown)
        decide_last(history, submission, offered[self.choice % len(offered)])


def decide_last(history: History, submission: Submission, verdict: Verdict) -> None:
    """End a submission by the last answer of the directory."""
    entries = list(AuditEntry.objects.of_submission(submission.pk))
    asked = attempts.last_query(entries)
    assert asked is not None
    values: dict[str, Any] = {"sequence": asked.sequence, "reason": "Compared", "actor": as_actor(history.people[2])}
    with suppress(ActionRefused):
        decide.decide_submission(submission.pk, verdict, **values)
        history.decisions[submission.pk] = verdict


@dataclass(frozen=True, repr=False)
class GoOn(Step):
    """Check the connection, resume sending after a stop, and resume a paused plan."""

    def __str__(self) -> str:
        return "the approver checks the connection and lets everything go on"

    def do(self, history: History) -> None:
        actor = as_actor(history.people[2])
        check.check_connection("staging", actor=actor)
        with suppress(ActionRefused):
            resume.resume("staging", actor=actor)
        for plan in Plan.objects.filter(state="paused"):
            with suppress(ActionRefused):
                plans.resume_plan(plan.pk, actor=actor)
        history.work(Way.YES)


class Meddling(StrEnum):
    """What somebody does to a record in the directory without the portal."""

    NAME = "sets the Name to Boston Hospital"
    PHONE = "sets another work phone"
    ACTIVE = "flips Active"
    REMOVED = "takes the record away"
    SPELLED = "spells it differently"


_MEDDLING: dict[Meddling, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    Meddling.NAME: lambda there: there | {"Name": "Boston Hospital"},
    Meddling.PHONE: lambda there: there | {"Contacts": [_called(each) for each in there.get("Contacts", [])]},
    Meddling.ACTIVE: lambda there: there | {"Active": not there["Active"]},
    Meddling.REMOVED: lambda there: None,
    Meddling.SPELLED: respell,
}


def _called(contact: dict[str, Any]) -> dict[str, Any]:
    return contact | {"PhoneNumber": {"Work": "+16175550199"}}


@dataclass(frozen=True, repr=False)
class Meddle(Step):
    record: str
    meddling: Meddling

    def __str__(self) -> str:
        return f"behind our back somebody {self.meddling.value} ({self.record})"

    def do(self, history: History) -> None:
        oid = history.oids[RECORDS.index(self.record)]
        there = history.world.record(oid)
        if there is not None:
            history.world.put(oid, _MEDDLING[self.meddling](there))
