"""A plan before it is made, in words: in which order what goes out, what is asked, what stays behind and why."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from organizations import words
from organizations.models import Event, Organization, Plan, PlanKind
from organizations.records import Difference
from organizations.services.drafts import Draft
from organizations.services.reviews import Review
from organizations.templatetags.portal import written

from .deactivation import not_sent
from .review import Question

MOST_NAMED = 5


class Row(NamedTuple):
    """One message of the plan, what it changes and its very bytes; `url` is the page that shows it by itself."""

    organization: Organization
    kind: str
    what: str
    url: str
    changes: tuple[Difference, ...]
    message: str
    fingerprint: str


class Asked(NamedTuple):
    """One warning with its box, and how many records have it."""

    question: Question
    records: str
    names: str


class LeftOut(NamedTuple):
    """Records that stay behind for the same reason."""

    why: str
    records: list[Organization]

    @property
    def number(self) -> str:
        return words.count(len(self.records), "record")


@dataclass(frozen=True, slots=True)
class Page:
    """What the template prints of a draft."""

    draft: Draft
    rows: tuple[Row, ...]
    asked: tuple[Asked, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def deactivates(self) -> bool:
        return self.draft.kind == PlanKind.DEACTIVATE

    @property
    def number(self) -> str:
        return words.count(self.draft.size, "record")

    @property
    def verdict(self) -> str:
        """The one line on top, in its exact words."""
        draft = self.draft
        counted = f"{draft.news} New, {draft.updates} Update, {draft.deactivated} deactivated"
        return f"{draft.environment.label}, {self.number}: {counted}"

    @property
    def send_label(self) -> str:
        return f"Send {self.number} to {self.draft.environment.label}"


def page(draft: Draft, *, ticked: Collection[str] = (), missing: Collection[str] = ()) -> Page:
    """The page of a draft; `missing` are the boxes to ask for."""
    return Page(
        draft=draft,
        rows=tuple(_row(made, draft.kind) for made in draft.reviews),
        asked=tuple(_asked(draft, ticked, missing)),
        left_out=tuple(_left_out(draft)),
    )


def already_sent(plan: Plan) -> str:
    """The sentence for a second press or a second tab."""
    return f"This was sent already at {written(plan.made_at, 'clock')}: plan {plan.pk}."


def _row(made: Review, kind: PlanKind) -> Row:
    deactivates = kind == PlanKind.DEACTIVATE
    address = "deactivate" if deactivates else "review"
    url = reverse(address, args=[made.organization.environment, made.organization.oid])
    return Row(
        organization=made.organization,
        kind="deactivated" if deactivates else made.event.value,
        what=_what(made, kind),
        url=url,
        changes=tuple(change.difference for change in made.changes) if made.event == Event.UPDATE else (),
        message=made.message.decode(),
        fingerprint=made.fingerprint,
    )


def _what(made: Review, kind: PlanKind) -> str:
    if kind == PlanKind.DEACTIVATE:
        left = not_sent(made)
        stays = f"; not sent along: {_named(left)}" if left else ""
        return f"Active true to false{stays}"
    if made.event == Event.NEW:
        return "first registration"
    return _named([change.difference.label.rpartition(", ")[2] for change in made.changes])


def _named(labels: Collection[str]) -> str:
    different = list(dict.fromkeys(labels))
    more = len(different) - MOST_NAMED
    return ", ".join(different[:MOST_NAMED]) + (f" and {words.count(more, 'more field')}" if more > 0 else "")


def _asked(draft: Draft, ticked: Collection[str], missing: Collection[str]) -> list[Asked]:
    asked = []
    for each in draft.questions:
        error = "Tick this, or go back and change the value." if each.key in missing else ""
        question = Question(each.key, each.text, each.key in ticked, error)
        names = [organization.name for organization in each.records[:MOST_NAMED]]
        more = len(each.records) - len(names)
        named = ", ".join(names) + (f" and {words.count(more, 'other')}" if more else "")
        asked.append(Asked(question, words.count(len(each.records), "record"), named))
    return asked


def _left_out(draft: Draft) -> list[LeftOut]:
    by_reason: dict[str, list[Organization]] = {}
    for each in draft.left_out:
        by_reason.setdefault(each.why, []).append(each.organization)
    return [LeftOut(why, records) for why, records in by_reason.items()]
