"""Why an act was not done. Each carries what a page needs to say so; none leaves half a write."""

from dataclasses import dataclass

from organizations.models import Organization, Plan, Submission


class NotDone(Exception):
    """An act that the rules forbid now. Its text is a sentence for people that says what to do next."""


class Gone(NotDone):
    """The record was withdrawn between its page and the act."""

    def __str__(self) -> str:
        return "This record was withdrawn meanwhile. Nothing was saved or sent."


class OidTaken(NotDone):
    """The OID is another record's in this environment, or was sent earlier for one."""

    def __init__(self, sentence: str, organization: Organization | None = None) -> None:
        super().__init__(sentence)
        self.organization = organization


class Circle(NotDone):
    """PartOf would lead from the record back to itself."""


@dataclass
class EditConflict(NotDone):
    """Somebody saved the record since the form was opened. Nothing was saved."""

    organization: Organization
    started_from_version: int

    def __str__(self) -> str:
        return f"{self.organization.name} was saved by somebody else meanwhile. Nothing was saved yet."


class SourceChanged(NotDone):
    """The record that a form was filled from has other values now. Nothing was saved."""


class CounterpartExists(NotDone):
    """The record that was to be repeated has a counterpart already. Nothing was saved."""


class OutOfDate(NotDone):
    """What would be sent is no longer what was reviewed. Nothing was sent."""


@dataclass
class AlreadySent(NotDone):
    """This very review was sent before: a second press, a second tab."""

    submission: Submission

    def __str__(self) -> str:
        return f"This was sent already: submission {self.submission.pk}."


@dataclass
class PlanMade(NotDone):
    """This very plan was made before: a second press, a second tab."""

    plan: Plan

    def __str__(self) -> str:
        return f"This was sent already: plan {self.plan.pk}."


class PasswordRefused(NotDone):
    """The password does not follow the rule. Nothing was saved."""


class NameTaken(NotDone):
    """The person could not be told apart from another one; `field` is the one to change."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NumberMissing(NotDone):
    """So many records are only sent when their number was typed."""


class ReasonMissing(NotDone):
    """In PRODUCTION, and where nothing differs, nothing is sent without a reason."""


@dataclass
class WarningsOpen(NotDone):
    """Warnings were not ticked; the keys of those."""

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return "Tick each warning, or go back and change the value."
