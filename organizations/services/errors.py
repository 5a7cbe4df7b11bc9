"""Why an act was not done. Each carries what a page needs to say so; none leaves half a write."""

from dataclasses import dataclass

from organizations.models import Organization, Plan, Submission


class ActionRefused(Exception):
    """An act that the rules forbid now. Its text is a sentence for people that says what to do next."""


class RecordWithdrawn(ActionRefused):
    """The record was withdrawn between its page and the act."""

    def __str__(self) -> str:
        return "This record was withdrawn meanwhile. Nothing was saved or sent."


class OidTaken(ActionRefused):
    """The OID is another record's in this environment, or was sent earlier for one."""

    def __init__(self, sentence: str, organization: Organization | None = None) -> None:
        super().__init__(sentence)
        self.organization = organization


class Circle(ActionRefused):
    """PartOf would lead from the record back to itself."""


@dataclass
class EditConflict(ActionRefused):
    """Somebody saved the record since the form was opened. Nothing was saved."""

    organization: Organization
    started_from_version: int

    def __str__(self) -> str:
        return f"{self.organization.name} was saved by somebody else meanwhile. Nothing was saved yet."


class SourceChanged(ActionRefused):
    """The record that a form was filled from has other values now. Nothing was saved."""


class CounterpartExists(ActionRefused):
    """The record that was to be repeated has a counterpart already. Nothing was saved."""


class OutOfDate(ActionRefused):
    """What would be sent is no longer what was reviewed. Nothing was sent."""


@dataclass
class AlreadySent(ActionRefused):
    """This very review was sent before: a second press, a second tab."""

    submission: Submission

    def __str__(self) -> str:
        return f"This was sent already: submission {self.submission.pk}."


@dataclass
class PlanMade(ActionRefused):
    """This very plan was made before: a second press, a second tab."""

    plan: Plan

    def __str__(self) -> str:
        return f"This was sent already: plan {self.plan.pk}."


class PasswordRefused(ActionRefused):
    """The password does not follow the rule. Nothing was saved."""


class NameTaken(ActionRefused):
    """The person could not be told apart from another one; `field` is the one to change."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NumberMissing(ActionRefused):
    """So many records are only sent when their number was typed."""


class ReasonMissing(ActionRefused):
    """In PRODUCTION, and where nothing differs, nothing is sent without a reason."""


@dataclass
class WarningsOpen(ActionRefused):
    """Warnings were not ticked; the keys of those."""

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return "Tick each warning, or go back and change the value."
