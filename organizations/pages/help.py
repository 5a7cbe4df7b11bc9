"""The words of the portal, the first steps, and what to do when something is unclear: on one page."""

from dataclasses import dataclass

from organizations.pages import Page
from organizations.text import evidence, vocabulary
from organizations.text.vocabulary import Word


@dataclass(frozen=True, slots=True)
class Family:
    """Words of one kind, each with the anchor that the sentences of all pages link to; "" where another has it."""

    heading: str
    entries: tuple[tuple[Word, str], ...]


# Where one word stands for two things, such as Rejected, the first family here has its anchor; Unknown has a section.
FAMILIES = (
    ("State of a submission", vocabulary.SUBMISSION_STATE),
    ("Directory status of a record", vocabulary.STANDING),
    ("To do about a record", vocabulary.OPEN_WORK),
    ("What an attempt came to", vocabulary.ATTEMPT),
    ("State of an environment", vocabulary.ENVIRONMENT_STATE),
    ("State of a plan: several records sent together", vocabulary.PLAN_STATE),
)
OWN_SECTION = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage(Page):
    """The same for everybody."""

    template = "help/page.html"

    families: list[Family]
    evidence: list[tuple[str, str]]


def build() -> HelpPage:
    return HelpPage(families=_families(), evidence=evidence.explained())


def _families() -> list[Family]:
    seen = {OWN_SECTION}
    found = []
    for heading, family in FAMILIES:
        entries = tuple((word, "" if word.key in seen else word.key) for word in family.values())
        seen |= set(family)
        found.append(Family(heading, entries))
    return found
