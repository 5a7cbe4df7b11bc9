"""People, records and submissions for tests. The services create the records and submissions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import factory.declarations
import factory.django
import factory.helpers
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import OuterRef, Subquery, prefetch_related_objects

from organizations import knowledge
from organizations.models import (
    CandidateState,
    Environment,
    Event,
    Evidence,
    Intent,
    Organization,
    Plan,
    PlanKind,
    Presence,
    State,
    Submission,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
    clock,
)
from organizations.models.submission import MIRRORED
from organizations.oid import Oid
from organizations.records import AddressRecord, ContactRecord, OrganizationRecord, difference
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.services import locks
from organizations.services.actors import Actor, person
from organizations.services.audit import audit
from organizations.services.audit.audit import History
from organizations.services.connection import redox_settings
from organizations.services.directory import take_over as take_overs
from organizations.services.directory.candidates import set_seen
from organizations.services.directory.take_over import NewCandidate
from organizations.services.errors import ActionRefused
from organizations.services.outbox import plans, submissions
from organizations.services.records import directory_state, organizations, statements
from organizations.services.review import plan_draft, reviews
from organizations.services.review.plan_draft import ChosenRecords
from organizations.services.review.record_warnings import value_warnings
from organizations.services.review.reviews import DirectoryKnowledge, Review, ReviewChange

BASE = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"
PASSWORD = "only-for-tests"
DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"


class _UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.declarations.Sequence(lambda number: f"person{number}")
    password = factory.django.Password(PASSWORD)

    @factory.helpers.post_generation
    def role(self: User, create: bool, extracted: str | None, **_: Any) -> None:
        if create and extracted:
            self.groups.add(Group.objects.get(name=extracted))


UserFactory = cast(Callable[..., User], _UserFactory)
"""A person; `role` puts them into the group of that name."""


def editor(**values: Any) -> User:
    return UserFactory(role="editor", first_name="Editor", last_name="One", **values)


def as_actor(user: User) -> Actor:
    return person(user)


def record(oid: str = BASE, **values: Any) -> OrganizationRecord:
    """A complete, valid record."""
    filled: dict[str, Any] = {
        "oid": oid,
        "name": f"Lakeside {oid.rsplit('.', 1)[1]}",
        "part_of_oid": GATEWAY_OID,
        "contacts": (
            ContactRecord(
                purpose="Technical",
                name="Integration desk",
                email_addresses=("desk@lakeside.example",),
                work_phone="+16085550100",
            ),
        ),
        "address": AddressRecord(
            street="1 Shore Rd", city="Madison", state="WI", zip_code="53704", county="Dane", country="USA"
        ),
    }
    return OrganizationRecord(**(filled | values))


def organization(oid: str = BASE, *, user: User, environment: str = "staging", **values: Any) -> Organization:
    """A record that was never sent."""
    return organizations.create(record(Oid(oid).text, **values), environment, stands_for="", actor=person(user))


def submission(
    organization: Organization, *, user: User, reason: str = "Test", intent: Intent | None = None
) -> Submission:
    """A submission of what is saved, reviewed once, with every warning ticked.

    Raises:
        ActionRefused: a blocker forbids it.
    """
    with audit.atomic(person(user)) as history:
        return _submitted(history, organizations.lock_record(organization.pk), reason, intent)


def _submitted(history: History, row: Organization, reason: str = "Test", intent: Intent | None = None) -> Submission:
    review = plain_review(row) if is_plain(row, history.actor, intent) else None
    review = review or reviews.review(row, actor=history.actor, intent=intent)
    if review.blockers:
        raise ActionRefused(" ".join(blocker.sentence for blocker in review.blockers))
    return submissions.store_submission(history, review, reason=reason)


def plain_submissions(rows: Iterable[Organization], *, user: User) -> list[Submission]:
    """The submissions that `submission` would make of these records, without its queries. No warning concerns them."""
    organizations_to_send = list(rows)
    with audit.atomic(person(user)) as history:
        assert all(_is_plain_beside_others(row, history.actor, None) for row in organizations_to_send)
        return [
            submissions.store_submission(history, plain_review(row), reason="Test") for row in organizations_to_send
        ]


def is_plain(row: Organization, actor: Actor, intent: Intent | None) -> bool:
    """Whether nothing can block or warn: a new record of STAGING, as `record` fills it, and no other."""
    return _is_plain_beside_others(row, actor, intent) and not Organization.objects.exclude(pk=row.pk).exists()


def _is_plain_beside_others(row: Organization, actor: Actor, intent: Intent | None) -> bool:
    known = (intent, row.last_submission_id, row.seen_at, row.foreign_since)
    if any(each is not None for each in known) or (row.version, row.edited_by_id) != (1, actor.id):
        return False
    saved, is_expected_oid = row.record(), f"{row.oid}.".startswith(f"{BASE}.")
    is_first = row.environment == Environment.STAGING and row.presence == Presence.NEVER
    if not is_first or not is_expected_oid or saved != record(row.oid, name=row.name):
        return False
    return not any(value_warnings(saved))


def plain_review(row: Organization) -> Review:
    """What `reviews.review` returns for a plain record, without its queries; and nobody is looked up as an author."""
    sent = knowledge.sendable(row.record())
    message = messages.build_message(sent, Event.NEW.value, redox_settings.environment(row.environment))
    return Review(
        organization=row,
        event=Event.NEW,
        intent=Intent.CREATE,
        record=sent,
        known=DirectoryKnowledge(),
        message=message,
        sha256=messages.sha256(message),
        changes=tuple(ReviewChange(each, None) for each in difference(None, sent)),
        overwrites=(),
        equivalent=(),
        warnings=(),
        blockers=(),
        parent=None,
        waits_for=None,
    )


def stated_organization(oid: str = BASE, *, user: User, **values: Any) -> Organization:
    """A record with a destination ID that a person stated was registered outside the portal."""
    row = organization(oid, user=user, **{"destination_id": DESTINATION} | values)
    statements.state_registered(row.pk, reason="Sent with curl", actor=person(user))
    return Organization.objects.get(pk=row.pk)


def seen_organization(record: OrganizationRecord, *, user: User, environment: str = "staging") -> Organization:
    """A record that the directory shows now and that is added with unknown destination ID.

    Raises:
        ActionRefused: as `organizations.add_seen`.
    """
    with audit.atomic(person(user)) as history:
        locks.lock_structure(environment)
        return organizations.add_seen(history, record, environment, seen_at=clock.now())


def press(review: Review, *, user: User, **values: Any) -> Submission:
    """Press the button of a review page, with every warning ticked. `values` override what the form sends.

    Raises:
        ActionRefused: as `submissions.submit_record`.
    """
    arguments: dict[str, Any] = {
        "sha256": review.sha256,
        "shown_submission": review.organization.last_submission_id or 0,
        "reason": "Test",
        "ticked": frozenset(map(submissions.warning_key, review.warnings)),
        "intent": review.intent if review.intent in (Intent.DEACTIVATE, Intent.REACTIVATE) else None,
        "actor": person(user),
    }
    return submissions.submit_record(review.organization.pk, **(arguments | values))


def accept(
    organization: Organization,
    *,
    submission: Submission | None = None,
    evidence: Evidence = Evidence.ANSWER,
    **values: Any,
) -> Organization:
    """Mark the record as accepted now, with these values changed. Nothing is sent."""
    with transaction.atomic():
        return _accept(Organization.objects.get(pk=organization.pk), submission, evidence, values)


def _accept(
    row: Organization, submission: Submission | None, evidence: Evidence, values: dict[str, Any]
) -> Organization:
    prefetch_related_objects([row], "contacts", "identifiers")  # the record is read more than once
    accepted = knowledge.sendable(replace(row.record(), **values))
    row.confirmed_version = row.version
    directory_state.mark_accepted(row, accepted, submission, evidence=evidence, known_at=clock.now())
    if submission is not None:
        ended = {"state": State.ACCEPTED, "evidence": evidence, "ended_at": clock.now(), "attempt": 1}
        change_submission(submission, **ended)
    return Organization.objects.get(pk=row.pk)


def accepted_organization(
    oid: str = BASE, *, user: User, environment: str = "staging", evidence: Evidence = Evidence.ANSWER, **values: Any
) -> Organization:
    """A record with a submission that was accepted on this evidence. Nothing is sent."""
    row = organization(oid, user=user, environment=environment, **values)
    prefetch_related_objects([row], "contacts", "identifiers")
    with audit.atomic(person(user)) as history:
        return _accept(row, _submitted(history, row), evidence, {})


def plan(records: list[Organization], *, user: User, kind: PlanKind = PlanKind.SEND, **values: Any) -> Plan:
    """Send these records together, with everything that the page of the plan requires."""
    chosen = ChosenRecords(Environment(records[0].environment), kind, tuple(each.pk for each in records))
    draft = plan_draft.draft_plan(chosen, actor=person(user))
    arguments: dict[str, Any] = {
        "sha256": draft.sha256,
        "ticked": frozenset(question.key for question in draft.questions),
        "reason": "ticket 7",
        "typed": str(draft.number_to_type),
        "actor": person(user),
    }
    return plans.make_plan(chosen, **(arguments | values))


def change_submission(submission: Submission, **values: object) -> None:
    """Store these values in one submission, and mirror them on its record."""
    Submission.objects.filter(pk=submission.pk).update(**values)
    mirror_last_submissions()


def change_submissions(**values: object) -> None:
    """Store these values in all submissions, and mirror them on the records."""
    Submission.objects.update(**values)
    mirror_last_submissions()


def mirror_last_submissions() -> None:
    """Copy to each record what its status columns need from its last submission, as services do with each change."""
    last = Submission.objects.filter(pk=OuterRef("last_submission"))
    mirrored = {column: Subquery(last.values(source)) for column, source in MIRRORED.items()}
    Organization.objects.exclude(last_submission=None).update(**mirrored)


def take_over(
    *,
    user: User,
    seen: Mapping[str, OrganizationRecord | None] | None = None,
    environment: str = "staging",
    **values: Any,
) -> TakeOver:
    """A take-over about whose OIDs the directory was asked. `seen`: the record that it has for each OID, or None."""
    shown = seen or {BASE: record()}
    candidates = [NewCandidate(oid) for oid in shown]
    arguments: dict[str, Any] = {"kind": TakeOverKind.OIDS, "base_oids": [BASE], "actor": person(user)} | values
    run = take_overs.begin(environment, candidates, **arguments)
    for candidate in run.candidates.filter(state=CandidateState.WAITING):
        shown_record = shown[candidate.oid]
        candidate.state, candidate.asked_at = CandidateState.ABSENT, clock.now()
        if shown_record is not None:
            set_seen(candidate, replace(shown_record, destination_id="", destination_known=False))
        candidate.save()
    TakeOver.objects.filter(pk=run.pk).update(state=TakeOverState.READY)
    run.refresh_from_db()
    return run
