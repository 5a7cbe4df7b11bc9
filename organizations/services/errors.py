"""Why an action was refused. Each exception has the facts that a page needs to explain it. Then nothing was written."""

from dataclasses import dataclass

from organizations.models import Organization, Plan, Submission


class ActionRefused(Exception):
    """The rules forbid the action now. The text is a sentence for people and says what to do next."""


class RecordWithdrawn(ActionRefused):
    """The record was withdrawn after its page was opened."""

    def __str__(self) -> str:
        return "This record was withdrawn. Nothing was saved or sent."


class OidTaken(ActionRefused):
    """The OID belongs to another record of this environment, or was sent for one earlier."""

    def __init__(self, sentence: str, organization: Organization | None = None) -> None:
        super().__init__(sentence)
        self.organization = organization


class Circle(ActionRefused):
    """The record would be part of itself."""


@dataclass
class EditConflict(ActionRefused):
    """Somebody saved the record after the form was opened."""

    organization: Organization

    def __str__(self) -> str:
        return f"{self.organization.name} was saved by somebody else. Your changes are not saved yet."


class SourceChanged(ActionRefused):
    """The record that filled the form has other values now."""


class CounterpartExists(ActionRefused):
    """The record already has a counterpart."""


class OutOfDate(ActionRefused):
    """Facts that the action relied on have changed, for example the reviewed message. Nothing was sent or saved."""


@dataclass
class AlreadySent(ActionRefused):
    """This review was submitted before, by a second click or in a second tab."""

    submission: Submission

    def __str__(self) -> str:
        return f"This was already submitted: submission {self.submission.pk}."


@dataclass
class PlanMade(ActionRefused):
    """This plan was made before, by a second click or in a second tab."""

    plan: Plan

    def __str__(self) -> str:
        return f"This was already submitted: plan {self.plan.pk}."


class PasswordRefused(ActionRefused):
    """The password does not follow the rules. Nothing was saved."""


class NameTaken(ActionRefused):
    """The name cannot be used, for example because another person has it. `field` is the form field to change."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NumberMissing(ActionRefused):
    """The plan is so large that the person must type the number of its records."""


class ReasonMissing(ActionRefused):
    """This action needs a reason, and none was given."""


@dataclass
class WarningsOpen(ActionRefused):
    """Warnings were not ticked. `keys` names them."""

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return "Tick each warning, or go back and change the value."
