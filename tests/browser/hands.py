"""Counts what a person does with the hands: presses of a button, link, tick or choice, and fields that are typed."""

from dataclasses import dataclass

from playwright.sync_api import Locator


@dataclass(slots=True)
class Hands:
    """`presses` counts also the press on Enter that sends what was typed; `typed` counts fields, not letters."""

    presses: int = 0
    typed: int = 0

    def press(self, target: Locator) -> None:
        target.click()
        self.presses += 1

    def type(self, field: Locator, text: str) -> None:
        field.fill(text)
        self.typed += 1
