"""The review of one message in words: what it does, what it is compared with, who changed what, what blocks it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from organizations.models import Basis, Event, Organization, Submission, clock
from organizations.pages.addresses import record_url, submission_url
from organizations.pages.review import values
from organizations.pages.review.values import KeyRow, ValueRow
from organizations.queries import parents, record_entries
from organizations.records import FieldAsText, labels_in_sentence
from organizations.services.connection import redox_settings
from organizations.services.directory import differences
from organizations.services.outbox import submissions
from organizations.services.review import reviews
from organizations.services.review.blockers import Blocker, BlockerKind
from organizations.services.review.reviews import Review
from organizations.services.review.warnings import ENDPOINTS_LOST, OVERWRITE, ReviewWarning, overwrite_value
from organizations.text import freshness, vocabulary
from organizations.text.freshness import Freshness
from organizations.text.markup import plain, written

MOST_NAMED = 5
TICK = "Tick this, or go back and change the value."
TICK_OVERWRITE = "Tick Overwrite, or take the directory's value."


class ReviewedLine(NamedTuple):
    """One line of the message: the form's field, Redox's rule, and whether this message changes it."""

    text: str
    source: str
    rule: str
    changed: bool


class WarningBox(NamedTuple):
    """One warning with the box that accepts it."""

    key: str
    text: str
    ticked: bool
    error: str

    @property
    def problem(self) -> str:
        """Its line in the list of errors. Some texts ask for the tick themselves."""
        return self.text if "Tick " in self.text else f"Tick: {self.text}"


class Obstacle(NamedTuple):
    """What blocks the message, with a link to the page where it can be resolved."""

    sentence: str
    url: str
    step: str


@dataclass(frozen=True, slots=True)
class ReviewContent:
    """What the page of a review shows beside its form."""

    review: Review
    sentences: tuple[str, ...]
    compared: str
    freshness: Freshness
    rows: tuple[ValueRow, ...]
    overwritten: tuple[ValueRow, ...]
    equivalent: tuple[ValueRow, ...]
    unchanged: tuple[FieldAsText, ...]
    keys: tuple[KeyRow, ...]
    lines: tuple[ReviewedLine, ...]
    questions: tuple[WarningBox, ...]
    settled: tuple[str, ...]
    obstacles: tuple[Obstacle, ...]
    waits: str
    curl: str

    @property
    def send_label(self) -> str:
        return (
            f"Create in {self.review.environment_name}"
            if self.review.event == Event.NEW
            else f"Send update to {self.review.environment_name}"
        )

    @property
    def text(self) -> str:
        """The message as text, for the clipboard."""
        return self.review.message.decode()

    @property
    def accepted_heading(self) -> str:
        """The heading of the accepted or taken values; "" if there are none."""
        return freshness.accepted_heading(self.review.organization) if self.review.known.baseline is not None else ""

    @property
    def directory_heading(self) -> str:
        """The heading of the values of a later reading; "" if there is none."""
        at = self.review.organization.seen_at
        return f"Directory shows {written(at, 'clock')}" if self.review.known.seen is not None and at else ""

    @property
    def columns(self) -> int:
        return 3 + bool(self.accepted_heading) + bool(self.directory_heading)

    @property
    def changed_group(self) -> str:
        return f"This message changes {vocabulary.count(len(self.rows), 'field')}"

    @property
    def overwritten_group(self) -> str:
        """The heading of the overwritten values. It is known when the first difference was seen, not who set them."""
        since = self.review.organization.differs_since
        seen = f" (the first difference was seen on {_day(since)})" if since else ""
        return f"You overwrite {vocabulary.count(len(self.overwritten), 'value')} that the directory shows{seen}"

    @property
    def unchanged_words(self) -> str:
        """How many fields stay. Only a later reading proves that the directory has them too."""
        counted = f"{vocabulary.count(len(self.unchanged), 'field')} unchanged"
        return f"{counted} and the same in the directory" if self.review.known.seen is not None else counted

    @property
    def equivalent_words(self) -> str:
        counted = vocabulary.count(len(self.equivalent), "value is", "values are")
        return f"{counted} spelled differently in the directory"

    @property
    def keys_words(self) -> str:
        return f"{vocabulary.count(len(self.keys), 'key')} that this portal does not edit"

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The unchanged fields that no Query shows."""
        has_destination = self.review.known.seen is not None and bool(self.review.record.destination_id)
        is_changed = any(row.field == "destination_id" for row in self.rows)
        return ("Destination ID",) if has_destination and not is_changed else ()

    @property
    def asks_to_confirm(self) -> int:
        return len(self.questions) + len(self.overwritten)

    @property
    def unticked(self) -> tuple[ValueRow, ...]:
        return tuple(row for row in self.overwritten if not row.ticked)

    @property
    def to_tick_words(self) -> str:
        start = "Also tick" if self.questions else "Tick"
        number = len(self.overwritten)
        return f"{start} the {'value' if number == 1 else f'{number} values'} above that you overwrite."

    @property
    def ticked_words(self) -> str:
        number, ticked = len(self.overwritten), len(self.overwritten) - len(self.unticked)
        if number == 1:
            return f"The value above is {'' if ticked else 'not '}ticked."
        return f"{ticked} of {number} values above {'is' if ticked == 1 else 'are'} ticked."

    @property
    def can_take(self) -> bool:
        """Whether the directory's values can be taken instead."""
        return not differences.take_block_reason(self.review.organization)

    @property
    def box_errors(self) -> list[tuple[str, str]]:
        """The id and error of each box that must still be ticked, in the order of the page."""
        return [
            *((f"id_tick-{row.tick}", f"{row.spoken}: {row.tick_error}") for row in self.overwritten if row.tick_error),
            *((f"id_tick-{each.key}", each.problem) for each in self.questions if each.error),
        ]

    @property
    def size(self) -> str:
        return vocabulary.count(len(self.review.message), "byte")

    @property
    def changed_lines(self) -> list[int]:
        return [number for number, line in enumerate(self.lines, start=1) if line.changed]


def review_content(
    review: Review, *, since_version: int | None = None, ticked: Collection[str] = (), missing: Collection[str] = ()
) -> ReviewContent:
    """What the page of a review shows.

    Edits after `since_version` are marked as new. `missing` are the keys of the boxes that must still be ticked.
    """
    return ReviewContent(
        review=review,
        sentences=tuple(_sentences(review)),
        compared=_compared(review),
        freshness=_freshness(review),
        rows=values.change_rows(review, since_version),
        overwritten=overwritten_rows(review, ticked, missing, since_version),
        equivalent=values.equivalent_rows(review),
        unchanged=tuple(_unchanged(review)),
        keys=values.key_rows(review),
        lines=tuple(ReviewedLine(line.text, line.field_label, line.rule, changed) for line, changed in review.lines),
        questions=tuple(warning_boxes(review, ticked, missing)),
        settled=tuple(map(settled_warning, review.settled_warnings)),
        obstacles=tuple(obstacle(review.organization, blocker) for blocker in review.blockers),
        waits=_waits(review),
        curl=reviews.as_curl(review) if review.message else "",
    )


def _freshness(review: Review) -> Freshness:
    """How new the last reading is; for a New without one, the last answer about its OID before the record was added."""
    organization = review.organization
    is_unread = review.event == Event.NEW and organization.seen_at is None
    entry = record_entries.last_answer_about(organization.environment, organization.oid) if is_unread else None
    if entry is None:
        return freshness.record_freshness(organization)
    seen = entry.facts["details"].get("seen")
    what = f"showed this OID as {plain(seen['name'])}. Redox would reject a New" if seen else "did not show this OID"
    is_old = clock.now() - entry.at > freshness.OLD_READING_AGE
    return Freshness(entry.at, f"The directory, asked on {written(entry.at)}, {what}.", is_old)


def out_of_date(organization: Organization, since_version: int, otherwise: str) -> str:
    """Why a review is out of date: who edited the record, or `otherwise` if nobody did."""
    entry = record_entries.last_edit_since(organization, since_version)
    if entry is None:
        return otherwise
    labels = labels_in_sentence(change["label"] for change in entry.facts.get("changes", [])) or "Kind of record"
    at = written(entry.at, "clock")
    saved = f"{entry.actor_name} saved {labels} at {at}"
    return f"This page is out of date: {saved}. Nothing was sent. Here is the new review."


def already_sent(submission: Submission) -> str:
    """What to say if the button was pressed twice, or in a second tab."""
    at = written(submission.created_at, "clock")
    return f"This was already submitted at {at}: submission {submission.pk}."


def _sentences(review: Review) -> Iterator[str]:
    if not review.shows_message:
        return
    name = review.organization.name
    if review.event == Event.NEW:
        yield f"Registers {name} below {_parent(review)}."
        return
    if not review.organization.confirmed and review.organization.presence_basis in (Basis.STATED, Basis.SEEN):
        if review.organization.last_submission is None:
            yield "First message for a record that was registered outside the portal."
        else:
            yield "No message of this record was accepted yet. The directory has it."
    if review.before is None:
        yield "Redox replaces the whole record."
        return
    if review.nothing_differs:
        yield _nothing_differs(review)
        return
    moved = review.before.part_of_oid != review.record.part_of_oid
    if moved:
        yield f"Moves {name} from {_name_of(review, review.before.part_of_oid)} to below {_parent(review)}."
    labels = [label for field, label in _short_labels(review) if not (moved and field == "part_of_oid")]
    if labels:
        named = vocabulary.name_some(labels, MOST_NAMED, "other field", before_last=" and ")
        yield f"Changes {named} of {name}. {_rest(review)}"
    elif review.overwrites and not review.changes:
        yield _only_overwrites(review)


def _rest(review: Review) -> str:
    """What the message does to the fields that nobody changed here."""
    number = len(review.overwrites)
    if not number:
        loses = any(warning.key == ENDPOINTS_LOST for warning in review.warnings)
        return f"Redox replaces the whole record, so its other fields are sent {'too' if loses else 'unchanged'}."
    overwritten = vocabulary.count(number, "value that the directory shows", "values that the directory shows")
    return f"Redox replaces the whole record, so this also overwrites {overwritten}."


def _only_overwrites(review: Review) -> str:
    if any(each.entry is not None for each in review.overwrites):
        return "Redox replaces the whole record, so the values of the directory that differ are lost."
    return "No change is saved here. Redox replaces the whole record, so other values of the directory are lost."


def _nothing_differs(review: Review) -> str:
    if review.equivalent:
        spelled = vocabulary.count(len(review.equivalent), "value")
        return f"Only the spelling of {spelled} differs, which means the same. There is nothing to send."
    organization = review.organization
    if organization.is_missing:
        return "No change is saved here, and the directory did not show this OID. The same values can be sent again."
    is_read = review.known.seen is not None
    known = f"what the directory showed on {_day(organization.seen_at)}" if is_read else _compared_with(organization)
    baseline = organization.baseline_record()
    is_unseen = baseline is not None and not baseline.destination_known
    unseen = " No Query shows the destination ID, so it cannot be compared." if is_unseen else ""
    return f"Nothing differs from {known}.{unseen} There is nothing to send."


def _compared_with(organization: Organization) -> str:
    return freshness.compared_with(organization, record_entries.taken_by(organization))


def _short_labels(review: Review) -> list[tuple[str, str]]:
    """Each changed field with its label for a sentence; a field of a contact without its contact."""
    short = {change.difference.label.rpartition(", ")[2]: change.difference.field for change in review.changes}
    return [(field, label) for label, field in short.items()]


def _parent(review: Review) -> str:
    return review.parent.name if review.parent else _name_of(review, review.record.part_of_oid)


def _name_of(review: Review, oid: str) -> str:
    environment = review.organization.environment
    name = parents.names(environment, [oid]).get(oid, oid)
    # There are two gateways: the usual one needs no number.
    is_other = (
        oid in redox_settings.gateway_oids(environment) and oid != redox_settings.environment(environment).gateway_oid
    )
    return f"{name} ({oid})" if is_other else name


def _compared(review: Review) -> str:
    """What an Update is compared with; "" for a New."""
    if not review.shows_message or review.event == Event.NEW:
        return ""
    if review.before is None:
        return "Redox has accepted no message of this record, so there is nothing to compare with."
    organization = review.organization
    also = review.known.baseline is not None and review.known.seen is not None
    read = f", and with what the directory showed on {_day(organization.seen_at)}" if also else ""
    return f"Compared with {_compared_with(organization)}{read}."


def _unchanged(review: Review) -> Iterator[FieldAsText]:
    """The fields that stay, without those that the directory spells differently or a Query cannot show."""
    spelled = {each.field for each in review.equivalent}
    for field in review.unchanged:
        is_unreadable = field.field == "destination_id" and review.known.seen is not None
        if not (field.field.startswith("carried.") or field.field in spelled or is_unreadable):
            yield field


def overwritten_rows(
    review: Review, ticked: Collection[str] = (), missing: Collection[str] = (), since_version: int | None = None
) -> tuple[ValueRow, ...]:
    """The directory's values that the message overwrites, each with the box that accepts it."""
    keys = {each.value: submissions.warning_key(each) for each in review.open_warnings if each.key == OVERWRITE}
    rows = []
    for row, change in zip(values.overwrite_rows(review, since_version), review.overwrites, strict=True):
        key = keys.get(overwrite_value(change.difference), "")
        error = TICK_OVERWRITE if key in missing else ""
        rows.append(row._replace(tick=key, ticked=key in ticked, tick_error=error))
    return tuple(rows)


def warning_boxes(review: Review, ticked: Collection[str] = (), missing: Collection[str] = ()) -> Iterator[WarningBox]:
    """The warnings to tick, without those about overwritten values, which have their box beside the value."""
    for warning in review.open_warnings:
        if warning.key != OVERWRITE:
            key = submissions.warning_key(warning)
            yield WarningBox(key, warning.text, key in ticked, TICK if key in missing else "")


def settled_warning(warning: ReviewWarning) -> str:
    """A warning that was accepted for an earlier message, with who accepted it, when and why."""
    day = _day(datetime.fromisoformat(warning.accepted_at))
    reason = f": {warning.accepted_reason}" if warning.accepted_reason else ""
    return f"{warning.text} Accepted by {warning.accepted_by}, {day}{reason}"


def obstacle(organization: Organization, blocker: Blocker) -> Obstacle:
    """What blocks a record, with a link to the page where it can be resolved."""
    return Obstacle(blocker.sentence, *_step(organization, blocker))


def _step(organization: Organization, blocker: Blocker) -> tuple[str, str]:
    """The address and the label of the step that resolves it."""
    if blocker.kind in _STEPS:
        page, section, label = _STEPS[blocker.kind]
        return record_url(organization, page) + section, label
    if blocker.submission is not None:
        address = submission_url(blocker.submission)
        return address, f"Open submission {blocker.submission.pk}"
    other = blocker.organization
    if other is None or other.pk == organization.pk:
        return record_url(organization), "Open the record"
    if blocker.kind == BlockerKind.PARENT_NEVER_SENT:
        return record_url(other, "review"), f"Review {other.name}"
    return record_url(other), f"Open {other.name}"


_STEPS = {
    BlockerKind.FOREIGN: ("edit", "#identity", "Give it another OID"),
    BlockerKind.ALREADY_THERE: ("differences", "", "Decide whose it is"),
    BlockerKind.ONLY_SHOWN: ("review", "", "Review it"),
    BlockerKind.DESTINATION_NOT_KNOWN: ("edit", "#routing", "Enter the destination ID"),
}


def _waits(review: Review) -> str:
    sentences = []
    if review.waits_for is not None and review.parent is not None:
        sentences.append(f"{review.parent.name} must be accepted first.")
    if review.first_message.waits_for is not None:
        sentences.append(waits_for_first(review.first_message.waits_for))
    return " ".join([*sentences, "You can send now; the message waits."]) if sentences else ""


def waits_for_first(first: Submission) -> str:
    """What a message to a record registered outside the portal waits for."""
    return (
        f"Submission {first.pk} of {first.organization.name} must be accepted first: Redox has accepted no message yet"
        " to a record that was registered outside the portal."
    )


def _day(moment: datetime | None) -> str:
    return written(moment, "day") if moment else "an unknown day"
