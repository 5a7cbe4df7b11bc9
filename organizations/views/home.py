"""The first page: what its reader can act on, what waits for others, and how both environments are."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from organizations import words
from organizations.context import EnvironmentState, environment_state
from organizations.models import Submission
from organizations.permissions import Right
from organizations.presentation import evidence, home
from organizations.services import demonstration
from organizations.views.access import needs, user_of
from organizations.words import Word


@dataclass(frozen=True, slots=True)
class Row:
    """A submission with the word of its state."""

    submission: Submission
    word: Word


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    found = home.read(user_of(request))
    context = {
        "home": found,
        "panels": [_with_state(panel) for panel in found.panels],
        "mine": _rows(found.mine),
        "demonstration": settings.DEMO,
        "to_close": demonstration.location_to_close() if settings.DEMO else None,
        "deadline": settings.REDOX_DEADLINE,
        "settle": settings.REDOX_SETTLE,
    }
    return render(request, "home/page.html", context)


def _with_state(panel: home.Panel) -> tuple[home.Panel, EnvironmentState, Word]:
    state = environment_state(panel.environment, panel.gate)
    return panel, state, words.ENVIRONMENT_STATE[state.key]


def _rows(submissions: list[Submission]) -> list[Row]:
    return [Row(each, evidence.state_word(each)) for each in submissions]
