"""The results of a search so far. The page keeps them, signed, because the portal stores nothing about others.

A search that is continued posts it back, so that the next page shows all results.
"""

import datetime
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from django.core import signing

from organizations.services.directory.search import START, Position

MOST_ROWS = 2000
"""A search that has shown this many organizations cannot be continued: the person must narrow it."""
MOST_UNREADABLE = 20
_SALT = "organizations.pages.directory.so_far"
_LONGEST_AGE = 24 * 3600


class HitRow(NamedTuple):
    """One organization that the directory showed, in words.

    `group` is one of the keys of `results.GROUPS`; `url` leads to the record in the portal, if there is one. `said`
    is what the page says about it, and `more` follows. It was compared with the record at `compared_at` (ISO 8601).
    """

    group: str
    name: str
    oid: str
    listed_oid: str
    active: bool
    part_of_oid: str
    part_of: str
    url: str
    said: str
    more: str
    icon: str
    tone: str
    compared_at: str

    @property
    def compared(self) -> datetime.datetime | None:
        """When it was compared with the record in the portal; None if it was not."""
        return datetime.datetime.fromisoformat(self.compared_at) if self.compared_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierResults:
    """What was typed, where the search continues, and the results so far: rows, unreadable ones, and counts."""

    typed: dict[str, str] = field(default_factory=dict)
    position: Position = START
    rows: tuple[HitRow, ...] = ()
    unreadable: tuple[str, ...] = ()
    unreadable_count: int = 0
    doubled: int = 0

    @property
    def listed_oids(self) -> frozenset[str]:
        """The OID under which each organization was listed."""
        return frozenset(row.listed_oid for row in self.rows)

    def signed_text(self, environment: str) -> str:
        """As a text for a hidden field, which nobody can change."""
        values = asdict(self) | {"position": self.position.to_json()}
        return signing.dumps(values, salt=f"{_SALT}.{environment}", compress=True)

    @classmethod
    def opened(cls, text: str, environment: str) -> Self | None:
        """What `signed_text` made for this environment; None if the text is anything else, or a day old."""
        try:
            values: dict[str, Any] = signing.loads(text, salt=f"{_SALT}.{environment}", max_age=_LONGEST_AGE)
            position = Position.from_json(values["position"])
            rows = tuple(HitRow(*row) for row in values["rows"])
            return cls(**{**values, "position": position, "rows": rows, "unreadable": tuple(values["unreadable"])})
        except (signing.BadSignature, ValueError, KeyError, TypeError):
            return None
