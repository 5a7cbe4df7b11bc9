"""What people do with a take-over: begin it, stop it, enter destination IDs, and choose what becomes a record.

`run_take_over.py` is the worker's part: it asks the directory and adds the records.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db.models import F

from organizations.models import (
    Action,
    Candidate,
    CandidateState,
    Organization,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    clock,
)
from organizations.oid import Oid
from organizations.permissions import Right, may
from organizations.records import OrganizationRecord, canonical
from organizations.redox.paging import Position
from organizations.services import locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.directory import lease, ownership_here, scan
from organizations.services.directory.candidates import known_destination, message_endpoints
from organizations.services.errors import ActionRefused, NumberMissing, OutOfDate, ReasonMissing
from organizations.services.records import organizations
from organizations.services.records.by_oid import records_by_oid
from organizations.services.records.organizations import KnownDestination

MOST_OIDS = 1000
"""How many OIDs one take-over may have, except a search of the whole directory."""

STOPPED = "Asking was stopped before an answer about this OID came."


class NewCandidate(NamedTuple):
    """One OID to take over. `source`: its line or old message. `message`: the record in that message."""

    oid: str
    source: str = ""
    destination_id: str = ""
    destination_source: str = ""
    message: OrganizationRecord | None = None


def begin(
    environment: str,
    candidates: Iterable[NewCandidate],
    *,
    kind: TakeOverKind,
    base_oids: Collection[str],
    problems: Collection[Mapping[str, str]] = (),
    actor: Actor,
) -> TakeOver:
    """Store the OIDs that a person entered. The worker then asks the directory about each that is not a record here.

    Raises:
        ActionRefused: there is no OID, or there are more than MOST_OIDS.
    """
    listed = list({candidate.oid: candidate for candidate in candidates}.values())
    if not listed:
        raise ActionRefused("Enter at least one OID.")
    if len(listed) > MOST_OIDS:
        raise ActionRefused(f"At most {MOST_OIDS:,} OIDs can be taken over at once. You entered {len(listed):,}.")
    if actor.person is None:
        raise ValueError("a person begins a take-over")
    with audit.atomic(actor) as history:
        moment = clock.now()
        take_over = TakeOver.objects.create(
            environment=environment,
            kind=kind,
            state_at=moment,
            made_by=actor.person,
            made_at=moment,
            base_oids=list(base_oids),
            problems=list(problems),
        )
        records = Organization.objects.in_environment(environment)
        here = records_by_oid(records, [candidate.oid for candidate in listed])
        Candidate.objects.bulk_create(
            _candidate(take_over, position, candidate, here.get(candidate.oid))
            for position, candidate in enumerate(listed)
        )
        _log(history, Action.TAKE_OVER_BEGUN, take_over, count=len(listed), kind=kind.value)
    return take_over


def begin_scan(environment: str, *, base_oids: Collection[str], asks_probes: bool = True, actor: Actor) -> TakeOver:
    """Search the whole directory for organizations of ours. The worker reads it page by page.

    `asks_probes`: it then asks about the next OIDs below each of our records.

    Raises:
        ActionRefused: the directory of this environment is being searched already.
    """
    if actor.person is None:
        raise ValueError("a person begins a take-over")
    with audit.atomic(actor) as history:
        locks.lock_structure(environment)
        _refuse_second_scan(environment)
        moment = clock.now()
        take_over = TakeOver.objects.create(
            environment=environment,
            kind=TakeOverKind.SCAN,
            state_at=moment,
            made_by=actor.person,
            made_at=moment,
            base_oids=list(base_oids),
            asks_probes=asks_probes,
            position=Position().to_json(),
        )
        _log(history, Action.TAKE_OVER_BEGUN, take_over, kind=take_over.kind)
    return take_over


def stop_asking(take_over_id: int, *, actor: Actor) -> TakeOver:
    """Stop asking the directory. Organizations that were found can be taken over; the others can be asked for later.

    Raises:
        ActionRefused: nothing is being asked.
    """
    with audit.atomic(actor) as history:
        take_over = _lock(take_over_id)
        if take_over.state != TakeOverState.ASKING:
            raise ActionRefused("The directory is not being asked any more.")
        _stop(history, take_over, "A person stopped it.")
    return take_over


def stop_without_right(environment: str, *, actor: Actor) -> None:
    """Stop asking for people who cannot edit records any more. A worker calls this before each lease."""
    asking = TakeOver.objects.filter(environment=environment, state=TakeOverState.ASKING)
    for running in asking.select_related("made_by", "taken_by"):
        if may(running.acts_for, Right.EDIT):
            continue
        with audit.atomic(actor) as history:
            take_over = _lock(running.pk)
            person = take_over.acts_for
            if take_over.state == TakeOverState.ASKING and not may(person, Right.EDIT):
                _stop(history, take_over, f"{person.display_name} cannot edit records any more.")


def ask_again(take_over_id: int, *, actor: Actor) -> TakeOver:
    """Ask again for each OID without a record, and continue a search that ended early.

    An OID has no record if it got no answer, was not found, or could not be read.

    Raises:
        ActionRefused: there is none, the take-over is not ready, or another search of the directory runs.
    """
    with audit.atomic(actor) as history:
        take_over = _lock_ready(take_over_id)
        if take_over.kind == TakeOverKind.SCAN:
            _refuse_second_scan(take_over.environment)
        count = take_over.candidates.to_ask_again().update(state=CandidateState.WAITING, sentence="")
        if not count and not take_over.position and not take_over.probes_left:
            raise ActionRefused("Every OID of this list was found.")
        take_over.end_reason = ""
        take_over.taken_by = actor.person
        lease.move(take_over, TakeOverState.ASKING)
        _log(history, Action.TAKE_OVER_BEGUN, take_over, count=count, kind=take_over.kind)
    return take_over


def set_destinations(
    take_over_id: int,
    destinations: Mapping[str, KnownDestination],
    *,
    shown: Mapping[str, KnownDestination] | None = None,
    actor: Actor,
) -> int:
    """Store the destination ID of each OID, and how the person knows it. Returns how many changed.

    `shown`: the values on the page before the person typed. Values that they did not change are not stored.

    Raises:
        ActionRefused: the take-over is not ready, or some of these organizations are records by now.
        OutOfDate: somebody else entered another destination ID meanwhile.
    """
    entered = {oid: each for oid, each in destinations.items() if shown is None or each != shown.get(oid)}
    with audit.atomic(actor) as history:
        take_over = _lock_ready(take_over_id)
        refuse_records(take_over, entered)
        changed = []
        for candidate in take_over.candidates.filter(oid__in=entered, state=CandidateState.FOUND):
            destination, now = entered[candidate.oid], (candidate.destination_id, candidate.destination_source)
            if shown is not None and now not in (shown.get(candidate.oid), destination):
                raise OutOfDate(f"Somebody else entered a destination ID for {candidate.oid}. Look at the list again.")
            if destination != now:
                candidate.destination_id, candidate.destination_source = destination
                changed.append(candidate)
        Candidate.objects.bulk_update(changed, ["destination_id", "destination_source"])
        if changed:
            facts = [
                {"oid": each.oid, "destination_id": each.destination_id, "source": each.destination_source}
                for each in changed
            ]
            _log(history, Action.TAKE_OVER_DESTINATIONS, take_over, count=len(changed), destinations=facts)
    return len(changed)


def set_destination_for_all(take_over_id: int, destination: KnownDestination, number: int, *, actor: Actor) -> int:
    """Store one destination ID for each organization whose destination ID is not known yet.

    Raises:
        NumberMissing: `number` is not the number of these organizations.
        ActionRefused: there is no such organization, the take-over is not ready, or one became a record meanwhile.
    """
    take_over = TakeOver.objects.get(pk=take_over_id)
    without_source = take_over.candidates.filter(state=CandidateState.FOUND, destination_source="")
    ours = ownership_here.own_oids(take_over).intersection(without_source.values_list("oid", flat=True))
    oids = ours - ownership_here.records_here(take_over, ours).keys()
    if not oids:
        refuse_records(take_over, ours)
        raise ActionRefused("The destination ID of each organization in this list is already known.")
    if number != len(oids):
        raise NumberMissing(f"Type {len(oids)}: that many organizations get this destination ID.")
    return set_destinations(take_over_id, dict.fromkeys(oids, destination), actor=actor)


def refuse_records(take_over: TakeOver, oids: Collection[str]) -> None:
    """Raise ActionRefused if an OID is a record by now: that record would not get its destination ID."""
    number = len(ownership_here.records_here(take_over, oids))
    if number == 1:
        raise ActionRefused(
            "1 of these organizations is a record already. Set its destination ID on the record's page."
        )
    if number:
        raise ActionRefused(
            f"{number:,} of these organizations are records already. Set their destination IDs on the records' pages."
        )


def take(take_over_id: int, oids: Collection[str], *, actor: Actor) -> int:
    """Choose the OIDs that become records. The worker adds them. Returns how many were chosen.

    Raises:
        ActionRefused: the take-over is not ready, or an OID cannot be taken over; the sentence names it.
        OutOfDate: an OID is not among the organizations that were found any more.
    """
    if not oids:
        raise ActionRefused("Choose at least one organization.")
    with audit.atomic(actor) as history:
        take_over = _lock_ready(take_over_id)
        chosen = list(take_over.candidates.filter(oid__in=oids, state=CandidateState.FOUND))
        if len(chosen) != len(set(oids)):
            raise OutOfDate("Some of these organizations cannot be taken over any more. Look at the list again.")
        reasons = ownership_here.take_block_reasons(take_over, chosen)
        if reasons:
            oid, reason = next(iter(reasons.items()))
            raise ActionRefused(f"{oid}: {reason}")
        take_over.candidates.filter(pk__in=[each.pk for each in chosen]).update(state=CandidateState.CHOSEN)
        take_over.taken_by = actor.person
        take_over.end_reason = ""
        lease.move(take_over, TakeOverState.TAKING)
        _log(history, Action.TAKE_OVER_CHOSEN, take_over, count=len(chosen), oids=sorted(oids))
    return len(chosen)


def take_all(take_over_id: int, *, actor: Actor) -> int:
    """Choose every organization that was found and is ours. Returns how many. Raises the same errors as `take`."""
    take_over = TakeOver.objects.get(pk=take_over_id)
    found = list(take_over.candidates.filter(state=CandidateState.FOUND).values_list("oid", flat=True))
    ours = ownership_here.own_oids(take_over).intersection(found)
    return take(take_over_id, ours - ownership_here.records_here(take_over, found).keys(), actor=actor)


def take_other(take_over_id: int, oid: str, *, typed_oid: str, reason: str, actor: Actor) -> Organization:
    """Add one organization that is not ours by its OID or PartOf, because an approver says that it is ours.

    The gateway cannot be added.

    Raises:
        ActionRefused: the take-over is not ready, or this organization cannot be added.
        OutOfDate: this organization is not among those that were found any more.
        NumberMissing: the OID was not typed.
        ReasonMissing: there is no reason.
    """
    with audit.atomic(actor) as history:
        take_over = _lock_ready(take_over_id)
        candidate = take_over.candidates.filter(oid=oid, state=CandidateState.FOUND).first()
        record = candidate.seen_record() if candidate else None
        if candidate is None or record is None or candidate.asked_at is None:
            raise OutOfDate("This organization cannot be taken over any more. Look at the list again.")
        block_reason = ownership_here.take_block_reasons(take_over, [candidate]).get(oid, "")
        if block_reason not in ("", ownership_here.NOT_OURS):
            raise ActionRefused(block_reason)
        if typed_oid.strip() != oid:
            raise NumberMissing(f"Type the OID: {oid}")
        if not reason.strip():
            raise ReasonMissing("Enter a reason.")
        organization = organizations.add_seen(
            history,
            record,
            take_over.environment,
            seen_at=candidate.asked_at,
            destination=known_destination(candidate),
            endpoints=message_endpoints(candidate),
            reason=reason.strip(),
            take_over=take_over.pk,
            source=candidate.source,
        )
        organization.added_as_other = bool(block_reason)
        organization.save(update_fields=["added_as_other"])
        candidate.organization, candidate.state, candidate.sentence = organization, CandidateState.TAKEN, ""
        candidate.save(update_fields=["organization", "state", "sentence"])
    return organization


def _candidate(
    take_over: TakeOver, position: int, candidate: NewCandidate, organization: Organization | None
) -> Candidate:
    message = candidate.message
    return Candidate(
        take_over=take_over,
        position=position,
        oid=candidate.oid,
        oid_key=Oid(candidate.oid).key,
        source=candidate.source[:300],
        state=CandidateState.HERE if organization else CandidateState.WAITING,
        name=organization.name if organization else message.name[:200] if message else "",
        destination_id=candidate.destination_id,
        destination_source=candidate.destination_source,
        message=canonical(message) if message else "",
        organization=organization,
    )


def _lock(take_over_id: int) -> TakeOver:
    return TakeOver.objects.select_for_update().get(pk=take_over_id)


def _lock_ready(take_over_id: int) -> TakeOver:
    environment = TakeOver.objects.values_list("environment", flat=True).get(pk=take_over_id)
    locks.lock_structure(environment)
    take_over = _lock(take_over_id)
    if take_over.state == TakeOverState.ASKING:
        raise ActionRefused("The directory is still being asked. Wait, or stop it first.")
    if take_over.state == TakeOverState.TAKING:
        raise ActionRefused("Records are being added. Wait until all are added.")
    return take_over


def _refuse_second_scan(environment: str) -> None:
    """Raise ActionRefused if a scan of this environment runs. The caller has locked the structure."""
    running = TakeOver.objects.scans().filter(environment=environment, state=TakeOverState.ASKING).first()
    if running is not None:
        raise ActionRefused(f"The directory is being searched already, in take-over {running.pk}.")


def _stop(history: audit.History, take_over: TakeOver, reason: str) -> None:
    # With another token, the answer to a Query in flight is not stored, even if somebody asks again meanwhile.
    stopped = take_over.candidates.waiting().update(
        state=CandidateState.UNANSWERED, sentence=STOPPED, lease_until=None, token=F("token") + 1
    )
    take_over.end_reason = reason
    if take_over.kind == TakeOverKind.SCAN:
        scan.log_run_and_delete_probes(history, take_over, reason)
    lease.move(take_over, TakeOverState.READY)
    _log(history, Action.TAKE_OVER_STOPPED, take_over, count=stopped, kind=take_over.kind)


def _log(history: audit.History, action: Action, take_over: TakeOver, **details: object) -> None:
    history.log(
        action,
        object={"type": "take_over", "id": str(take_over.pk)},
        environment=take_over.environment,
        details={"take_over": take_over.pk, **details},
    )
