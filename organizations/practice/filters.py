"""The filters of a Query, and their SQL conditions."""

from dataclasses import dataclass
from typing import Any

DISTANCE_OF_ONE_STEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The values that an organization must match. None matches every organization.

    `name` is a prefix, in upper or lower case. `changed_since` is the earliest time of the last write, in seconds since
    1970.

    `zip_code` with `radius` is a search by a made-up distance. The practice directory does not know where a ZIP code
    is: it compares the first three digits as numbers, and each step between them counts as 10. 53704 and 53901 (537
    and 539) are 20 apart. An organization whose ZIP code does not begin with three digits is never found.

    `hides_after` is in seconds since 1970. An organization that was written later is shown as it was before its last
    write.
    """

    oid: str | None = None
    name: str | None = None
    zip_code: str | None = None
    radius: int = 0
    state: str | None = None
    active: bool | None = None
    changed_since: float | None = None
    hides_after: float | None = None

    def content(self) -> str:
        """SQL for an organization's content, with the parameters of `values`. NULL if it was not in the directory."""
        if self.hides_after is None:
            return "content"
        # `previous` is NULL if the earlier content is not known, and empty if the organization was new.
        return "CASE WHEN changed_at > :hides_after THEN nullif(coalesce(previous, content), '') ELSE content END"

    def conditions(self) -> list[str]:
        """SQL conditions on an organization's columns, with the parameters of `values`."""
        content = self.content()
        every = {
            f"{content} IS NOT NULL AND (changed_at <= :hides_after OR :changed_since IS NULL)": self.hides_after,
            "oid = :oid": self.oid,
            f"instr(lower(json_extract({content}, '$.Name')), lower(:name)) = 1": self.name,
            f"json_extract({content}, '$.Address.ZIP') GLOB '[0-9][0-9][0-9]*'"
            f" AND substr(json_extract({content}, '$.Address.ZIP'), 1, 3) BETWEEN :first_prefix AND :last_prefix": (
                self.zip_code
            ),
            f"json_extract({content}, '$.Address.State') = :state": self.state,
            f"json_extract({content}, '$.Active') = :active": self.active,
            "changed_at >= :changed_since": self.changed_since,
        }
        return [condition for condition, value in every.items() if value is not None]

    def values(self) -> dict[str, Any]:
        """The parameters of `conditions` and `content`."""
        prefix, steps = int((self.zip_code or "0")[:3]), self.radius // DISTANCE_OF_ONE_STEP
        return {
            "oid": self.oid,
            "name": self.name,
            "first_prefix": f"{max(prefix - steps, 0):03}",
            "last_prefix": f"{min(prefix + steps, 999):03}",
            "state": self.state,
            "active": self.active,
            "changed_since": self.changed_since,
            "hides_after": self.hides_after,
        }
