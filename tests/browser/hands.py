"""Counts the actions of a person: presses of a button, link, checkbox or radio, and fields typed."""

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect


def expect_accepted(page: Page) -> None:
    """Wait until the open page of a submission says that it is accepted."""
    expect(page).to_have_title(re.compile("^Accepted: "))


@dataclass(slots=True)
class Hands:
    """`presses` includes the Enter that submits a form; `typed` counts fields, not letters."""

    presses: int = 0
    typed: int = 0

    def press(self, target: Locator) -> None:
        target.click()
        self.presses += 1

    def type(self, field: Locator, text: str) -> None:
        field.fill(text)
        self.typed += 1
