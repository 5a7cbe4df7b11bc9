"""The page that keeps a posted form after the sign-in has ended, until the person has signed in again."""

from dataclasses import dataclass

from django.http import QueryDict

from organizations.pages import Page
from organizations.services.directory.read_candidates import without_secrets

NOT_KEPT = ("csrfmiddlewaretoken", "came-back")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFormPage(Page):
    """`fields` are (name, value) of every posted input, in the order of the form."""

    template = "expired_session/kept_form.html"

    fields: list[tuple[str, str]]


def build(posted: QueryDict) -> KeptFormPage:
    """The posted fields without secrets: somebody else may use this browser now."""
    shown = without_secrets(posted)
    fields = [(name, str(value)) for name, values in shown.lists() for value in values if name not in NOT_KEPT]
    return KeptFormPage(fields=fields)
