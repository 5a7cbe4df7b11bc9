"""Give every stored acceptance its evidence, from the entries of its own history.

Accepted by an answer: Redox. Settled by the worker: a Query, or "something equivalent" if the message changed nothing
visible; such a record is read once more. Settled by a person: a decision. Only data changes here, so that PostgreSQL
has no pending changes of rows when the next migration changes the tables.
"""

import datetime
import json
from typing import NamedTuple

from django.db import migrations
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from organizations import knowledge
from organizations.records import (
    AddressRecord,
    ContactRecord,
    IdentifierRecord,
    OrganizationRecord,
    canonical,
    fingerprint,
    from_canonical,
    readable_fingerprint,
)
from organizations.redox import messages

CHUNK = 200
"""Rows in memory at a time, without their messages."""
COUNTED = ["taken", "known_at", "carried", "wanted_hash", "not_visible_yet", "changes", "differs", "differs_since"]
OTHER_SUCCESS = "new success text"
NOT_A_RECORD = (ValueError, KeyError, TypeError, AttributeError)


class Entry(NamedTuple):
    """The columns of an entry of the history."""

    sequence: int
    action: str
    outcome: str
    at: datetime.datetime
    actor_id: int | None
    actor_name: str
    submission_id: int | None


def name_evidence_of_submissions(apps, schema_editor):
    """Store the evidence of every accepted submission, and who decided, also if the decision was a rejection."""
    submissions = apps.get_model("organizations", "Submission").objects
    entries = apps.get_model("organizations", "AuditEntry").objects
    ended = submissions.filter(Q(state="accepted", evidence="") | Q(state="rejected", decided_by=""))
    for chunk in _chunks(ended.defer("message", "before", "warnings")):
        histories = _histories(entries, "submission_id", [submission.pk for submission in chunk])
        for submission in chunk:
            _name_evidence(submission, histories[submission.pk], apps)
        submissions.bulk_update(chunk, ["evidence", "evidence_at", "decided_by", "read_back_at"])


def name_acceptances_of_records(apps, schema_editor):
    """Give each record the evidence of its accepted submission. A reading after that is newer than the acceptance."""
    organizations = apps.get_model("organizations", "Organization").objects
    submission = apps.get_model("organizations", "Submission").objects.filter(pk=OuterRef("confirmed_submission"))
    accepted = organizations.exclude(confirmed="")
    accepted.update(
        confirmed_evidence=Coalesce(Subquery(submission.values("evidence")[:1]), F("confirmed_evidence")),
        known_at=Coalesce(Least(Subquery(submission.values("evidence_at")[:1]), F("confirmed_at")), F("confirmed_at")),
    )
    # The reading that is the evidence was stored a moment before the entry. It counts, because it may have shown more.
    by_reading = accepted.exclude(confirmed_evidence__in=("", "answer"))
    by_reading.filter(seen_at__lt=F("known_at")).update(known_at=F("seen_at"))
    # Saved changes of a record that was taken over and never sent are counted against what was taken over.
    taken_over = organizations.filter(confirmed="", presence_basis="seen", last_submission=None).exclude(seen="")
    taken_over.update(taken=F("seen"), known_at=F("presence_at"))


def count_differences(apps, schema_editor):
    """Count again if changes are saved, or if the directory was read after the acceptance or without one."""
    organizations = apps.get_model("organizations", "Organization").objects
    submissions = apps.get_model("organizations", "Submission").objects
    entries = apps.get_model("organizations", "AuditEntry").objects
    is_read_later = Q(seen_at__isnull=False) & (Q(known_at=None) | Q(seen_at__gte=F("known_at")))
    shows_something_new = is_read_later & (Q(taken="") | ~Q(taken=F("seen")))
    known = organizations.exclude(confirmed="", seen="").filter(Q(changes__gt=0) | shows_something_new)
    related = known.select_related("confirmed_submission").defer("confirmed_submission__message")
    for chunk in _chunks(related.prefetch_related("contacts", "identifiers")):
        for organization in chunk:
            _take(organization, entries)
            _send_endpoints_back(organization, submissions)
            _count(organization)
        organizations.bulk_update(chunk, COUNTED)


def _chunks(rows):
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = chunk[-1].pk
        yield chunk


def _histories(entries, name, keys):
    """The entries of each key, newest first, without their bodies.

    No filter by action: a database without statistics might read all entries of an action for each key.
    """
    rows = entries.filter(**{f"{name}__in": keys}).values_list(name, *Entry._fields, named=False)
    histories = {key: [] for key in keys}
    for key, *values in rows:
        histories[key].append(Entry(*values))
    for history in histories.values():
        history.sort(reverse=True)
    return histories


def _newest(history, action, **values):
    found = (entry for entry in history if entry.action == action)
    return next((entry for entry in found if all(getattr(entry, name) == values[name] for name in values)), None)


def _name_evidence(submission, history, apps):
    answer = _newest(history, "attempt.outcome")
    settled = _newest(history, "submission.settled")
    by = settled.actor_name if settled and settled.actor_id is not None else ""
    if submission.state == "rejected":
        # An answer rejected it after a person had sent it again, so no person decided that.
        submission.decided_by = by if settled and not (answer and answer.sequence > settled.sequence) else ""
        return
    accepted = _newest(history, "attempt.outcome", outcome="accepted")
    if accepted:
        submission.evidence, submission.evidence_at = "answer", accepted.at
        return
    end = settled.sequence if settled else history[0].sequence + 1 if history else 0
    # A later Query only read the record back.
    asked = _newest([entry for entry in history if entry.sequence < end], "submission.asked")
    submission.evidence_at, submission.decided_by = asked.at if asked else submission.ended_at, by
    submission.evidence = _evidence(submission, settled, apps)
    if submission.evidence == "equivalent" and _is_newest_acceptance(submission, apps):
        # A read-back that is due anyway keeps its time, when no lost attempt can take effect any more.
        submission.read_back_at = submission.read_back_at or timezone.now()


def _evidence(submission, settled, apps):
    if settled is None:
        return "equivalent"  # no entry says more: the weakest evidence, and the record is read once more
    if settled.actor_id is not None:
        return "person"
    if submission.answer_warning == OTHER_SUCCESS:
        return "both"
    return "query" if submission.event == "New" or _changed_visibly(submission, apps) else "equivalent"


def _changed_visibly(submission, apps):
    """Whether a Query shows the record before and after in ways that do not mean the same."""
    before, sent = _record(submission.before), _sent(submission)
    if before is None or sent is None:
        return False
    shown = _shown_at_the_review(submission, apps.get_model("organizations", "AuditEntry").objects)
    before = knowledge.newest(before, shown) if shown else before
    return readable_fingerprint(before) != readable_fingerprint(sent)


def _shown_at_the_review(submission, entries):
    """What the directory showed after the acceptance that the review compared with, if it was read since then."""
    history = _histories(entries, "organization_id", [submission.organization_id])[submission.organization_id]
    made = _newest(history, "submission.made", submission_id=submission.pk)
    for entry in history if made else ():
        if entry.sequence < made.sequence and entry.action == "organization.confirmed":
            return None
        if entry.sequence < made.sequence and entry.action == "submission.asked":
            details = _facts(entries, entry).get("details") or {}
            if details.get("asked"):
                return _from_json(details.get("seen"))
    return None


def _is_newest_acceptance(submission, apps):
    """A later acceptance replaced the whole record, so an earlier one needs no reading."""
    organizations = apps.get_model("organizations", "Organization").objects
    return organizations.filter(confirmed_submission=submission.pk).exists()


def _take(organization, entries):
    """A record that was taken over and sent, but never accepted. The stored reading may be a later one."""
    if organization.confirmed or organization.taken or organization.presence_basis != "seen":
        return
    entry = _newest(_histories(entries, "organization_id", [organization.pk])[organization.pk], "organization.seen")
    record = _from_json(_facts(entries, entry).get("record")) if entry else None
    if record:
        organization.taken, organization.known_at = canonical(record), min(entry.at, organization.seen_at or entry.at)


def _send_endpoints_back(organization, submissions):
    """A person decided that the OID is ours, with other values. An Update then keeps what the form does not have."""
    seen, wanted_hash = _record(organization.seen), organization.wanted_hash
    if not organization.seen_counts or seen is None or organization.carried == dict(seen.carried):
        return
    organization.carried = dict(seen.carried)
    organization.wanted_hash = fingerprint(knowledge.sendable(_wanted(organization)))
    # "Rejected" is shown as long as the saved values are the same as at the rejection.
    last = submissions.filter(pk=organization.last_submission_id, wanted_hash=wanted_hash)
    last.update(wanted_hash=organization.wanted_hash)


def _count(organization):
    """Count as the portal does after each reading and each edit."""
    baseline = _record(organization.taken or organization.confirmed)
    seen, is_read_later = _record(organization.seen), _is_read_later(organization)
    lags = is_read_later and _shows_what_was_before(organization, seen)
    later = seen if is_read_later and not lags else None
    baseline = knowledge.sendable(baseline) if baseline else None
    differs = 0
    if baseline and is_read_later and not lags and organization.presence != "absent":
        differs = len(knowledge.seen_differences(baseline, later)) if later else 1
    organization.not_visible_yet, organization.differs = lags, differs
    organization.differs_since = organization.seen_at if differs else None
    organization.changes = len(knowledge.unsent(baseline, later, knowledge.sendable(_wanted(organization))))


def _is_read_later(organization):
    seen_at, known_at = organization.seen_at, organization.known_at
    return seen_at is not None and (known_at is None or seen_at >= known_at)


def _shows_what_was_before(organization, seen):
    """Whether the directory lags behind. It does not if no reading and no answer showed the change itself."""
    submission, accepted = organization.confirmed_submission, _record(organization.confirmed)
    if submission is None or organization.taken or submission.evidence == "equivalent":
        return False
    before = _record(submission.before) if submission.event == "Update" else None
    if before is None or seen is None or accepted is None:
        return before is None and seen is None
    return bool(knowledge.seen_differences(accepted, seen)) and not knowledge.seen_differences(before, seen)


def _wanted(organization):
    names = ("street", "city", "state", "zip_code", "county", "country")
    return OrganizationRecord(
        oid=organization.oid,
        name=organization.name,
        active=organization.active,
        destination_id=organization.destination_id,
        destination_known=organization.destination_known,
        part_of_oid=organization.part_of_oid,
        aliases=tuple(organization.aliases),
        identifiers=tuple(
            IdentifierRecord(kind=each.kind, value=each.value) for each in _placed(organization.identifiers)
        ),
        contacts=tuple(_contact(each) for each in _placed(organization.contacts)),
        address=AddressRecord(**{name: getattr(organization, name) for name in names}),
        carried=tuple(sorted(organization.carried.items())),
    )


def _contact(row):
    phones = {name: getattr(row, name) for name in ("work_phone", "mobile_phone", "home_phone")}
    emails = tuple(row.email_addresses)
    return ContactRecord(purpose=row.purpose, name=row.name, email_addresses=emails, **phones)


def _placed(rows):
    return sorted(rows.all(), key=lambda row: (row.position, row.pk))


def _sent(submission):
    """The record in a message; None if the message cannot be read, because it was never sent."""
    try:
        return messages.record_from_message(bytes(submission.message))
    except NOT_A_RECORD:
        return None


def _record(text):
    try:
        return from_canonical(text) if text else None
    except NOT_A_RECORD:
        return None


def _from_json(data):
    try:
        return OrganizationRecord.from_json(data) if data else None
    except NOT_A_RECORD:
        return None


def _facts(entries, entry):
    """The body of an entry, parsed; it may lack keys that later releases write."""
    facts = json.loads(bytes(entries.values_list("body", flat=True).get(pk=entry.sequence)))
    return facts if isinstance(facts, dict) else {}


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0010_evidence"),
    ]

    operations = [
        migrations.RunPython(name_evidence_of_submissions, migrations.RunPython.noop),
        migrations.RunPython(name_acceptances_of_records, migrations.RunPython.noop),
        migrations.RunPython(count_differences, migrations.RunPython.noop),
    ]
