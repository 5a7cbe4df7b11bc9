"""The base of the filters of records and of the history. The address of the page contains the filters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from django.http import QueryDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters of one list. A field with its default value narrows nothing.

    NARROWING names the fields that narrow the list, in the order in which a page shows them. The other fields say how
    the list is shown. PARAMETERS: the parameter of each field that has another name in the address. FLAGS: the value in
    the address if a boolean field is true.
    """

    NARROWING: ClassVar[tuple[str, ...]] = ()
    PARAMETERS: ClassVar[Mapping[str, str]] = {}
    FLAGS: ClassVar[Mapping[str, str]] = {}

    @property
    def in_force(self) -> tuple[str, ...]:
        """The names of the filters that narrow the list."""
        return tuple(name for name in self.NARROWING if getattr(self, name))

    @property
    def view_parameters(self) -> dict[str, str]:
        """The parameters of the address that say how the list is shown."""
        return self._parameters(field.name for field in fields(self) if field.name not in self.NARROWING)

    def without(self, name: str) -> Self:
        changes: dict[str, Any] = {name: self._defaults()[name]}
        return replace(self, **changes)

    def cleared(self) -> Self:
        """No filter, shown in the same way."""
        defaults = self._defaults()
        return replace(self, **{name: defaults[name] for name in self.NARROWING})

    def address(self, **more: object) -> str:
        """The query of the address that sets these filters, with more parameters; "?" if there is nothing to set."""
        return f"?{urlencode(self._parameters(self.in_force) | self.view_parameters | more)}"

    def _parameters(self, names: Iterable[str]) -> dict[str, str]:
        defaults = self._defaults()
        return {
            self.PARAMETERS.get(name, name): self.FLAGS.get(name, str(getattr(self, name)))
            for name in names
            if getattr(self, name) != defaults[name]
        }

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {field.name: field.default for field in fields(cls)}

    @classmethod
    def text_in(cls, params: QueryDict, name: str) -> str:
        """The value in an address of the field with this name; "" if there is none."""
        return params.get(cls.PARAMETERS.get(name, name), "")

    @classmethod
    def flag_in(cls, params: QueryDict, name: str) -> bool:
        """Whether an address sets this boolean field."""
        return cls.text_in(params, name) == cls.FLAGS[name]


def most_restrictive[F: Filters](filters: F, count: Callable[[F], int]) -> tuple[str, int]:
    """The filter without which the list is longest, and that length. Used if no row matches the filters."""
    numbers = {name: count(filters.without(name)) for name in filters.in_force}
    name = max(numbers, key=lambda each: numbers[each])
    return name, numbers[name]
