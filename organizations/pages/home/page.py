"""The first page: what its reader can act on, what waits for others, and the state of both environments."""

from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from organizations.models import Organization, Submission, User
from organizations.pages import Page
from organizations.pages.environment_state import EnvironmentState, environment_state
from organizations.pages.home import overview
from organizations.services import demonstration
from organizations.text import evidence, vocabulary
from organizations.text.vocabulary import Word


class SentRow(NamedTuple):
    """A submission with the word of its state."""

    submission: Submission
    word: Word


class PanelRow(NamedTuple):
    """One environment beside the list, with its state and the word for it."""

    panel: overview.EnvironmentPanel
    state: EnvironmentState
    word: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(Page):
    """`demonstration` shows the tour. `to_deactivate` is a location for it; `deadline` and `settle` are seconds."""

    template = "home/page.html"

    home: overview.Home
    panels: list[PanelRow]
    mine: list[SentRow]
    demonstration: bool
    to_deactivate: Organization | None
    deadline: float
    settle: float


def build(user: User) -> HomePage:
    """The current page for this person."""
    home = overview.build(user)
    return HomePage(
        home=home,
        panels=[_panel(panel) for panel in home.panels],
        mine=[SentRow(each, evidence.state_word(each)) for each in home.mine],
        demonstration=settings.DEMO,
        to_deactivate=demonstration.location_to_deactivate() if settings.DEMO else None,
        deadline=settings.REDOX_DEADLINE,
        settle=settings.REDOX_SETTLE,
    )


def _panel(panel: overview.EnvironmentPanel) -> PanelRow:
    state = environment_state(panel.gate)
    return PanelRow(panel, state, vocabulary.ENVIRONMENT_STATE[state.key])
