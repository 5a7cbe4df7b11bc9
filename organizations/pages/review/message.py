"""The review of one message in words: what it does, what it is compared with, who changed what, what is in the way."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse

from organizations.models import Basis, Event, Organization, Submission
from organizations.pages.review import values
from organizations.pages.review.values import KeyRow, ValueRow
from organizations.queries import parents, record_entries
from organizations.records import Shown, listed
from organizations.services.connection import gateway
from organizations.services.directory import differences
from organizations.services.outbox import submissions
from organizations.services.review import reviews
from organizations.services.review.blockers import Block, Blocker
from organizations.services.review.reviews import Review
from organizations.services.review.warnings import OVERWRITE, ReviewWarning, overwrite_value
from organizations.text import freshness, vocabulary
from organizations.text.freshness import Freshness
from organizations.text.markup import written

MOST_NAMED = 5
TICK = "Tick this, or go back and change the value."
TICK_OVERWRITE = "Tick Overwrite, or take the directory's value."


class MessageLine(NamedTuple):
    """One line of the message: the form's field, Redox's rule, and whether this message changes it."""

    text: str
    source: str
    rule: str
    changed: bool


class WarningBox(NamedTuple):
    """One warning with its box."""

    key: str
    text: str
    ticked: bool
    error: str

    @property
    def problem(self) -> str:
        """Its line among the problems of the page. Some texts ask for the tick themselves."""
        return self.text if "Tick " in self.text else f"Tick: {self.text}"


class Obstacle(NamedTuple):
    """Something in the way, with the page where it is put right."""

    sentence: str
    url: str
    step: str


@dataclass(frozen=True, slots=True)
class ReviewContent:
    """What the template prints of a review."""

    made: Review
    sentences: tuple[str, ...]
    compared: str
    freshness: Freshness
    rows: tuple[ValueRow, ...]
    overwritten: tuple[ValueRow, ...]
    equivalent: tuple[ValueRow, ...]
    unchanged: tuple[Shown, ...]
    keys: tuple[KeyRow, ...]
    lines: tuple[MessageLine, ...]
    questions: tuple[WarningBox, ...]
    settled: tuple[str, ...]
    obstacles: tuple[Obstacle, ...]
    waits: str
    curl: str

    @property
    def send_label(self) -> str:
        return f"Create in {self.made.word}" if self.made.event == Event.NEW else f"Send update to {self.made.word}"

    @property
    def text(self) -> str:
        """The message as text, for the clipboard."""
        return self.made.message.decode()

    @property
    def accepted_heading(self) -> str:
        """The heading of what was known before any later reading; empty where that is nothing."""
        return freshness.accepted_heading(self.made.organization) if self.made.known.accepted is not None else ""

    @property
    def directory_heading(self) -> str:
        """The heading of what a later reading shows; empty without one."""
        at = self.made.organization.seen_at
        return f"Directory shows {written(at, 'clock')}" if self.made.known.seen is not None and at else ""

    @property
    def columns(self) -> int:
        return 3 + bool(self.accepted_heading) + bool(self.directory_heading)

    @property
    def changed_group(self) -> str:
        return f"This message changes {vocabulary.count(len(self.rows), 'field')}"

    @property
    def overwritten_group(self) -> str:
        """Nobody knows who set these values, and since when only of the first that was seen."""
        since = self.made.organization.differs_since
        seen = f" (the first difference was seen on {_day(since)})" if since else ""
        return f"You overwrite {vocabulary.count(len(self.overwritten), 'value')} that the directory shows{seen}"

    @property
    def unchanged_words(self) -> str:
        """How many fields stay; that the directory has them so only where a later reading shows it."""
        counted = f"{vocabulary.count(len(self.unchanged), 'field')} unchanged"
        return f"{counted} and the same in the directory" if self.made.known.seen is not None else counted

    @property
    def equivalent_words(self) -> str:
        counted = vocabulary.count(len(self.equivalent), "value is", "values are")
        return f"{counted} spelled differently in the directory"

    @property
    def keys_words(self) -> str:
        return f"Also in the directory: {vocabulary.count(len(self.keys), 'key')} that this portal does not edit"

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The unchanged fields of which no reading says anything."""
        has_destination = self.made.known.seen is not None and bool(self.made.record.destination_id)
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
        """Whether the page of the differences offers to take the directory's values."""
        return not differences.why_not_take(self.made.organization)

    @property
    def box_errors(self) -> list[tuple[str, str]]:
        """(id, error) of each box that must still be ticked, in the order of the page."""
        return [
            *((f"id_tick-{row.tick}", f"{row.spoken}: {row.tick_error}") for row in self.overwritten if row.tick_error),
            *((f"id_tick-{each.key}", each.problem) for each in self.questions if each.error),
        ]

    @property
    def size(self) -> str:
        return vocabulary.count(len(self.made.message), "byte")

    @property
    def changed_lines(self) -> list[int]:
        return [number for number, line in enumerate(self.lines, start=1) if line.changed]


def review_content(
    made: Review, *, since_version: int | None = None, ticked: Collection[str] = (), missing: Collection[str] = ()
) -> ReviewContent:
    """The page of a review. Edits after `since_version` are marked new; `missing` are the boxes to ask for."""
    return ReviewContent(
        made=made,
        sentences=tuple(_sentences(made)),
        compared=_compared(made),
        freshness=freshness.record_freshness(made.organization),
        rows=values.change_rows(made, since_version),
        overwritten=overwritten_rows(made, ticked, missing, since_version),
        equivalent=values.equivalent_rows(made),
        unchanged=tuple(_unchanged(made)),
        keys=values.key_rows(made),
        lines=tuple(MessageLine(line.text, line.field_label, line.rule, changed) for line, changed in made.lines),
        questions=tuple(warning_boxes(made, ticked, missing)),
        settled=tuple(map(settled_warning, made.settled_warnings)),
        obstacles=tuple(obstacle(made.organization, blocker) for blocker in made.blockers),
        waits=_waits(made),
        curl=reviews.as_curl(made) if made.message else "",
    )


def out_of_date(organization: Organization, since_version: int, otherwise: str) -> str:
    """The sentence for a review that was overtaken: by whom and when, if it was by an edit."""
    entry = record_entries.last_edit_since(organization, since_version)
    if entry is None:
        return otherwise
    labels = listed(change["label"] for change in entry.facts.get("changes", [])) or "Kind of record"
    at = written(entry.at, "clock")
    saved = f"{entry.actor_name} saved {labels} at {at}"
    return f"This page is out of date: {saved}. Nothing was sent. Here is the new review."


def already_sent(submission: Submission) -> str:
    """The sentence for a second press or a second tab."""
    at = written(submission.created_at, "clock")
    return f"This was sent already at {at}: submission {submission.pk}."


def _sentences(made: Review) -> Iterator[str]:
    if not made.shows_message:
        return
    name = made.organization.name
    if made.event == Event.NEW:
        yield f"Registers {name} below {_parent(made)}."
        return
    if not made.organization.confirmed and made.organization.presence_basis in (Basis.STATED, Basis.SEEN):
        if made.organization.last_submission is None:
            yield "First message for a record that was registered outside the portal."
        else:
            yield "No message of this record was accepted yet. The directory has it."
    if made.before is None:
        yield "Redox replaces the whole record."
        return
    if made.nothing_differs:
        yield _nothing_differs(made)
        return
    moved = made.before.part_of_oid != made.record.part_of_oid
    if moved:
        yield f"Moves {name} from {_name_of(made, made.before.part_of_oid)} to below {_parent(made)}."
    labels = [label for field, label in _short_labels(made) if not (moved and field == "part_of_oid")]
    if labels:
        yield f"Changes {_listed(labels)} of {name}. {_rest(made)}"
    elif made.overwrites and not made.changes:
        yield _only_overwrites(made)


def _rest(made: Review) -> str:
    """What becomes of the fields that nobody changed here."""
    number = len(made.overwrites)
    if not number:
        return "Redox replaces the whole record, so its other fields are sent unchanged."
    overwritten = vocabulary.count(number, "value that the directory shows", "values that the directory shows")
    return f"Redox replaces the whole record, so this also overwrites {overwritten}."


def _only_overwrites(made: Review) -> str:
    if any(each.entry is not None for each in made.overwrites):
        return "Redox replaces the whole record, so the values of the directory that differ are lost."
    return "No change is saved here. Redox replaces the whole record, so other values of the directory are lost."


def _nothing_differs(made: Review) -> str:
    if made.equivalent:
        spelled = vocabulary.count(len(made.equivalent), "value")
        return f"Nothing differs but the spelling of {spelled}, which means the same. There is nothing to send."
    organization = made.organization
    if organization.is_missing:
        return "No change is saved here, and the directory did not show this OID. The same values can be sent again."
    is_read = made.known.seen is not None
    known = f"what the directory showed on {_day(organization.seen_at)}" if is_read else _baseline(organization)
    return f"Nothing differs from {known}. There is nothing to send."


def _baseline(organization: Organization) -> str:
    return freshness.compared_with(organization, record_entries.taken_by(organization))


def _short_labels(made: Review) -> list[tuple[str, str]]:
    """Labels for a sentence: of a contact's field only the field."""
    short = {change.difference.label.rpartition(", ")[2]: change.difference.field for change in made.changes}
    return [(field, label) for label, field in short.items()]


def _listed(labels: list[str]) -> str:
    if len(labels) > MOST_NAMED:
        labels = [*labels[:MOST_NAMED], vocabulary.count(len(labels) - MOST_NAMED, "other field")]
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))


def _parent(made: Review) -> str:
    return made.parent.name if made.parent else _name_of(made, made.record.part_of_oid)


def _name_of(made: Review, oid: str) -> str:
    environment = made.organization.environment
    name = parents.names(environment, [oid]).get(oid, oid)
    # There are two gateways: the usual one needs no number.
    is_other = oid in gateway.gateways(environment) and oid != gateway.environment(environment).gateway_oid
    return f"{name} ({oid})" if is_other else name


def _compared(made: Review) -> str:
    """What the message is compared with; a New is compared with nothing."""
    if not made.shows_message or made.event == Event.NEW:
        return ""
    if made.before is None:
        return "Redox has accepted no message of this record, so there is nothing to compare with."
    organization = made.organization
    also = made.known.accepted is not None and made.known.seen is not None
    read = f", and with what the directory showed on {_day(organization.seen_at)}" if also else ""
    return f"Compared with {freshness.compared_with(organization, record_entries.taken_by(organization))}{read}."


def _unchanged(made: Review) -> Iterator[Shown]:
    """The fields that stay as they are, without those that the directory spells differently or a Query cannot show."""
    spelled = {each.field for each in made.equivalent}
    for shown in made.unchanged:
        is_unreadable = shown.field == "destination_id" and made.known.seen is not None
        if not (shown.field.startswith("carried.") or shown.field in spelled or is_unreadable):
            yield shown


def overwritten_rows(
    made: Review, ticked: Collection[str] = (), missing: Collection[str] = (), since_version: int | None = None
) -> tuple[ValueRow, ...]:
    """The values of the directory that are overwritten, each with the box of its warning."""
    keys = {each.value: submissions.warning_key(each) for each in made.open_warnings if each.key == OVERWRITE}
    rows = []
    for row, change in zip(values.overwrite_rows(made, since_version), made.overwrites, strict=True):
        key = keys.get(overwrite_value(change.difference), "")
        error = TICK_OVERWRITE if key in missing else ""
        rows.append(row._replace(tick=key, ticked=key in ticked, tick_error=error))
    return tuple(rows)


def warning_boxes(made: Review, ticked: Collection[str] = (), missing: Collection[str] = ()) -> Iterator[WarningBox]:
    """The warnings to tick, without those about overwritten values: they are ticked beside the value."""
    for warning in made.open_warnings:
        if warning.key != OVERWRITE:
            key = submissions.warning_key(warning)
            yield WarningBox(key, warning.text, key in ticked, TICK if key in missing else "")


def settled_warning(warning: ReviewWarning) -> str:
    """A warning that was ticked before, with by whom, when and why."""
    day = _day(datetime.fromisoformat(warning.accepted_at))
    reason = f": {warning.accepted_reason}" if warning.accepted_reason else ""
    return f"{warning.text} Accepted by {warning.accepted_by}, {day}{reason}"


def obstacle(organization: Organization, blocker: Blocker) -> Obstacle:
    """What is in the way of a record, with the page where it is put right."""
    return Obstacle(blocker.sentence, *_step(organization, blocker))


def _step(organization: Organization, blocker: Blocker) -> tuple[str, str]:
    """The address and the words of what ends it."""
    if blocker.kind in _STEPS:
        page, section, words_of_step = _STEPS[blocker.kind]
        return _url(page, organization) + section, words_of_step
    if blocker.submission is not None:
        address = reverse("submission", args=[blocker.submission.environment, blocker.submission.pk])
        return address, f"Open submission {blocker.submission.pk}"
    other = blocker.organization
    if other is None or other.pk == organization.pk:
        return _url("record", organization), "Open the record"
    if blocker.kind == Block.PARENT_NEVER_SENT:
        return _url("review", other), f"Review {other.name}"
    return _url("record", other), f"Open {other.name}"


_STEPS = {
    Block.FOREIGN: ("edit", "#identity", "Give it another OID"),
    Block.ALREADY_THERE: ("differences", "", "Decide whose it is"),
    Block.ONLY_SHOWN: ("review", "", "Review it"),
    Block.DESTINATION_NOT_KNOWN: ("edit", "#routing", "Enter the destination ID"),
}


def _waits(made: Review) -> str:
    if made.waits_for is None or made.parent is None:
        return ""
    return f"{made.parent.name} must be accepted first. You can send now; the message waits."


def _url(name: str, organization: Organization) -> str:
    return reverse(name, args=[organization.environment, organization.oid])


def _day(moment: datetime | None) -> str:
    return written(moment, "day") if moment else "an unknown day"
