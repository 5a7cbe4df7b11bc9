"""The help page: first steps, what to do if something is unclear, and the words of the portal."""

from dataclasses import dataclass

from organizations.pages import Page
from organizations.text import evidence, vocabulary
from organizations.text.vocabulary import Word


@dataclass(frozen=True, slots=True)
class WordFamily:
    """Words of one kind, each with its anchor; "" if an earlier word with the same key has the anchor."""

    heading: str
    entries: tuple[tuple[Word, str], ...]


# Links of other pages go to the anchors. If two families have a word, such as Rejected, the first one has its anchor.
FAMILIES = (
    ("State of a submission", vocabulary.SUBMISSION_STATE),
    ("Directory status of a record", vocabulary.STANDING),
    ("To do about a record", vocabulary.OPEN_WORK),
    ("Outcome of an attempt", vocabulary.ATTEMPT),
    ("State of an environment", vocabulary.ENVIRONMENT_STATE),
    ("State of a plan: several records sent together", vocabulary.PLAN_STATE),
)
OWN_SECTION = "unknown"
"""This word has a section of its own with its anchor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage(Page):
    template = "help/page.html"

    families: list[WordFamily]
    evidence: list[tuple[str, str]]


def build() -> HelpPage:
    return HelpPage(families=_families(), evidence=evidence.explained())


def _families() -> list[WordFamily]:
    seen = {OWN_SECTION}
    families = []
    for heading, family in FAMILIES:
        entries = tuple((word, "" if word.key in seen else word.key) for word in family.values())
        seen |= set(family)
        families.append(WordFamily(heading, entries))
    return families
