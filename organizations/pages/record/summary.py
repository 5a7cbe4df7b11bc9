"""The parts of a record's page: its status with the evidence, its fields, and what is beside them."""

from dataclasses import dataclass

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
    tree,
)
from organizations.pages.addresses import path_to, submission_url, url_of_oid
from organizations.pages.comparison import field_rows
from organizations.pages.comparison.field_rows import Fields, ParentCell, RecordSides
from organizations.pages.organizations.rows import RecordRow, can_add_below, standing_of
from organizations.pages.record import first_seen, to_do
from organizations.pages.record.statement import HEADING
from organizations.pages.record.to_do import ToDoBox
from organizations.queries import parents, record_context, record_entries
from organizations.queries.record_rows import organizations_of, page_of
from organizations.records import OrganizationRecord
from organizations.services.connection import redox_settings
from organizations.services.outbox import answers
from organizations.services.records import organizations, statements
from organizations.services.review.blockers import was_rejected_as_absent
from organizations.text import evidence, freshness, sentences
from organizations.text.markup import age, link, moment, plain, with_oids, written
from organizations.text.vocabulary import DESTINATION_SOURCE, NOT_IN_DIRECTORY, STANDING_BASIS, Word

CHILDREN_SHOWN = 10
SENTENCES_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHead:
    """What each tab of a record shows above its own content."""

    organization: Organization
    path: list[tuple[str, str]]
    standing: Word
    standing_sentence: str
    basis: SafeString
    boxes: tuple[ToDoBox, ...]
    submissions: int
    entries: int
    can_withdraw: bool
    can_add_below: bool
    statement_act: str

    @property
    def can_ask(self) -> bool:
        """Whether the record was ever submitted, or may be in the directory."""
        return self.organization.has_submission or self.organization.presence != Presence.NEVER

    @property
    def can_deactivate(self) -> bool:
        """Whether the record is registered. No other record can be deactivated or reactivated."""
        return self.organization.presence == Presence.PRESENT


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordValues:
    """The fields side by side, with the headings of the columns.

    `destination_source`: how the portal knows the destination ID, in words; "" if it was entered here to be sent.
    """

    fields: Fields
    saved_by: str
    accepted_heading: str
    accepted_day: SafeString
    accepted_submission: int | None
    is_accepted: bool
    is_read: bool
    note: str
    ahead_tag: str
    destination_source: str
    keys_without_field: tuple[tuple[str, str], ...]

    @property
    def count(self) -> int:
        return len(self.fields.differing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSidebar:
    """The children and the last events, beside the fields. `only_added`: nothing happened since it was added."""

    children: list[RecordRow]
    children_count: int
    timeline: list[sentences.Sentence]
    only_added: AuditEntry | None


def record_head(organization: Organization) -> RecordHead:
    """The head of a record."""
    last, above = organization.last_submission, tree.path_of(organization)
    can_discard = organization.changes > 0 and not organizations.discard_block_reason(organization)
    return RecordHead(
        organization=organization,
        path=path_to(organization, above=above),
        standing=standing_of(organization),
        standing_sentence=_status_sentence(organization),
        basis=status_basis(organization),
        boxes=to_do.to_do_boxes(organization, can_discard=can_discard),
        submissions=record_context.submission_count(organization),
        entries=record_entries.entry_count(organization),
        can_withdraw=last is None and organization.presence == Presence.NEVER,
        can_add_below=can_add_below(organization, above),
        statement_act=_statement_act(organization),
    )


def _statement_act(organization: Organization) -> str:
    """What the page about the statement offers: to state that it is registered, or to withdraw that; "" if neither."""
    if not statements.statement_block_reason(organization):
        return HEADING
    return "" if statements.take_back_block_reason(organization) else "Withdraw the statement"


def status_basis(organization: Organization) -> SafeString:
    """The evidence of the directory status and its time, in one line."""
    key, last = standing_of(organization).key, organization.last_submission
    if key in ("active", "deactivated"):
        return accepted_basis(organization)
    if key == "not_registered" and last is not None and last.attempt == 0:
        last = record_context.last_attempted_submission(organization)
    return unaccepted_basis(organization, last)


def unaccepted_basis(organization: Organization, attempted: Submission | None, *, focus: bool = True) -> SafeString:
    """As `status_basis`, for a record that was never accepted, without a query.

    `attempted`: the last submission that was attempted; a newer one may still wait. `focus`: times are tab stops.
    """
    key = standing_of(organization).key
    values: dict[str, object] = {"reason": plain(organization.presence_reason).rstrip(".")}
    if key == "seen":
        seen = organization.seen_record()
        if seen is None:
            return format_html("Seen {}.", moment(organization.presence_at, focus=focus))
        values |= {"time": moment(organization.seen_at, focus=focus), "value": str(seen.active).lower()}
    if key == "stated":
        values |= {"date": moment(organization.presence_at, "day", focus=focus)}
    if key == "unknown":
        submission = submission_link(organization.last_submission)
        values |= {"age": age(organization.presence_at, focus=focus), "submission": submission}
    if key == "not_registered":
        return _not_registered_basis(organization, attempted, focus=focus)
    return format_html(_with_link(STANDING_BASIS[key]), **values)


def _not_registered_basis(organization: Organization, last: Submission | None, *, focus: bool) -> SafeString:
    if last is None:
        return SafeString(STANDING_BASIS["never_sent"])
    rejected = last.state == State.REJECTED
    open_key = "exists" if last.known_answer == "already_exists" else "no_answer"
    key = open_key if not rejected else "decided" if last.decided_by else "not_registered"
    time = moment(last.ended_at if rejected else last.sent_at, focus=focus)
    values = {"event": last.event, "person": plain(last.decided_by), "time": time, "submission": submission_link(last)}
    sentence = format_html(_with_link(STANDING_BASIS[key]), **values)
    if last.oid == organization.oid:
        return sentence
    return format_html("{} {}", sentence, format_html(STANDING_BASIS["former_oid"], oid=with_oids(last.oid)))


def accepted_basis(organization: Organization) -> SafeString:
    """The evidence that a record is active or deactivated: an accepted message, or a value of the directory."""
    if record_entries.is_active_taken(organization):
        return format_html(evidence.TAKEN_IN_SUBMISSION_LINE, time=moment(organization.known_at))
    deactivation = _last_deactivation(organization) if organization.confirmed_active is False else None
    accepted = deactivation or organization.confirmed_submission
    if accepted is None:
        return format_html("Accepted {}.", moment(organization.confirmed_at))
    basis = evidence.submission_line(accepted, submission_link(accepted))
    if deactivation is None:
        return format_html(STANDING_BASIS["active"], evidence=basis)
    person = deactivation.submitter.display_name
    reason, day = plain(deactivation.reason).rstrip("."), moment(deactivation.ended_at, "day")
    return format_html(STANDING_BASIS["deactivated"], date=day, person=person, reason=reason, evidence=basis)


def _last_deactivation(organization: Organization) -> Submission | None:
    """The deactivation that made the record inactive; None if something else did.

    Later Updates of the deactivated record have other reasons.
    """
    last = record_context.last_accepted_active_change(organization)
    if last is None or last.intent != Intent.DEACTIVATE:
        return None
    later = record_context.accepted_after(last)
    return None if any(answers.message_record(submission).active for submission in later) else last


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
        return to_do.foreign_meaning(organization)
    if absent := absent_sentence(organization):
        return absent + (" Since then the directory showed it." if organization.is_there_unclaimed else "")
    if word.key in ("active", "deactivated"):
        return word.say(
            evidence=evidence.status_sentence(organization, is_taken=record_entries.is_active_taken(organization))
        )
    if word.key != "stated":
        return word.sentence
    return word.say(person=record_entries.stated_by(organization) or "Somebody")


def absent_sentence(organization: Organization) -> str:
    """How and when the portal learned that the OID is not in the directory; "" for a record that is not absent."""
    if organization.presence != Presence.ABSENT or organization.presence_at is None:
        return ""
    source = "answer" if was_rejected_as_absent(organization) else "query"
    return NOT_IN_DIRECTORY[source].format(moment=written(organization.presence_at))


def record_values(organization: Organization) -> RecordValues:
    """Every field as saved here, as accepted and as a later reading shows it."""
    accepted, seen = organization.baseline_record(), _compared_reading(organization)
    saved = knowledge.sendable(organization.record())
    sides = RecordSides(
        saved,
        accepted and knowledge.sendable(accepted),
        seen,
        only_taken=bool(accepted) and not organization.confirmed,
        is_destination_said=bool(organization.destination_source) and not (accepted and accepted.destination_known),
    )
    oids = {record.part_of_oid for record in (saved, accepted, seen) if record}
    is_taken = bool(organization.taken)
    return RecordValues(
        fields=first_seen.with_first_seen(
            field_rows.field_rows(sides, _parts(organization.environment, oids)), organization, sides
        ),
        saved_by=_saved_by(organization),
        accepted_heading=freshness.taken_heading(organization) if is_taken else evidence.column_heading(organization),
        accepted_day=SafeString(
            moment(organization.known_at if is_taken else organization.confirmed_at, "day", focus=False)
        ),
        accepted_submission=None if is_taken else organization.confirmed_submission_id,
        is_accepted=accepted is not None,
        is_read=seen is not None,
        note=_reading_note(organization),
        ahead_tag=_ahead_tag(organization),
        destination_source=DESTINATION_SOURCE[organization.destination_source],
        keys_without_field=()
        if organization.is_foreign
        else field_rows.keys_without_field(organization.record(), organization.seen_record()),
    )


def _compared_reading(organization: Organization) -> OrganizationRecord | None:
    """The later reading, unless its values were taken or it shows another organization."""
    is_taken = bool(organization.taken) and organization.taken == organization.seen
    return None if organization.is_foreign or is_taken else organization.later_reading()


def _saved_by(organization: Organization) -> str:
    """Who saved the unsent changes and when; "" if there are none."""
    person = organization.edited_by
    if not organization.changes or person is None:
        return ""
    return f"by {person.display_name}, {written(organization.edited_at, 'day')}"


def _ahead_tag(organization: Organization) -> str:
    """The tag of values that were not accepted. Some may have been sent."""
    last = organization.last_submission
    if last is not None and last.state == State.REJECTED and last.wanted_hash == organization.wanted_hash:
        return "rejected"
    if last is not None and last.is_open and last.record_version == organization.version and last.sent_at:
        return "not accepted yet"
    return "not sent"


def _reading_note(organization: Organization) -> str:
    """Why there is no column for the directory, in one line; "" if there is one."""
    asked_at = organization.seen_at
    if asked_at is None:
        return "No Query for this record has been answered."
    if organization.is_foreign:
        seen = organization.seen_record()
        what = f"showed it as {plain(seen.name)}" if seen else "did not show it"
        return f"This OID is another organization's. Asked on {written(asked_at)}, the directory {what}."
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
    """The parents with these OIDs as cells of the table, as far as the portal knows them."""
    known = parents.names(environment, oids)
    gateways = redox_settings.gateway_oids(environment)
    return {
        oid: ParentCell("The Redox gateway", "")
        if oid in gateways
        else ParentCell(known[oid], url_of_oid(environment, oid))
        if oid in known
        else ParentCell("Not a record of ours", "")
        for oid in oids
    }


def no_record_sentence(environment: Environment, oid: str) -> SafeString:
    """No record has this OID. With a link if one of the other environment has it."""
    sentence = format_html("No record {} in {}.", with_oids(oid), environment.label)
    if not record_context.has_record(environment.other, oid):
        return sentence
    url = url_of_oid(environment.other, oid)
    return format_html("{} In {} there is one: {}.", sentence, environment.other.label, link(url, "open"))


def record_sidebar(organization: Organization) -> RecordSidebar:
    """The children and the last events of a record."""
    children = page_of(record_context.children_of(organization), 1, CHILDREN_SHOWN)
    entries = record_entries.newest_entries(organization, SENTENCES_SHOWN, without=sentences.REPEATED_BY_OTHER_ENTRIES)
    is_new = len(entries) == 1 and entries[0].action == Action.ORGANIZATION_CREATED
    return RecordSidebar(
        children=[RecordRow(organization=child) for child in organizations_of(children)],
        children_count=children.paginator.count,
        timeline=[] if is_new else [sentences.sentence_of(entry) for entry in entries],
        only_added=entries[0] if is_new else None,
    )
