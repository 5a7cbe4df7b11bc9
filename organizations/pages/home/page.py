"""The first page: what its reader can act on, what waits for others, and the state of both environments."""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings

from organizations.models import Environment, Organization, Submission, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
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
    """`demonstration` shows the tour. `to_deactivate` is a location for it; `deadline` and `settle` are seconds.

    `to_take_over`: how many registrations the portal does not know yet; `take_over_url` has their OIDs filled in.
    """

    template = "home/page.html"

    home: overview.Home
    panels: list[PanelRow]
    mine: list[SentRow]
    demonstration: bool
    to_deactivate: Organization | None
    to_take_over: int
    take_over_url: str
    deadline: float
    settle: float


def build(user: User) -> HomePage:
    """The page as it is now for this person."""
    home = overview.build(user)
    to_take_over = demonstration.oids_to_take_over() if settings.DEMO else []
    return HomePage(
        home=home,
        panels=[_panel(panel) for panel in home.panels],
        mine=[SentRow(each, evidence.state_word(each)) for each in home.mine],
        demonstration=settings.DEMO,
        to_deactivate=demonstration.location_to_deactivate() if settings.DEMO else None,
        to_take_over=len(to_take_over),
        take_over_url=_take_over_url(to_take_over),
        deadline=settings.REDOX_DEADLINE,
        settle=settings.REDOX_SETTLE,
    )


def _take_over_url(oids: list[str]) -> str:
    """The page on which a take-over begins, with these OIDs filled in."""
    filled = urlencode({"oids": "\n".join(oids)})
    return f"{environment_url('take-over', Environment.STAGING)}?{filled}"


def _panel(panel: overview.EnvironmentPanel) -> PanelRow:
    state = environment_state(panel.gate)
    return PanelRow(panel, state, vocabulary.ENVIRONMENT_STATE[state.key])
