"""A plan before it is sent, in words: what is sent in which order, what to confirm, and what is left out and why."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from organizations.models import Event, Organization, Plan, PlanKind, clock
from organizations.pages.addresses import record_url
from organizations.pages.deactivation.consequences import unsent_labels
from organizations.pages.plan import kept_back, overwritten
from organizations.pages.plan.kept_back import LeftOutRecord
from organizations.pages.plan.overwritten import OverwrittenRecord
from organizations.pages.review import values
from organizations.pages.review.message import TICK, waits_for_first
from organizations.pages.review.message import WarningBox as Box
from organizations.pages.review.values import MessageMoves
from organizations.posted_numbers import read_numbers
from organizations.queries import plan_rows
from organizations.queries.chosen_records import UNSENT
from organizations.services.review.plan_draft import PlanDraft, WarningQuestion
from organizations.services.review.reviews import Review
from organizations.text import freshness, vocabulary
from organizations.text.markup import written

MOST_NAMED = 5


class DraftRow(NamedTuple):
    """One message of the plan: what it changes, and its exact bytes. `url` is the page that shows it alone.

    `moves` are the values before and after. `before` says how the earlier values are known; "" if there are none.
    """

    organization: Organization
    kind: str
    what: str
    url: str
    moves: MessageMoves
    before: str
    message: str
    fingerprint: str
    below: str
    stays_saved: tuple[str, ...]


class DraftQuestion(NamedTuple):
    """One warning with its box, and the records that have it."""

    question: Box
    records: str
    names: str


class UnchangedRecords(NamedTuple):
    """Records that have nothing to send for the same reason."""

    why: str
    records: tuple[Organization, ...]

    @property
    def number(self) -> str:
        return vocabulary.count(len(self.records), "record")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContent:
    """What the page of a draft shows beside its form.

    `asked` are the warnings and `overwrites` the directory's values to tick, by record. `kept` are blocked records,
    `not_active` those that are not active anyway, `unchanged` those that have nothing to send. `branches` are the
    unchanged ones with unsent changes below them.
    """

    draft: PlanDraft
    root: Organization | None
    rows: tuple[DraftRow, ...]
    asked: tuple[DraftQuestion, ...]
    overwrites: tuple[OverwrittenRecord, ...]
    kept: tuple[LeftOutRecord, ...]
    not_active: tuple[LeftOutRecord, ...]
    unchanged: tuple[UnchangedRecords, ...]
    branches: tuple[Organization, ...]
    because: str
    active_counterparts: int
    computed_at: datetime.datetime

    @property
    def sources(self) -> str:
        """Where the values of a deactivation come from: "as it was last accepted, or as the directory showed it"."""
        sources = (freshness.source_of_values(review.organization).words for review in self.draft.reviews)
        return ", or ".join(dict.fromkeys(sources))

    @property
    def deactivates(self) -> bool:
        return self.draft.kind == PlanKind.DEACTIVATE

    @property
    def number(self) -> str:
        return vocabulary.count(self.draft.size, "record")

    @property
    def all(self) -> int:
        """How many records were examined, without those that have nothing to send."""
        return self.draft.size + len(self.kept) + len(self.not_active)

    @property
    def summary(self) -> str:
        """The sentence at the top."""
        draft = self.draft
        environment_name = draft.environment.label
        if self.is_nothing:
            records = [organization for each in self.unchanged for organization in each.records]
            has = "has" if len(records) == 1 else "have"
            return f"Nothing to send: {kept_back.names(records)} {has} no unsent changes."
        if self.deactivates:
            return f"{environment_name}, {self._of_all} can be deactivated now"
        parts = ((draft.new_count, "New"), (draft.update_count, "Update"))
        counted = ", ".join(f"{number} {kind}" for number, kind in parts if number)
        can_be_sent = f"{self._of_all} can be sent now" if self.all > draft.size else self.number
        return f"{environment_name}, {can_be_sent}" + (f": {counted}" if counted else "")

    @property
    def is_nothing(self) -> bool:
        """Whether none of the chosen records has anything to send."""
        return not self.deactivates and bool(self.unchanged) and not self.rows and not self.kept

    @property
    def _of_all(self) -> str:
        is_part = self.all > self.draft.size
        return f"{self.draft.size} of {vocabulary.count(self.all, 'record')}" if is_part else self.number

    @property
    def send_label(self) -> str:
        environment_name = self.draft.environment.label
        return (
            f"Deactivate {self.number} in {environment_name}"
            if self.deactivates
            else f"Send {self.number} to {environment_name}"
        )

    @property
    def planned(self) -> str:
        """The ids of its records, so that the next page can say what has changed."""
        return " ".join(str(row.organization.pk) for row in self.rows)

    @property
    def left(self) -> str:
        """The ids of the blocked records."""
        return " ".join(str(each.organization.pk) for each in self.kept)

    @property
    def stays_saved(self) -> tuple[str, ...]:
        """The saved changes that are not sent; one sentence for each record."""
        return tuple(_stays_saved(row) for row in self.rows if row.stays_saved)

    @property
    def counterparts_sentence(self) -> str:
        """The counterparts that stay active; "" if there are none."""
        other = self.draft.environment.other.label
        if not self.active_counterparts:
            return ""
        counted = vocabulary.count(self.active_counterparts, "of these records is", "of these records are")
        return f"{counted} active there too. Nothing is sent to {other}."

    @property
    def sent_alone(self) -> str:
        """Which message is sent alone before the others that update what was registered outside the portal.

        "" if it is the only one, or if Redox has accepted one already.
        """
        unproved, first = self.draft.unproved, self.draft.first
        under_way = next(filter(None, (review.first_message.waits_for for review in unproved)), None)
        if under_way is not None:
            return f"{waits_for_first(under_way)} Waiting until then: {kept_back.names(_records(unproved))}."
        others = [review.organization for review in unproved if review is not first]
        if first is None or not others:
            return ""
        return (
            f"{first.organization.name} is sent first: Redox has accepted no message yet to a record that was"
            f" registered outside the portal. Waiting until it is accepted:"
            f" {kept_back.names(others)}. If it is rejected, what waits is not sent."
        )

    @property
    def to_tick(self) -> int:
        return len(self.asked) + sum(len(group.values) for group in self.overwrites)

    @property
    def box_errors(self) -> list[tuple[str, str]]:
        asked = [each.question for each in self.asked if each.question.error]
        return [
            *(error for group in self.overwrites for error in group.box_errors),
            *((f"id_tick-{each.key}", each.problem) for each in asked),
        ]


def draft_content(
    draft: PlanDraft,
    *,
    root: Organization | None = None,
    ticked: Collection[str] = (),
    missing: Collection[str] = (),
) -> DraftContent:
    """What the page of a draft shows. `root` is the record whose branch the plan sends or deactivates.

    `missing` are the keys of the boxes that must still be ticked.
    """
    kept = kept_back.left_out_records(draft.left_out, draft.environment)
    moves = values.moves_of_messages(draft.environment, draft.reviews)
    is_active = [not each.kinds & set(kept_back.NOT_ACTIVE) for each in kept]
    return DraftContent(
        draft=draft,
        root=root,
        rows=tuple(
            _row(review, draft.kind, moved, _below(review, root))
            for review, moved in zip(draft.reviews, moves, strict=True)
        ),
        asked=tuple(_asked(each, ticked, missing) for each in draft.questions if each.overwritten is None),
        overwrites=overwritten.overwritten_records(draft, ticked, missing),
        kept=tuple(each for each, active in zip(kept, is_active, strict=True) if active),
        not_active=tuple(each for each, active in zip(kept, is_active, strict=True) if not active),
        unchanged=tuple(_unchanged(draft)),
        branches=() if root else _branches(draft),
        because=_because(draft, root),
        active_counterparts=_active_counterparts(draft),
        computed_at=clock.now(),
    )


def plan_already_sent(plan: Plan) -> str:
    """What to say if the button was pressed twice, or in a second tab."""
    return f"This was already submitted at {written(plan.made_at, 'clock')}: plan {plan.pk}."


def changes_since(content: DraftContent, planned: str, left: str) -> str:
    """What differs from the content that was posted, by the ids it named; "" if it named none."""
    was_planned, was_left = set(planned.split()), set(left.split())
    if not was_planned and not was_left:
        return ""
    now = {str(row.organization.pk): row.organization for row in content.rows}
    kept = {str(each.organization.pk): each.organization for each in content.kept}
    stays = "Stays active now" if content.deactivates else "Cannot be sent now"
    parts = (
        ("New in it", [each for pk, each in now.items() if pk not in was_planned]),
        (stays, [each for pk, each in kept.items() if pk not in was_left]),
    )
    sentences = [f"{start}: {kept_back.names(records)}." for start, records in parts if records]
    gone = was_planned - set(now) - set(kept)
    if gone:
        sentences.append(f"No longer in it: {_names_of(gone)}.")
    return " ".join(sentences) or "It has the same records, but the message or the state of one of them changed."


def _records(reviews: Sequence[Review]) -> list[Organization]:
    return [review.organization for review in reviews]


def _names_of(ids: Collection[str]) -> str:
    records = plan_rows.records_by_id(read_numbers(ids))
    return kept_back.names(records, len(ids) - len(records)) if records else vocabulary.count(len(ids), "record")


def _row(review: Review, kind: PlanKind, moves: MessageMoves, below: str) -> DraftRow:
    deactivates = kind == PlanKind.DEACTIVATE
    return DraftRow(
        organization=review.organization,
        kind="deactivated" if deactivates else review.event.value,
        what=_what(review, kind),
        url=record_url(review.organization, "deactivate" if deactivates else "review"),
        moves=moves,
        before=_before(review),
        message=review.message.decode(),
        fingerprint=review.fingerprint,
        below=below,
        stays_saved=unsent_labels(review) if deactivates else (),
    )


def _below(review: Review, root: Organization | None) -> str:
    """The name of a record's parent, unless the record is the root of the branch or directly below the root."""
    parent = review.parent
    return parent.name if root and parent and root.pk not in (review.organization.pk, parent.pk) else ""


def _what(review: Review, kind: PlanKind) -> str:
    if kind == PlanKind.DEACTIVATE:
        return review.move_of_active
    if review.event == Event.NEW:
        return review.registration
    if review.before is None:
        return f"{vocabulary.count(len(review.changes), 'field')}, nothing to compare with"
    short_labels = dict.fromkeys(change.difference.label.rpartition(", ")[2] for change in review.changes)
    labels = vocabulary.name_some(list(short_labels), MOST_NAMED, "more field")
    if not review.overwrites:
        return labels
    lost = vocabulary.count(len(review.overwrites), "directory value")
    return f"{labels}; overwrites {lost}" if labels else f"overwrites {lost}"


def _before(review: Review) -> str:
    """How the values before are known: "Accepted May 3"."""
    if review.before is None:
        return ""
    if review.known.baseline is not None:
        return freshness.accepted_heading(review.organization)
    return f"Directory asked {written(review.organization.seen_at, 'day')}" if review.organization.seen_at else ""


def _stays_saved(row: DraftRow) -> str:
    count = len(row.stays_saved)
    changes = vocabulary.count(count, "saved change")
    ends = "is not sent. It stays saved." if count == 1 else "are not sent. They stay saved."
    return f"{changes} of {row.organization.name} ({', '.join(row.stays_saved)}) {ends}"


def _asked(each: WarningQuestion, ticked: Collection[str], missing: Collection[str]) -> DraftQuestion:
    text = each.text
    if len(each.records) > 1:
        text = text.replace("This message also sends", "Each of these messages also sends", 1)
    box = Box(each.key, text, each.key in ticked, TICK if each.key in missing else "")
    return DraftQuestion(box, vocabulary.count(len(each.records), "record"), kept_back.names(each.records))


def _unchanged(draft: PlanDraft) -> list[UnchangedRecords]:
    by_reason: dict[str, list[Organization]] = {}
    for each in draft.left_out:
        if not each.blockers:
            by_reason.setdefault(each.why, []).append(each.organization)
    return [UnchangedRecords(why, tuple(records)) for why, records in by_reason.items()]


def _branches(draft: PlanDraft) -> tuple[Organization, ...]:
    unblocked = {each.organization.oid: each.organization for each in draft.left_out if not each.blockers}
    with_work = plan_rows.with_work_below(draft.environment, unblocked, UNSENT)
    return tuple(organization for oid, organization in unblocked.items() if oid in with_work)


def _because(draft: PlanDraft, root: Organization | None) -> str:
    """Why the root of the branch stays active; "" if it is deactivated."""
    if root is None or draft.kind != PlanKind.DEACTIVATE:
        return ""
    blocked = next((each for each in draft.left_out if each.organization.pk == root.pk and each.blockers), None)
    return kept_back.active_because(blocked.organization, blocked.blockers) if blocked else ""


def _active_counterparts(draft: PlanDraft) -> int:
    """How many of the records are active in the other environment."""
    if draft.kind != PlanKind.DEACTIVATE:
        return 0
    ids = [*(review.organization.pk for review in draft.reviews), *(each.organization.pk for each in draft.left_out)]
    return plan_rows.active_counterparts(draft.environment, ids)
