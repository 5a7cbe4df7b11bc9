"""What a plan would send, before anybody makes it: each record reviewed once, in the order in which it would go out."""

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
# From here on a person types how many records it is about.
MANY_RECORDS = 20
MANY_DEACTIVATED = 5
MANY_OF_ALL = 30  # percent of the active records, where there are as many as FEW_RECORDS
FEW_RECORDS = 10

NOTHING_DIFFERS = "Nothing differs from what was last accepted or seen."
DIRECTORY_DIFFERS = "No change is saved here, and the directory differs. Review it on its own page."


class ChosenRecords(NamedTuple):
    """The records that somebody wants to do this with; ids of the other environment are none."""

    environment: Environment
    kind: PlanKind
    ids: tuple[int, ...]


class LeftOut(NamedTuple):
    """A record that was chosen and is not in the plan: why, in words and as what is in the way.

    Without `blockers` there is nothing to send.
    """

    organization: Organization
    why: str
    blockers: tuple[Blocker, ...] = ()


class WarningQuestion(NamedTuple):
    """One warning to tick, once for all records that have it.

    `overwritten`: the value of the directory that it is about, if any; each record has its own tick for that.
    """

    key: str
    text: str
    records: tuple[Organization, ...]
    overwritten: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft:
    """Everything that the plan page shows and its button binds itself to. `reviews` are in the order of sending."""

    environment: Environment
    kind: PlanKind
    reviews: tuple[Review, ...]
    left_out: tuple[LeftOut, ...]
    active_records: int

    @property
    def size(self) -> int:
        return len(self.reviews)

    @property
    def deactivated(self) -> int:
        return self.size if self.kind == PlanKind.DEACTIVATE else 0

    @property
    def news(self) -> int:
        return sum(made.event == Event.NEW for made in self.reviews)

    @property
    def updates(self) -> int:
        return self.size - self.news - self.deactivated

    @property
    def sha256(self) -> str:
        """Over all records, each with its message and its last submission; to deactivate, also over those that stay."""
        lines = [f"{self.environment} {self.kind}"]
        for made in self.reviews:
            organization = made.organization
            lines.append(f"{organization.pk} {made.sha256} {organization.last_submission_id or 0}")
        if self.kind == PlanKind.DEACTIVATE:
            for each in self.left_out:
                kinds = ",".join(blocker.kind for blocker in each.blockers)
                lines.append(f"stays {each.organization.pk} {kinds} {each.organization.last_submission_id or 0}")
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def needs_reason(self) -> bool:
        return self.environment == Environment.PRODUCTION or self.kind == PlanKind.DEACTIVATE

    @property
    def number_to_type(self) -> int:
        """How many records it is about, where so many are typed; 0 where they are few."""
        changed = sum(bool(made.organization.confirmed_active) for made in self.reviews)
        much_of_all = self.active_records >= FEW_RECORDS and changed * 100 > MANY_OF_ALL * self.active_records
        # In PRODUCTION a deactivation is never one press: of one record the name is typed, of several their number.
        many_deactivated = 0 if self.environment == Environment.PRODUCTION else MANY_DEACTIVATED
        is_much = self.size > MANY_RECORDS or self.deactivated > many_deactivated or much_of_all
        return self.size if is_much else 0

    @property
    def questions(self) -> tuple[WarningQuestion, ...]:
        """The warnings to tick now, each once for all records that have it; an overwritten value for each record."""
        having: dict[str, tuple[dict[str, None], list[Organization], Difference | None]] = {}
        for made in self.reviews:
            values = {overwrite_value(change.difference): change.difference for change in made.overwrites}
            for warning in made.open_warnings:
                overwritten = values.get(warning.value) if warning.key == OVERWRITE else None
                key = _key(warning, made.organization.pk if overwritten else 0)
                texts, organizations, _ = having.setdefault(key, ({}, [], overwritten))
                texts[warning.text] = None
                organizations.append(made.organization)
        return tuple(
            WarningQuestion(key, " ".join(texts), tuple(each), overwritten)
            for key, (texts, each, overwritten) in having.items()
        )


def draft(chosen: ChosenRecords, *, actor: Actor) -> PlanDraft:
    """Review these records together: parents before their children, to deactivate the other way round.

    Raises:
        NotDone: they are more than one plan holds.
    """
    environment, kind, ids = chosen
    rows = Organization.objects.in_environment(environment).filter(pk__in=ids)
    left_out = []
    if kind == PlanKind.SEND:
        # Most of a branch is as Redox has it: that needs no review, and no place in the plan.
        equal = rows.filter(changes=0, presence=Presence.PRESENT).order_by("oid_key")
        left_out = [_unchanged(each) for each in equal.only("environment", "oid", "name", "differs")]
        rows = rows.exclude(changes=0, presence=Presence.PRESENT)
    found = list(rows.with_words().select_related("last_submission").prefetch_related("contacts", "identifiers"))
    if len(found) > MOST_RECORDS:
        raise ActionRefused(f"At most {MOST_RECORDS} records go into one plan; these are {len(found):,}. Choose fewer.")
    made, blocked = _reviewed(_in_order(found, kind), kind, actor)
    return PlanDraft(
        environment=environment,
        kind=kind,
        reviews=tuple(made),
        left_out=(*blocked, *left_out),
        active_records=Organization.objects.in_environment(environment).filter(confirmed_active=True).count(),
    )


def branch(organization: Organization, kind: PlanKind) -> ChosenRecords:
    """A record and what goes with it: all that lies below it, or to deactivate what is active below it."""
    environment = Environment(organization.environment)
    if kind == PlanKind.DEACTIVATE:
        return ChosenRecords(environment, kind, (organization.pk, *tree.active_branch_of(organization)))
    return ChosenRecords(environment, kind, tuple(tree.branch_ids(environment, organization.oid)))


def _reviewed(ordered: list[Organization], kind: PlanKind, actor: Actor) -> tuple[list[Review], list[LeftOut]]:
    """Review each with those before it in the plan. What waits for a record that is left out is left out too.

    A record that the directory shows deactivated is deactivated with the others: the one above it waits for the answer.
    """
    made: list[Review] = []
    left_out: list[LeftOut] = []
    intent = Intent.DEACTIVATE if kind == PlanKind.DEACTIVATE else None
    for organization in ordered:
        together = frozenset(review.organization.pk for review in made)
        review = reviews.review(organization, actor=actor, intent=intent, together=together)
        if review.blockers:
            why = " ".join(blocker.sentence for blocker in review.blockers)
            left_out.append(LeftOut(organization, why, review.blockers))
        elif review.nothing_differs and kind == PlanKind.SEND:
            left_out.append(LeftOut(organization, NOTHING_DIFFERS))
        else:
            made.append(review)
    return made, left_out


def _unchanged(organization: Organization) -> LeftOut:
    return LeftOut(organization, DIRECTORY_DIFFERS if organization.differs else NOTHING_DIFFERS)


def _in_order(found: list[Organization], kind: PlanKind) -> list[Organization]:
    """As the tree has them, a parent before what lies below it; to deactivate, the other way round."""
    by_oid = {organization.oid: organization for organization in found}
    below: dict[str, list[Organization]] = {}
    for organization in sorted(found, key=lambda each: each.oid_key):
        below.setdefault(next((oid for oid in _above(organization, kind) if oid in by_oid), ""), []).append(
            organization
        )
    ordered = {each.oid: each for each in _walked(below)}
    # Where two ways of being below form a circle nothing leads into it; the reviews say what is in the way.
    ordered |= {oid: each for oid, each in by_oid.items() if oid not in ordered}
    return list(ordered.values()) if kind == PlanKind.SEND else list(reversed(ordered.values()))


def _above(organization: Organization, kind: PlanKind) -> tuple[str, ...]:
    """What it lies below: as the message says it, or in whatever way it keeps its parent from being deactivated."""
    if kind == PlanKind.SEND:
        return (organization.part_of_oid,)
    return (organization.confirmed_part_of_oid, organization.part_of_oid, organization.shown_part_of_oid)


def _walked(below: dict[str, list[Organization]]) -> Iterator[Organization]:
    waiting = list(reversed(below.get("", [])))
    while waiting:
        organization = waiting.pop()
        yield organization
        waiting += reversed(below.get(organization.oid, []))


def _key(warning: ReviewWarning, own: int) -> str:
    """Names one warning in the form: the same text is one box, however many records have it; but of a record `own`.

    A text that names another record may name a third one by the time of the press: there the value decides.
    """
    subject = warning.value if warning.key in NAMING_OTHERS else warning.text
    return f"{warning.key}-{hashlib.sha256(f'{own} {subject}'.encode()).hexdigest()[:12]}"
