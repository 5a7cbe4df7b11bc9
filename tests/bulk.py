"""Many records at once, for tests of the number of queries of a page. Rows are written directly, without history."""

import datetime
from collections.abc import Iterable, Sequence

from django.db.models import OuterRef, Subquery

from organizations.folding import name_key
from organizations.models import (
    Action,
    Basis,
    Contact,
    Environment,
    Event,
    Evidence,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    User,
)
from organizations.oid import Oid
from organizations.records import canonical, difference, fingerprint
from organizations.redox.environment import GATEWAY_OID
from organizations.services import search_text
from organizations.services.actors import person
from organizations.services.audit import audit
from tests import factories

MOMENT = datetime.datetime(2027, 5, 3, 19, 3, tzinfo=datetime.UTC)


def records(count: int, *, environment: str = "staging", base: str = factories.BASE) -> list[Organization]:
    """`count` records: one at the top, regions below it, at most 30 locations below each; one contact each."""
    organizations = Organization.objects.bulk_create(
        row(oid, part_of_oid, environment) for oid, part_of_oid in _places(count, base)
    )
    Contact.objects.bulk_create(
        Contact(organization=row, position=0, purpose="Technical", name="Integration desk", work_phone="+16085550100")
        for row in organizations
    )
    return organizations


def _places(count: int, base: str) -> list[tuple[str, str]]:
    places = [(base, GATEWAY_OID)]
    for number in range(count - 1):
        region, location = divmod(number, 31)
        oid = f"{base}.{region + 1}"
        places.append((f"{oid}.{location}", oid) if location else (oid, base))
    return places


def row(oid: str, part_of_oid: str, environment: str) -> Organization:
    record = factories.record(oid, part_of_oid=part_of_oid)
    return Organization(
        environment=environment,
        oid=oid,
        oid_key=Oid(oid).key,
        name=record.name,
        part_of_oid=part_of_oid,
        state=record.address.state,
        wanted_hash=fingerprint(record),
        changes=len(difference(None, record)),
        search_text=search_text.record_search_text(record),
        name_key=name_key(record.name),
        double_key=search_text.record_near_duplicate_key(record),
        created_at=MOMENT,
        edited_at=MOMENT,
    )


def records_with_counterparts(numbers: Iterable[int], *, below: str, people: Sequence[User]) -> list[Organization]:
    """A record for each of these numbers below the OID, and its counterpart in PRODUCTION.

    One of these people edited and sent each of them, and Redox accepted it.
    """
    chosen_numbers = list(numbers)
    organizations: list[Organization] = []
    for environment in Environment:
        rows = [_accepted(row(f"{below}.{number}", below, environment)) for number in chosen_numbers]
        for place, each in enumerate(rows):
            each.edited_by = people[place % len(people)]
            each.staging_record = organizations[place] if environment == Environment.PRODUCTION else None
        organizations += Organization.objects.bulk_create(rows)
    Contact.objects.bulk_create(
        Contact(organization=each, position=0, purpose="Technical", name="Desk") for each in organizations
    )
    sent(organizations, people)
    last = Submission.objects.filter(organization=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    ids = [each.pk for each in organizations]
    Organization.objects.filter(pk__in=ids).update(last_submission=Subquery(last), confirmed_submission=Subquery(last))
    factories.mirror_last_submissions()
    return organizations[: len(chosen_numbers)]


def sent(organizations: Iterable[Organization], people: Sequence[User]) -> list[Submission]:
    """An accepted submission of each of these, submitted by one of these people."""
    return Submission.objects.bulk_create(
        Submission(
            organization=each,
            environment=each.environment,
            oid=each.oid,
            part_of_oid=each.part_of_oid,
            event=Event.UPDATE,
            intent=Intent.UPDATE,
            message=b"{}",
            message_sha256="0" * 64,
            record_version=1,
            submitter=people[place % len(people)],
            state=State.ACCEPTED,
            evidence=Evidence.ANSWER,
            evidence_at=MOMENT,
            state_at=MOMENT,
            created_at=MOMENT,
            ended_at=MOMENT,
            attempt=1,
            http_status=200,
        )
        for place, each in enumerate(organizations)
    )


def edits(organizations: Sequence[Organization], people: Sequence[User]) -> None:
    """An entry about each of these records, by these people in turn."""
    for place, by in enumerate(people):
        with audit.atomic(person(by)) as history:
            for each in organizations[place :: len(people)]:
                history.log_record(Action.ORGANIZATION_EDITED, each)


def attempts(submission: Submission, numbers: Iterable[int], by: User) -> None:
    """Attempts of a submission that did not reach Redox."""
    with audit.atomic(person(by)) as history:
        for number in numbers:
            history.log_submission(Action.ATTEMPT_INTENT, submission, attempt=number)
            history.log_submission(
                Action.ATTEMPT_OUTCOME, submission, attempt=number, outcome="not_sent", detail="refused"
            )


def _accepted(organization: Organization) -> Organization:
    record = factories.record(organization.oid, part_of_oid=organization.part_of_oid)
    organization.presence, organization.presence_basis = Presence.PRESENT, Basis.ACCEPTED
    organization.presence_at = organization.confirmed_at = MOMENT
    organization.confirmed, organization.confirmed_active, organization.changes = canonical(record), True, 0
    organization.confirmed_part_of_oid = record.part_of_oid
    organization.confirmed_evidence, organization.known_at = Evidence.ANSWER, MOMENT
    return organization
