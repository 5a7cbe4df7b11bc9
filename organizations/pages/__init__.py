"""What each screen shows: one typed object a screen, built whole before anything is rendered."""

from dataclasses import fields
from typing import Any, ClassVar


class Page:
    """What one screen shows to one visitor. Each field of the dataclass is a name in its template.

    A page is made by `build` of its module from a loaded row and the visitor; it knows no request, so a test makes and
    reads it without a client.
    """

    __slots__ = ()
    template: ClassVar[str]

    @property
    def names(self) -> dict[str, Any]:
        """The names that the template uses, with their values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
