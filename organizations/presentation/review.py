"""The review of one message in words: what it does, what it is compared with, who changed what, what is in the way."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten
from typing import NamedTuple

from django.urls import reverse

from organizations import words
from organizations.models import AuditEntry, Basis, Event, Organization, Submission
from organizations.records import Difference
from organizations.services import gateway, reviews, submissions
from organizations.services.blockers import Block, Blocker
from organizations.services.reviews import Review
from organizations.services.warnings import ReviewWarning
from organizations.templatetags.portal import written

from . import parents

MOST_NAMED = 5
BRIEF = 70


class Row(NamedTuple):
    """One line of the table of differences; `is_new` where it came after the page that was sent."""

    field: str
    label: str
    before: str
    after: str
    by: str
    edit_url: str
    is_new: bool


class Line(NamedTuple):
    """One line of the message: the form's field, Redox's rule, and whether this message changes it."""

    text: str
    source: str
    rule: str
    changed: bool


class Question(NamedTuple):
    """One warning with its box."""

    key: str
    text: str
    ticked: bool
    error: str

    @property
    def brief(self) -> str:
        """Its first words: enough to tell it from the others."""
        return shorten(self.text.partition(". ")[0], BRIEF, placeholder="...").rstrip(".") + "."


class Obstacle(NamedTuple):
    """Something in the way, with the page where it is put right."""

    sentence: str
    url: str
    step: str


@dataclass(frozen=True, slots=True)
class Page:
    """What the template prints of a review."""

    made: Review
    sentences: tuple[str, ...]
    compared: str
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    questions: tuple[Question, ...]
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
    def before_heading(self) -> str:
        """What the values before are: what was only read was never accepted."""
        return "Last accepted" if self.made.organization.confirmed else "The directory showed"

    @property
    def size(self) -> str:
        return words.count(len(self.made.message), "byte")

    @property
    def changed_lines(self) -> list[int]:
        return [number for number, line in enumerate(self.lines, start=1) if line.changed]


def page(
    made: Review, *, since_version: int | None = None, ticked: Collection[str] = (), missing: Collection[str] = ()
) -> Page:
    """The page of a review. Edits after `since_version` are marked new; `missing` are the boxes to ask for."""
    return Page(
        made=made,
        sentences=tuple(_sentences(made)),
        compared=_compared(made),
        rows=tuple(_rows(made, since_version)),
        lines=tuple(Line(line.text, line.field_label, line.rule, changed) for line, changed in made.lines),
        questions=tuple(_questions(made, ticked, missing)),
        settled=tuple(map(settled, made.settled_warnings)),
        obstacles=tuple(_obstacle(made.organization, blocker) for blocker in made.blockers),
        waits=_waits(made),
        curl=reviews.as_curl(made) if made.message else "",
    )


def out_of_date(organization: Organization, since_version: int, otherwise: str) -> str:
    """The sentence for a review that was overtaken: by whom and when, if it was by an edit."""
    entry = AuditEntry.objects.edits_since(organization.pk, since_version).last()
    if entry is None:
        return otherwise
    labels = ", ".join(change["label"] for change in entry.facts.get("changes", [])) or "Stands for"
    at = written(entry.at, "clock")
    saved = f"{entry.actor_name} saved {labels} at {at}"
    return f"This page is out of date: {saved}. Nothing was sent. Here is the new review."


def already_sent(submission: Submission) -> str:
    """The sentence for a second press or a second tab."""
    at = written(submission.created_at, "clock")
    return f"This was sent already at {at}: submission {submission.pk}."


def _sentences(made: Review) -> Iterator[str]:
    if made.is_undecided:
        return
    name = made.organization.name
    if made.event == Event.NEW:
        yield f"Registers {name} below {_parent(made)}."
        return
    if not made.organization.confirmed and made.organization.presence_basis in (Basis.STATED, Basis.SEEN):
        yield "First message for a record that was registered outside the portal."
    if made.before is None:
        yield "Redox replaces the whole record."
        return
    if made.nothing_differs:
        yield f"Nothing differs from {_last_known(made.organization)}. There is nothing to send."
        return
    moved = made.before.part_of_oid != made.record.part_of_oid
    if moved:
        yield f"Moves {name} from {_name_of(made, made.before.part_of_oid)} to below {_parent(made)}."
    labels = [label for field, label in _short_labels(made) if not (moved and field == "part_of_oid")]
    if labels:
        rest = "Redox replaces the whole record: its other fields go along unchanged."
        yield f"Changes {_listed(labels)} of {name}. {rest}"


def _last_known(organization: Organization) -> str:
    if organization.later_reading() is not None or not organization.confirmed:
        return f"what the directory showed on {_day(organization.seen_at)}"
    return f"what Redox last accepted on {_day(organization.confirmed_at)}"


def _short_labels(made: Review) -> list[tuple[str, str]]:
    """Labels for a sentence: of a contact's field only the field."""
    short = {change.difference.label.rpartition(", ")[2]: change.difference.field for change in made.changes}
    return [(field, label) for label, field in short.items()]


def _listed(labels: list[str]) -> str:
    if len(labels) > MOST_NAMED:
        labels = [*labels[:MOST_NAMED], words.count(len(labels) - MOST_NAMED, "other field")]
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
    organization = made.organization
    if made.is_undecided:
        return ""
    if not organization.confirmed and organization.seen:
        return f"Compared with what the directory showed on {_day(organization.seen_at)}."
    if organization.confirmed:
        by = f" (submission {organization.confirmed_submission_id})" if organization.confirmed_submission_id else ""
        start = f"Compared with what Redox accepted on {_day(organization.confirmed_at)}{by}."
    else:
        start = "Redox has accepted no message of this record, so there is nothing to compare with."
    if organization.seen_at:
        return f"{start} The directory was read on {_day(organization.seen_at)}."
    return f"{start} The directory itself has not been read."


def _rows(made: Review, since_version: int | None) -> Iterator[Row]:
    found = parents.named(made.organization.environment, [change.difference for change in made.changes])
    for one, change in zip(found, made.changes, strict=True):
        yield _row(made.organization, one, change.entry, since_version)


def _row(organization: Organization, found: Difference, entry: AuditEntry | None, since_version: int | None) -> Row:
    version = entry.version_after if entry else None
    return Row(
        field=found.field,
        label=found.label,
        before=found.before,
        after=found.after,
        by=f"{entry.actor_name}, {_day(entry.at)}" if entry else "",
        edit_url=f"{_url('edit', organization)}#{found.anchor}"
        if found.anchor
        else "",  # else the form has no such field
        is_new=since_version is not None and version is not None and version > since_version,
    )


def _questions(made: Review, ticked: Collection[str], missing: Collection[str]) -> Iterator[Question]:
    for warning in made.open_warnings:
        key = submissions.warning_key(warning)
        error = "Tick this, or go back and change the value." if key in missing else ""
        yield Question(key, warning.text, key in ticked, error)


def settled(warning: ReviewWarning) -> str:
    """A warning that was ticked before, with by whom, when and why."""
    day = _day(datetime.fromisoformat(warning.accepted_at))
    reason = f": {warning.accepted_reason}" if warning.accepted_reason else ""
    return f"{warning.text} Accepted by {warning.accepted_by}, {day}{reason}"


def _obstacle(organization: Organization, blocker: Blocker) -> Obstacle:
    if blocker.kind == Block.DESTINATION_NOT_KNOWN:
        return Obstacle(blocker.sentence, f"{_url('edit', organization)}#routing", "Enter the destination ID")
    if blocker.submission is not None:
        address = reverse("submission", args=[blocker.submission.environment, blocker.submission.pk])
        return Obstacle(blocker.sentence, address, f"Open submission {blocker.submission.pk}")
    if blocker.kind == Block.PARENT_NEVER_SENT and blocker.organization is not None:
        return Obstacle(blocker.sentence, _url("review", blocker.organization), f"Review {blocker.organization.name}")
    if blocker.organization is not None and blocker.organization.pk != organization.pk:
        return Obstacle(blocker.sentence, _url("record", blocker.organization), f"Open {blocker.organization.name}")
    return Obstacle(blocker.sentence, _url("record", organization), "Open the record")


def _waits(made: Review) -> str:
    if made.waits_for is None or made.parent is None:
        return ""
    return f"{made.parent.name} must be accepted first. You can send now; the message waits."


def _url(name: str, organization: Organization) -> str:
    return reverse(name, args=[organization.environment, organization.oid])


def _day(moment: datetime | None) -> str:
    return written(moment, "day") if moment else "an unknown day"
