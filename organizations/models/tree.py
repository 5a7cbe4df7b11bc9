"""The tree of records. One recursive query finds ancestors or a branch, on SQLite and PostgreSQL."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, Value
from django.db.models.expressions import RawSQL

from .organization import Organization, OrganizationQuerySet, Presence
from .submission import OPEN_STATES, Submission

# No real tree is this deep. The limit ends the query if the rows form a circle.
DEEPEST = 60
ANCESTOR_COLUMNS = ("environment", "oid", "name", "presence", "confirmed_active")
"""Enough to name an ancestor, link to it, and say whether it is deactivated."""

_ANCESTORS = """
WITH RECURSIVE line(start, id, part_of_oid, depth) AS (
    SELECT child.oid, parent.id, parent.part_of_oid, 1
    FROM organizations_organization child
    JOIN organizations_organization parent ON parent.environment = child.environment AND parent.oid = child.part_of_oid
    WHERE child.environment = %s AND child.oid IN ({placeholders})
    UNION ALL
    SELECT line.start, parent.id, parent.part_of_oid, line.depth + 1
    FROM line
    JOIN organizations_organization parent ON parent.environment = %s AND parent.oid = line.part_of_oid
    WHERE line.depth < {deepest}
)
SELECT start, id FROM line ORDER BY start, depth DESC
"""

_BRANCH = """
WITH RECURSIVE branch(id, oid) AS (
    SELECT id, oid FROM organizations_organization WHERE environment = %s AND oid = %s
    UNION
    SELECT child.id, child.oid FROM organizations_organization child
    JOIN branch ON child.part_of_oid = branch.oid WHERE child.environment = %s
)
SELECT id FROM branch
"""

# Upwards from each start. UNION drops repeated rows, so that a circle ends the query.
_BELOW_THEMSELVES = """
WITH RECURSIVE above(start, oid) AS (
    SELECT oid, part_of_oid FROM organizations_organization WHERE environment = %s AND oid IN ({placeholders})
    UNION
    SELECT above.start, record.part_of_oid
    FROM above
    JOIN organizations_organization record ON record.environment = %s AND record.oid = above.oid
)
SELECT start FROM above WHERE start = oid
"""

# Upwards by each parent that a record has or will have in the directory: the accepted one (or the saved one, if nothing
# was accepted), that of an open submission, and that of a later reading. UNION drops repeated rows, so that a circle
# ends the query.
_ABOVE_IN_THE_DIRECTORY = """
WITH RECURSIVE above(oid) AS (
    SELECT CAST(%s AS text)
    UNION
    SELECT CAST(
        CASE ways.way
            WHEN 0 THEN COALESCE(NULLIF(record.confirmed_part_of_oid, ''), record.part_of_oid)
            WHEN 1 THEN sent.part_of_oid
            ELSE record.shown_part_of_oid
        END AS text
    )
    FROM above
    JOIN organizations_organization record ON record.environment = %s AND record.oid = above.oid
    CROSS JOIN ({ways}) ways
    LEFT JOIN organizations_submission sent ON sent.id = record.last_submission_id AND sent.state IN ({placeholders})
)
SELECT oid FROM above
"""


# Finds each different PartOf by one index lookup after another, and keeps those that are not records of ours.
_PARENTS_NOT_OURS = """
WITH RECURSIVE parents(oid) AS (
    SELECT min(part_of_oid) FROM organizations_organization WHERE environment = %s
    UNION ALL
    SELECT (
        SELECT min(part_of_oid) FROM organizations_organization WHERE environment = %s AND part_of_oid > parents.oid
    )
    FROM parents WHERE parents.oid IS NOT NULL
)
SELECT oid FROM parents WHERE oid IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM organizations_organization ours WHERE ours.environment = %s AND ours.oid = parents.oid
)
"""

# Counts the children of each parent, and adds each count to the parent and its ancestors. Few records are parents, so
# this costs little more than counting. UNION drops repeated rows, so that a circle ends the query.
_COUNTS_BELOW = """
WITH RECURSIVE counted(parent, key, number) AS MATERIALIZED ({counts}),
above(parent, oid) AS (
    SELECT DISTINCT parent, parent FROM counted
    UNION
    SELECT above.parent, record.part_of_oid
    FROM above JOIN organizations_organization record ON record.environment = %s AND record.oid = above.oid
)
SELECT above.oid, counted.key, SUM(counted.number)
FROM above JOIN counted ON counted.parent = above.parent
WHERE above.oid IN ({placeholders})
GROUP BY above.oid, counted.key
"""


def ancestors_of(environment: str, oids: Iterable[str]) -> dict[str, list[Organization]]:
    """The ancestors of each record with ANCESTOR_COLUMNS, the top first. Two queries for any number of records."""
    starts = list(oids)
    if not starts:
        return {}
    sql = _ANCESTORS.format(placeholders=", ".join(["%s"] * len(starts)), deepest=DEEPEST)
    with connection.cursor() as cursor:
        cursor.execute(sql, [environment, *starts, environment])
        pairs: list[tuple[str, int]] = cursor.fetchall()
    organizations = Organization.objects.only(*ANCESTOR_COLUMNS).in_bulk({record_id for _, record_id in pairs})
    ancestors: dict[str, list[Organization]] = {}
    for start, record_id in pairs:
        ancestors.setdefault(start, []).append(organizations[record_id])
    return ancestors


def path_of(organization: Organization) -> list[Organization]:
    """The ancestors of one record, the top first."""
    return ancestors_of(organization.environment, [organization.oid]).get(organization.oid, [])


def branch_ids(environment: str, oid: str) -> list[int]:
    """The ids of a record and of all records below it."""
    with connection.cursor() as cursor:
        cursor.execute(_BRANCH, [environment, oid, environment])
        return [row[0] for row in cursor.fetchall()]


def branch_of(environment: str, oid: str) -> OrganizationQuerySet:
    """A record and all records below it, as a queryset; one query for any number of records."""
    return Organization.objects.filter(pk__in=RawSQL(_BRANCH, [environment, oid, environment]))  # noqa: S611


def records_below(environment: str, oids: Collection[str]) -> dict[str, int]:
    """How many records are below each of these records, at any depth. One query, which counts all records."""
    here = Organization.objects.filter(environment=environment)
    return {oid: number for oid, _, number in _counts_below(environment, oids, [(here, Value(""))])}


def work_below(environment: str, oids: Collection[str]) -> dict[str, dict[str, int]]:
    """How many records below each of these have each key of OPEN_WORK. One query, of only the records with work."""
    here = Organization.objects.filter(environment=environment)
    work: dict[str, dict[str, int]] = {}
    differing = (here.filter(differs__gt=0), Value("directory_differs"))
    for oid, key, number in _counts_below(
        environment, oids, [(here.filter(open_work__gt=""), F("open_work")), differing]
    ):
        work.setdefault(oid, {})[key] = number
    return work


def _counts_below(
    environment: str, oids: Collection[str], counted: Iterable[tuple[OrganizationQuerySet, Value | F]]
) -> list[tuple[str, str, int]]:
    """Rows of OID, key and the number of records below that OID. `counted`: querysets with the key to count each by."""
    if not oids:
        return []
    parts: list[str] = []
    values: list[Any] = []
    for records, key in counted:
        counts = records.order_by().values("part_of_oid", key=key).annotate(number=Count("*"))
        part, of_part = counts.query.sql_with_params()
        parts.append(part)
        values += of_part
    sql = _COUNTS_BELOW.format(counts=" UNION ALL ".join(parts), placeholders=", ".join(["%s"] * len(oids)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, environment, *oids])
        return [(oid, key, int(number)) for oid, key, number in cursor.fetchall()]


def top_level(environment: str) -> OrganizationQuerySet:
    """The records whose parent is the gateway or another organization that is not a record of ours."""
    with connection.cursor() as cursor:
        cursor.execute(_PARENTS_NOT_OURS, [environment, environment, environment])
        foreign = [row[0] for row in cursor.fetchall()]
    return Organization.objects.filter(environment=environment, part_of_oid__in=foreign)


def active_children_of(organization: Organization) -> OrganizationQuerySet:
    """The children that are or may become active in the directory, by any source that `_active_below` uses."""
    return _active_below(organization.environment, [organization.oid])


def active_branch_of(organization: Organization) -> list[int]:
    """The ids of the active records below a record, at any depth; one query for each level."""
    branch: dict[int, str] = {}
    level = [organization.oid]
    while level:
        below = _active_below(organization.environment, level).exclude(pk=organization.pk).values_list("pk", "oid")
        new = {record_id: oid for record_id, oid in below if record_id not in branch}
        branch |= new
        level = list(new.values())
    return list(branch)


def _active_below(environment: str, oids: list[str]) -> OrganizationQuerySet:
    """Active children of any of these records.

    Four columns can name the parent: the saved PartOf, the one that Redox last accepted, the one in a later reading,
    and the one in an open submission. Each has an index, so that one query is fast in a large directory. A record that
    was accepted as active counts until our message deactivates it; a deactivated one counts as soon as a reading shows
    it active.
    """
    here = Organization.objects.filter(environment=environment)
    sent = Submission.objects.filter(environment=environment, part_of_oid__in=oids, state__in=OPEN_STATES)
    below = (
        here.filter(part_of_oid__in=oids)
        .values("pk")
        .union(
            here.filter(confirmed_part_of_oid__in=oids).values("pk"),
            here.filter(shown_part_of_oid__in=oids).values("pk"),
            sent.values("organization"),
        )
    )
    may_be_present = Q(presence__in=(Presence.PRESENT, Presence.UNKNOWN))
    is_active = may_be_present & (~Q(confirmed_active=False) | Q(shown_active=True))
    # While a submission is open, the saved Active is the one that it sends.
    is_sent_active = Q(last_submission__state__in=OPEN_STATES, active=True)
    # Not `here`: with the environment SQLite would read all its records instead of these.
    return Organization.objects.filter(is_active | is_sent_active, pk__in=below)


def would_circle(environment: str, oid: str, part_of_oid: str) -> bool:
    """Whether this parent would put the record below itself: the parent is the record or is below it."""
    if oid == part_of_oid:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM organizations_organization WHERE environment = %s AND oid = %s AND id IN ({_BRANCH})",  # noqa: S608
            [environment, part_of_oid, environment, oid, environment],
        )
        return cursor.fetchone() is not None


def in_circles(environment: str, oids: Iterable[str]) -> set[str]:
    """Which of these records are below themselves by their saved PartOf. One query for any number of records."""
    starts = list(oids)
    if not starts:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _BELOW_THEMSELVES.format(placeholders=", ".join(["%s"] * len(starts))), [environment, *starts, environment]
        )
        return {row[0] for row in cursor.fetchall()}


def would_circle_in_directory(environment: str, oid: str, part_of_oid: str) -> bool:
    """Like `would_circle`, but by the parents that the directory has or will have, not by the saved ones."""
    return oid in _above_in_the_directory(environment, part_of_oid)


def shown_on_the_circle(environment: str, oid: str, part_of_oid: str) -> Organization | None:
    """The record whose PartOf in a later reading causes this circle; None if the circle exists without readings."""
    if oid in _above_in_the_directory(environment, part_of_oid, with_readings=False):
        return None
    above = _above_in_the_directory(environment, part_of_oid)
    moved = Organization.objects.filter(environment=environment, oid__in=above).exclude(shown_part_of_oid="")
    return next((each for each in moved if would_circle_in_directory(environment, oid, each.shown_part_of_oid)), None)


def _above_in_the_directory(environment: str, oid: str, *, with_readings: bool = True) -> set[str]:
    ways = "SELECT 0 AS way UNION ALL SELECT 1" + (" UNION ALL SELECT 2" if with_readings else "")
    sql = _ABOVE_IN_THE_DIRECTORY.format(ways=ways, placeholders=", ".join(["%s"] * len(OPEN_STATES)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [oid, environment, *OPEN_STATES])
        return {row[0] for row in cursor.fetchall()}
