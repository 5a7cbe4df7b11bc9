"""One record as its page tells it: standing with its basis, what is to do, what lies around it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations import knowledge
from organizations.models import (
    Action,
    AuditEntry,
    Environment,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
)
from organizations.pages.comparison import field_rows
from organizations.pages.comparison.field_rows import Fields, ParentCell, RecordSides
from organizations.pages.organizations.rows import Row, organizations_of, page_of, standing_of
from organizations.pages.record import first_seen, to_do
from organizations.pages.record.to_do import Band
from organizations.queries import parents, record_context, record_entries
from organizations.records import OrganizationRecord
from organizations.services.connection import gateway
from organizations.services.outbox import answers
from organizations.services.records import organizations
from organizations.services.review.blockers import was_refused_as_absent
from organizations.text import evidence, freshness, sentences
from organizations.text.markup import age, link, moment, plain, with_oids, written
from organizations.text.vocabulary import FOREIGN_OID, NOT_IN_DIRECTORY, STANDING_BASIS, Word

CHILDREN_SHOWN = 10
SENTENCES_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHead:
    """What stands above each tab of a record."""

    organization: Organization
    path: list[tuple[str, str]]
    standing: Word
    standing_sentence: str
    basis: SafeString
    bands: tuple[Band, ...]
    submissions: int
    entries: int
    can_withdraw: bool
    can_add_below: bool

    @property
    def can_ask(self) -> bool:
        """Whether something of it was made for sending or may be in the directory."""
        return self.organization.was_sent or self.organization.presence != Presence.NEVER

    @property
    def can_deactivate(self) -> bool:
        """Whether it is registered: before that there is nothing to deactivate or reactivate."""
        return self.organization.presence == Presence.PRESENT


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordValues:
    """The fields side by side, with what the columns are."""

    fields: Fields
    saved_by: str
    accepted_heading: str
    accepted_day: SafeString
    accepted_submission: int | None
    is_accepted: bool
    is_read: bool
    note: str
    ahead_tag: str
    foreign_keys: tuple[tuple[str, bool], ...]

    @property
    def count(self) -> int:
        return len(self.fields.differing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSidebar:
    """What is beside the fields: children and the last sentences of the history."""

    children: list[Row]
    children_count: int
    timeline: list[sentences.Sentence]
    only_added: AuditEntry | None


def record_head(organization: Organization) -> RecordHead:
    """The head of a record that was read with its words."""
    environment, last = organization.environment, organization.last_submission
    above = record_context.records_above(organization)
    can_discard = organization.changes > 0 and not organizations.why_not_discard(organization)
    return RecordHead(
        organization=organization,
        path=[
            ("Organizations", reverse("organizations", args=[environment])),
            *((parent.name, _url("record", parent)) for parent in above),
            (organization.name, ""),
        ],
        standing=standing_of(organization),
        standing_sentence=_status_sentence(organization),
        basis=status_basis(organization),
        bands=to_do.bands(organization, can_discard=can_discard),
        submissions=record_context.submission_count(organization),
        entries=record_entries.entry_count(organization),
        can_withdraw=last is None and organization.presence == Presence.NEVER,
        can_add_below=can_add_below(organization, above),
    )


def can_add_below(organization: Organization, above: list[Organization]) -> bool:
    """Whether a record can be added below it: neither it nor what is `above` it is deactivated."""
    return not any(each.is_deactivated for each in (organization, *above))


def status_basis(organization: Organization) -> SafeString:
    """How the standing is known and since when, in one line."""
    key = standing_of(organization).key
    values: dict[str, object] = {"reason": plain(organization.presence_reason).rstrip(".")}
    if key in ("active", "deactivated"):
        return accepted_basis(organization)
    if key == "seen":
        seen = organization.seen_record()
        if seen is None:
            return format_html("Seen {}.", moment(organization.presence_at))
        values |= {"time": moment(organization.seen_at), "value": str(seen.active).lower()}
    if key == "stated":
        values |= {"date": moment(organization.presence_at, "day")}
    last = organization.last_submission
    if key == "unknown":
        values |= {"age": age(organization.presence_at), "submission": submission_link(last)}
    if key == "not_registered":
        return _not_registered_basis(organization)
    return format_html(_with_link(STANDING_BASIS[key]), **values)


def _not_registered_basis(organization: Organization) -> SafeString:
    """By the last submission of which something was attempted: another may wait behind it."""
    last = organization.last_submission
    if last is not None and last.attempt == 0:
        last = record_context.last_attempted_submission(organization)
    if last is None:
        return SafeString(STANDING_BASIS["never_sent"])
    rejected = last.state == State.REJECTED
    open_key = "exists" if last.known_answer == "already_exists" else "no_answer"
    key = open_key if not rejected else "decided" if last.decided_by else "not_registered"
    time = moment(last.ended_at if rejected else last.sent_at)
    values = {"event": last.event, "person": plain(last.decided_by), "time": time, "submission": submission_link(last)}
    said = format_html(_with_link(STANDING_BASIS[key]), **values)
    if last.oid == organization.oid:
        return said
    return format_html("{} {}", said, format_html(STANDING_BASIS["former_oid"], oid=with_oids(last.oid)))


def accepted_basis(organization: Organization) -> SafeString:
    """On what evidence a record is active or deactivated: an accepted message, or what was taken from the directory."""
    if record_entries.is_active_taken(organization):
        return format_html(evidence.TAKEN_BASIS, time=moment(organization.known_at))
    done = _last_deactivation(organization) if organization.confirmed_active is False else None
    accepted = done or organization.confirmed_submission
    if accepted is None:
        return format_html("Accepted {}.", moment(organization.confirmed_at))
    rests_on = evidence.basis(accepted, submission_link(accepted))
    if done is None:
        return format_html(STANDING_BASIS["active"], evidence=rests_on)
    person = done.submitter.display_name
    reason, day = plain(done.reason).rstrip("."), moment(done.ended_at, "day")
    return format_html(STANDING_BASIS["deactivated"], date=day, person=person, reason=reason, evidence=rests_on)


def _last_deactivation(organization: Organization) -> Submission | None:
    """The deactivation that was accepted last; later Updates of the deactivated record have reasons of their own.

    None if a reactivation was accepted since: then something else made the record inactive.
    """
    last = record_context.last_accepted_active_change(organization)
    if last is None or last.intent != Intent.DEACTIVATE:
        return None
    later = record_context.accepted_after(last)
    return None if any(answers.record_of(submission).active for submission in later) else last


def submission_link(submission: Submission | None) -> SafeString:
    """A submission as a link."""
    if submission is None:
        return SafeString("submission")
    return link(submission_url(submission), f"submission {submission.pk}")


def _with_link(sentence: str) -> str:
    return sentence.replace("submission {submission}", "{submission}")


def _status_sentence(organization: Organization) -> str:
    word = standing_of(organization)
    if organization.is_foreign:
        return FOREIGN_OID.format(name=plain(organization.foreign_name) or "not named")
    if absent := absent_sentence(organization):
        return absent + (" Since then the directory showed it." if organization.is_there_unclaimed else "")
    if word.key in ("active", "deactivated"):
        return word.say(evidence=evidence.sentence(organization, is_taken=record_entries.is_active_taken(organization)))
    if word.key != "stated":
        return word.sentence
    return word.say(person=record_entries.stated_by(organization) or "Somebody")


def absent_sentence(organization: Organization) -> str:
    """Who said when that the OID is not in the directory; empty for a record that is not absent."""
    if organization.presence != Presence.ABSENT or organization.presence_at is None:
        return ""
    source = "answer" if was_refused_as_absent(organization) else "query"
    return NOT_IN_DIRECTORY[source].format(moment=written(organization.presence_at))


def record_values(organization: Organization) -> RecordValues:
    """Every field as saved here, as accepted and as a later reading shows it."""
    accepted, seen = organization.baseline_record(), _compared_reading(organization)
    saved = knowledge.sendable(organization.record())
    sides = RecordSides(
        saved, accepted and knowledge.sendable(accepted), seen, only_taken=bool(accepted) and not organization.confirmed
    )
    oids = {record.part_of_oid for record in (saved, accepted, seen) if record}
    is_taken = bool(organization.taken)
    return RecordValues(
        fields=first_seen.with_first_seen(
            field_rows.field_rows(sides, _parts(organization.environment, oids)), organization, sides
        ),
        saved_by=_saved_by(organization),
        accepted_heading=freshness.taken_heading(organization) if is_taken else evidence.heading(organization),
        accepted_day=SafeString(
            moment(organization.known_at if is_taken else organization.confirmed_at, "day", focus=False)
        ),
        accepted_submission=None if is_taken else organization.confirmed_submission_id,
        is_accepted=accepted is not None,
        is_read=seen is not None,
        note=_reading_note(organization),
        ahead_tag=_ahead_tag(organization),
        foreign_keys=()
        if organization.is_foreign
        else field_rows.foreign_keys(organization.record(), organization.seen_record()),
    )


def _compared_reading(organization: Organization) -> OrganizationRecord | None:
    """The later reading, unless it is the very one that was taken, or shows another organization."""
    is_taken = bool(organization.taken) and organization.taken == organization.seen
    return None if organization.is_foreign or is_taken else organization.later_reading()


def _saved_by(organization: Organization) -> str:
    """Who saved what is not sent; empty where nothing is."""
    person = organization.edited_by
    if not organization.changes or person is None:
        return ""
    return f"by {person.display_name}, {written(organization.edited_at, 'day')}"


def _ahead_tag(organization: Organization) -> str:
    """What is known of values that were not accepted: some may have been sent."""
    last = organization.last_submission
    if last is not None and last.state == State.REJECTED and last.wanted_hash == organization.wanted_hash:
        return "rejected"
    carried = last is not None and last.is_open and last.record_version == organization.version
    return "not accepted yet" if carried and last is not None and last.sent_at else "not sent"


def _reading_note(organization: Organization) -> str:
    """Why there is no column of the directory, in one line; empty where there is one."""
    asked_at = organization.seen_at
    if asked_at is None:
        return "The portal has not read this record from the directory."
    if organization.is_foreign:
        seen = organization.seen_record()
        shown = f"showed it as {plain(seen.name)}" if seen else "did not show it"
        return f"This OID is another organization's. Asked on {written(asked_at)}, the directory {shown}."
    if not organization.is_read_later:
        since = "its values were taken from there" if organization.taken else "it was accepted"
        return f"The portal has not read this record from the directory since {since}."
    if freshness.lags(organization):
        showed = (
            "still showed what was there before the last acceptance" if organization.seen else "did not show it yet"
        )
        return f"Asked on {written(asked_at)}, the directory {showed}. It may need some time."
    return "" if organization.seen else f"The directory did not show this OID when asked on {written(asked_at)}."


def _parts(environment: str, oids: set[str]) -> dict[str, ParentCell]:
    """What these OIDs of parents are, told as far as it is known."""
    known = parents.names(environment, oids)
    gateways = gateway.gateways(environment)
    return {
        oid: ParentCell("The Redox gateway", "")
        if oid in gateways
        else ParentCell(known[oid], reverse("record", args=[environment, oid]))
        if oid in known
        else ParentCell("Not a record of ours", "")
        for oid in oids
    }


def no_record_sentence(environment: Environment, oid: str) -> SafeString:
    """The sentence where no record has that OID, with the one of the other environment if there is one."""
    sentence = format_html("No record {} in {}.", with_oids(oid), environment.label)
    if record_context.record_at(environment.other, oid) is None:
        return sentence
    url = reverse("record", args=[environment.other, oid])
    return format_html("{} In {} there is one: {}.", sentence, environment.other.label, link(url, "open"))


def record_sidebar(organization: Organization) -> RecordSidebar:
    """What stands beside the fields."""
    children = page_of(record_context.children_of(organization), 1, CHILDREN_SHOWN)
    entries = record_entries.newest_entries(organization, SENTENCES_SHOWN, without=sentences.TOLD_BY_OTHERS)
    is_new = len(entries) == 1 and entries[0].action == Action.ORGANIZATION_CREATED
    return RecordSidebar(
        children=[Row(organization=child) for child in organizations_of(children)],
        children_count=children.paginator.count,
        timeline=[] if is_new else [sentences.tell(entry) for entry in entries],
        only_added=entries[0] if is_new else None,
    )


def submission_url(submission: Submission) -> str:
    return reverse("submission", args=[submission.environment, submission.pk])


def _url(name: str, organization: Organization) -> str:
    return reverse(name, args=[organization.environment, organization.oid])
