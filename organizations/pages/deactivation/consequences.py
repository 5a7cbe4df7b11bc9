"""What the page says before a record is deactivated or reactivated."""

import datetime
from dataclasses import dataclass

from django.utils.safestring import SafeString

from organizations.knowledge import unsent
from organizations.models import Intent, Organization, clock
from organizations.models.tree import path_of
from organizations.pages.addresses import path_to
from organizations.pages.record.summary import accepted_basis
from organizations.queries.record_entries import last_touched
from organizations.records import difference, label_in_sentence
from organizations.services.review.blockers import BlockerKind
from organizations.services.review.reviews import Review
from organizations.text import freshness

OLD_VALUE_AGE = datetime.timedelta(days=180)


@dataclass(frozen=True, slots=True)
class OldValues:
    """Fields that were saved on one day and not edited since."""

    saved_at: datetime.datetime
    labels: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeactivationContent:
    """What the page shows beside the form. There is no form if `is_blocked`.

    `done` names the evidence if the record is already deactivated; "" if it is not.
    """

    intent: Intent
    name: str
    review: Review
    message: str
    path: list[tuple[str, str]]
    parent: Organization | None
    not_sent: tuple[str, ...]
    counterpart: Organization | None
    old_values: list[OldValues]
    done: SafeString
    source: freshness.ValueSource

    @property
    def is_blocked(self) -> bool:
        return bool(self.review.blockers)

    @property
    def is_done(self) -> bool:
        """Whether the record already has the wanted Active."""
        wanted = self.intent == Intent.REACTIVATE
        return any(blocker.kind == BlockerKind.NOTHING_TO_CHANGE for blocker in self.review.blockers) and (
            self.review.organization.confirmed_active is wanted
        )


def deactivation_content(review: Review) -> DeactivationContent:
    """What the page shows about a review that deactivates or reactivates."""
    organization = review.organization
    ancestors = path_of(organization)
    deactivates = review.intent == Intent.DEACTIVATE
    counterpart = organization.counterpart
    return DeactivationContent(
        intent=review.intent,
        name=review.record.name,
        review=review,
        message=review.message.decode(),
        path=path_to(organization, review.intent.label, above=ancestors),
        parent=ancestors[-1] if ancestors else None,
        not_sent=unsent_labels(review),
        counterpart=counterpart if counterpart is not None and counterpart.confirmed_active else None,
        done=accepted_basis(organization) if deactivates and organization.confirmed_active is False else SafeString(),
        source=freshness.source_of_values(organization),
        old_values=[] if deactivates else _old_values(review),
    )


def unsent_labels(review: Review) -> tuple[str, ...]:
    """The labels of the saved changes that the message does not send."""
    known = review.organization.baseline_record()
    changes = unsent(known, None if known else review.record, review.organization.record())
    return tuple(label_in_sentence(change.label) for change in changes if change.field != "active")


def _old_values(review: Review) -> list[OldValues]:
    """Fields of the message that were last edited more than 180 days ago, by day, the oldest first."""
    saved_at = last_touched(review.organization)
    limit = clock.now() - OLD_VALUE_AGE
    days: dict[datetime.date, OldValues] = {}
    for filled in difference(None, review.record):
        at = saved_at.get(filled.field)
        if at is not None and at < limit and filled.field not in ("oid", "active"):
            days.setdefault(at.date(), OldValues(at, [])).labels.append(filled.label)
    return [days[day] for day in sorted(days)]
