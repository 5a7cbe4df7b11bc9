"""The help page: first steps, what to do if something is unclear, and the words of the portal."""

from collections.abc import Mapping
from dataclasses import dataclass

from organizations.pages import Page
from organizations.text import evidence
from organizations.text.glossary import GLOSSARY, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage(Page):
    template = "help/page.html"

    evidence: list[tuple[str, str]]
    glossary: Mapping[str, Entry]


def build() -> HelpPage:
    return HelpPage(evidence=evidence.help_rows(), glossary=GLOSSARY)
