"""The draft of a plan: each record reviewed once, in the order of sending."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from organizations.models import Environment, Event, Intent, Organization, PlanKind, Presence, tree
from organizations.records import Difference
from organizations.services.actors import Actor
from organizations.services.errors import ActionRefused
from organizations.services.review import reviews
from organizations.services.review.blockers import Blocker
from organizations.services.review.reviews import Review
from organizations.services.review.warnings import NAMING_OTHERS, OVERWRITE, ReviewWarning, overwrite_value

MOST_RECORDS = 500
# Above one of these limits a person must type the number of records.
MANY_RECORDS = 20
MANY_DEACTIVATED = 5
MANY_PERCENT = 30  # of the active records, if there are at least MANY_PERCENT_FROM
MANY_PERCENT_FROM = 10

NOTHING_DIFFERS = "Nothing differs from what was last accepted or seen."
DIRECTORY_DIFFERS = "No change is saved here, and the directory differs. Review it on its own page."


class ChosenRecords(NamedTuple):
    """The chosen records and what to do with them. Ids of the other environment are ignored."""

    environment: Environment
    kind: PlanKind
    ids: tuple[int, ...]


class LeftOut(NamedTuple):
    """A chosen record that is not in the plan, with the reason in words, and its blockers.

    Without blockers there is nothing to send.
    """

    organization: Organization
    why: str
    blockers: tuple[Blocker, ...] = ()


class WarningQuestion(NamedTuple):
    """One warning to tick, for all records that have it.

    `overwritten`: the value of the directory that the message would overwrite. Such a warning is for one record.
    """

    key: str
    text: str
    records: tuple[Organization, ...]
    overwritten: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft:
    """What the plan's page shows and its button submits. `reviews`: in the order of sending."""

    environment: Environment
    kind: PlanKind
    reviews: tuple[Review, ...]
    left_out: tuple[LeftOut, ...]
    active_records: int

    @property
    def size(self) -> int:
        return len(self.reviews)

    @property
    def deactivation_count(self) -> int:
        return self.size if self.kind == PlanKind.DEACTIVATE else 0

    @property
    def new_count(self) -> int:
        return sum(review.event == Event.NEW for review in self.reviews)

    @property
    def update_count(self) -> int:
        return self.size - self.new_count - self.deactivation_count

    @property
    def unproved(self) -> tuple[Review, ...]:
        """The messages to records registered outside the portal, if Redox has accepted none of that kind here yet."""
        return tuple(review for review in self.reviews if review.first_message.is_unproved)

    @property
    def first(self) -> Review | None:
        """The message of that kind that is sent alone and that the others of this plan wait for.

        None if the plan has no such message, or if all of them wait for a message that is already open.
        """
        return next((review for review in self.unproved if review.first_message.waits_for is None), None)

    @property
    def sha256(self) -> str:
        """A hash of each record, its message and its last submission; if deactivating, also of the records left out."""
        lines = [f"{self.environment} {self.kind}"]
        for review in self.reviews:
            organization = review.organization
            lines.append(f"{organization.pk} {review.sha256} {organization.last_submission_id or 0}")
        if self.kind == PlanKind.DEACTIVATE:
            for left_out in self.left_out:
                kinds = ",".join(blocker.kind for blocker in left_out.blockers)
                lines.append(
                    f"stays {left_out.organization.pk} {kinds} {left_out.organization.last_submission_id or 0}"
                )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def needs_reason(self) -> bool:
        return self.environment == Environment.PRODUCTION or self.kind == PlanKind.DEACTIVATE

    @property
    def number_to_type(self) -> int:
        """The number of records, if a person must type it; 0 if they are few."""
        changed = sum(bool(review.organization.confirmed_active) for review in self.reviews)
        is_large_share = self.active_records >= MANY_PERCENT_FROM and changed * 100 > MANY_PERCENT * self.active_records
        # In PRODUCTION a person types the name of one record, or the number of several, before each deactivation.
        many_deactivated = 0 if self.environment == Environment.PRODUCTION else MANY_DEACTIVATED
        is_much = self.size > MANY_RECORDS or self.deactivation_count > many_deactivated or is_large_share
        return self.size if is_much else 0

    @property
    def questions(self) -> tuple[WarningQuestion, ...]:
        """The warnings to tick now, each once for all records that have it; overwritten values once for each record."""
        by_key: dict[str, tuple[dict[str, None], list[Organization], Difference | None]] = {}
        for review in self.reviews:
            values = {overwrite_value(change.difference): change.difference for change in review.overwrites}
            for warning in review.open_warnings:
                overwritten = values.get(warning.value) if warning.key == OVERWRITE else None
                key = _key(warning, review.organization.pk if overwritten else 0)
                texts, organizations, _ = by_key.setdefault(key, ({}, [], overwritten))
                texts[warning.text] = None
                organizations.append(review.organization)
        return tuple(
            WarningQuestion(key, " ".join(texts), tuple(each), overwritten)
            for key, (texts, each, overwritten) in by_key.items()
        )


def draft_plan(chosen: ChosenRecords, *, actor: Actor) -> PlanDraft:
    """Review these records together: parents before children, or children first if deactivating.

    Raises:
        ActionRefused: there are more records than a plan can have.
    """
    environment, kind, ids = chosen
    rows = Organization.objects.in_environment(environment).filter(pk__in=ids)
    left_out = []
    if kind == PlanKind.SEND:
        # Most records of a branch have no changes: they need no review.
        equal = rows.filter(changes=0, presence=Presence.PRESENT).order_by("oid_key")
        left_out = [
            LeftOut(organization, DIRECTORY_DIFFERS if organization.differs else NOTHING_DIFFERS)
            for organization in equal.only("environment", "oid", "name", "differs")
        ]
        rows = rows.exclude(changes=0, presence=Presence.PRESENT)
    organizations = list(rows.select_related("last_submission").prefetch_related("contacts", "identifiers"))
    if (count := len(organizations)) > MOST_RECORDS:
        raise ActionRefused(f"A plan can have at most {MOST_RECORDS} records. You chose {count:,}. Choose fewer.")
    included, blocked = _review_each(_in_order(organizations, kind), kind, actor)
    return PlanDraft(
        environment=environment,
        kind=kind,
        reviews=tuple(included),
        left_out=(*blocked, *left_out),
        active_records=Organization.objects.in_environment(environment).filter(confirmed_active=True).count(),
    )


def choose_branch(organization: Organization, kind: PlanKind) -> ChosenRecords:
    """A record and all records below it; if deactivating, the active ones."""
    environment = Environment(organization.environment)
    if kind == PlanKind.DEACTIVATE:
        return ChosenRecords(environment, kind, (organization.pk, *tree.active_branch_of(organization)))
    return ChosenRecords(environment, kind, tuple(tree.branch_ids(environment, organization.oid)))


def _review_each(ordered: list[Organization], kind: PlanKind, actor: Actor) -> tuple[list[Review], list[LeftOut]]:
    """Review each record together with those before it. A record that waits for a record left out is left out too.

    A plan also deactivates a record that the directory already shows as deactivated: its parent needs Redox's answer.
    """
    included: list[Review] = []
    left_out: list[LeftOut] = []
    intent = Intent.DEACTIVATE if kind == PlanKind.DEACTIVATE else None
    for organization in ordered:
        together = frozenset(review.organization.pk for review in included)
        review = reviews.review(organization, actor=actor, intent=intent, together=together)
        if review.blockers:
            why = " ".join(blocker.sentence for blocker in review.blockers)
            left_out.append(LeftOut(organization, why, review.blockers))
        elif review.nothing_differs and kind == PlanKind.SEND:
            left_out.append(LeftOut(organization, NOTHING_DIFFERS))
        else:
            included.append(review)
    return included, left_out


def _in_order(organizations: list[Organization], kind: PlanKind) -> list[Organization]:
    """The records in the order of the tree, parents first; children first if deactivating."""
    by_oid = {organization.oid: organization for organization in organizations}
    below: dict[str, list[Organization]] = {}
    for organization in sorted(organizations, key=lambda organization: organization.oid_key):
        below.setdefault(next((oid for oid in _parent_oids(organization, kind) if oid in by_oid), ""), []).append(
            organization
        )
    ordered = {organization.oid: organization for organization in _walk(below)}
    # The walk does not reach records in a circle. Their reviews say what blocks them.
    ordered |= by_oid  # appends them; the records that the walk reached keep their order
    return list(ordered.values()) if kind == PlanKind.SEND else list(reversed(ordered.values()))


def _parent_oids(organization: Organization, kind: PlanKind) -> tuple[str, ...]:
    """The OIDs of the parents: that of the message; if deactivating, every parent that this record can block."""
    if kind == PlanKind.SEND:
        return (organization.part_of_oid,)
    return (organization.confirmed_part_of_oid, organization.part_of_oid, organization.shown_part_of_oid)


def _walk(below: dict[str, list[Organization]]) -> Iterator[Organization]:
    waiting = list(reversed(below.get("", [])))
    while waiting:
        organization = waiting.pop()
        yield organization
        waiting += reversed(below.get(organization.oid, []))


def _key(warning: ReviewWarning, own: int) -> str:
    """The key of a warning in the form: the same for all records with the same text and `own`.

    `own`: the id of a record whose warning has its own key, or 0.

    If the text names another record, the key comes from the value, because the text may name a third record later.
    """
    subject = warning.value if warning.key in NAMING_OTHERS else warning.text
    return f"{warning.key}-{hashlib.sha256(f'{own} {subject}'.encode()).hexdigest()[:12]}"
