"""A button that leads to the next step."""

from typing import NamedTuple


class NextStep(NamedTuple):
    """A button with a link. `needs_edit`: it needs the right to edit."""

    label: str
    url: str
    needs_edit: bool = False
