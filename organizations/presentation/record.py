"""One record as its page tells it: standing with its basis, open work with its one step, what lies around it."""

from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations import knowledge
from organizations.models import (
    Action,
    AuditEntry,
    Environment,
    EnvironmentGate,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    clock,
    tree,
)
from organizations.records import Difference, OrganizationRecord, difference
from organizations.services import gateway, organizations, reviews
from organizations.templatetags.portal import age, moment, plain, with_oids, written
from organizations.words import NOT_IN_DIRECTORY, STANDING_BASIS, Word, count

from . import sentences
from .rows import Row, add_counterparts, open_work_of, organizations_of, page_of, standing_of, work_key
from .waiting import queued_reason

CHILDREN_SHOWN = 10
SENTENCES_SHOWN = 10
MOST_NAMED = 6


class Step(NamedTuple):
    """The one next step: what its button says and where it leads; `edits` where it needs the right to edit."""

    label: str
    url: str
    edits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands above each tab of a record."""

    organization: Organization
    path: list[tuple[str, str]]
    standing: Word
    standing_sentence: str
    basis: SafeString
    work: Word | None
    work_sentence: SafeString
    work_meaning: str
    step: Step
    submissions: int
    entries: int
    can_discard: bool
    can_withdraw: bool

    @property
    def is_deactivated(self) -> bool:
        return self.organization.presence == Presence.PRESENT and self.organization.confirmed_active is False


class PartOf(NamedTuple):
    """What the record is part of: the name of the parent with its address, or what else the OID is."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands beside the fields: counterpart, children, the last sentences of the history."""

    counterpart: Row | None
    children: list[Row]
    children_count: int
    timeline: list[sentences.Sentence]
    only_added: AuditEntry | None


def head(organization: Organization) -> Head:
    """The head of a record that was read with its words."""
    environment, last = organization.environment, organization.last_submission
    above = tree.path_of(organization)
    work = open_work_of(organization)
    return Head(
        organization=organization,
        path=[
            ("Organizations", reverse("organizations", args=[environment])),
            *((parent.name, _url("record", parent)) for parent in above),
            (organization.name, ""),
        ],
        standing=standing_of(organization),
        standing_sentence=_standing_sentence(organization),
        basis=basis(organization),
        work=work,
        work_sentence=_work_sentence(organization, work) if work else SafeString(""),
        work_meaning=work.say(submission=last.pk if last else "", k=organization.changes) if work else "",
        step=step(organization),
        submissions=Submission.objects.filter(organization=organization).count(),
        entries=AuditEntry.objects.filter(organization_id=organization.pk).count(),
        can_discard=organization.changes > 0 and not organizations.why_not_discard(organization),
        can_withdraw=last is None and organization.presence == Presence.NEVER,
    )


def basis(organization: Organization) -> SafeString:
    """How the standing is known and since when, in one line."""
    key = standing_of(organization).key
    values: dict[str, object] = {"reason": plain(organization.presence_reason).rstrip(".")}
    if key in ("active", "deactivated"):
        return _accepted_basis(organization, key)
    if key == "seen":
        seen = organization.seen_record()
        values |= {"time": moment(organization.presence_at), "value": str(bool(seen and seen.active)).lower()}
    if key == "stated":
        values |= {"date": moment(organization.presence_at, "day")}
    last = organization.last_submission
    if key == "unknown":
        values |= {"age": age(organization.presence_at), "submission": link(last)}
    if key == "not_registered":
        return _not_registered_basis(organization)
    return format_html(_with_link(STANDING_BASIS[key]), **values)


def _not_registered_basis(organization: Organization) -> SafeString:
    """By the last submission of which something was attempted: another may wait behind it."""
    last = organization.last_submission
    if last is not None and last.attempt == 0:
        attempted = Submission.objects.filter(organization=organization, attempt__gt=0)
        last = attempted.defer("message").order_by("-pk").first()
    if last is None:
        return SafeString(STANDING_BASIS["never_sent"])
    rejected = last.state == State.REJECTED
    sentence = _with_link(STANDING_BASIS["not_registered" if rejected else "no_answer"])
    time = moment(last.ended_at if rejected else last.sent_at)
    return format_html(sentence, event=last.event, time=time, submission=link(last))


def _accepted_basis(organization: Organization, key: str) -> SafeString:
    done = last_deactivation(organization) if key == "deactivated" else None
    if done is None:
        values = {"time": moment(organization.confirmed_at), "submission": link(organization.confirmed_submission)}
        return format_html(_with_link(STANDING_BASIS["active"]), **values)
    person = done.submitter.get_full_name() or done.submitter.get_username()
    reason = plain(done.reason).rstrip(".")
    return format_html(STANDING_BASIS[key], date=moment(done.ended_at, "day"), person=person, reason=reason)


def last_deactivation(organization: Organization) -> Submission | None:
    """The deactivation that Redox accepted last; later Updates of the deactivated record have reasons of their own."""
    done = Submission.objects.filter(organization=organization, intent=Intent.DEACTIVATE, state=State.ACCEPTED)
    return done.select_related("submitter").order_by("-pk").first()


def link(submission: Submission | None) -> SafeString:
    """A submission as a link."""
    if submission is None:
        return SafeString("submission")
    return format_html('<a href="{}">submission {}</a>', submission_url(submission), submission.pk)


def _with_link(sentence: str) -> str:
    return sentence.replace("submission {submission}", "{submission}")


def _standing_sentence(organization: Organization) -> str:
    if organization.presence == Presence.ABSENT and organization.confirmed:
        return NOT_IN_DIRECTORY.format(time=written(organization.presence_at)) if organization.presence_at else ""
    if standing_of(organization).key != "stated":
        return standing_of(organization).sentence
    entries = AuditEntry.objects.filter(organization_id=organization.pk, action=Action.ORGANIZATION_STATED)
    stated = entries.order_by("-sequence").first()
    return standing_of(organization).say(person=stated.actor_name if stated else "Somebody")


def _work_sentence(organization: Organization, work: Word) -> SafeString:
    last = organization.last_submission
    if work.key == "queued" and last is not None:
        gate = EnvironmentGate.objects.get(pk=organization.environment)
        said = work.say(submission=last.pk)
        return format_html("{} {}", said, queued_reason(last, gate, clock.now()).sentence)
    if work.key != "changes_not_sent":
        return format_html("{}", work.say(submission=last.pk if last else ""))
    if not organization.confirmed:
        return format_html("{}", work.say(k=organization.changes))
    named = _named_changes(organization)
    fields = f"{count(organization.changes, 'field')} saved here and not sent: {named}."
    return format_html("{} The directory does not have {}.", fields, "it" if organization.changes == 1 else "them")


def _named_changes(organization: Organization) -> str:
    """The fields that differ from what Redox accepted, each with who saved it last and when."""
    found = difference(organization.confirmed_record(), knowledge.sendable(organization.record()))
    edits = list(AuditEntry.objects.edits_since(organization.pk, organization.confirmed_version))
    named = [_named(change, reviews.last_edit_of(change.field, edits)) for change in found[:MOST_NAMED]]
    more = len(found) - len(named)
    return ", ".join(named) + (f" and {count(more, 'more field')}" if more else "")


def _named(change: Difference, entry: AuditEntry | None) -> str:
    if entry is None:
        return change.label
    day = written(entry.at, "day")
    return f"{change.label} ({entry.actor_name}, {day})"


def step(organization: Organization) -> Step:
    """The one primary button, by what is open."""
    last = organization.last_submission
    key = work_key(organization)
    if last is not None and key == "needs_person":
        return Step("Compare and decide", submission_url(last), edits=False)
    if last is not None and key == "unknown":
        return Step(f"Open submission {last.pk}", submission_url(last), edits=False)
    if last is not None and key == "rejected":
        return Step("Put it right", submission_url(last), edits=False)
    if key == "changes_not_sent":
        return Step("Review and send", _url("review", organization), edits=True)
    return Step("Edit", _url("edit", organization), edits=True)


def part_of(organization: Organization) -> PartOf:
    """The parent, told as far as it is known."""
    return _part_of(organization.environment, organization.part_of_oid)


def was_part_of(organization: Organization, accepted: OrganizationRecord | None) -> PartOf | None:
    """The same of the parent that Redox accepted; none where it is the same one."""
    if accepted is None or accepted.part_of_oid == organization.part_of_oid:
        return None
    return _part_of(organization.environment, accepted.part_of_oid)


def _part_of(environment: str, oid: str) -> PartOf:
    parent = Organization.objects.in_environment(environment).filter(oid=oid).first()
    if parent is not None:
        return PartOf(parent.name, _url("record", parent))
    return PartOf("The Redox gateway" if oid in gateway.gateways(environment) else "Not a record of ours", "")


def nothing_here(environment: Environment, oid: str) -> SafeString:
    """The sentence where no record has that OID, with the one of the other environment if there is one."""
    sentence = format_html("No record {} in {}.", with_oids(oid), environment.label)
    if not Organization.objects.in_environment(environment.other).filter(oid=oid).exists():
        return sentence
    url = reverse("record", args=[environment.other, oid])
    return format_html('{} In {} there is one: <a href="{}">open</a>.', sentence, environment.other.label, url)


def around(organization: Organization) -> Around:
    """What stands beside the fields."""
    children = Organization.objects.in_environment(organization.environment).filter(part_of_oid=organization.oid)
    shown = page_of(children.order_by("oid_key"), 1, CHILDREN_SHOWN)
    entries = _last_entries(organization)
    is_new = len(entries) == 1 and entries[0].action == Action.ORGANIZATION_CREATED
    row = Row(organization=organization)
    add_counterparts([row])
    return Around(
        counterpart=Row(organization=row.counterpart) if row.counterpart else None,
        children=[Row(organization=child) for child in organizations_of(shown)],
        children_count=shown.paginator.count,
        timeline=[] if is_new else [sentences.tell(entry) for entry in entries],
        only_added=entries[0] if is_new else None,
    )


def _last_entries(organization: Organization) -> list[AuditEntry]:
    entries = AuditEntry.objects.of_organization(organization.pk).exclude(action__in=sentences.TOLD_BY_OTHERS)
    return list(entries.defer("raw")[:SENTENCES_SHOWN])


def submission_url(submission: Submission) -> str:
    return reverse("submission", args=[submission.environment, submission.pk])


def _url(name: str, organization: Organization) -> str:
    return reverse(name, args=[organization.environment, organization.oid])
