"""What is stored gets its evidence from its own history.

Accepted by an answer: Redox. Settled by the worker: a Query, or where the message changed nothing visibly, something
equivalent, which is read once more. Settled by a person: a decision.
"""

from django.db import migrations
from django.utils import timezone

from organizations import knowledge
from organizations.records import AddressRecord, ContactRecord, IdentifierRecord, OrganizationRecord, from_canonical
from organizations.redox import messages
from organizations.redox.outcome import OTHER_SUCCESS
from organizations.redox.resolution import changes_visibly

CHUNK = 200


def give_submissions_evidence(apps, schema_editor):
    """Every accepted submission says by what."""
    submissions = apps.get_model("organizations", "Submission").objects
    entries = apps.get_model("organizations", "AuditEntry").objects
    accepted = submissions.filter(state="accepted", evidence="").order_by("pk")
    while chunk := list(accepted[:CHUNK]):
        for submission in chunk:
            of_it = entries.filter(submission_id=submission.pk).order_by("-sequence").defer("raw")
            submissions.filter(pk=submission.pk).update(**_evidence(submission, of_it))


def give_records_knowledge(apps, schema_editor):
    """Every record knows what its acceptance rests on, since when a reading is newer, and in what one differs."""
    organizations = apps.get_model("organizations", "Organization").objects
    known = organizations.exclude(confirmed="", seen="").order_by("pk").select_related("confirmed_submission")
    last = 0
    while chunk := list(known.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        for organization in chunk:
            organizations.filter(pk=organization.pk).update(**_knowledge(organization))


def _evidence(submission, of_it):
    answer = of_it.filter(action="attempt.outcome", outcome="accepted").first()
    if answer is not None:
        return {"evidence": "answer", "evidence_at": answer.at}
    settled = of_it.filter(action="submission.settled").first()
    asked = of_it.filter(action="submission.asked").first()
    at = asked.at if asked else submission.ended_at
    if settled is not None and settled.actor_id is not None:
        return {"evidence": "person", "evidence_at": at, "decided_by": settled.actor_name}
    if submission.answer_warning == OTHER_SUCCESS:
        return {"evidence": "both", "evidence_at": at}
    if submission.event == "New" or _changed_visibly(submission):
        return {"evidence": "query", "evidence_at": at}
    return {"evidence": "equivalent", "evidence_at": at, "read_back_at": timezone.now()}


def _changed_visibly(submission):
    before = from_canonical(submission.before) if submission.before else None
    return changes_visibly(messages.record_from_message(bytes(submission.message)), before)


def _knowledge(organization):
    accepted, submission = organization.confirmed, organization.confirmed_submission
    values = {"confirmed_evidence": "answer" if accepted else ""}
    known_at = organization.confirmed_at
    if submission is not None:
        values["confirmed_evidence"] = submission.evidence or "answer"
        known_at = min(filter(None, (submission.evidence_at, known_at)), default=known_at)
    baseline = accepted
    if not accepted and organization.seen and organization.last_submission_id is None:
        # Taken over from the directory and never sent: saved changes are counted from what it showed.
        values["taken"] = baseline = organization.seen
        known_at = organization.presence_at
    values["known_at"] = known_at
    return values | _differences(organization, baseline, known_at, submission)


def _differences(organization, baseline, known_at, submission):
    seen_at = organization.seen_at
    if seen_at is None or (known_at is not None and seen_at < known_at) or organization.presence == "absent":
        return {}
    before = submission.before if submission is not None and submission.event == "Update" else ""
    wanted = knowledge.sendable(_wanted(organization))
    accepted = knowledge.sendable(from_canonical(baseline)) if baseline else None
    if not organization.seen:
        is_lag = submission is not None and not before
        return {"not_visible_yet": is_lag} if is_lag or not baseline else {"differs": 1, "differs_since": seen_at}
    seen = from_canonical(organization.seen)
    found = len(knowledge.seen_differences(accepted, seen)) if accepted else 0
    if found and before and not knowledge.seen_differences(from_canonical(before), seen):
        return {"not_visible_yet": True, "changes": len(knowledge.unsent(accepted, None, wanted))}
    values = {"changes": len(knowledge.unsent(accepted, seen, wanted)), "differs": found}
    return values | ({"differs_since": seen_at} if found else {})


def _wanted(organization):
    contacts = organization.contacts.order_by("position", "id")
    identifiers = organization.identifiers.order_by("position", "id")
    address = {
        name: getattr(organization, name) for name in ("street", "city", "state", "zip_code", "county", "country")
    }
    phones = ("work_phone", "mobile_phone", "home_phone")
    return OrganizationRecord(
        oid=organization.oid,
        name=organization.name,
        active=organization.active,
        destination_id=organization.destination_id,
        destination_known=organization.destination_known,
        part_of_oid=organization.part_of_oid,
        aliases=tuple(organization.aliases),
        identifiers=tuple(IdentifierRecord(kind=each.kind, value=each.value) for each in identifiers),
        contacts=tuple(
            ContactRecord(
                purpose=each.purpose,
                name=each.name,
                email_addresses=tuple(each.email_addresses),
                **{name: getattr(each, name) for name in phones},
            )
            for each in contacts
        ),
        address=AddressRecord(**address),
        carried=tuple(sorted(organization.carried.items())),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0010_evidence"),
    ]

    operations = [
        migrations.RunPython(give_submissions_evidence, migrations.RunPython.noop),
        migrations.RunPython(give_records_knowledge, migrations.RunPython.noop),
    ]
